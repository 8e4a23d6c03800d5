#include "levels.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "error.h"

namespace fastload {
namespace {

template <typename Operation>
void ForEachLevel(Image& image, Operation operation) {
    uint8_t* levels = image.bytes.data();
    const size_t count = image.pixels() * static_cast<size_t>(image.channels);
    for (size_t i = 0; i < count; ++i) levels[i] = operation(levels[i]);
}

}  // namespace

void Posterize(Image& image, int32_t bits) {
    if (bits < 1 || bits > 8)
        throw Failure(FL_BAD_ARGUMENT,
                      "posterizing to " + std::to_string(bits) + " bits: 1 to 8 are possible");
    const auto mask = static_cast<uint8_t>(0xFF << (8 - bits));
    ForEachLevel(image, [=](uint8_t level) { return static_cast<uint8_t>(level & mask); });
}

void Solarize(Image& image, double threshold) {
    if (std::isnan(threshold))
        throw Failure(FL_BAD_ARGUMENT, "solarizing needs a threshold that is a number");
    const double first = std::ceil(threshold);
    if (first > 255) return;
    const auto lowest = static_cast<uint8_t>(std::max(first, 0.0));
    ForEachLevel(image, [=](uint8_t level) {
        return static_cast<uint8_t>(level >= lowest ? 255 - level : level);
    });
}

void Invert(Image& image) {
    ForEachLevel(image, [](uint8_t level) { return static_cast<uint8_t>(255 - level); });
}

}  // namespace fastload
