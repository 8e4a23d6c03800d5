// Blocks of a `.dct` record's groups to coefficients, one implementation for each instruction set.
#ifndef FASTLOAD_NATIVE_DCT_BLOCKS_H_
#define FASTLOAD_NATIVE_DCT_BLOCKS_H_

#include <cstddef>
#include <cstdint>

namespace fastload {

// Bytes behind a group that may be read, never used.
inline constexpr size_t kReadablePastGroup = 128;

// Reads `count` blocks, 64 coefficients each in natural order. Returns whether they are all the
// bytes from `at` to `end`, no more and no less.
using UnpackBlocks = bool(const uint8_t* at, const uint8_t* end, int32_t count, int16_t* blocks);
UnpackBlocks UnpackBlocksPortable, UnpackBlocksAvx2;

// A 12-bit number with a sign: DC differences wrap around in it.
constexpr int16_t Wrapped(int32_t value) {
    return static_cast<int16_t>((value & 4095) ^ 2048) - 2048;
}

}  // namespace fastload

#endif  // FASTLOAD_NATIVE_DCT_BLOCKS_H_
