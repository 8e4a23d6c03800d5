#include "image.h"

#include <cstring>

#include "error.h"

namespace fastload {
namespace {

// Input coordinate of an output coordinate left of, in or right of `size` pixels; -1 for fill.
int32_t Reflected(int32_t at, int32_t size, PadMode mode) {
    if (at >= 0 && at < size) return at;
    switch (mode) {
        case PadMode::kConstant:
            return -1;
        case PadMode::kEdge:
            return at < 0 ? 0 : size - 1;
        case PadMode::kReflect:
        case PadMode::kSymmetric: {
            // The pattern repeats: with the edge pixel once (reflect) or twice (symmetric).
            const int32_t doubled = mode == PadMode::kSymmetric ? 1 : 0;
            const int32_t period = 2 * (size - 1 + doubled);
            if (period == 0) return 0;
            int32_t phase = at % period;
            if (phase < 0) phase += period;
            return phase < size ? phase : period - phase - doubled;
        }
    }
    throw Failure(FL_BAD_ARGUMENT,
                  "padding mode " + std::to_string(static_cast<int>(mode)) + " is none of 0 to 3");
}

}  // namespace

void ExpandToRgb(Image& image) {
    if (image.channels == 3) return;
    const size_t pixels = image.pixels();
    image.channels = 3;
    image.bytes.resize(pixels * 3 + kRowPadding);
    uint8_t* bytes = image.bytes.data();
    for (size_t i = pixels; i-- > 0;) std::memset(bytes + 3 * i, bytes[i], 3);
}

void Pad(const Image& in, int32_t left, int32_t top, int32_t right, int32_t bottom, PadMode mode,
         const uint8_t fill[3], Image& out) {
    out.Allocate(in.height + top + bottom, in.width + left + right, in.channels);
    for (int32_t y = 0; y < out.height; ++y) {
        const int32_t from_y = Reflected(y - top, in.height, mode);
        uint8_t* pixel = out.row(y);
        for (int32_t x = 0; x < out.width; ++x, pixel += in.channels) {
            const int32_t from_x = Reflected(x - left, in.width, mode);
            const bool inside = from_x >= 0 && from_y >= 0;
            std::memcpy(pixel, inside ? in.row(from_y) + from_x * in.channels : fill, in.channels);
        }
    }
}

}  // namespace fastload
