#include "next_use.h"

#include <algorithm>
#include <vector>

#include "error.h"

namespace fastload {
namespace {

constexpr uint64_t kNever = UINT64_MAX;

uint64_t CountSamples(const int64_t* order, uint64_t count) {
    if (count == 0) return 0;
    const auto [least, most] = std::minmax_element(order, order + count);
    if (*least < 0) throw Failure(FL_BAD_ARGUMENT, "a negative sample in an order");
    return static_cast<uint64_t>(*most) + 1;
}

// Where each sample comes in the following pass, as far as that is known.
std::vector<uint64_t> ComingUses(const int64_t* order, uint64_t count, const int64_t* following,
                                 uint64_t following_count, uint64_t period) {
    std::vector<uint64_t> coming(
        std::max(CountSamples(order, count),
                 following == nullptr ? 0 : CountSamples(following, following_count)),
        following == nullptr ? 0 : kNever);
    if (following != nullptr) {
        for (uint64_t i = following_count; i-- > 0;) coming[following[i]] = period + i;
        return coming;
    }
    for (uint64_t i = 0; i < count; ++i) ++coming[order[i]];
    for (uint64_t& times : coming) times = period + count / (times + 1);
    return coming;
}

}  // namespace

void NextUses(const int64_t* order, uint64_t count, const int64_t* following,
              uint64_t following_count, uint64_t period, uint64_t* next_uses) {
    std::vector<uint64_t> coming = ComingUses(order, count, following, following_count, period);
    for (uint64_t i = count; i-- > 0;) {
        next_uses[i] = coming[order[i]];
        coming[order[i]] = i;
    }
}

}  // namespace fastload
