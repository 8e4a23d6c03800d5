#include "dct_groups.h"

#include <algorithm>

#include "dct_blocks.h"
#include "simd_level.h"

namespace fastload {
namespace {

constexpr int32_t kBlock = 8;
constexpr int32_t kCoefficients = kBlock * kBlock;

int32_t DivideUp(int32_t value, int32_t divisor) { return (value + divisor - 1) / divisor; }

}  // namespace

DctGroups::DctGroups(const JpegLayout& layout)
    : component_count_(layout.component_count),
      mcu_columns_(layout.mcu_columns),
      mcus_(kMostBlocksOfGroup / layout.most_across),
      across_(DivideUp(layout.mcu_columns, mcus_)) {
    const auto blocks = [](int32_t pixels, int32_t factor, int32_t most) {
        return DivideUp(DivideUp(pixels * factor, most), kBlock);
    };
    for (int32_t i = 0; i < component_count_; ++i) {
        first_block_row_[i] = block_rows_;
        block_rows_ += layout.down[i];
        factors_across_[i] = layout.across[i];
        factors_down_[i] = layout.down[i];
        blocks_across_[i] = blocks(layout.width, layout.across[i], layout.most_across);
        blocks_down_[i] = blocks(layout.height, layout.down[i], layout.most_down);
    }
}

Range DctGroups::Blocks(int32_t component, Range mcus) const {
    const int32_t factor = factors_across_[component], count = blocks_across_[component];
    return {std::min(mcus.first * factor, count), std::min(mcus.last * factor, count)};
}

bool DctGroups::HasRow(int32_t component, int32_t mcu_row, int32_t down) const {
    return mcu_row * factors_down_[component] + down < blocks_down_[component];
}

Range DctGroups::McusOf(int32_t group) const {
    return {group * mcus_, std::min((group + 1) * mcus_, mcu_columns_)};
}

bool PackGroups(const JpegLayout& layout, const DctGroups& groups, int32_t mcu_row,
                const CoefficientRow& row, int32_t first, Range mcus, Buffer& out,
                uint16_t* lengths) {
    static PackBlocks* const pack =
        CurrentSimdLevel() == SimdLevel::kPortable ? PackBlocksPortable : PackBlocksAvx2;
    for (int32_t i = 0; i < layout.component_count; ++i) {
        const Range blocks = groups.Blocks(i, mcus);
        const size_t skipped = size_t{kCoefficients} * (blocks.first - first * layout.across[i]);
        for (int32_t down = 0; down < layout.down[i]; ++down, ++lengths) {
            *lengths = 0;
            if (!groups.HasRow(i, mcu_row, down)) continue;
            uint8_t* const start = out.Reserve(PackedBlocksBound(blocks.count()));
            const uint8_t* const end = pack(row.Blocks(i, down) + skipped, blocks.count(), start);
            if (end == nullptr) return false;
            *lengths = static_cast<uint16_t>(end - start);
            out.Commit(*lengths);
        }
    }
    return true;
}

bool UnpackGroup(const uint8_t* bytes, size_t size, int32_t count, Range wanted, int16_t* blocks) {
    static UnpackBlocks* const unpack =
        CurrentSimdLevel() == SimdLevel::kAvx512 ? UnpackBlocksAvx512
        : CurrentSimdLevel() == SimdLevel::kAvx2 ? UnpackBlocksAvx2
                                                 : UnpackBlocksPortable;
    return unpack(bytes, size, count, wanted, blocks);
}

}  // namespace fastload
