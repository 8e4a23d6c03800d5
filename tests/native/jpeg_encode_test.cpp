#include "jpeg_encode.h"

#include <algorithm>
#include <cmath>

#include "check.h"
#include "jpeg_samples.h"
#include "regions.h"

namespace {

Bytes Encoded(const Bytes& pixels, uint32_t width, uint32_t height, uint32_t channels,
              size_t stride, uint32_t quality) {
    fastload::Buffer out;
    fastload::EncodeJpeg(pixels.data(), width, height, channels, stride, quality, out);
    return {out.data(), out.data() + out.size()};
}

// What libjpeg writes from the same pixels but for the coding, which is the pack's own.
void TestContentAndLayout() {
    RandomSource random(1);
    for (uint32_t channels : {1u, 3u}) {
        JpegKind kind;
        kind.colour = channels == 1 ? JCS_GRAYSCALE : JCS_YCbCr;
        kind.width = 101;
        kind.height = 67;
        kind.quality = 83;
        if (channels == 1) kind.across[0] = kind.down[0] = 1;
        const Bytes pixels = random.Picture(kind.width, kind.height, channels, 10, false);
        const Bytes made =
            Encoded(pixels, kind.width, kind.height, channels, size_t{kind.width} * channels, 83);
        const Bytes plain = MakeJpeg(kind, pixels);
        CHECK(ContentOf(made) == ContentOf(plain));
        CHECK(made == Seekable(plain));
    }
}

void TestStride() {
    RandomSource random(2);
    const uint32_t width = 30, height = 20;
    const Bytes pixels = random.Picture(width, height, 3, 10, false);
    Bytes wide;
    for (uint32_t y = 0; y < height; ++y) {
        wide.insert(wide.end(), &pixels[size_t{y} * 3 * width],
                    &pixels[size_t{y} * 3 * width] + 3 * width);
        wide.insert(wide.end(), 11, 77);
    }
    CHECK(Encoded(wide, width, height, 3, 3 * width + 11, 90) ==
          Encoded(pixels, width, height, 3, 3 * width, 90));
}

void TestRefusals() {
    const Bytes pixel(3);
    const auto code_of = [&](uint32_t width, uint32_t channels, uint32_t quality) {
        return CodeOf([&] { Encoded(pixel, width, 1, channels, 3, quality); });
    };
    CHECK(code_of(1, 3, 90) == FL_OK);
    CHECK(code_of(1, 2, 90) == FL_BAD_ARGUMENT);
    CHECK(code_of(1, 3, 0) == FL_BAD_ARGUMENT);
    CHECK(code_of(1, 3, 101) == FL_BAD_ARGUMENT);
    CHECK(code_of(0, 3, 90) == FL_BAD_ARGUMENT);
    CHECK(code_of(65501, 3, 90) == FL_BAD_ARGUMENT);
}

}  // namespace

int main() {
    TestContentAndLayout();
    TestStride();
    TestRefusals();
    return Verdict();
}
