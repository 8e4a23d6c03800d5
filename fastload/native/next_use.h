// When each sample of an order comes again: what a cache has to know.
#ifndef FASTLOAD_NATIVE_NEXT_USE_H_
#define FASTLOAD_NATIVE_NEXT_USE_H_

#include <cstdint>

namespace fastload {

// 32 bits keep what a loader of ten million images holds small.
constexpr uint32_t kNever = UINT32_MAX;

// first[s] becomes `start` plus the first position in `order` of sample s, kNever where it has
// none. Throws FL_BAD_ARGUMENT for a sample that is not 0 to `samples` - 1.
void FirstUses(const int64_t* order, uint64_t count, uint32_t start, uint32_t* first,
               uint64_t samples);

// next_uses[i] becomes the next position in `order` of the sample at position i; where there is
// none, what `coming` has for that sample: its first use in the following pass. `coming` is left
// with the first uses in this pass. Throws as FirstUses does.
void NextUses(const int64_t* order, uint64_t count, uint32_t* coming, uint64_t samples,
              uint32_t* next_uses);

// Whether some sample comes twice in an order. Throws as FirstUses does.
bool HasRepeats(const int64_t* order, uint64_t count, uint64_t samples);

}  // namespace fastload

#endif  // FASTLOAD_NATIVE_NEXT_USE_H_
