// The groups of a `.dct` record: all instruction sets accept the same bytes and make the same
// blocks of them. The first two bytes of an input say how many blocks there are and which are
// wanted, the others are the group.

#include <array>
#include <numeric>

#include "dct_blocks.h"
#include "dct_groups.h"
#include "fuzz_target.h"

namespace {

using fastload::Range;

constexpr auto kMostBlocks = static_cast<uint32_t>(fastload::kMostBlocksOfGroup);
constexpr size_t kCoefficients = 64;

struct Group {
    const uint8_t* bytes;
    size_t size;
    int32_t count;
    Range wanted;
};

// As long as its blocks' lengths say, where the bytes suffice: else hardly any would be accepted.
Group GroupOf(const uint8_t* data, size_t size) {
    const uint32_t count = 1 + data[0] % kMostBlocks;
    const uint32_t first = data[1] % count;
    const uint32_t last = first + 1 + data[1] / kMostBlocks % (count - first);
    data += 2, size -= 2;
    if (const size_t front = fastload::kFrontOfBlock * count; size >= front) {
        const uint8_t* const lengths = data + size_t{2} * count;
        size = std::min(size, std::accumulate(lengths, lengths + count, front));
    }
    return {data,
            size,
            static_cast<int32_t>(count),
            {static_cast<int32_t>(first), static_cast<int32_t>(last)}};
}

struct Blocks {
    bool well_formed;
    std::vector<int16_t> coefficients;
};

// What lies behind the group can be read, and must make no difference.
Blocks Unpacked(fastload::UnpackBlocks& unpack, const Group& group, uint8_t behind) {
    Bytes bytes(group.bytes, group.bytes + group.size);
    bytes.resize(group.size + fastload::kReadablePastGroup, behind);
    Blocks blocks{false, std::vector<int16_t>(kCoefficients * group.wanted.count())};
    blocks.well_formed =
        unpack(bytes.data(), group.size, group.count, group.wanted, blocks.coefficients.data());
    return blocks;
}

// Empty where a coefficient is too large for a group.
Bytes Packed(fastload::PackBlocks& pack, const std::vector<int16_t>& coefficients) {
    const auto count = static_cast<int32_t>(coefficients.size() / kCoefficients);
    Bytes bytes(fastload::PackedBlocksBound(count));
    const uint8_t* const end = pack(coefficients.data(), count, bytes.data());
    bytes.resize(end == nullptr ? 0 : static_cast<size_t>(end - bytes.data()));
    return bytes;
}

void TryPacking(const std::vector<int16_t>& coefficients) {
    const Bytes bytes = Packed(fastload::PackBlocksPortable, coefficients);
    REQUIRE(Packed(fastload::PackBlocksAvx2, coefficients) == bytes);
    if (bytes.empty()) return;
    const auto count = static_cast<int32_t>(coefficients.size() / kCoefficients);
    const Group group = {bytes.data(), bytes.size(), count, {0, count}};
    const Blocks again = Unpacked(fastload::UnpackBlocksPortable, group, 0);
    REQUIRE(again.well_formed && again.coefficients == coefficients);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    if (size < 2) return 0;
    const Group group = GroupOf(data, size);
    const Blocks blocks = Unpacked(fastload::UnpackBlocksPortable, group, 0);
    for (auto* unpack : {fastload::UnpackBlocksPortable, fastload::UnpackBlocksAvx2}) {
        const Blocks other = Unpacked(*unpack, group, 0xFF);
        REQUIRE(other.well_formed == blocks.well_formed);
        if (blocks.well_formed) REQUIRE(other.coefficients == blocks.coefficients);
    }
    if (blocks.well_formed) TryPacking(blocks.coefficients);
    return 0;
}
