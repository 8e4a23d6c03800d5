#include "blur.h"

#include <bit>
#include <cmath>
#include <cstddef>
#include <cstring>
#include <string>
#include <vector>

#include "error.h"

namespace fastload {
namespace {

// The weights of the middle pixel, of those next to it, and so on.
std::vector<float> HalfKernel(int32_t size, double sigma) {
    std::vector<double> half(static_cast<size_t>(size / 2) + 1);
    double sum = -1.0;
    for (size_t i = 0; i < half.size(); ++i) {
        const double distance = static_cast<double>(i) / sigma;
        half[i] = std::exp(-0.5 * distance * distance);
        sum += 2 * half[i];
    }
    std::vector<float> weights;
    for (const double weight : half) weights.push_back(static_cast<float>(weight / sum));
    return weights;
}

void CheckKernel(const Image& in, int32_t width, int32_t height, double sigma) {
    if (width < 1 || height < 1 || width % 2 == 0 || height % 2 == 0)
        throw Failure(FL_BAD_ARGUMENT, "a blur's kernel of " + std::to_string(width) + " x " +
                                           std::to_string(height) + " pixels: both must be odd");
    if (width / 2 >= in.width || height / 2 >= in.height)
        throw Failure(FL_BAD_ARGUMENT,
                      "a blur's kernel of " + std::to_string(width) + " x " +
                          std::to_string(height) + " pixels is too large for an image of " +
                          std::to_string(in.width) + " x " + std::to_string(in.height));
    if (!(sigma > 0.0) || !std::isfinite(sigma))
        throw Failure(FL_BAD_ARGUMENT, "a blur's sigma must be above 0");
}

int32_t Mirrored(int32_t at, int32_t size) {
    if (at < 0) return -at;
    return at < size ? at : 2 * (size - 1) - at;
}

// The rows around y, weighted and summed: `count` levels.
void SumDown(const Image& in, int32_t y, const std::vector<float>& weights, float* __restrict out) {
    const size_t count = static_cast<size_t>(in.stride());
    const uint8_t* middle = in.row(y);
    for (size_t i = 0; i < count; ++i) out[i] = static_cast<float>(middle[i]) * weights[0];
    for (size_t k = 1; k < weights.size(); ++k) {
        const auto distance = static_cast<int32_t>(k);
        const uint8_t* above = in.row(Mirrored(y - distance, in.height));
        const uint8_t* below = in.row(Mirrored(y + distance, in.height));
        const float weight = weights[k];
        for (size_t i = 0; i < count; ++i)
            out[i] += static_cast<float>(above[i] + below[i]) * weight;
    }
}

// `margin` pixels of `channels` values on both sides of a row of `width` pixels.
void MirrorEnds(float* row, int32_t width, int32_t channels, int32_t margin) {
    for (int32_t x = 1; x <= margin; ++x) {
        for (int32_t channel = 0; channel < channels; ++channel) {
            row[-x * channels + channel] = row[x * channels + channel];
            row[(width - 1 + x) * channels + channel] = row[(width - 1 - x) * channels + channel];
        }
    }
}

void SumAcross(const float* row, size_t count, ptrdiff_t step, const std::vector<float>& weights,
               float* __restrict sums, uint8_t* __restrict out) {
    for (size_t i = 0; i < count; ++i) sums[i] = row[i] * weights[0];
    for (size_t k = 1; k < weights.size(); ++k) {
        const float weight = weights[k];
        const float* left = row - static_cast<ptrdiff_t>(k) * step;
        const float* right = row + static_cast<ptrdiff_t>(k) * step;
        for (size_t i = 0; i < count; ++i) sums[i] += (left[i] + right[i]) * weight;
    }
    // So large a float has no bits below one: adding it rounds, halves to even.
    constexpr float kRounding = 3 << 22;
    for (size_t i = 0; i < count; ++i)
        out[i] = static_cast<uint8_t>(std::bit_cast<uint32_t>(sums[i] + kRounding));
}

}  // namespace

void GaussianBlur(const Image& in, int32_t kernel_width, int32_t kernel_height, double sigma,
                  Image& out) {
    CheckKernel(in, kernel_width, kernel_height, sigma);
    const std::vector<float> across = HalfKernel(kernel_width, sigma);
    const std::vector<float> down = HalfKernel(kernel_height, sigma);
    out.Allocate(in.height, in.width, in.channels);
    const int32_t margin = kernel_width / 2;
    const auto count = static_cast<size_t>(in.stride());
    thread_local std::vector<float> summed, sums;
    summed.resize(count + 2 * static_cast<size_t>(margin) * static_cast<size_t>(in.channels));
    sums.resize(count);
    float* row = summed.data() + static_cast<ptrdiff_t>(margin) * in.channels;
    for (int32_t y = 0; y < in.height; ++y) {
        SumDown(in, y, down, row);
        MirrorEnds(row, in.width, in.channels, margin);
        SumAcross(row, count, in.channels, across, sums.data(), out.row(y));
    }
}

}  // namespace fastload
