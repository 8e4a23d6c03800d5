#include <algorithm>

#include "resize_kernels.h"

namespace fastload {
namespace {

constexpr int32_t kHalf = 1 << (kWeightBits - 1);

uint8_t Level(int32_t sum) { return static_cast<uint8_t>(std::clamp(sum >> kWeightBits, 0, 255)); }

void Prepare(const Axis& axis, int32_t channels, int32_t origin, HorizontalTable& table) {
    table.axis = &axis;
    table.channels = channels;
    table.origin = origin;
    table.steps = 0;
}

template <int kChannels>
void HorizontalRow(const Axis& axis, int32_t origin, const uint8_t* in, uint8_t* out) {
    const int32_t* weights = axis.weights.data();
    for (int32_t x = 0; x < axis.size(); ++x, weights += axis.taps, out += kChannels) {
        const uint8_t* pixel = in + static_cast<ptrdiff_t>(axis.first[x] - origin) * kChannels;
        int32_t sums[kChannels];
        std::fill_n(sums, kChannels, kHalf);
        for (int32_t tap = 0; tap < axis.count[x]; ++tap, pixel += kChannels)
            for (int c = 0; c < kChannels; ++c) sums[c] += pixel[c] * weights[tap];
        for (int c = 0; c < kChannels; ++c) out[c] = Level(sums[c]);
    }
}

void Horizontal(const HorizontalTable& table, const uint8_t* in, ptrdiff_t in_stride, int32_t rows,
                uint8_t* out, ptrdiff_t out_stride) {
    for (; rows > 0; --rows, in += in_stride, out += out_stride) {
        if (table.channels == 3) {
            HorizontalRow<3>(*table.axis, table.origin, in, out);
        } else {
            HorizontalRow<1>(*table.axis, table.origin, in, out);
        }
    }
}

void Vertical(const uint8_t* in, ptrdiff_t in_stride, const int32_t* weights, int32_t count,
              size_t bytes, uint8_t* out) {
    // Blocks small enough that their sums stay in registers or the nearest cache.
    constexpr size_t kBlock = 64;
    for (size_t begin = 0; begin < bytes; begin += kBlock) {
        const size_t size = std::min(kBlock, bytes - begin);
        int32_t sums[kBlock];
        std::fill_n(sums, size, kHalf);
        for (int32_t tap = 0; tap < count; ++tap) {
            const uint8_t* row = in + tap * in_stride + begin;
            for (size_t i = 0; i < size; ++i) sums[i] += row[i] * weights[tap];
        }
        for (size_t i = 0; i < size; ++i) out[begin + i] = Level(sums[i]);
    }
}

}  // namespace

const ResizeKernels kPortableResize = {Prepare, Horizontal, Vertical, {1, Horizontal, Vertical}};

}  // namespace fastload
