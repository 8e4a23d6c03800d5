#include "random_cycle.h"

#include <algorithm>
#include <bit>

#include "philox.h"

namespace fastload {
namespace {

// Spreads every bit over the word: multiplications by odd numbers, and shifts that bring the high
// bits, where products mix best, down again. (The constants are those of MurmurHash3's last step.)
uint32_t Mixed(uint32_t word) {
    word ^= word >> 16;
    word *= 0x85EBCA6Bu;
    word ^= word >> 13;
    word *= 0xC2B2AE35u;
    return word ^ word >> 16;
}

}  // namespace

RandomCycle::RandomCycle(uint64_t seed, uint64_t era, uint32_t number, uint32_t size)
    : size_(size) {
    CheckEpoch(era);
    const int bits = std::max(2, static_cast<int>(std::bit_width(size - 1)));
    low_bits_ = bits / 2;
    low_mask_ = (uint32_t{1} << low_bits_) - 1;
    high_mask_ = (uint32_t{1} << (bits - low_bits_)) - 1;
    const PhiloxKey key = KeyOfSeed(seed);
    const auto words = [&](uint64_t position) {
        return Philox4x32(PhiloxCounterOf(era, position, kShuffleStream, kCyclePurpose), key);
    };
    const PhiloxCounter first = words(2 * uint64_t{number});
    const PhiloxCounter second = words(2 * uint64_t{number} + 1);
    keys_ = {first[0], first[1], first[2], first[3], second[0], second[1]};
}

inline uint32_t RandomCycle::Mapped(uint32_t place) const {
    uint32_t low = place & low_mask_;
    uint32_t high = place >> low_bits_;
    for (int round = 0; round < kRounds; round += 2) {
        low ^= Mixed(high ^ keys_[round]) & low_mask_;
        high ^= Mixed(low ^ keys_[round + 1]) & high_mask_;
    }
    return high << low_bits_ | low;
}

// One element depends on its own rounds alone, so that those of many run side by side; whether one
// has to be mapped again is not to be foreseen, so that it is stored, not jumped on.
void RandomCycle::Copy(uint32_t place, uint32_t count, uint32_t* out) const {
    constexpr uint32_t kTogether = 64;
    uint32_t outside[kTogether];
    for (uint32_t done = 0; done < count; done += kTogether) {
        const uint32_t together = std::min(kTogether, count - done);
        uint32_t* mapped = out + done;
        uint32_t left = 0;
        for (uint32_t i = 0; i < together; ++i) mapped[i] = Mapped(place + done + i);
        for (uint32_t i = 0; i < together; ++i) {
            outside[left] = i;
            left += mapped[i] >= size_;
        }
        while (left > 0) {
            uint32_t still = 0;
            for (uint32_t k = 0; k < left; ++k) {
                const uint32_t i = outside[k];
                mapped[i] = Mapped(mapped[i]);
                outside[still] = i;
                still += mapped[i] >= size_;
            }
            left = still;
        }
    }
}

}  // namespace fastload
