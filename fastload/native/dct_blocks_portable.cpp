#include <cstring>

#include "dct_blocks.h"

namespace fastload {
namespace {

// ---- Packing

// T.81 F.1.2: baseline codes DC differences of up to 11 bits, AC coefficients of up to 10.
constexpr bool IsBaselineDc(int32_t value) { return value >= -2048 && value < 2048; }
constexpr bool IsBaselineAc(int32_t value) { return value > -1024 && value < 1024; }

// The AC coefficients of a block that are not zero, in natural order, and where they are.
struct Values {
    int16_t values[64];
    int32_t count = 0;
    uint8_t rows = 0;
    uint8_t masks[8];
    int32_t mask_count = 0;
    bool fit = true;

    explicit Values(const int16_t* block) {
        for (int32_t row = 0; row < 8; ++row) {
            uint8_t mask = 0;
            for (int32_t column = row == 0 ? 1 : 0; column < 8; ++column) {
                const int16_t value = block[8 * row + column];
                if (value == 0) continue;
                fit &= IsBaselineAc(value);
                mask |= static_cast<uint8_t>(1 << column);
                values[count++] = value;
            }
            if (mask == 0) continue;
            rows |= static_cast<uint8_t>(1 << row);
            masks[mask_count++] = mask;
        }
    }
};

// What a nibble with a sign cannot hold of a value, in sixteenths.
int32_t HighPart(int32_t value) { return (value + 8) >> 4; }

uint8_t* PutNibbles(const Values& values, uint8_t* at) {
    for (int32_t i = 0; i < values.count; ++i) {
        const auto nibble = static_cast<uint8_t>(values.values[i] & 15);
        if (i % 2 == 0)
            *at = nibble;
        else
            *at++ |= static_cast<uint8_t>(nibble << 4);
    }
    return at + values.count % 2;
}

uint8_t* PutHighParts(const Values& values, uint8_t* at) {
    uint8_t* const wide = at;
    at += (values.count + 7) / 8;
    std::memset(wide, 0, static_cast<size_t>(values.count + 7) / 8);
    for (int32_t i = 0; i < values.count; ++i) {
        const int32_t high = HighPart(values.values[i]);
        if (high == 0) continue;
        wide[i / 8] |= static_cast<uint8_t>(1 << i % 8);
        *at++ = static_cast<uint8_t>(high);
    }
    return at;
}

uint8_t* PutAc(const Values& values, uint8_t* at) {
    if (values.count == 0) return at;
    *at++ = values.rows;
    std::memcpy(at, values.masks, static_cast<size_t>(values.mask_count));
    at = PutNibbles(values, at + values.mask_count);
    return PutHighParts(values, at);
}

// ---- Unpacking

int32_t Bit(const uint8_t* bits, int32_t i) { return bits[i / 8] >> i % 8 & 1; }

// Returns where the coefficients end.
const uint8_t* ReadAc(const uint8_t* at, int16_t* block) {
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

uint8_t* PackBlocksPortable(const int16_t* blocks, int32_t count, uint8_t* out) {
    uint8_t* front = out;
    uint8_t* at = out + kFrontOfBlock * static_cast<size_t>(count);
    for (int32_t i = 0; i < count; ++i, blocks += 64) {
        const Values values(blocks);
        if (!IsBaselineDc(blocks[0]) || !values.fit) return nullptr;
        uint8_t* const end = PutAc(values, at);
        front[2 * i] = static_cast<uint8_t>(blocks[0]);
        front[2 * i + 1] = static_cast<uint8_t>(blocks[0] >> 8);
        front[2 * count + i] = static_cast<uint8_t>(end - at);
        at = end;
    }
    return at;
}

bool UnpackBlocksPortable(const uint8_t* group, size_t size, int32_t count, Range wanted,
                          int16_t* blocks) {
    const uint8_t* const lengths = group + 2 * count;
    size_t all = kFrontOfBlock * static_cast<size_t>(count);
    if (size < all) return false;
    const uint8_t* at = group + all;
    for (int32_t i = 0; i < count; ++i) {
        all += lengths[i];
        if (i < wanted.first) at += lengths[i];
    }
    if (all != size) return false;
    for (int32_t i = wanted.first; i < wanted.last; ++i, blocks += 64) {
        std::memset(blocks, 0, 64 * sizeof(int16_t));
        const uint8_t* const end = at + lengths[i];
        if (at != end && ReadAc(at, blocks) != end) return false;
        blocks[0] = static_cast<int16_t>(group[2 * i] | group[2 * i + 1] << 8);
        at = end;
    }
    return true;
}

}  // namespace fastload
