// Inverse DCTs to fewer samples than a block has, against the formula in double precision, and all
// instruction sets against each other.
#include <algorithm>
#include <cmath>
#include <numbers>
#include <vector>

#include "check.h"
#include "jpeg_kernels.h"
#include "random_source.h"
#include "simd_level.h"

namespace {

using namespace fastload;
using Samples = std::vector<uint8_t>;

constexpr uint8_t kUntouched = 0xA5;

struct Scale {
    int32_t side;  // samples of a block
    InverseDctOfBlocks* JpegKernels::* kernel;
};
constexpr Scale kScales[] = {{8, &JpegKernels::inverse_dct},
                             {4, &JpegKernels::inverse_dct_4x4},
                             {2, &JpegKernels::inverse_dct_2x2},
                             {1, &JpegKernels::inverse_dct_1x1}};

struct Blocks {
    int32_t count;
    std::vector<int16_t> coefficients;  // and those of spare blocks
    uint16_t quant[64];
};

// The basis function of an orthonormal DCT of `side` samples.
double Basis(int32_t frequency, int32_t at, int32_t side) {
    const double scale = std::sqrt((frequency == 0 ? 1.0 : 2.0) / side);
    return scale * std::cos((2 * at + 1) * frequency * std::numbers::pi / (2 * side));
}

// A sample of a block of which the frequencies below `side` alone are kept. JPEG's DCT of 8 x 8
// samples is orthonormal; one of fewer samples has coefficients that are smaller by side / 8.
double SampleOf(const Blocks& blocks, int32_t block, int32_t side, int32_t y, int32_t x) {
    double sum = 0;
    for (int32_t v = 0; v < side; ++v)
        for (int32_t u = 0; u < side; ++u)
            sum += Basis(v, y, side) * Basis(u, x, side) * blocks.quant[8 * v + u] *
                   blocks.coefficients[64 * block + 8 * v + u];
    return std::clamp(sum * side / 8 + 128, 0.0, 255.0);
}

// Of what a photo can have: more than that may leave 16 bits between the passes.
Blocks RandomBlocks(RandomSource& random, int32_t count) {
    Blocks blocks = {count, std::vector<int16_t>(size_t{64} * (count + kSpareBlocks)), {}};
    const auto between = [&](int32_t bound) {
        return static_cast<int32_t>(random.Below(2 * bound + 1)) - bound;
    };
    for (uint16_t& level : blocks.quant) level = static_cast<uint16_t>(1 + random.Below(40));
    const int32_t most = 1 + static_cast<int32_t>(random.Below(300));
    for (int32_t i = 0; i < count; ++i)
        for (int32_t k = 0; k < 64; ++k)
            blocks.coefficients[64 * i + k] =
                static_cast<int16_t>(between(k == 0 ? 1000 : most) / blocks.quant[k]);
    return blocks;
}

// `side` rows; what lies behind the wanted samples is that of no one.
Samples SamplesOf(const JpegKernels& kernels, const Blocks& blocks, const Scale& scale) {
    const size_t width = size_t(blocks.count) * scale.side, stride = width + kSpareBytes;
    Samples rows(stride * scale.side, kUntouched);
    (kernels.*scale.kernel)(blocks.coefficients.data(), blocks.count, blocks.quant, rows.data(),
                            static_cast<ptrdiff_t>(stride));
    Samples samples;
    for (int32_t y = 0; y < scale.side; ++y)
        samples.insert(samples.end(), &rows[y * stride], &rows[y * stride] + width);
    return samples;
}

// Within the two roundings of the fixed point, each to the nearest.
void TestFormula() {
    RandomSource random(1);
    for (const Scale& scale : kScales) {
        for (int round = 0; round < 300; ++round) {
            const Blocks blocks = RandomBlocks(random, 1 + static_cast<int32_t>(random.Below(20)));
            const Samples samples = SamplesOf(kPortableJpegKernels, blocks, scale);
            const int32_t width = blocks.count * scale.side;
            for (int32_t y = 0; y < scale.side; ++y)
                for (int32_t x = 0; x < width; ++x) {
                    const double error =
                        samples[y * width + x] -
                        SampleOf(blocks, x / scale.side, scale.side, y, x % scale.side);
                    CHECK(std::fabs(error) < 0.65);
                }
        }
    }
}

// Extremes and nonsense too: what damaged bytes make must not depend on the machine.
void TestInstructionSets() {
    if (CurrentSimdLevel() < SimdLevel::kAvx2) {
        std::puts("skipped: the machine has no AVX2, or FASTLOAD_SIMD forbids it");
        return;
    }
    RandomSource random(2);
    for (const Scale& scale : kScales) {
        for (int round = 0; round < 1000; ++round) {
            Blocks blocks = RandomBlocks(random, 1 + static_cast<int32_t>(random.Below(40)));
            if (round % 2 == 0) {
                for (int16_t& value : blocks.coefficients)
                    value = static_cast<int16_t>(random.Below(65536));
                for (uint16_t& level : blocks.quant)
                    level = static_cast<uint16_t>(random.Below(65536));
            }
            CHECK(SamplesOf(BestJpegKernels(), blocks, scale) ==
                  SamplesOf(kPortableJpegKernels, blocks, scale));
        }
    }
}

}  // namespace

int main() {
    TestFormula();
    TestInstructionSets();
    return Verdict();
}
