#include "next_use.h"

#include <algorithm>
#include <string>
#include <vector>

#include "error.h"

namespace fastload {
namespace {

void CheckOrder(const int64_t* order, uint64_t count, uint64_t samples) {
    for (uint64_t i = 0; i < count; ++i)
        if (static_cast<uint64_t>(order[i]) >= samples)
            throw Failure(FL_BAD_ARGUMENT, "sample " + std::to_string(order[i]) +
                                               " in an order of " + std::to_string(samples));
}

}  // namespace

void FirstUses(const int64_t* order, uint64_t count, uint32_t start, uint32_t* first,
               uint64_t samples) {
    CheckOrder(order, count, samples);
    std::fill(first, first + samples, kNever);
    for (uint64_t i = count; i-- > 0;) first[order[i]] = start + static_cast<uint32_t>(i);
}

void NextUses(const int64_t* order, uint64_t count, uint32_t* coming, uint64_t samples,
              uint32_t* next_uses) {
    CheckOrder(order, count, samples);
    for (uint64_t i = count; i-- > 0;) {
        next_uses[i] = coming[order[i]];
        coming[order[i]] = static_cast<uint32_t>(i);
    }
}

bool HasRepeats(const int64_t* order, uint64_t count, uint64_t samples) {
    CheckOrder(order, count, samples);
    std::vector<bool> seen(samples);
    for (uint64_t i = 0; i < count; ++i) {
        if (seen[order[i]]) return true;
        seen[order[i]] = true;
    }
    return false;
}

}  // namespace fastload
