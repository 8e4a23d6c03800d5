#include "perceptual_hash.h"

#include <bit>
#include <cstring>
#include <vector>

#include "check.h"
#include "random_source.h"

namespace {

constexpr uint64_t kOddColumns = 0xAAAAAAAAAAAAAAAA;
constexpr uint64_t kOddRows = 0xFF00FF00FF00FF00;

struct Picture {
    uint32_t width, height, channels;
    std::vector<uint8_t> pixels;

    const uint8_t* At(uint32_t x, uint32_t y) const {
        return &pixels[(size_t{y} * width + x) * channels];
    }
    uint64_t Hash() const {
        return fastload::PerceptualHash(pixels.data(), width, height, channels,
                                        size_t{width} * channels);
    }
};

// The picture whose pixel (x, y) is `source`'s pixel `from(x, y)`.
template <typename From>
Picture Rearranged(const Picture& source, uint32_t width, uint32_t height, From from) {
    Picture result = {width, height, source.channels, {}};
    for (uint32_t y = 0; y < height; ++y) {
        for (uint32_t x = 0; x < width; ++x) {
            const auto [sx, sy] = from(x, y);
            const uint8_t* pixel = source.At(sx, sy);
            result.pixels.insert(result.pixels.end(), pixel, pixel + source.channels);
        }
    }
    return result;
}

uint64_t Transposed(uint64_t hash) {
    uint64_t result = 0;
    for (int v = 0; v < 8; ++v) {
        for (int u = 0; u < 8; ++u) result |= (hash >> (8 * v + u) & 1) << (8 * u + v);
    }
    return result;
}

void TestMirrorsAndTransposes() {
    RandomSource random(1);
    using Place = std::pair<uint32_t, uint32_t>;
    for (uint32_t channels : {1u, 3u}) {
        for (int trial = 0; trial < 20; ++trial) {
            const uint32_t w = 4 * (8 + random.Below(40)), h = 4 * (8 + random.Below(40));
            const Picture picture = {w, h, channels, random.Picture(w, h, channels, 100, false)};
            const uint64_t hash = picture.Hash();
            const auto flipped = Rearranged(
                picture, w, h, [&](uint32_t x, uint32_t y) { return Place{w - 1 - x, y}; });
            const auto upside = Rearranged(
                picture, w, h, [&](uint32_t x, uint32_t y) { return Place{x, h - 1 - y}; });
            const auto transposed =
                Rearranged(picture, h, w, [&](uint32_t x, uint32_t y) { return Place{y, x}; });
            // One coefficient in a thousand may be too near 0 to have a sign.
            CHECK(std::popcount(flipped.Hash() ^ hash ^ kOddColumns) <= 1);
            CHECK(std::popcount(upside.Hash() ^ hash ^ kOddRows) <= 1);
            CHECK(std::popcount(transposed.Hash() ^ Transposed(hash)) <= 1);
        }
    }
}

// The sides need not be multiples of 4: cut cells weigh what they hold, so the hash moves little.
void TestOddSides() {
    RandomSource random(2);
    for (uint32_t side = 1; side < 40; ++side) {
        const Picture picture = {side, 41, 1, random.Picture(side, 41, 1, 0, false)};
        std::vector<uint8_t> bordered;
        for (uint32_t y = 0; y < 41; ++y) {
            bordered.insert(bordered.end(), picture.At(0, y), picture.At(0, y) + side);
            bordered.insert(bordered.end(), 5, static_cast<uint8_t>(random.Below(256)));
        }
        CHECK(fastload::PerceptualHash(bordered.data(), side, 41, 1, side + 5) == picture.Hash());
    }
}

void TestFlatAndSimple() {
    for (uint8_t level : {0, 1, 127, 255}) {
        const Picture flat = {37, 29, 3, std::vector<uint8_t>(3 * 37 * 29, level)};
        CHECK(flat.Hash() == 0);
    }
    // Brighter to the left, even downwards: only the first row of frequencies, and of them 1 for
    // sure.
    Picture ramp = {64, 64, 1, std::vector<uint8_t>(64 * 64)};
    for (uint32_t i = 0; i < 64 * 64; ++i) ramp.pixels[i] = static_cast<uint8_t>(255 - i % 64);
    CHECK((ramp.Hash() & 2) != 0 && (ramp.Hash() & ~uint64_t{0xFF}) == 0);
    // Grey and colour agree where colour is grey.
    Picture colour = {64, 64, 3, {}};
    for (uint8_t level : ramp.pixels) colour.pixels.insert(colour.pixels.end(), 3, level);
    CHECK(colour.Hash() == ramp.Hash());
}

void TestRefusals() {
    const uint8_t pixel[4] = {};
    CHECK(CodeOf([&] { (void)fastload::PerceptualHash(pixel, 0, 1, 1, 1); }) == FL_BAD_ARGUMENT);
    CHECK(CodeOf([&] { (void)fastload::PerceptualHash(pixel, 1, 1, 4, 4); }) == FL_BAD_ARGUMENT);
}

}  // namespace

int main() {
    TestMirrorsAndTransposes();
    TestOddSides();
    TestFlatAndSimple();
    TestRefusals();
    return Verdict();
}
