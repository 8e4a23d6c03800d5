// The expected values are Pillow's and, for the hue, those of torchvision's adjust_hue on a Pillow
// image.
#include "colour.h"

#include <initializer_list>
#include <vector>

#include "check.h"
#include "crc32c.h"
#include "random_source.h"

namespace {

using fastload::Brightness;
using fastload::Contrast;
using fastload::Grayscale;
using fastload::Hue;
using fastload::Saturation;
using Bytes = std::vector<uint8_t>;
using Adjustment = void (*)(uint8_t*, size_t, float);

Bytes After(Adjustment adjust, float factor, Bytes rgb) {
    adjust(rgb.data(), rgb.size() / 3, factor);
    return rgb;
}

// Primaries, mixtures, greys, and red = blue, where the highest channel is not one.
const Bytes kColours = {255, 0,  0,  0,  255, 0, 0, 0,   255, 200, 100, 50, 17, 130,
                        131, 90, 90, 90, 0,   0, 0, 255, 255, 255, 250, 3,  250};

Bytes After(Adjustment adjust, float factor) { return After(adjust, factor, kColours); }

// All colours of 16 levels a channel: 4096 pixels, many blocks.
Bytes Lattice() {
    Bytes rgb;
    for (int colour = 0; colour < 4096; ++colour) {
        for (int shift : {8, 4, 0}) {
            rgb.push_back(static_cast<uint8_t>((colour >> shift & 15) * 17));
        }
    }
    return rgb;
}

uint32_t LatticeCrc(Adjustment adjust, float factor) {
    const Bytes rgb = After(adjust, factor, Lattice());
    return fastload::Crc32c(rgb.data(), rgb.size());
}

void TestColours() {
    CHECK(After(Brightness, 0.375F) == Bytes({95, 0,  0,  0,  95, 0, 0, 0,  95, 75, 37, 18, 6, 48,
                                              49, 33, 33, 33, 0,  0, 0, 95, 95, 95, 93, 1,  93}));
    CHECK(After(Brightness, 1.75F) ==
          Bytes({255, 0,   0,   0,   255, 0, 0, 0,   255, 255, 175, 87, 29, 227,
                 229, 157, 157, 157, 0,   0, 0, 255, 255, 255, 255, 5,  255}));
    CHECK(After(Contrast, 0.375F) ==
          Bytes({160, 64, 64, 64, 160, 64, 64, 64,  160, 139, 101, 83, 70, 113,
                 113, 98, 98, 98, 64,  64, 64, 160, 160, 160, 158, 65, 158}));
    CHECK(After(Contrast, 1.75F) ==
          Bytes({255, 0,  0,  0,  255, 0, 0, 0,   255, 255, 97,  10, 0,  150,
                 152, 80, 80, 80, 0,   0, 0, 255, 255, 255, 255, 0,  255}));
    CHECK(After(Saturation, 0.375F) ==
          Bytes({143, 47, 47, 93, 189, 93, 18, 18,  113, 152, 115, 96, 66, 108,
                 109, 90, 90, 90, 0,   0,  0,  255, 255, 255, 159, 66, 159}));
    CHECK(After(Saturation, 1.75F) ==
          Bytes({255, 0,  0,  0,  255, 0, 0, 0,   255, 255, 82,  0, 0,  155,
                 157, 90, 90, 90, 0,   0, 0, 255, 255, 255, 255, 0, 255}));
    CHECK(After(Hue, 0.25F) ==
          Bytes({132, 255, 0,  0,  132, 255, 255, 0,   132, 78,  200, 50,  71, 17,
                 131, 90,  90, 90, 0,   0,   0,   255, 255, 255, 250, 114, 4}));
    CHECK(After(Hue, -0.375F) ==
          Bytes({0,  54, 255, 255, 0, 54, 60, 255, 0,   68,  50, 200, 131, 103,
                 17, 90, 90,  90,  0, 0,  0,  255, 255, 255, 4,  250, 189}));
}

void TestLattice() {
    CHECK(LatticeCrc(Brightness, 0.0F) == 0x214C1A65);
    CHECK(LatticeCrc(Brightness, 0.375F) == 0x6BF6C9CD);
    CHECK(LatticeCrc(Brightness, 1.75F) == 0x1D1AEA96);
    CHECK(LatticeCrc(Brightness, -0.5F) == 0x214C1A65);
    CHECK(LatticeCrc(Contrast, 0.0F) == 0xB40740A3);
    CHECK(LatticeCrc(Contrast, 0.375F) == 0x4FC2EF76);
    CHECK(LatticeCrc(Contrast, 1.75F) == 0x435DD9AE);
    CHECK(LatticeCrc(Contrast, -0.5F) == 0x6C06B1A5);
    CHECK(LatticeCrc(Saturation, 0.0F) == 0x7B4FE1E5);
    CHECK(LatticeCrc(Saturation, 0.375F) == 0xA6E855AA);
    CHECK(LatticeCrc(Saturation, 1.75F) == 0xA695E205);
    CHECK(LatticeCrc(Saturation, -0.5F) == 0x5CA8DFDF);
    CHECK(LatticeCrc(Hue, 0.0F) == 0x1CEA6E9B);
    CHECK(LatticeCrc(Hue, 0.25F) == 0x52564426);
    CHECK(LatticeCrc(Hue, -0.375F) == 0x9F2EB2AA);
    CHECK(LatticeCrc(Hue, 0.5F) == 0xF076C537);
}

void TestGrayscale() {
    Bytes colours = kColours;
    Grayscale(colours.data(), colours.size() / 3);
    CHECK(colours == Bytes({76, 76, 76, 150, 150, 150, 29, 29,  29,  124, 124, 124, 96, 96,
                            96, 90, 90, 90,  0,   0,   0,  255, 255, 255, 105, 105, 105}));
    Bytes lattice = Lattice();
    Grayscale(lattice.data(), lattice.size() / 3);
    CHECK(fastload::Crc32c(lattice.data(), lattice.size()) == 0x7B4FE1E5);
}

// A factor of 1 keeps the image, and every count of pixels is touched to its end and no further.
void TestCounts() {
    const Bytes source = RandomSource(1).Bytes(3 * 600);
    for (size_t pixels : {0, 1, 2, 5, 15, 16, 17, 255, 256, 257, 511, 513, 599}) {
        for (Adjustment adjust : {Brightness, Contrast, Saturation, Hue}) {
            Bytes rgb = source;
            adjust(rgb.data(), pixels, 0.4F);
            CHECK(std::equal(rgb.begin() + 3 * pixels, rgb.end(), source.begin() + 3 * pixels));
            if (adjust != Contrast) {
                const Bytes whole = After(adjust, 0.4F, source);
                CHECK(std::equal(rgb.begin(), rgb.begin() + 3 * pixels, whole.begin()));
            }
        }
    }
    for (Adjustment adjust : {Brightness, Contrast, Saturation}) {
        CHECK(After(adjust, 1.0F, source) == source);
    }
}

void TestGreyHasNoColourToAdjust() {
    Bytes grey;
    for (int level = 0; level < 256; ++level)
        grey.insert(grey.end(), 3, static_cast<uint8_t>(level));
    for (float factor : {-0.5F, -0.1F, 0.0F, 0.3F, 0.5F}) CHECK(After(Hue, factor, grey) == grey);
    for (float factor : {-1.0F, 0.0F, 0.5F, 3.0F}) CHECK(After(Saturation, factor, grey) == grey);
    Bytes again = grey;
    Grayscale(again.data(), 256);
    CHECK(again == grey);
}

}  // namespace

int main() {
    TestColours();
    TestLattice();
    TestGrayscale();
    TestCounts();
    TestGreyHasNoColourToAdjust();
    return Verdict();
}
