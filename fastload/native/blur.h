// Gaussian blur, within one level of torchvision's on Pillow images.
#ifndef FASTLOAD_NATIVE_BLUR_H_
#define FASTLOAD_NATIVE_BLUR_H_

#include <cstdint>

#include "image.h"

namespace fastload {

// A kernel of kernel_width x kernel_height pixels, both odd, whose standard deviation is `sigma`
// pixels. The image is mirrored at its edges, the edge seen once: its sides must be longer than
// half of the kernel's. Throws Failure where any of that does not hold.
void GaussianBlur(const Image& in, int32_t kernel_width, int32_t kernel_height, double sigma,
                  Image& out);

}  // namespace fastload

#endif  // FASTLOAD_NATIVE_BLUR_H_
