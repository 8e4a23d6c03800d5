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

struct Axis {
    int32_t taps = 0;              // weights an output pixel; those it does not need are 0
    std::vector<int32_t> first;    // first input pixel of each output pixel
    std::vector<int32_t> count;    // input pixels with a weight, 1 .. taps
    std::vector<int32_t> weights;  // [output pixel][taps]
    bool overshoots = false;       // some weights are negative

    int32_t size() const { return static_cast<int32_t>(first.size()); }
    // Input pixels that the axis reads are begin() .. end() - 1.
    int32_t begin() const;
    int32_t end() const;
};

// The output pixels [window0, window1) of a resampling of the input range [from, to) of `in` pixels
// to `out` pixels, antialiased as Pillow does: the filter is widened by the scale, cut at the
// image's edge, normalised and rounded (Pillow, libImaging/Resample.c). kNearest has one tap
// (Geometry.c's affine sampling). Memory of `axis` is reused.
void MakeAxis(Filter filter, int32_t in, double from, double to, int32_t out, int32_t window0,
              int32_t window1, Axis& axis);

}  // namespace fastload

#endif  // FASTLOAD_NATIVE_RESIZE_AXIS_H_
