// What spreads the levels of each channel by their histogram, in place, equal to Pillow's ImageOps.
#ifndef FASTLOAD_NATIVE_HISTOGRAM_H_
#define FASTLOAD_NATIVE_HISTOGRAM_H_

#include "image.h"

namespace fastload {

// The lowest level of a channel becomes 0, the highest 255.
void Autocontrast(Image& image);

// Makes each range of levels about equally frequent.
void Equalize(Image& image);

}  // namespace fastload

#endif  // FASTLOAD_NATIVE_HISTOGRAM_H_
