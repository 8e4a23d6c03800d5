// Philox4x32-10, the counter-based generator of Salmon, Moraes, Dror and Shaw, "Parallel Random
// Numbers: As Easy as 1, 2, 3" (SC 2011), and the permutations drawn from it.
//
// What is drawn is a pure function of where it is wanted. Key and counter are packed as
//
//     key     = (seed bits 0-31, seed bits 32-63)
//     counter = (position bits 0-31, position bits 32-47 | stream << 16, epoch, block)
//
// with 48 bits of position, 16 of stream, 32 of epoch and 16 of block, so that no two draws share a
// counter. Stream 0xFFFF belongs to orders: its block says which part of an order is drawn, and the
// k-th group of four words is position k.
#ifndef FASTLOAD_NATIVE_PHILOX_H_
#define FASTLOAD_NATIVE_PHILOX_H_

#include <array>
#include <cstddef>
#include <cstdint>

namespace fastload {

using PhiloxCounter = std::array<uint32_t, 4>;
using PhiloxKey = std::array<uint32_t, 2>;

inline constexpr uint64_t kPhiloxPositions = uint64_t{1} << 48;
inline constexpr uint64_t kPhiloxEpochs = uint64_t{1} << 32;
inline constexpr uint32_t kPhiloxBlocks = 1u << 16;
inline constexpr uint32_t kShuffleStream = 0xFFFF;

// What is drawn from the shuffle stream, in the counter's block.
inline constexpr uint32_t kPermutationPurpose = 0;
inline constexpr uint32_t kClassesPurpose = 1;
inline constexpr uint32_t kCyclePurpose = 2;
inline constexpr uint32_t kItemsPurpose = 3;

inline PhiloxCounter Philox4x32(PhiloxCounter counter, PhiloxKey key) {
    for (int round = 0; round < 10; ++round) {
        const uint64_t left = uint64_t{0xD2511F53u} * counter[0];
        const uint64_t right = uint64_t{0xCD9E8D57u} * counter[2];
        counter = {
            static_cast<uint32_t>(right >> 32) ^ counter[1] ^ key[0], static_cast<uint32_t>(right),
            static_cast<uint32_t>(left >> 32) ^ counter[3] ^ key[1], static_cast<uint32_t>(left)};
        key[0] += 0x9E3779B9u;
        key[1] += 0xBB67AE85u;
    }
    return counter;
}

inline PhiloxKey KeyOfSeed(uint64_t seed) {
    return {static_cast<uint32_t>(seed), static_cast<uint32_t>(seed >> 32)};
}

inline PhiloxCounter PhiloxCounterOf(uint64_t epoch, uint64_t position, uint32_t stream,
                                     uint32_t block) {
    return {static_cast<uint32_t>(position), static_cast<uint32_t>(position >> 32) | stream << 16,
            static_cast<uint32_t>(epoch), block};
}

// Throws FL_BAD_ARGUMENT for an epoch that does not fit its field.
void CheckEpoch(uint64_t epoch);

// Writes out[count][blocks][4]. Refuses positions, epochs, streams and blocks that do not fit their
// fields.
void PhiloxDraws(uint64_t seed, uint64_t epoch, const int64_t* positions, size_t count,
                 uint32_t stream, uint32_t blocks, uint32_t* out);

// Writes a permutation of 0 .. count-1, shuffled as shuffle.h has it.
void Permutation(uint64_t seed, uint64_t epoch, uint64_t count, int64_t* out);

}  // namespace fastload

#endif  // FASTLOAD_NATIVE_PHILOX_H_
