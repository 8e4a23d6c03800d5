#include "block_rows.h"

#include <algorithm>

namespace fastload {
namespace {

int32_t DivideUp(int32_t value, int32_t divisor) { return (value + divisor - 1) / divisor; }

// Adds the MCUs that have some of a component's blocks.
void Include(Range blocks, int32_t blocks_of_mcu, Range& mcus) {
    mcus.first = std::min(mcus.first, blocks.first / blocks_of_mcu);
    mcus.last = std::max(mcus.last, DivideUp(blocks.last, blocks_of_mcu));
}

}  // namespace

SampleGrid SampleGridOf(const JpegLayout& layout, int32_t component) {
    const int32_t across = layout.across[component], down = layout.down[component];
    return {layout.most_across / across, layout.most_down / down,
            DivideUp(layout.width * across, layout.most_across),
            DivideUp(layout.height * down, layout.most_down)};
}

BlockBox AllBlocks(const JpegLayout& layout, int32_t component) {
    const SampleGrid grid = SampleGridOf(layout, component);
    return {{0, DivideUp(grid.width, kBlockSide)}, {0, DivideUp(grid.height, kBlockSide)}};
}

BlockBox McusOf(const JpegLayout& layout, const BlockBox blocks[]) {
    BlockBox mcus = {{layout.mcu_columns, 0}, {layout.mcu_rows, 0}};
    for (int32_t i = 0; i < layout.component_count; ++i) {
        Include(blocks[i].across, layout.across[i], mcus.across);
        Include(blocks[i].down, layout.down[i], mcus.down);
    }
    return mcus;
}

void ReadBlocks(const JpegLayout& layout, CoefficientSource& source, const BlockBox needed[],
                BlockTaker& taker) {
    const BlockBox mcus = McusOf(layout, needed);
    source.Begin(mcus.across, mcus.down);
    for (int32_t mcu_row = mcus.down.first; mcu_row < mcus.down.last; ++mcu_row) {
        ForEachBlockRow(layout, needed, mcu_row, [&](int32_t component, int32_t row) {
            taker.Take(component, row, source.Blocks(component, row, needed[component].across));
        });
        taker.EndMcuRow(mcu_row);
    }
}

}  // namespace fastload
