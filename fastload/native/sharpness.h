// Blurs a little or sharpens, equal bit for bit to Pillow's ImageEnhance.Sharpness.
#ifndef FASTLOAD_NATIVE_SHARPNESS_H_
#define FASTLOAD_NATIVE_SHARPNESS_H_

#include "image.h"

namespace fastload {

// Blends the image smoothed over 3 x 3 pixels (factor 0) with the image (1); factors outside
// [0, 1] extrapolate and clip. Pixels at the edges stay as they are.
void Sharpness(const Image& in, float factor, Image& out);

}  // namespace fastload

#endif  // FASTLOAD_NATIVE_SHARPNESS_H_
