// When each sample of an order comes again: what a cache has to know.
#ifndef FASTLOAD_NATIVE_NEXT_USE_H_
#define FASTLOAD_NATIVE_NEXT_USE_H_

#include <cstdint>

namespace fastload {

// next_uses[i] becomes the next position in `order` of the sample at position i; where there is
// none, `period` (positions from the begin of this pass to that of the following one) plus its
// first position in `following`; where that is null, plus its expected first position if it comes
// as often as in this pass: count / (times + 1), which is exact for samples drawn independently
// and the mean for a permutation. UINT64_MAX for a sample that does not come again. Samples are
// natural numbers; throws FL_BAD_ARGUMENT for others. Memory: eight bytes for each up to the
// largest.
void NextUses(const int64_t* order, uint64_t count, const int64_t* following,
              uint64_t following_count, uint64_t period, uint64_t* next_uses);

}  // namespace fastload

#endif  // FASTLOAD_NATIVE_NEXT_USE_H_
