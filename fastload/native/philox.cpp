#include "philox.h"

#include <cstring>
#include <string>

#include "error.h"
#include "shuffle.h"

namespace fastload {
namespace {

// Half the memory is walked at random where the numbers fit 32 bits.
void PermuteNarrow(WordStream& words, uint64_t count, int64_t* out) {
    Places<uint32_t> narrow = UpperHalf(out, count);
    for (uint64_t i = 0; i < count; ++i) narrow.Set(i, static_cast<uint32_t>(i));
    Shuffle(words, count, narrow);
    Places<int64_t> wide(out);
    for (uint64_t i = 0; i < count; ++i) wide.Set(i, narrow.Get(i));
}

void PermuteWide(WordStream& words, uint64_t count, int64_t* out) {
    Places<int64_t> wide(out);
    for (uint64_t i = 0; i < count; ++i) wide.Set(i, static_cast<int64_t>(i));
    Shuffle(words, count, wide);
}

}  // namespace

void CheckEpoch(uint64_t epoch) {
    if (epoch >= kPhiloxEpochs) {
        throw Failure(FL_BAD_ARGUMENT, "epoch " + std::to_string(epoch) + " does not fit 32 bits");
    }
}

void PhiloxDraws(uint64_t seed, uint64_t epoch, const int64_t* positions, size_t count,
                 uint32_t stream, uint32_t blocks, uint32_t* out) {
    CheckEpoch(epoch);
    if (stream >= kShuffleStream) {
        throw Failure(FL_BAD_ARGUMENT,
                      "stream " + std::to_string(stream) + " is not in 0 .. 65534");
    }
    if (blocks > kPhiloxBlocks) {
        throw Failure(FL_BAD_ARGUMENT,
                      std::to_string(blocks) + " blocks asked for, at most 65536 exist");
    }
    const PhiloxKey key = KeyOfSeed(seed);
    for (size_t i = 0; i < count; ++i) {
        const uint64_t position = static_cast<uint64_t>(positions[i]);
        if (position >= kPhiloxPositions) {
            throw Failure(FL_BAD_ARGUMENT, "position " + std::to_string(positions[i]) +
                                               " at place " + std::to_string(i) +
                                               " is not in 0 .. 2^48 - 1");
        }
        for (uint32_t block = 0; block < blocks; ++block, out += 4) {
            const auto words = Philox4x32(PhiloxCounterOf(epoch, position, stream, block), key);
            std::memcpy(out, words.data(), sizeof(words));
        }
    }
}

void Permutation(uint64_t seed, uint64_t epoch, uint64_t count, int64_t* out) {
    WordStream words(seed, epoch, kPermutationPurpose);
    if (count <= UINT32_MAX) {
        PermuteNarrow(words, count, out);
    } else {
        PermuteWide(words, count, out);
    }
}

}  // namespace fastload
