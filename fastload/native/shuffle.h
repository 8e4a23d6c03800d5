// Random words in sequence and shuffles drawn from them: Fisher-Yates from the last place down,
// each partner drawn by Lemire's method ("Fast Random Integer Generation in an Interval", ACM
// TOMACS 2019), two words (low, high) a draw while 2^32 places or more are left.
#ifndef FASTLOAD_NATIVE_SHUFFLE_H_
#define FASTLOAD_NATIVE_SHUFFLE_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "philox.h"

namespace fastload {

// The words of Philox's stream 0xFFFF at an epoch, group after group; `purpose` is the counter's
// last word, so that streams of different purposes share nothing.
class WordStream {
  public:
    WordStream(uint64_t seed, uint64_t epoch, uint32_t purpose)
        : key_(KeyOfSeed(seed)), epoch_(epoch), purpose_(purpose) {
        CheckEpoch(epoch);
    }

    uint32_t Next() {
        if (taken_ == kWords) Refill();
        return words_[taken_++];
    }

    // A natural number below `bound`, which is 1 or more; all are equally likely.
    uint64_t Below(uint64_t bound) {
        return bound <= UINT32_MAX ? BelowNarrow(static_cast<uint32_t>(bound)) : BelowWide(bound);
    }

  private:
    static constexpr size_t kGroups = 64;
    static constexpr size_t kWords = 4 * kGroups;

    uint64_t BelowNarrow(uint32_t bound) {
        uint64_t product = uint64_t{Next()} * bound;
        if (static_cast<uint32_t>(product) < bound) {
            const uint32_t threshold = -bound % bound;
            while (static_cast<uint32_t>(product) < threshold) product = uint64_t{Next()} * bound;
        }
        return product >> 32;
    }

    uint64_t BelowWide(uint64_t bound) {
        __extension__ using Wide = unsigned __int128;
        Wide product = Wide{Next64()} * bound;
        if (static_cast<uint64_t>(product) < bound) {
            const uint64_t threshold = -bound % bound;
            while (static_cast<uint64_t>(product) < threshold) product = Wide{Next64()} * bound;
        }
        return static_cast<uint64_t>(product >> 64);
    }

    uint64_t Next64() {
        const uint64_t low = Next();
        return low | uint64_t{Next()} << 32;
    }

    void Refill() {
        for (size_t group = 0; group < kGroups; ++group) {
            const auto block = Philox4x32(
                PhiloxCounterOf(epoch_, position_ + group, kShuffleStream, purpose_), key_);
            std::memcpy(words_ + 4 * group, block.data(), sizeof(block));
        }
        position_ += kGroups;
        taken_ = 0;
    }

    PhiloxKey key_;
    uint64_t epoch_;
    uint32_t purpose_;
    uint64_t position_ = 0;
    size_t taken_ = kWords;
    uint32_t words_[kWords];
};

// Elements of T seen through bytes, so that 32-bit ones may live in the caller's 64-bit array.
template <typename T>
class Places {
  public:
    explicit Places(void* bytes) : bytes_(static_cast<unsigned char*>(bytes)) {}

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
            partners[k] = words.Below(left - k);
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

// 32-bit numbers in the upper half of an array of 64-bit ones: widening them from the front never
// overwrites one that is still to be read, as 8 * (i + 1) <= 4 * count + 4 * (i + 1) for i < count.
inline Places<uint32_t> UpperHalf(int64_t* wide, uint64_t count) {
    return Places<uint32_t>(reinterpret_cast<unsigned char*>(wide) + 4 * count);
}

}  // namespace fastload

#endif  // FASTLOAD_NATIVE_SHUFFLE_H_
