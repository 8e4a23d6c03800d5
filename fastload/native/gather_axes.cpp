#include "gather_axes.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "resize.h"

namespace fastload {
namespace {

// Lanczos' filter is the widest: so many input pixels on each side of an output pixel.
constexpr double kWidestSupport = 3.0;

uint64_t BoundOfSide(int32_t in, int32_t out, int32_t window) {
    const double widening = std::max(static_cast<double>(in) / out, 1.0);
    const auto taps = static_cast<uint64_t>(2 * std::ceil(kWidestSupport * widening) + 1);
    return sizeof(int32_t) * (1 + taps) * static_cast<uint64_t>(window);
}

}  // namespace

void GatheredAxes::Side::Resample(const Resampling& resampling) {
    MakeAxis(resampling, axis);
    begin = axis.begin();
    end = axis.end();
    taps = *std::max_element(axis.count.begin(), axis.count.end());
}

void GatheredAxes::Side::Keep(int32_t size) {
    axis.made_for = {};
    axis.taps = taps = 1;
    axis.first.resize(size);
    std::iota(axis.first.begin(), axis.first.end(), 0);
    axis.weights.assign(size, 1 << kWeightBits);
    begin = 0;
    end = size;
}

uint64_t GatheredAxes::Side::bytes() const {
    return sizeof(int32_t) * axis.first.size() * (1 + static_cast<uint64_t>(taps));
}

int32_t* GatheredAxes::Side::Write(int32_t* to) const {
    for (const int32_t first : axis.first) *to++ = first - begin;
    const int32_t* weights = axis.weights.data();
    for (int32_t i = 0; i < axis.size(); ++i, weights += axis.taps)
        to = std::copy_n(weights, taps, to);
    return to;
}

void GatheredAxes::Make(const View& view) {
    const Resizing& resizing = view.resizing();
    const Box& crop = resizing.crop;
    if (view.resized()) {
        across_.Resample(AcrossOf(resizing));
        down_.Resample(DownOf(resizing));
        vertical_first_ = IsVerticalFirst(resizing.order, crop.height, crop.width, resizing.height,
                                          resizing.width);
    } else {
        across_.Keep(crop.width);
        down_.Keep(crop.height);
        vertical_first_ = false;
    }
    box_ = {crop.left + across_.begin, crop.top + down_.begin, across_.end - across_.begin,
            down_.end - down_.begin};
}

void GatheredAxes::Write(uint8_t* to) const {
    down_.Write(across_.Write(reinterpret_cast<int32_t*>(to)));
}

void GatheredAxes::Describe(fl_gathered& gathered) const {
    gathered.left = box_.left;
    gathered.top = box_.top;
    gathered.width = box_.width;
    gathered.height = box_.height;
    gathered.taps_across = across_.taps;
    gathered.taps_down = down_.taps;
    gathered.vertical_first = vertical_first_ ? 1 : 0;
}

uint64_t GatheredAxes::Bound(const View& view) {
    const Resizing& resizing = view.resizing();
    if (!view.resized())
        return 2 * sizeof(int32_t) * (uint64_t(view.width()) + uint64_t(view.height()));
    return BoundOfSide(resizing.crop.width, resizing.width, resizing.window.width) +
           BoundOfSide(resizing.crop.height, resizing.height, resizing.window.height);
}

}  // namespace fastload
