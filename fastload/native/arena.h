// Memory of a batch that several threads fill from its front.
#ifndef FASTLOAD_NATIVE_ARENA_H_
#define FASTLOAD_NATIVE_ARENA_H_

#include <algorithm>
#include <atomic>
#include <cstdint>

#include "error.h"

namespace fastload {

class Arena {
  public:
    // Of any reserved part.
    static constexpr uint64_t kAlignment = 16;

    // The first `used` bytes are taken.
    Arena(uint8_t* bytes, uint64_t size, uint64_t used) : bytes_(bytes), size_(size), used_(used) {}

    static constexpr uint64_t Aligned(uint64_t size) {
        return (size + kAlignment - 1) / kAlignment * kAlignment;
    }

    // Where so many bytes are the caller's. Throws FL_BAD_ARGUMENT, and takes nothing, where they
    // do not fit.
    uint64_t Reserve(uint64_t size) {
        uint64_t offset = used();
        uint64_t left;
        do {
            left = size_ - std::min(offset, size_);
            if (offset > size_ || size > left)
                throw Failure(FL_BAD_ARGUMENT, "the batch's arena has no room left");
        } while (!used_.compare_exchange_weak(offset, offset + std::min(Aligned(size), left),
                                              std::memory_order_relaxed));
        return offset;
    }

    uint8_t* At(uint64_t offset) const { return bytes_ + offset; }
    uint64_t used() const { return used_.load(std::memory_order_relaxed); }

  private:
    uint8_t* const bytes_;
    const uint64_t size_;
    std::atomic<uint64_t> used_;
};

}  // namespace fastload

#endif  // FASTLOAD_NATIVE_ARENA_H_
