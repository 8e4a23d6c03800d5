#include <bit>
#include <cstring>

#include "dct_blocks.h"

namespace fastload {
namespace {

int32_t Bit(const uint8_t* bits, int32_t i) { return bits[i / 8] >> i % 8 & 1; }

// Returns where the block ends.
const uint8_t* UnpackBlock(const uint8_t* at, int16_t* block) {
    std::memset(block, 0, 64 * sizeof(int16_t));
    const uint32_t rows = *at++;
    int16_t* places[64];
    int32_t count = 0;
    for (int32_t row = 0; row < 8; ++row) {
        if ((rows >> row & 1) == 0) continue;
        const uint32_t mask = *at++;
        for (int32_t column = 0; column < 8; ++column)
            if ((mask >> column & 1) != 0) places[count++] = block + 8 * row + column;
    }
    const uint8_t* const nibbles = at;
    const uint8_t* const wide = nibbles + (count + 1) / 2;
    at = wide + (count + 7) / 8;
    for (int32_t i = 0; i < count; ++i) {
        const int32_t nibble = nibbles[i / 2] >> 4 * (i % 2) & 15;
        int32_t value = (nibble ^ 8) - 8;
        if (Bit(wide, i) != 0) value += 16 * static_cast<int8_t>(*at++);
        *places[i] = static_cast<int16_t>(value);
    }
    return at;
}

}  // namespace

bool UnpackBlocksPortable(const uint8_t* at, const uint8_t* end, int32_t count, int16_t* blocks) {
    int32_t prediction = 0;
    for (; count > 0 && at < end; --count, blocks += 64) {
        at = UnpackBlock(at, blocks);
        blocks[0] = Wrapped(prediction + blocks[0]);
        prediction = blocks[0];
    }
    return count == 0 && at == end;
}

}  // namespace fastload
