#include "upsampling.h"

#include <algorithm>

namespace fastload {
namespace {

Range NeededSamples(Range pixels, int32_t step, bool smooth, int32_t count) {
    const int32_t beside = smooth && step > 1 ? 1 : 0;
    return {std::max(pixels.first / step - beside, 0),
            std::min((pixels.last - 1) / step + 1 + beside, count)};
}

bool IsSmooth(const SampleGrid& grid) { return UpsamplingOf(grid) != Upsampling::kRepeat; }

}  // namespace

Upsampling UpsamplingOf(const SampleGrid& grid) {
    const int32_t across = grid.step_across, down = grid.step_down;
    if (across == 1 && down == 1) return Upsampling::kNone;
    if (across == 1 && down == 2) return Upsampling::kDownTwice;
    if (across == 2 && down == 1 && grid.width > 2) return Upsampling::kAcrossTwice;
    if (across == 2 && down == 2 && grid.width > 2) return Upsampling::kBothTwice;
    return Upsampling::kRepeat;
}

Range NeededColumns(const SampleGrid& grid, Box box) {
    return NeededSamples({box.left, box.left + box.width}, grid.step_across, IsSmooth(grid),
                         grid.width);
}

BlockBox NeededBlocks(const SampleGrid& grid, Box box) {
    const Range rows =
        NeededSamples({box.top, box.top + box.height}, grid.step_down, IsSmooth(grid), grid.height);
    return {Touched(NeededColumns(grid, box), kBlockSide), Touched(rows, kBlockSide)};
}

}  // namespace fastload
