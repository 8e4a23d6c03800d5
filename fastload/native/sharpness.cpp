#include "sharpness.h"

#include <cstddef>
#include <cstdint>
#include <cstring>

// Last, since it is for what follows it.
#include "blend.h"

namespace fastload {
namespace {

// A pixel counts five times, each of the eight around it once.
constexpr uint32_t kWeight = 13;

// sum / kWeight, rounded; it is never halfway between two levels, so Pillow's floats agree.
constexpr uint32_t Rounded(uint32_t sum) {
    // 2^19 / 26, rounded up: exact for all sums of levels.
    constexpr uint32_t kInverse = 20165;
    return ((2 * sum + kWeight) * kInverse) >> 19;
}

constexpr bool RoundedIsExact() {
    for (uint32_t sum = 0; sum <= 255 * kWeight; ++sum)
        if (Rounded(sum) != (2 * sum + kWeight) / (2 * kWeight)) return false;
    return true;
}
static_assert(RoundedIsExact());

// Levels begin..end of a row; `step` levels lie between neighbours.
void SharpenRow(const uint8_t* above, const uint8_t* row, const uint8_t* below, ptrdiff_t step,
                ptrdiff_t begin, ptrdiff_t end, float factor, uint8_t* __restrict out) {
    for (ptrdiff_t i = begin; i < end; ++i) {
        const int around = above[i - step] + above[i] + above[i + step] + row[i - step] +
                           row[i + step] + below[i - step] + below[i] + below[i + step];
        const auto smooth = Rounded(static_cast<uint32_t>(around + 5 * row[i]));
        out[i] = Blend(static_cast<int>(smooth), row[i], factor);
    }
}

}  // namespace

void Sharpness(const Image& in, float factor, Image& out) {
    out.Allocate(in.height, in.width, in.channels);
    const ptrdiff_t step = in.channels, end = in.stride() - step;
    for (int32_t y = 0; y < in.height; ++y) {
        uint8_t* to = out.row(y);
        const uint8_t* row = in.row(y);
        if (y == 0 || y == in.height - 1 || in.width < 3) {
            std::memcpy(to, row, static_cast<size_t>(in.stride()));
            continue;
        }
        std::memcpy(to, row, static_cast<size_t>(step));
        SharpenRow(in.row(y - 1), row, in.row(y + 1), step, step, end, factor, to);
        std::memcpy(to + end, row + end, static_cast<size_t>(step));
    }
}

}  // namespace fastload
