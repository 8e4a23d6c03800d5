#include "near_groups.h"

#include <algorithm>
#include <numeric>
#include <vector>

#include "disjoint_sets.h"
#include "small_pictures.h"

namespace fastload {
namespace {

// Joins those of equal hash with the first whose picture is theirs; returns these first ones.
std::vector<uint32_t> JoinEqual(Hashes hashes, const SmallPictures& pictures, double correlation,
                                DisjointSets& sets) {
    std::vector<uint32_t> sorted(hashes.size());
    std::iota(sorted.begin(), sorted.end(), 0);
    std::stable_sort(sorted.begin(), sorted.end(),
                     [&](uint32_t a, uint32_t b) { return hashes[a] < hashes[b]; });
    std::vector<uint32_t> leaders;
    size_t of_this_hash = 0;  // where its leaders begin
    for (const uint32_t i : sorted) {
        if (!leaders.empty() && hashes[leaders.back()] != hashes[i]) of_this_hash = leaders.size();
        const auto leader =
            std::find_if(leaders.begin() + static_cast<ptrdiff_t>(of_this_hash), leaders.end(),
                         [&](uint32_t known) { return pictures.Match(known, i, 0, correlation); });
        if (leader == leaders.end()) {
            leaders.push_back(i);
        } else {
            sets.Join(*leader, i);
        }
    }
    return leaders;
}

}  // namespace

void GroupNear(Hashes hashes, const uint8_t* pictures, uint32_t distance, double correlation,
               uint32_t threads, int64_t* groups) {
    RequireSearchable(hashes, distance, threads);
    const auto count = static_cast<uint32_t>(hashes.size());
    const SmallPictures shown(pictures, count);
    DisjointSets sets(count);
    const std::vector<uint32_t> leaders = JoinEqual(hashes, shown, correlation, sets);
    std::vector<uint64_t> distinct;
    for (const uint32_t leader : leaders) distinct.push_back(hashes[leader]);
    const auto join = [&](uint32_t query, uint32_t entry, uint32_t symmetry) {
        const uint32_t a = leaders[query], b = leaders[entry];
        if (sets.Root(a) == sets.Root(b)) return;
        if (shown.Match(a, b, symmetry, correlation)) sets.Join(a, b);
    };
    VisitNear(distinct, distinct, distance, threads, {}, join);
    for (uint32_t i = 0; i < count; ++i) groups[i] = sets.Root(i);
}

}  // namespace fastload
