// The passes of every instruction set against the portable ones, level by level, each by itself and
// both together; those of short weights also against the exact ones. (test_resize.py holds the
// whole against Pillow.)
#include "resize_kernels.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <span>
#include <vector>

#include "check.h"
#include "random_source.h"
#include "resize.h"
#include "simd_level.h"

namespace {

using namespace fastload;
using Bytes = std::vector<uint8_t>;
using Levels = std::vector<int32_t>;

struct Tested {
    const char* name;
    const ResizeKernels& kernels;
};
constexpr Tested kTested[] = {
    {"AVX2", kAvx2Resize},
    {"AVX-512", kAvx512Resize},
};
constexpr Tested kTestedShort[] = {{"AVX2, short weights", kAvx2ShortResize}};

constexpr int32_t kFilters = 6;
constexpr int32_t kMostPixels = 300;

struct Case {
    Filter filter;
    int32_t in, out;
    int32_t channels;
    Axis axis;

    int32_t in_levels() const { return (axis.end() - axis.begin()) * channels; }
    int32_t out_levels() const { return axis.size() * channels; }
};

int32_t Below(RandomSource& random, int32_t bound) {
    return static_cast<int32_t>(random.Below(static_cast<uint32_t>(bound)));
}

// 0 as often as all the numbers up to the bound.
int32_t OftenZero(RandomSource& random, int32_t bound) {
    return Below(random, 2) * Below(random, bound);
}

// A window of the resampling of a crop, whose edges lie between the pixels where a decode has
// scaled the image by eighths.
Case RandomCase(RandomSource& random, int32_t filter, int32_t in, int32_t out) {
    Case result = {static_cast<Filter>(filter), in, out, Below(random, 2) == 0 ? 1 : 3, {}};
    const double from = OftenZero(random, 8) / 8.0;
    const double to = std::max(in - OftenZero(random, 8) / 8.0, from + 0.125);
    const int32_t begin = OftenZero(random, out);
    const int32_t end = out - OftenZero(random, out - begin);
    MakeAxis({result.filter, in, from, to, out, begin, end}, result.axis);
    return result;
}

// The levels of rows and their padding. Extremes alone make the sharper filters leave the range of
// a byte.
Bytes RandomRows(RandomSource& random, int32_t count, int32_t levels) {
    Bytes rows = random.Bytes(static_cast<size_t>(count) * levels + kRowPadding);
    if (Below(random, 2) == 0)
        for (uint8_t& level : rows) level = level < 128 ? 0 : 255;
    return rows;
}

struct Passes {
    size_t bytes_of_level;  // between the two
    HorizontalPass* horizontal;
    VerticalPass* vertical;
};

Passes PassesOf(const ResizeKernels& kernels, bool vertical_first) {
    if (vertical_first) return {1, kernels.horizontal, kernels.vertical};
    const auto& [bytes_of_level, horizontal, vertical] = kernels.horizontal_first;
    return {bytes_of_level, horizontal, vertical};
}

bool AreNear(const Levels& a, const Levels& b, int32_t most) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                      [&](int32_t x, int32_t y) { return std::abs(x - y) <= most; });
}

// Checks in both orders that `run`, of kernels and the order to levels, gives those of the portable
// kernels.
template <typename Run>
void CheckAlike(const char* what, const Case& tested, const ResizeKernels& portable,
                std::span<const Tested> others, Run run) {
    for (const bool vertical_first : {false, true}) {
        const Levels expected = run(portable, vertical_first);
        for (const Tested& by : others) {
            if (run(by.kernels, vertical_first) == expected) continue;
            std::fprintf(stderr,
                         "%s: wrong %s, %s first: filter %d, %d to %d pixels, channels: %d\n",
                         by.name, what, vertical_first ? "vertical" : "horizontal",
                         static_cast<int>(tested.filter), tested.in, tested.out, tested.channels);
            ++failed_checks;
        }
    }
}

template <typename Run>
void CheckAll(const char* what, const Case& tested, Run run) {
    CheckAlike(what, tested, kPortableResize, kTested, run);
    if (tested.channels == 1) CheckAlike(what, tested, kPortableShortResize, kTestedShort, run);
}

Levels LevelsOf(const uint8_t* at, size_t count, size_t bytes_of_level) {
    Levels levels(count);
    for (int32_t& level : levels) {
        std::memcpy(&level, at, bytes_of_level);
        at += bytes_of_level;
    }
    return levels;
}

// Allocated as small as a resampler may, so that a sanitizer sees any step outside: here and below.
Levels Horizontal(const ResizeKernels& kernels, bool vertical_first, const Case& tested,
                  const Bytes& in, int32_t rows) {
    // Used again and again, as a resampler does: nothing of an earlier axis may stay.
    static HorizontalTable table;
    kernels.prepare(tested.axis, tested.channels, tested.axis.begin(), table);
    const Passes passes = PassesOf(kernels, vertical_first);
    const size_t out_bytes = tested.out_levels() * passes.bytes_of_level;
    const size_t stride = out_bytes + kWritablePastRow;
    Bytes out(rows * stride);
    passes.horizontal(table, in.data(), tested.in_levels(), rows, out.data(),
                      static_cast<ptrdiff_t>(stride));
    Levels all;
    for (int32_t row = 0; row < rows; ++row) {
        const Levels levels =
            LevelsOf(&out[row * stride], tested.out_levels(), passes.bytes_of_level);
        all.insert(all.end(), levels.begin(), levels.end());
    }
    return all;
}

void TestHorizontal(RandomSource& random, const Case& tested) {
    const int32_t rows = 1 + Below(random, 9);
    const Bytes in = RandomRows(random, rows, tested.in_levels());
    CheckAll("horizontal pass", tested, [&](const ResizeKernels& kernels, bool vertical_first) {
        return Horizontal(kernels, vertical_first, tested, in, rows);
    });
}

Bytes Widened(const Bytes& rows, size_t bytes_of_level) {
    const size_t levels = rows.size() - kRowPadding;
    Bytes wide(levels * bytes_of_level + kRowPadding);
    for (size_t i = 0; i < levels; ++i) wide[i * bytes_of_level] = rows[i];
    return wide;
}

void TestVertical(RandomSource& random, const Case& tested) {
    const Axis& axis = tested.axis;
    for (const int32_t y : {0, Below(random, axis.size()), axis.size() - 1}) {
        const int32_t levels = 1 + Below(random, 3 * kMostPixels);
        const Bytes rows = RandomRows(random, axis.count[y], levels);
        const int32_t* weights = &axis.weights[static_cast<size_t>(y) * axis.taps];
        CheckAll("vertical pass", tested, [&](const ResizeKernels& kernels, bool vertical_first) {
            const Passes passes = PassesOf(kernels, vertical_first);
            const Bytes in = Widened(rows, passes.bytes_of_level);
            Bytes out(levels + kWritablePastRow);
            passes.vertical(in.data(), static_cast<ptrdiff_t>(levels * passes.bytes_of_level),
                            weights, axis.count[y], levels, out.data());
            return LevelsOf(out.data(), levels, 1);
        });
    }
}

class Collected final : public RowSink {
  public:
    explicit Collected(int32_t row_levels) : row_levels_(row_levels) {}
    void Rows(const uint8_t* pixels, ptrdiff_t stride, int32_t count) override {
        for (; count > 0; --count, pixels += stride)
            levels.insert(levels.end(), pixels, pixels + row_levels_);
    }
    Levels levels;

  private:
    int32_t row_levels_;
};

void TestBothPasses(RandomSource& random, const Case& tested, const Axis& vertical) {
    const int32_t rows = vertical.end() - vertical.begin();
    const Bytes in = RandomRows(random, rows, tested.in_levels());
    const auto run = [&](const ResizeKernels& kernels, bool vertical_first) {
        static ResizePlan plan;
        static Resampler resampler;
        Collected out(tested.out_levels());
        plan.Make(tested.axis.made_for, vertical.made_for, tested.channels, PassOrder::kWidthFirst,
                  kernels);
        plan.vertical_first = vertical_first;
        resampler.Begin(plan, out);
        resampler.Rows(in.data(), tested.in_levels(), rows);
        resampler.Finish();
        return out.levels;
    };
    CheckAll("resampling", tested, run);
    if (tested.channels != 1) return;
    // A sharp filter makes more of what is rounded between the passes, as the exact ones do.
    const int32_t most = tested.axis.overshoots || vertical.overshoots ? 2 : 1;
    for (const bool vertical_first : {false, true})
        CHECK(AreNear(run(kPortableShortResize, vertical_first),
                      run(kPortableResize, vertical_first), most));
}

void TestRandomSizes() {
    constexpr int kTrials = 100;
    constexpr int32_t kMostRows = 40;
    RandomSource random(1);
    for (int32_t filter = 0; filter < kFilters; ++filter) {
        for (int trial = 0; trial < kTrials; ++trial) {
            const auto side = [&](int32_t most) { return 1 + Below(random, most); };
            const Case tested = RandomCase(random, filter, side(kMostPixels), side(kMostPixels));
            const Case vertical = RandomCase(random, filter, side(kMostRows), side(kMostRows));
            TestHorizontal(random, tested);
            TestVertical(random, tested);
            TestBothPasses(random, tested, vertical.axis);
        }
    }
}

// However many weights are rounded, a row of one level stays one.
void TestShortWeightsOfEvenRows() {
    constexpr int32_t kSizes[][2] = {{5, 9}, {40, 17}, {64, 2}, {300, 7}, {600, 1}};
    for (int32_t filter = 1; filter < kFilters; ++filter) {
        for (const auto& [in, out] : kSizes) {
            const Resampling resampling = {
                static_cast<Filter>(filter), in, 0, double(in), out, 0, out};
            for (const int32_t level : {1, 127, 128, 200, 255}) {
                const Bytes rows(static_cast<size_t>(in) * in + kRowPadding,
                                 static_cast<uint8_t>(level));
                for (const bool vertical_first : {false, true}) {
                    static ResizePlan plan;
                    static Resampler resampler;
                    Collected got(out);
                    plan.Make(resampling, resampling, 1, PassOrder::kWidthFirst,
                              kPortableShortResize);
                    plan.vertical_first = vertical_first;
                    resampler.Begin(plan, got);
                    resampler.Rows(rows.data(), in, in);
                    resampler.Finish();
                    CHECK(got.levels == Levels(static_cast<size_t>(out) * out, level));
                }
            }
        }
    }
}

// Scale after scale: the inputs of a few outputs lie together in one register, then in two, then
// too far apart, with each edge between these met from both sides.
void TestEveryScale() {
    constexpr int32_t kOut = 37;
    RandomSource random(2);
    for (int32_t filter = 0; filter < kFilters; ++filter)
        for (int32_t in = 1; in <= 2 * kMostPixels; ++in)
            TestHorizontal(random, RandomCase(random, filter, in, kOut));
}

// No scale at all, single pixels, and more taps than the vertical pass of AVX-512 has room for.
void TestExtremeSizes() {
    constexpr int32_t kSizes[][2] = {{1, 1}, {1, 300}, {300, 1}, {300, 300}, {600, 1}};
    RandomSource random(3);
    for (int32_t filter = 0; filter < kFilters; ++filter) {
        for (const auto& [in, out] : kSizes) {
            const Case tested = RandomCase(random, filter, in, out);
            TestHorizontal(random, tested);
            TestVertical(random, tested);
        }
    }
}

}  // namespace

int main() {
    // Where the machine lacks AVX-512 its emulation is tested, but that is compiled for AVX2.
    if (CurrentSimdLevel() < SimdLevel::kAvx2) {
        std::puts("skipped: the machine has no AVX2, or FASTLOAD_SIMD forbids it");
        return 0;
    }
    TestRandomSizes();
    TestShortWeightsOfEvenRows();
    TestEveryScale();
    TestExtremeSizes();
    return Verdict();
}
