// Records grouped by what they show: near hashes name the candidates, small pictures decide.
#ifndef FASTLOAD_NATIVE_NEAR_GROUPS_H_
#define FASTLOAD_NATIVE_NEAR_GROUPS_H_

#include <cstdint>

#include "near_hashes.h"

namespace fastload {

// groups[i] becomes the least position in the group of hash i. Two are in one group if their
// hashes are near under a symmetry and their pictures (see small_pictures.h) match under it, or if
// a chain of such pairs leads from one to the other. Those of equal hash whose pictures match that
// of the first of them are in its group and count no further: so a million pictures of one flat
// colour are a million comparisons, not their square.
void GroupNear(Hashes hashes, const uint8_t* pictures, uint32_t distance, double correlation,
               uint32_t threads, int64_t* groups);

}  // namespace fastload

#endif  // FASTLOAD_NATIVE_NEAR_GROUPS_H_
