#include "philox.h"

#include <algorithm>
#include <cstring>
#include <string>

#include "error.h"

namespace fastload {
namespace {

PhiloxKey KeyOf(uint64_t seed) {
    return {static_cast<uint32_t>(seed), static_cast<uint32_t>(seed >> 32)};
}

PhiloxCounter CounterOf(uint64_t epoch, uint64_t position, uint32_t stream, uint32_t block) {
    return {static_cast<uint32_t>(position), static_cast<uint32_t>(position >> 32) | stream << 16,
            static_cast<uint32_t>(epoch), block};
}

void CheckEpoch(uint64_t epoch) {
    if (epoch >= kPhiloxEpochs) {
        throw Failure(FL_BAD_ARGUMENT, "epoch " + std::to_string(epoch) + " does not fit 32 bits");
    }
}

// The words of the permutation stream, one after the other.
class WordStream {
  public:
    WordStream(uint64_t seed, uint64_t epoch) : key_(KeyOf(seed)), epoch_(epoch) {}

    uint32_t Next() {
        if (taken_ == kWords) Refill();
        return words_[taken_++];
    }

    uint64_t Next64() {
        const uint64_t low = Next();
        return low | uint64_t{Next()} << 32;
    }

  private:
    static constexpr size_t kGroups = 64;
    static constexpr size_t kWords = 4 * kGroups;

    void Refill() {
        for (size_t group = 0; group < kGroups; ++group) {
            const auto block =
                Philox4x32(CounterOf(epoch_, position_ + group, kPermutationStream, 0), key_);
            std::memcpy(words_ + 4 * group, block.data(), sizeof(block));
        }
        position_ += kGroups;
        taken_ = 0;
    }

    PhiloxKey key_;
    uint64_t epoch_;
    uint64_t position_ = 0;
    size_t taken_ = kWords;
    uint32_t words_[kWords];
};

uint64_t DrawBelow(WordStream& words, uint32_t bound) {
    uint64_t product = uint64_t{words.Next()} * bound;
    if (static_cast<uint32_t>(product) < bound) {
        const uint32_t threshold = -bound % bound;
        while (static_cast<uint32_t>(product) < threshold) product = uint64_t{words.Next()} * bound;
    }
    return product >> 32;
}

uint64_t DrawBelowWide(WordStream& words, uint64_t bound) {
    __extension__ using Wide = unsigned __int128;
    Wide product = Wide{words.Next64()} * bound;
    if (static_cast<uint64_t>(product) < bound) {
        const uint64_t threshold = -bound % bound;
        while (static_cast<uint64_t>(product) < threshold) product = Wide{words.Next64()} * bound;
    }
    return static_cast<uint64_t>(product >> 64);
}

// Elements of T seen through bytes, so that 32-bit ones may live in the caller's 64-bit array.
template <typename T>
class Places {
  public:
    explicit Places(unsigned char* bytes) : bytes_(bytes) {}

    T Get(uint64_t i) const {
        T value;
        std::memcpy(&value, bytes_ + i * sizeof(T), sizeof(T));
        return value;
    }
    void Set(uint64_t i, T value) { std::memcpy(bytes_ + i * sizeof(T), &value, sizeof(T)); }
    void Prefetch(uint64_t i) const { __builtin_prefetch(bytes_ + i * sizeof(T), 1); }

  private:
    unsigned char* bytes_;
};

// The partners do not depend on what is being shuffled, so they are drawn ahead and their cache
// lines called for: without that each exchange in a large array waits for memory.
template <typename T>
void Shuffle(WordStream& words, uint64_t count, Places<T> places) {
    constexpr uint64_t kAhead = 64;
    uint64_t partners[kAhead];
    for (uint64_t left = count; left > 1;) {
        const uint64_t drawn = std::min(kAhead, left - 1);
        for (uint64_t k = 0; k < drawn; ++k) {
            const uint64_t bound = left - k;
            partners[k] = bound <= UINT32_MAX ? DrawBelow(words, static_cast<uint32_t>(bound))
                                              : DrawBelowWide(words, bound);
            places.Prefetch(partners[k]);
        }
        for (uint64_t k = 0; k < drawn; ++k) {
            const uint64_t last = left - 1 - k;
            const T moved = places.Get(last);
            places.Set(last, places.Get(partners[k]));
            places.Set(partners[k], moved);
        }
        left -= drawn;
    }
}

// 32-bit numbers in the upper half of the array halve the memory that is walked at random; widening
// them from the front never overwrites one that is still to be read, as 8 * (i + 1) <= 4 * count +
// 4 * (i + 1) for i < count.
void PermuteNarrow(WordStream& words, uint64_t count, unsigned char* bytes) {
    Places<uint32_t> narrow(bytes + 4 * count);
    for (uint64_t i = 0; i < count; ++i) narrow.Set(i, static_cast<uint32_t>(i));
    Shuffle(words, count, narrow);
    Places<int64_t> wide(bytes);
    for (uint64_t i = 0; i < count; ++i) wide.Set(i, narrow.Get(i));
}

void PermuteWide(WordStream& words, uint64_t count, unsigned char* bytes) {
    Places<int64_t> wide(bytes);
    for (uint64_t i = 0; i < count; ++i) wide.Set(i, static_cast<int64_t>(i));
    Shuffle(words, count, wide);
}

}  // namespace

void PhiloxDraws(uint64_t seed, uint64_t epoch, const int64_t* positions, size_t count,
                 uint32_t stream, uint32_t blocks, uint32_t* out) {
    CheckEpoch(epoch);
    if (stream >= kPermutationStream) {
        throw Failure(FL_BAD_ARGUMENT,
                      "stream " + std::to_string(stream) + " is not in 0 .. 65534");
    }
    if (blocks > kPhiloxBlocks) {
        throw Failure(FL_BAD_ARGUMENT,
                      std::to_string(blocks) + " blocks asked for, at most 65536 exist");
    }
    const PhiloxKey key = KeyOf(seed);
    for (size_t i = 0; i < count; ++i) {
        const uint64_t position = static_cast<uint64_t>(positions[i]);
        if (position >= kPhiloxPositions) {
            throw Failure(FL_BAD_ARGUMENT, "position " + std::to_string(positions[i]) +
                                               " at place " + std::to_string(i) +
                                               " is not in 0 .. 2^48 - 1");
        }
        for (uint32_t block = 0; block < blocks; ++block, out += 4) {
            const auto words = Philox4x32(CounterOf(epoch, position, stream, block), key);
            std::memcpy(out, words.data(), sizeof(words));
        }
    }
}

void Permutation(uint64_t seed, uint64_t epoch, uint64_t count, int64_t* out) {
    CheckEpoch(epoch);
    WordStream words(seed, epoch);
    auto* bytes = reinterpret_cast<unsigned char*>(out);
    if (count <= UINT32_MAX) {
        PermuteNarrow(words, count, bytes);
    } else {
        PermuteWide(words, count, bytes);
    }
}

}  // namespace fastload
