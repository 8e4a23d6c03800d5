// The bytes of a `.dct` record's groups from and to coefficients, one implementation for each
// instruction set.
#ifndef FASTLOAD_NATIVE_DCT_BLOCKS_H_
#define FASTLOAD_NATIVE_DCT_BLOCKS_H_

#include <cstddef>
#include <cstdint>

#include "box.h"

namespace fastload {

// What a block takes of a group's front: its DC and the length of its AC coefficients.
inline constexpr size_t kFrontOfBlock = 3;

// What AC coefficients take at most: rows, their masks, nibbles, wide bits and high parts.
inline constexpr size_t kMostBytesOfAc = 1 + 8 + 32 + 8 + 63;

// Bytes behind a group that may be read, or written by packing, never used.
inline constexpr size_t kReadablePastGroup = 192;

constexpr size_t PackedBlocksBound(int32_t count) {
    return static_cast<size_t>(count) * (kFrontOfBlock + kMostBytesOfAc) + kReadablePastGroup;
}

// Writes a group of `count` blocks, 64 coefficients each in natural order. Returns where its bytes
// end, or null where a coefficient is too large for them.
using PackBlocks = uint8_t*(const int16_t* blocks, int32_t count, uint8_t* out);
PackBlocks PackBlocksPortable, PackBlocksAvx2;

// Reads the blocks `wanted` of a group of `count` blocks, 16 at most. Returns whether the group is
// well-formed and has `size` bytes, as far as that can be seen without reading the other blocks.
using UnpackBlocks = bool(const uint8_t* group, size_t size, int32_t count, Range wanted,
                          int16_t* blocks);
UnpackBlocks UnpackBlocksPortable, UnpackBlocksAvx2, UnpackBlocksAvx512;

}  // namespace fastload

#endif  // FASTLOAD_NATIVE_DCT_BLOCKS_H_
