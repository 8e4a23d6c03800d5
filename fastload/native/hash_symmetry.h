// How a perceptual hash moves when its picture is mirrored or transposed: the 8 symmetries of the
// square, numbered 4 * transposed + 2 * upside down + left to right. A picture is transposed first,
// then mirrored.
#ifndef FASTLOAD_NATIVE_HASH_SYMMETRY_H_
#define FASTLOAD_NATIVE_HASH_SYMMETRY_H_

#include <cstdint>

namespace fastload {

inline constexpr uint32_t kSymmetries = 8;
inline constexpr uint32_t kLeftToRight = 1, kUpsideDown = 2, kTransposed = 4;

// Mirroring turns the sign of every wave that is odd along its direction.
inline uint64_t MirroredBits(uint32_t symmetry) {
    constexpr uint64_t kOddColumns = 0xAAAAAAAAAAAAAAAA, kOddRows = 0xFF00FF00FF00FF00;
    return ((symmetry & kLeftToRight) != 0 ? kOddColumns : 0) ^
           ((symmetry & kUpsideDown) != 0 ? kOddRows : 0);
}

// Bit 8 v + u goes to bit 8 u + v: blocks of 1, 2 and 4 bits a side change places across the
// diagonal.
inline uint64_t TransposedBits(uint64_t hash) {
    const auto exchange = [&hash](uint64_t upper, uint32_t shift) {
        const uint64_t changed = (hash ^ (hash >> shift)) & upper;
        hash ^= changed ^ (changed << shift);
    };
    exchange(0x00AA00AA00AA00AA, 7);
    exchange(0x0000CCCC0000CCCC, 14);
    exchange(0x00000000F0F0F0F0, 28);
    return hash;
}

// The hash of the picture under a symmetry.
inline uint64_t HashUnder(uint64_t hash, uint32_t symmetry) {
    return ((symmetry & kTransposed) != 0 ? TransposedBits(hash) : hash) ^ MirroredBits(symmetry);
}

}  // namespace fastload

#endif  // FASTLOAD_NATIVE_HASH_SYMMETRY_H_
