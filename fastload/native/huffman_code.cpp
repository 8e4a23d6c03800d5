#include "huffman_code.h"

#include <algorithm>
#include <cstddef>

namespace fastload {
namespace {

constexpr size_t kLongestCode = 16;

// Stands for the all-ones code, which T.81 forbids; counted once so that it is among the rarest.
constexpr uint32_t kReserved = 256;
constexpr size_t kMostLeaves = 257;

// A Huffman tree over 257 leaves is at most 256 deep.
constexpr size_t kDeepest = 256;

struct Leaf {
    uint64_t frequency;
    uint32_t symbol;
};

struct Leaves {
    std::array<Leaf, kMostLeaves> leaves;  // rarest first; the reserved one before its equals
    size_t count;
};

Leaves SortedLeaves(const std::array<uint32_t, 256>& frequencies) {
    Leaves result;
    result.count = 0;
    result.leaves[result.count++] = {1, kReserved};
    for (uint32_t symbol = 256; symbol-- > 0;) {
        if (frequencies[symbol] > 0) result.leaves[result.count++] = {frequencies[symbol], symbol};
    }
    std::stable_sort(result.leaves.begin(),
                     result.leaves.begin() + static_cast<ptrdiff_t>(result.count),
                     [](const Leaf& a, const Leaf& b) { return a.frequency < b.frequency; });
    return result;
}

using DepthCounts = std::array<uint32_t, kDeepest + 1>;

// Joins the two rarest nodes until one is left. Joined nodes come out ever more frequent, so they
// queue behind one another and the rarest node is always at the head of one of two queues.
DepthCounts CountDepths(const Leaves& sorted) {
    const size_t count = sorted.count;
    std::array<uint64_t, 2 * kMostLeaves> frequency;
    std::array<uint16_t, 2 * kMostLeaves> parent;
    for (size_t i = 0; i < count; ++i) frequency[i] = sorted.leaves[i].frequency;
    size_t leaf = 0, joined = count, end = count;
    const auto rarest = [&] {
        const bool take_leaf =
            leaf < count && (joined == end || frequency[leaf] <= frequency[joined]);
        return take_leaf ? leaf++ : joined++;
    };
    while (end < 2 * count - 1) {
        const size_t first = rarest(), second = rarest();
        frequency[end] = frequency[first] + frequency[second];
        parent[first] = parent[second] = static_cast<uint16_t>(end);
        ++end;
    }
    DepthCounts counts{};
    std::array<uint16_t, 2 * kMostLeaves> depth;
    depth[end - 1] = 0;
    for (size_t node = end - 1; node-- > 0;)
        depth[node] = static_cast<uint16_t>(depth[parent[node]] + 1);
    for (size_t i = 0; i < count; ++i) ++counts[depth[i]];
    return counts;
}

// T.81 figure K.3: two leaves too deep make room by becoming, one, the prefix of both, the other, a
// sibling of a shorter code.
void LimitDepths(DepthCounts& counts) {
    for (size_t depth = kDeepest; depth > kLongestCode; --depth) {
        while (counts[depth] > 0) {
            size_t shorter = depth - 2;
            while (counts[shorter] == 0) --shorter;
            counts[depth] -= 2;
            counts[depth - 1] += 1;
            counts[shorter + 1] += 2;
            counts[shorter] -= 1;
        }
    }
}

}  // namespace

uint32_t HuffmanCode::symbol_count() const {
    uint32_t count = 0;
    for (uint8_t of_length : counts) count += of_length;
    return count;
}

HuffmanCode OptimalCode(const std::array<uint32_t, 256>& frequencies) {
    HuffmanCode result{};
    const Leaves sorted = SortedLeaves(frequencies);
    if (sorted.count == 1) return result;
    DepthCounts depths = CountDepths(sorted);
    LimitDepths(depths);
    size_t longest = kLongestCode;
    while (depths[longest] == 0) --longest;
    --depths[longest];  // the reserved code, the last of the longest
    for (size_t length = 1; length <= kLongestCode; ++length) {
        result.counts[length] = static_cast<uint8_t>(depths[length]);
    }
    uint32_t code = 0;
    size_t place = 0, leaf = sorted.count;
    for (size_t length = 1; length <= kLongestCode; ++length, code <<= 1) {
        for (uint32_t i = 0; i < depths[length]; ++i, ++code) {
            const uint32_t symbol = sorted.leaves[--leaf].symbol;
            result.symbols[place++] = static_cast<uint8_t>(symbol);
            result.codes[symbol] = static_cast<uint16_t>(code);
            result.lengths[symbol] = static_cast<uint8_t>(length);
        }
    }
    return result;
}

}  // namespace fastload
