// Which perceptual hashes are near which: within a Hamming distance, under any symmetry of the
// square.
//
// The 63 bits are dealt into parts. Two hashes within distance d differ, in at least one part, in
// no more bits than that part's radius, the radii being such that their sum plus one for each part
// is d + 1. So for each part both sides are sorted by the part's bits, and only entries whose bits
// there differ within the radius are compared in whole (multi-index hashing: Norouzi, Punjani and
// Fleet, "Fast Search in Hamming Space with Multi-Index Hashing", CVPR 2012), bucket against
// bucket, which keeps the buckets in the processor's cache. A transposed side is sorted for
// itself, mirroring exchanges whole buckets.
#ifndef FASTLOAD_NATIVE_NEAR_HASHES_H_
#define FASTLOAD_NATIVE_NEAR_HASHES_H_

#include <atomic>
#include <compare>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

namespace fastload {

// Farther apart, pictures that have nothing in common are near one another by the thousands.
inline constexpr uint32_t kMostDistance = 16;

using Hashes = std::span<const uint64_t>;

// Called, by several threads at once, with positions among the queries and the entries, and the
// symmetry that brings the query's picture near the entry's; once for each such triple.
using NearVisitor = std::function<void(uint32_t query, uint32_t entry, uint32_t symmetry)>;

// Throws FL_BAD_ARGUMENT for a distance above kMostDistance, fewer threads than 1, or more than
// 2^32 - 1 hashes, as all below do.
void RequireSearchable(Hashes hashes, uint32_t distance, uint32_t threads);

// Visits all that are near. A query whose `done` is set (if `done` is not empty) is left alone from
// there on. Queries and entries may be the same: each is then near itself.
void VisitNear(Hashes queries, Hashes entries, uint32_t distance, uint32_t threads,
               std::span<std::atomic<bool>> done, const NearVisitor& visit);

// near[i] becomes 1 where another of the hashes is near, or equal to, hash i, else 0.
void MarkNear(Hashes hashes, uint32_t distance, uint32_t threads, uint8_t* near);

struct NearPair {
    int64_t query, entry;
    auto operator<=>(const NearPair&) const = default;
};

// All that are near, in order, each once.
std::vector<NearPair> NearPairs(Hashes queries, Hashes entries, uint32_t distance,
                                uint32_t threads);

}  // namespace fastload

#endif  // FASTLOAD_NATIVE_NEAR_HASHES_H_
