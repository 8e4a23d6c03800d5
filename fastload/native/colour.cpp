#include "colour.h"

#include <algorithm>
#include <array>

// Last, since it is for what follows it.
#include "blend.h"

namespace fastload {
namespace {

// Pixels worked on at a time, so that the planes stay in the first-level cache.
constexpr size_t kBlock = 256;

// ITU-R BT.601 weights in 1/65536, rounded.
inline uint8_t Luma(const uint8_t* rgb) {
    return static_cast<uint8_t>((rgb[0] * 19595 + rgb[1] * 38470 + rgb[2] * 7471 + 0x8000) >> 16);
}

void BlendWithConstant(uint8_t* rgb, size_t pixels, int constant, float factor) {
    for (size_t i = 0; i < 3 * pixels; ++i) rgb[i] = Blend(constant, rgb[i], factor);
}

void ReplicateLuma(const uint8_t* rgb, size_t pixels, uint8_t* grey) {
    for (size_t i = 0; i < pixels; ++i) {
        const uint8_t luma = Luma(rgb + 3 * i);
        grey[3 * i] = luma;
        grey[3 * i + 1] = luma;
        grey[3 * i + 2] = luma;
    }
}

int RoundedMeanLuma(const uint8_t* rgb, size_t pixels) {
    uint64_t sum = 0;
    for (size_t start = 0; start < pixels; start += kBlock) {
        const size_t count = std::min(kBlock, pixels - start);
        uint32_t block_sum = 0;
        for (size_t i = 0; i < count; ++i) block_sum += Luma(rgb + 3 * (start + i));
        sum += block_sum;
    }
    return static_cast<int>(static_cast<double>(sum) / static_cast<double>(pixels) + 0.5);
}

// Where a hue lies on the hexagon: v * (1 - s * distance) is the channel that is neither the
// highest nor the lowest.
struct HueTable {
    std::array<uint8_t, 256> sector;
    std::array<double, 256> distance;
};

constexpr HueTable MakeHueTable() {
    HueTable table{};
    for (int hue = 0; hue < 256; ++hue) {
        const double turn = hue * 6.0 / 255.0;
        const int sector = static_cast<int>(turn);
        const float past = static_cast<float>(turn - sector);
        const size_t at = static_cast<size_t>(hue);
        table.sector[at] = static_cast<uint8_t>(sector % 6);
        table.distance[at] = sector % 2 == 1 ? past : 1.0 - past;
    }
    return table;
}

constexpr HueTable kHues = MakeHueTable();

// By sector, the channel (0 red, 1 green, 2 blue) that is highest, between, lowest.
constexpr std::array<uint8_t, 6> kHighest = {0, 1, 1, 2, 2, 0};
constexpr std::array<uint8_t, 6> kBetween = {1, 0, 2, 1, 0, 2};
constexpr std::array<uint8_t, 6> kLowest = {2, 2, 0, 0, 1, 1};

// One block of pixels as planes.
struct HsvBlock {
    std::array<int32_t, kBlock> hue;
    std::array<float, kBlock> saturation;  // multiples of 1/255
    std::array<int32_t, kBlock> value;
    std::array<uint8_t, kBlock> sector;
    std::array<double, kBlock> distance;
    std::array<double, kBlock> falls;  // 1 in the sectors where the middle channel falls, else 0
    std::array<int32_t, kBlock> middle;
    std::array<int32_t, kBlock> low;
};

// Position on the hexagon, in [-1, 5], rounded once after the division: the middle channel alone
// decides where within a sector, the order of the channels decides which sector. Red wins ties for
// the highest, so that red = blue gives -1, not 5. Sums of 0 and 1 instead of branches: every
// pixel takes another one.
inline float HexagonPosition(int red, int green, int blue, int high, int low) {
    const int middle = red + green + blue - high - low;
    const int chroma = high - low + (high == low);
    const float gap = static_cast<float>(high - middle) / static_cast<float>(chroma);
    const int red_high = red == high;
    const int green_high = (red != high) & (green == high);
    const int blue_high = 1 - red_high - green_high;
    const int blue_low = blue == low;
    const int red_low = red == low;
    const int start = red_high * (2 * blue_low - 1) + green_high * (3 - 2 * blue_low) +
                      blue_high * (5 - 2 * red_low);
    const int sign = red_high * (1 - 2 * blue_low) + green_high * (2 * blue_low - 1) +
                     blue_high * (2 * red_low - 1);
    return static_cast<float>(start) + static_cast<float>(sign) * gap;
}

// By value: through the references of std::max GCC sees branches and does not vectorise.
inline int Higher(int a, int b) { return a > b ? a : b; }
inline int Lower(int a, int b) { return a < b ? a : b; }

void ToHsv(const uint8_t* rgb, size_t count, HsvBlock& hsv) {
    for (size_t i = 0; i < count; ++i) {
        const int red = rgb[3 * i];
        const int green = rgb[3 * i + 1];
        const int blue = rgb[3 * i + 2];
        const int high = Higher(red, Higher(green, blue));
        const int low = Lower(red, Lower(green, blue));
        const double turn = HexagonPosition(red, green, blue, high, low) / 6.0 + 1.0;
        const float fraction = static_cast<float>(turn - static_cast<int>(turn));
        const float ratio = static_cast<float>(high - low) / static_cast<float>(high + (high == 0));
        hsv.hue[i] = static_cast<int>(fraction * 255.0);
        hsv.saturation[i] = static_cast<float>(static_cast<int>(ratio * 255.0)) / 255.0F;
        hsv.value[i] = high;
    }
}

void TurnHue(size_t count, uint8_t shift, HsvBlock& hsv) {
    for (size_t i = 0; i < count; ++i) {
        const auto hue = static_cast<uint8_t>(hsv.hue[i] + shift);
        hsv.sector[i] = kHues.sector[hue];
        hsv.distance[i] = kHues.distance[hue];
        hsv.falls[i] = kHues.sector[hue] & 1;
    }
}

inline int Scale(int value, double loss) { return static_cast<int>(value * (1.0 - loss) + 0.5); }

void FindLowerChannels(size_t count, HsvBlock& hsv) {
    for (size_t i = 0; i < count; ++i) {
        // Pillow multiplies in single precision where the middle channel falls, in double where
        // it rises; the difference of the two is exact.
        const double wide = hsv.saturation[i] * hsv.distance[i];
        const double narrow = static_cast<float>(wide);
        hsv.middle[i] = Scale(hsv.value[i], wide + hsv.falls[i] * (narrow - wide));
        hsv.low[i] = Scale(hsv.value[i], hsv.saturation[i]);
    }
}

void ToRgb(size_t count, HsvBlock& hsv, uint8_t* rgb) {
    FindLowerChannels(count, hsv);
    for (size_t i = 0; i < count; ++i) {
        uint8_t* pixel = rgb + 3 * i;
        pixel[kHighest[hsv.sector[i]]] = static_cast<uint8_t>(hsv.value[i]);
        pixel[kBetween[hsv.sector[i]]] = static_cast<uint8_t>(hsv.middle[i]);
        pixel[kLowest[hsv.sector[i]]] = static_cast<uint8_t>(hsv.low[i]);
    }
}

}  // namespace

void Brightness(uint8_t* rgb, size_t pixels, float factor) {
    BlendWithConstant(rgb, pixels, 0, factor);
}

void Contrast(uint8_t* rgb, size_t pixels, float factor) {
    if (pixels == 0) return;
    BlendWithConstant(rgb, pixels, RoundedMeanLuma(rgb, pixels), factor);
}

void Saturation(uint8_t* rgb, size_t pixels, float factor) {
    std::array<uint8_t, 3 * kBlock> grey;
    for (size_t start = 0; start < pixels; start += kBlock) {
        const size_t count = std::min(kBlock, pixels - start);
        uint8_t* block = rgb + 3 * start;
        ReplicateLuma(block, count, grey.data());
        for (size_t i = 0; i < 3 * count; ++i) block[i] = Blend(grey[i], block[i], factor);
    }
}

void Hue(uint8_t* rgb, size_t pixels, float factor) {
    const auto shift = static_cast<uint8_t>(static_cast<int>(factor * 255.0));
    HsvBlock hsv;
    for (size_t start = 0; start < pixels; start += kBlock) {
        const size_t count = std::min(kBlock, pixels - start);
        uint8_t* block = rgb + 3 * start;
        ToHsv(block, count, hsv);
        TurnHue(count, shift, hsv);
        ToRgb(count, hsv, block);
    }
}

void Grayscale(uint8_t* rgb, size_t pixels) { ReplicateLuma(rgb, pixels, rgb); }

}  // namespace fastload
