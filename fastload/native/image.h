// A decoded image in memory: rows of interleaved 8-bit pixels.
#ifndef FASTLOAD_NATIVE_IMAGE_H_
#define FASTLOAD_NATIVE_IMAGE_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "resize_kernels.h"

namespace fastload {

struct Image {
    int32_t height = 0;
    int32_t width = 0;
    int32_t channels = 0;  // 1 grey, 3 RGB
    std::vector<uint8_t> bytes;

    ptrdiff_t stride() const { return static_cast<ptrdiff_t>(width) * channels; }
    uint8_t* row(int32_t y) { return bytes.data() + y * stride(); }
    const uint8_t* row(int32_t y) const { return bytes.data() + y * stride(); }
    size_t pixels() const { return static_cast<size_t>(height) * width; }

    void Allocate(int32_t new_height, int32_t new_width, int32_t new_channels) {
        height = new_height;
        width = new_width;
        channels = new_channels;
        bytes.resize(static_cast<size_t>(height) * stride() + kRowPadding);
    }
};

// Grey becomes RGB of three equal channels.
void ExpandToRgb(Image& image);

enum class PadMode : int32_t { kConstant = 0, kEdge = 1, kReflect = 2, kSymmetric = 3 };

// Adds borders (none negative), as torchvision's pad does on PIL images.
void Pad(const Image& in, int32_t left, int32_t top, int32_t right, int32_t bottom, PadMode mode,
         const uint8_t fill[3], Image& out);

}  // namespace fastload

#endif  // FASTLOAD_NATIVE_IMAGE_H_
