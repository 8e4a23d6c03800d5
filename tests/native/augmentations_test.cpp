// Warps, sharpness, levels, histograms and blur. The checksums are those of Pillow's pixels.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <limits>

#include "blur.h"
#include "check.h"
#include "crc32c.h"
#include "histogram.h"
#include "levels.h"
#include "random_source.h"
#include "sharpness.h"
#include "warp.h"

namespace {

using fastload::Image;
using fastload::Interpolation;
using Matrix = std::array<double, 6>;

constexpr Interpolation kInterpolations[] = {Interpolation::kNearest, Interpolation::kBilinear,
                                             Interpolation::kBicubic};
constexpr uint8_t kFill[3] = {1, 200, 30};

size_t LevelCount(const Image& image) { return image.pixels() * image.channels; }

bool Same(const Image& a, const Image& b) {
    return a.height == b.height && a.width == b.width && a.channels == b.channels &&
           std::equal(a.bytes.begin(), a.bytes.begin() + LevelCount(a), b.bytes.begin());
}

uint32_t Crc(const Image& image) { return fastload::Crc32c(image.bytes.data(), LevelCount(image)); }

template <typename Operation>
uint32_t CrcAfter(Image image, Operation operation) {
    operation(image);
    return Crc(image);
}

template <typename LevelAt>
Image Drawn(int32_t height, int32_t width, int32_t channels, LevelAt level_at) {
    Image image;
    image.Allocate(height, width, channels);
    for (int32_t y = 0; y < height; ++y)
        for (int32_t x = 0; x < width; ++x)
            for (int32_t c = 0; c < channels; ++c)
                image.row(y)[x * channels + c] = static_cast<uint8_t>(level_at(y, x, c));
    return image;
}

// All colours of 16 levels a channel.
Image Lattice() {
    return Drawn(32, 128, 3, [](int32_t y, int32_t x, int32_t c) {
        return ((y * 128 + x) >> (8 - 4 * c) & 15) * 17;
    });
}

Image RandomImage(RandomSource& random, int32_t height, int32_t width, int32_t channels) {
    return Drawn(height, width, channels,
                 [&](int32_t, int32_t, int32_t) { return random.Below(256); });
}

Image Mirrored(const Image& in, bool left_right, bool top_down) {
    return Drawn(in.height, in.width, in.channels, [&](int32_t y, int32_t x, int32_t c) {
        const int32_t from_y = top_down ? in.height - 1 - y : y;
        const int32_t from_x = left_right ? in.width - 1 - x : x;
        return in.row(from_y)[from_x * in.channels + c];
    });
}

Image FirstChannel(const Image& in) {
    return Drawn(in.height, in.width, 1,
                 [&](int32_t y, int32_t x, int32_t) { return in.row(y)[x * in.channels]; });
}

Image Warped(const Image& in, const Matrix& matrix, Interpolation interpolation,
             bool left_right = false, bool top_down = false) {
    Image out;
    fastload::Warp(in, left_right, top_down, matrix.data(), interpolation, kFill, out);
    return out;
}

// ---- Known answers

struct WarpAnswer {
    Matrix matrix;
    std::array<uint32_t, 3> crcs;
};

void TestWarpsArePillows() {
    const WarpAnswer answers[] = {
        {{0.8, 0.6, -5.25, -0.6, 0.8, 30.5}, {0x69267959, 0xD5F21FAA, 0xB16EA9D8}},
        {{1, 0.3, 0, 0, 1, 0}, {0x572C6E37, 0x574F056A, 0xC95EDC6D}},
        {{1, 0, -7, 0, 1, 4}, {0x48100844, 0x48100844, 0x48100844}},
        {{0.7, 0, 3.3, 0, 1.3, -2.1}, {0x652CADDD, 0x118A9C90, 0x30779A31}},
        {{1, 0, 500, 0, 1, 0}, {0x23FD6347, 0x23FD6347, 0x23FD6347}}};
    for (const WarpAnswer& answer : answers)
        for (size_t i = 0; i < 3; ++i)
            CHECK(Crc(Warped(Lattice(), answer.matrix, kInterpolations[i])) == answer.crcs[i]);
}

void TestSharpnessIsPillows() {
    const std::pair<float, uint32_t> answers[] = {
        {-0.5F, 0x0BE87DBE}, {0.0F, 0x1554D0E3}, {0.4F, 0x54313484}, {1.7F, 0x8189AA82}};
    for (const auto& [factor, crc] : answers) {
        Image out;
        fastload::Sharpness(Lattice(), factor, out);
        CHECK(Crc(out) == crc);
    }
}

void TestLevelsArePillows() {
    const std::pair<int32_t, uint32_t> of_bits[] = {
        {1, 0x91429519}, {3, 0x2B575652}, {8, 0x69C0EAC4}};
    for (const auto& [bits, crc] : of_bits)
        CHECK(CrcAfter(Lattice(), [&](Image& image) { fastload::Posterize(image, bits); }) == crc);
    const std::pair<double, uint32_t> of_thresholds[] = {
        {-1.0, 0xCA38584B}, {99.5, 0xAB789BD8}, {102.0, 0xAB789BD8}, {256.0, 0x69C0EAC4}};
    for (const auto& [threshold, crc] : of_thresholds)
        CHECK(CrcAfter(Lattice(), [&](Image& image) { fastload::Solarize(image, threshold); }) ==
              crc);
    CHECK(CrcAfter(Lattice(), fastload::Invert) == 0xCA38584B);
}

void TestHistogramsArePillows() {
    Image narrow = Lattice(), dark = Lattice();
    for (size_t i = 0; i < LevelCount(narrow); ++i) {
        constexpr int kOffsets[] = {10, 60, 0};
        narrow.bytes[i] = static_cast<uint8_t>(narrow.bytes[i] / 3 + kOffsets[i % 3]);
        dark.bytes[i] = static_cast<uint8_t>(dark.bytes[i] * dark.bytes[i] / 255);
    }
    CHECK(CrcAfter(narrow, fastload::Autocontrast) == 0xF4D42146);
    CHECK(CrcAfter(dark, fastload::Equalize) == 0x819C8D39);
    const Image even = Drawn(9, 7, 3, [](int32_t, int32_t, int32_t c) { return 40 + c; });
    CHECK(CrcAfter(even, fastload::Autocontrast) == Crc(even));
    CHECK(CrcAfter(even, fastload::Equalize) == Crc(even));
}

// ---- Against plain arithmetic

// Each pixel by itself, in fixed point.
Image NearestByPixel(const Image& in, const Matrix& m) {
    const auto fixed = [](double value) { return int64_t(std::floor(value * 65536 + 0.5)); };
    return Drawn(in.height, in.width, in.channels, [&](int32_t y, int32_t x, int32_t c) -> int {
        const int64_t across =
            fixed(m[2] + m[0] * 0.5 + m[1] * 0.5) + x * fixed(m[0]) + y * fixed(m[1]);
        const int64_t down =
            fixed(m[5] + m[3] * 0.5 + m[4] * 0.5) + x * fixed(m[3]) + y * fixed(m[4]);
        const int64_t from_x = across >> 16, from_y = down >> 16;
        const bool inside = from_x >= 0 && from_x < in.width && from_y >= 0 && from_y < in.height;
        return inside ? in.row(int32_t(from_y))[from_x * in.channels + c] : kFill[c];
    });
}

Matrix RandomMatrix(RandomSource& random) {
    const auto about = [&](double size) { return size * (random.Below(2001) - 1000.0) / 1000; };
    Matrix m = {about(1.5), about(1.5), about(20), about(1.5), about(1.5), about(20)};
    // What rows are copied by, and what reads backwards.
    if (random.Below(3) == 0) m[0] = random.Below(2) == 0 ? 1 : -1;
    if (random.Below(3) == 0) m[3] = 0;
    if (random.Below(3) == 0) m[1] = random.Below(2) == 0 ? 0.25 : 0;
    return m;
}

void TestRandomWarps() {
    RandomSource random(1);
    for (int round = 0; round < 3000; ++round) {
        const auto height = int32_t(1 + random.Below(12)), width = int32_t(1 + random.Below(12));
        const Image in = RandomImage(random, height, width, round % 2 == 0 ? 3 : 1);
        const Matrix m = RandomMatrix(random);
        if (m[1] != 0 || m[3] != 0)
            CHECK(Same(Warped(in, m, Interpolation::kNearest), NearestByPixel(in, m)));
        for (Interpolation interpolation : kInterpolations) {
            const Image plain = Warped(in, m, interpolation);
            CHECK(in.channels == 1 ||
                  Same(FirstChannel(plain), Warped(FirstChannel(in), m, interpolation)));
            const bool left_right = random.Below(2) == 0, top_down = random.Below(2) == 0;
            const Image mirrored = Mirrored(in, left_right, top_down);
            CHECK(Same(Warped(mirrored, m, interpolation, left_right, top_down), plain));
        }
    }
}

// Whole turns and whole pixels come out the same in all ways of reading.
void TestExactWarps() {
    RandomSource random(2);
    const Image in = RandomImage(random, 9, 9, 3);
    for (Interpolation interpolation : kInterpolations) {
        CHECK(Same(Warped(in, {1, 0, 0, 0, 1, 0}, interpolation), in));
        CHECK(Same(Warped(in, {-1, 0, 9, 0, -1, 9}, interpolation), Mirrored(in, true, true)));
        const Image turned = Drawn(
            9, 9, 3, [&](int32_t y, int32_t x, int32_t c) { return in.row(x)[(8 - y) * 3 + c]; });
        CHECK(Same(Warped(in, {0, -1, 9, 1, 0, 0}, interpolation), turned));
    }
}

void TestRandomSharpness() {
    RandomSource random(3);
    for (int32_t height = 1; height < 8; ++height) {
        for (int32_t width = 1; width < 40; width += 3) {
            const Image in = RandomImage(random, height, width, width % 2 == 0 ? 3 : 1);
            const Image smooth =
                Drawn(height, width, in.channels, [&](int32_t y, int32_t x, int32_t c) -> int {
                    const auto at = [&](int32_t v, int32_t u) {
                        return in.row(v)[u * in.channels + c];
                    };
                    if (y == 0 || x == 0 || y == height - 1 || x == width - 1) return at(y, x);
                    double sum = 4.0 * at(y, x);
                    for (int32_t v = y - 1; v <= y + 1; ++v)
                        for (int32_t u = x - 1; u <= x + 1; ++u) sum += at(v, u);
                    return static_cast<int>(std::floor(sum / 13 + 0.5));
                });
            Image out;
            fastload::Sharpness(in, 0.0F, out);
            CHECK(Same(out, smooth));
            fastload::Sharpness(in, 1.0F, out);
            CHECK(Same(out, in));
        }
    }
}

void TestRandomHistograms() {
    RandomSource random(4);
    for (size_t round = 0; round < 200; ++round) {
        Image in =
            RandomImage(random, int32_t(1 + random.Below(30)), int32_t(1 + random.Below(30)), 3);
        for (uint8_t& level : in.bytes) level = static_cast<uint8_t>(level / 4 + round % 150);
        for (auto operation : {fastload::Autocontrast, fastload::Equalize}) {
            Image colour = in, grey = FirstChannel(in);
            operation(colour);
            operation(grey);
            CHECK(Same(FirstChannel(colour), grey));
        }
        // Pillow cuts off what the highest level falls short of 255 by rounding.
        Image stretched = in;
        fastload::Autocontrast(stretched);
        for (size_t c = 0; c < 3; ++c) {
            uint8_t low = 255, high = 0;
            for (size_t i = c; i < LevelCount(in); i += 3) {
                low = std::min(low, stretched.bytes[i]);
                high = std::max(high, stretched.bytes[i]);
            }
            CHECK(in.pixels() < 2 || (low == 0 && high >= 254) || low == high);
        }
    }
}

int32_t Reflected(int32_t at, int32_t size) {
    return at < 0 ? -at : at < size ? at : 2 * size - 2 - at;
}

// The weight of each pixel of the kernel, one by one.
double BlurredLevel(const Image& in, int32_t y, int32_t x, int32_t c, int32_t kernel_width,
                    int32_t kernel_height, double sigma) {
    double sum = 0, weights = 0;
    for (int32_t v = -kernel_height / 2; v <= kernel_height / 2; ++v) {
        for (int32_t u = -kernel_width / 2; u <= kernel_width / 2; ++u) {
            const double weight = std::exp(-(u * u + v * v) / (2 * sigma * sigma));
            const uint8_t* row = in.row(Reflected(y + v, in.height));
            sum += weight * row[Reflected(x + u, in.width) * in.channels + c];
            weights += weight;
        }
    }
    return sum / weights;
}

void TestRandomBlurs() {
    RandomSource random(5);
    for (int round = 0; round < 200; ++round) {
        const auto height = int32_t(1 + random.Below(14)), width = int32_t(1 + random.Below(14));
        const Image in = RandomImage(random, height, width, round % 2 == 0 ? 3 : 1);
        const int32_t kernel_width = 1 + 2 * int32_t(random.Below(width));
        const int32_t kernel_height = 1 + 2 * int32_t(random.Below(height));
        const double sigma = 0.1 + random.Below(50) / 10.0;
        Image out;
        fastload::GaussianBlur(in, kernel_width, kernel_height, sigma, out);
        for (int32_t y = 0; y < height; ++y) {
            for (int32_t i = 0; i < width * in.channels; ++i) {
                const double exact = BlurredLevel(in, y, i / in.channels, i % in.channels,
                                                  kernel_width, kernel_height, sigma);
                CHECK(std::fabs(out.row(y)[i] - exact) < 0.501);
            }
        }
    }
}

// ---- Refusals

void TestRefusals() {
    constexpr double kNotANumber = std::numeric_limits<double>::quiet_NaN();
    Image image = Lattice(), out;
    const auto refused = [](auto body) { return CodeOf(body) == FL_BAD_ARGUMENT; };
    for (int32_t bits : {-1, 0, 9}) CHECK(refused([&] { fastload::Posterize(image, bits); }));
    CHECK(refused([&] { fastload::Solarize(image, kNotANumber); }));
    for (auto [width, height] : {std::pair{2, 3}, {3, 0}, {-1, 3}, {257, 1}, {1, 65}})
        CHECK(refused([&] { fastload::GaussianBlur(image, width, height, 1.0, out); }));
    for (double sigma : {0.0, -1.0, kNotANumber, std::numeric_limits<double>::infinity()})
        CHECK(refused([&] { fastload::GaussianBlur(image, 3, 3, sigma, out); }));
    for (int32_t number : {-1, 1, 4})
        CHECK(refused(
            [&] { Warped(image, {1, 0, 0, 0, 1, 0}, static_cast<Interpolation>(number)); }));
    for (double value : {1e10, -1e300, kNotANumber})
        for (size_t place = 0; place < 6; ++place) {
            Matrix matrix = {1, 0, 0, 0, 1, 0};
            matrix[place] = value;
            for (Interpolation interpolation : kInterpolations)
                CHECK(refused([&] { Warped(image, matrix, interpolation); }));
        }
    CHECK(Same(image, Lattice()));
}

}  // namespace

int main() {
    TestWarpsArePillows();
    TestSharpnessIsPillows();
    TestLevelsArePillows();
    TestHistogramsArePillows();
    TestRandomWarps();
    TestExactWarps();
    TestRandomSharpness();
    TestRandomHistograms();
    TestRandomBlurs();
    TestRefusals();
    return Verdict();
}
