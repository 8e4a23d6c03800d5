// Colour adjustments on interleaved RGB, in place, equal bit for bit to Pillow's (ImageEnhance,
// convert) and, for the hue, to torchvision's adjust_hue on a Pillow image. Factors are finite.
#ifndef FASTLOAD_NATIVE_COLOUR_H_
#define FASTLOAD_NATIVE_COLOUR_H_

#include <cstddef>
#include <cstdint>

namespace fastload {

// Blends black (factor 0) with the image (1); factors outside [0, 1] extrapolate and clip.
void Brightness(uint8_t* rgb, size_t pixels, float factor);

// Blends the rounded mean of the image's luma with the image.
void Contrast(uint8_t* rgb, size_t pixels, float factor);

// Blends the image's luma with the image.
void Saturation(uint8_t* rgb, size_t pixels, float factor);

// Turns the hue by `factor` of a full circle, in [-0.5, 0.5], in steps of 1/255 (toward zero).
// Not the identity at 0: HSV of 8 bits does not hold every colour.
void Hue(uint8_t* rgb, size_t pixels, float factor);

// Luma of ITU-R BT.601 in all three channels.
void Grayscale(uint8_t* rgb, size_t pixels);

}  // namespace fastload

#endif  // FASTLOAD_NATIVE_COLOUR_H_
