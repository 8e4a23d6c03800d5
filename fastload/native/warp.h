// Affine warps that keep an image's size, equal bit for bit to Pillow's transform.
#ifndef FASTLOAD_NATIVE_WARP_H_
#define FASTLOAD_NATIVE_WARP_H_

#include <cstddef>
#include <cstdint>

#include "image.h"

namespace fastload {

// Pillow's numbers.
enum class Interpolation : int32_t { kNearest = 0, kBilinear = 2, kBicubic = 3 };

// An image to read, mirrored where that is asked for.
class MirroredImage {
  public:
    MirroredImage(const Image& image, bool left_right, bool top_down);

    int32_t height() const { return height_; }
    int32_t width() const { return width_; }
    ptrdiff_t step() const { return step_; }
    const uint8_t* pixel(int32_t y, int32_t x) const { return first_ + y * stride_ + x * step_; }

  private:
    const uint8_t* first_;
    ptrdiff_t stride_;
    ptrdiff_t step_;
    int32_t height_;
    int32_t width_;
};

// The pixel (x, y) of `out` is read at (a x + b y + c, d x + e y + f) of `in`, both counted from
// the corners of pixels; what lies outside becomes `fill`. Throws Failure where a corner leads too
// far away.
void Warp(const Image& in, bool left_right, bool top_down, const double matrix[6],
          Interpolation interpolation, const uint8_t fill[3], Image& out);

}  // namespace fastload

#endif  // FASTLOAD_NATIVE_WARP_H_
