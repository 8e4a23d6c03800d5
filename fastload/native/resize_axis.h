// Which input pixels an output pixel of a resampling is made of, and by what weights: one axis.
#ifndef FASTLOAD_NATIVE_RESIZE_AXIS_H_
#define FASTLOAD_NATIVE_RESIZE_AXIS_H_

#include <cstdint>
#include <vector>

namespace fastload {

// Pillow's numbers.
enum class Filter : int32_t {
    kNearest = 0,
    kLanczos = 1,
    kBilinear = 2,
    kBicubic = 3,
    kBox = 4,
    kHamming = 5
};

// Weights are fixed point with so many bits behind the point, as Pillow's for 8-bit images are:
// the same integers give the same pixels.
inline constexpr int kWeightBits = 22;

// The output pixels [window0, window1) of a resampling of the input range [from, to) of `in` pixels
// to `out` pixels.
struct Resampling {
    Filter filter = Filter::kNearest;
    int32_t in = 0;
    double from = 0, to = 0;
    int32_t out = 0;
    int32_t window0 = 0, window1 = 0;
    bool operator==(const Resampling&) const = default;
};

struct Axis {
    int32_t taps = 0;              // weights an output pixel; those it does not need are 0
    std::vector<int32_t> first;    // first input pixel of each output pixel
    std::vector<int32_t> count;    // input pixels with a weight, 1 .. taps
    std::vector<int32_t> weights;  // [output pixel][taps]
    bool overshoots = false;       // some weights are negative

    Resampling made_for;

    int32_t size() const { return static_cast<int32_t>(first.size()); }
    // Input pixels that the axis reads are begin() .. end() - 1.
    int32_t begin() const;
    int32_t end() const;
};

// Makes the axis, unless that is what the last call made: data sets often have images of one size.
// Antialiased as Pillow does: the filter is widened by the scale, cut at the image's edge,
// normalised and rounded (Pillow, libImaging/Resample.c). kNearest has one tap (Geometry.c's affine
// sampling). Memory of `axis` is reused.
void MakeAxis(const Resampling& resampling, Axis& axis);

}  // namespace fastload

#endif  // FASTLOAD_NATIVE_RESIZE_AXIS_H_
