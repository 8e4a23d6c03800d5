#include "resize_axis.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "error.h"

namespace fastload {
namespace {

double Box(double x) { return x > -0.5 && x <= 0.5 ? 1.0 : 0.0; }

double Triangle(double x) {
    x = std::fabs(x);
    return x < 1.0 ? 1.0 - x : 0.0;
}

// The constants are floats in Pillow.
double Hamming(double x) {
    x = std::fabs(x);
    if (x == 0.0) return 1.0;
    if (x >= 1.0) return 0.0;
    x *= std::numbers::pi;
    return std::sin(x) / x * (0.54f + 0.46f * std::cos(x));
}

// Keys' cubic convolution with a = -0.5.
double Cubic(double x) {
    constexpr double a = -0.5;
    x = std::fabs(x);
    if (x < 1.0) return ((a + 2.0) * x - (a + 3.0)) * x * x + 1;
    if (x < 2.0) return (((x - 5) * x + 8) * x - 4) * a;
    return 0.0;
}

double Sinc(double x) {
    if (x == 0.0) return 1.0;
    x *= std::numbers::pi;
    return std::sin(x) / x;
}

double Lanczos3(double x) { return x >= -3.0 && x < 3.0 ? Sinc(x) * Sinc(x / 3) : 0.0; }

// With the kernel known when it is compiled: a call for each tap would take most of the time.
template <double (*kValue)(double)>
void Weigh(const Resampling& resampling, double kernel_support, Axis& axis) {
    const double scale = (resampling.to - resampling.from) / resampling.out;
    const double widening = std::max(scale, 1.0);
    const double support = kernel_support * widening;
    const double inverse = 1.0 / widening;
    axis.taps = static_cast<int32_t>(std::ceil(support)) * 2 + 1;
    axis.weights.assign(axis.first.size() * axis.taps, 0);
    thread_local std::vector<double> of_thread;
    of_thread.resize(axis.taps);
    double* const values = of_thread.data();

    for (size_t x = 0; x < axis.first.size(); ++x) {
        const double center =
            resampling.from + (resampling.window0 + static_cast<int32_t>(x) + 0.5) * scale;
        const int32_t first = std::max(static_cast<int32_t>(center - support + 0.5), 0);
        const int32_t end = std::min(static_cast<int32_t>(center + support + 0.5), resampling.in);
        const int32_t count = end - first;
        double sum = 0.0;
        for (int32_t tap = 0; tap < count; ++tap) {
            values[tap] = kValue((tap + first - center + 0.5) * inverse);
            sum += values[tap];
        }
        int32_t* weights = &axis.weights[x * axis.taps];
        for (int32_t tap = 0; tap < count; ++tap) {
            const double value = sum != 0.0 ? values[tap] / sum : values[tap];
            weights[tap] =
                static_cast<int32_t>((value < 0 ? -0.5 : 0.5) + value * (1 << kWeightBits));
        }
        axis.first[x] = first;
        axis.count[x] = count;
    }
}

void WeighBy(const Resampling& resampling, Axis& axis) {
    switch (resampling.filter) {
        case Filter::kLanczos:
            return Weigh<Lanczos3>(resampling, 3.0, axis);
        case Filter::kBilinear:
            return Weigh<Triangle>(resampling, 1.0, axis);
        case Filter::kBicubic:
            return Weigh<Cubic>(resampling, 2.0, axis);
        case Filter::kBox:
            return Weigh<Box>(resampling, 0.5, axis);
        case Filter::kHamming:
            return Weigh<Hamming>(resampling, 1.0, axis);
        case Filter::kNearest:
            break;
    }
    throw Failure(FL_BAD_ARGUMENT, "resize filter " +
                                       std::to_string(static_cast<int>(resampling.filter)) +
                                       " is none of Pillow's (0 to 5)");
}

void ChooseNearest(const Resampling& resampling, Axis& axis) {
    const double scale = (resampling.to - resampling.from) / resampling.out;
    axis.taps = 1;
    // Pillow adds the scale pixel after pixel; a product would round differently.
    double position = resampling.from + scale * 0.5;
    for (int32_t x = 0; x < resampling.window0; ++x) position += scale;
    for (size_t x = 0; x < axis.first.size(); ++x, position += scale) {
        axis.first[x] = std::clamp(static_cast<int32_t>(position), 0, resampling.in - 1);
        axis.count[x] = 1;
    }
    axis.weights.assign(axis.first.size(), 1 << kWeightBits);
}

}  // namespace

int32_t Axis::begin() const { return *std::min_element(first.begin(), first.end()); }

int32_t Axis::end() const {
    int32_t last = 0;
    for (size_t x = 0; x < first.size(); ++x) last = std::max(last, first[x] + count[x]);
    return last;
}

void MakeAxis(const Resampling& resampling, Axis& axis) {
    if (axis.made_for == resampling) return;
    axis.made_for = {};  // of no use until all is done
    axis.first.resize(resampling.window1 - resampling.window0);
    axis.count.resize(axis.first.size());
    axis.overshoots =
        resampling.filter == Filter::kBicubic || resampling.filter == Filter::kLanczos;
    resampling.filter == Filter::kNearest ? ChooseNearest(resampling, axis)
                                          : WeighBy(resampling, axis);
    axis.made_for = resampling;
}

}  // namespace fastload
