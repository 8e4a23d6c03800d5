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

void ReadBlocks(const JpegLayout& layout, CoefficientSource& source, const BlockBox needed[],
                BlockTaker& taker) {
    Range columns = {layout.mcu_columns, 0}, rows = {layout.mcu_rows, 0};
    for (int32_t i = 0; i < layout.component_count; ++i) {
        Include(needed[i].across, layout.across[i], columns);
        Include(needed[i].down, layout.down[i], rows);
    }
    source.Begin(columns, rows);
    for (int32_t mcu_row = rows.first; mcu_row < rows.last; ++mcu_row) {
        for (int32_t i = 0; i < layout.component_count; ++i) {
            const int32_t first = std::max(mcu_row * layout.down[i], needed[i].down.first);
            const int32_t last = std::min((mcu_row + 1) * layout.down[i], needed[i].down.last);
            for (int32_t row = first; row < last; ++row)
                taker.Take(i, row, source.Blocks(i, row, needed[i].across));
        }
        taker.EndMcuRow(mcu_row);
    }
}

}  // namespace fastload
