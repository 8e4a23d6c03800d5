// A random permutation whose elements are computed one at a time: no memory, any size.
#ifndef FASTLOAD_NATIVE_RANDOM_CYCLE_H_
#define FASTLOAD_NATIVE_RANDOM_CYCLE_H_

#include <array>
#include <cstdint>

namespace fastload {

// A Feistel network over the smallest power of two that holds `size`, with cycle-walking: an image
// outside is mapped again until it lies inside (Black and Rogaway, "Ciphers with Arbitrary Finite
// Domains", CT-RSA 2002). Each round only adds to one half what the other half says, so it can be
// undone, whatever the round function is: the map is a bijection at every size.
class RandomCycle {
  public:
    // `number` tells the cycles of one seed and era apart. Throws FL_BAD_ARGUMENT for an era of
    // more than 32 bits.
    RandomCycle(uint64_t seed, uint64_t era, uint32_t number, uint32_t size);

    // Writes the elements at `place` and the `count - 1` places behind it, all below the size.
    void Copy(uint32_t place, uint32_t count, uint32_t* out) const;

  private:
    static constexpr int kRounds = 6;

    uint32_t Mapped(uint32_t place) const;

    uint32_t size_;
    int low_bits_;
    uint32_t low_mask_;
    uint32_t high_mask_;
    std::array<uint32_t, kRounds> keys_;
};

}  // namespace fastload

#endif  // FASTLOAD_NATIVE_RANDOM_CYCLE_H_
