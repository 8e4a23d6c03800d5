// What changes each level of an image by itself, in place, as Pillow's ImageOps does.
#ifndef FASTLOAD_NATIVE_LEVELS_H_
#define FASTLOAD_NATIVE_LEVELS_H_

#include <cstdint>

#include "image.h"

namespace fastload {

// Keeps the upper `bits` of each level, 1 to 8.
void Posterize(Image& image, int32_t bits);

// Inverts the levels from `threshold` on.
void Solarize(Image& image, double threshold);

void Invert(Image& image);

}  // namespace fastload

#endif  // FASTLOAD_NATIVE_LEVELS_H_
