// The kernels of the run's instruction set against plain C++ and, for the inverse DCTs, against the
// portable ones (which the tests of regions hold against libjpeg, and those of scaled DCTs against
// the formula).
#include "jpeg_kernels.h"

#include <algorithm>
#include <cstdio>
#include <vector>

#include "check.h"
#include "random_source.h"
#include "room.h"

namespace {

using namespace fastload;
using Bytes = std::vector<uint8_t>;

constexpr int32_t kMostSamples = 300;

int32_t Below(RandomSource& random, int32_t bound) {
    return static_cast<int32_t>(random.Below(static_cast<uint32_t>(bound)));
}

// Samples with what may be read behind them and nothing more: a sanitizer sees further steps.
Bytes RandomRow(RandomSource& random, int32_t count) {
    Bytes row = random.Bytes(static_cast<size_t>(count) + kSpareBytes);
    if (Below(random, 3) == 0)
        for (uint8_t& sample : row) sample = sample < 128 ? 0 : 255;
    return row;
}

void Report(const char* kernel, int32_t count) {
    std::fprintf(stderr, "%s: wrong for %d\n", kernel, count);
    ++failed_checks;
}

// Checks what `run` writes to the room that it is given.
template <typename Run>
void CheckRow(const char* kernel, int32_t count, const Bytes& wanted, Run run) {
    Room room(wanted.size() + kSpareBytes);
    run(room.data());
    CHECK(room.MarginsAreUntouched());
    if (!std::equal(wanted.begin(), wanted.end(), room.data())) Report(kernel, count);
}

uint8_t Level(int32_t value) { return static_cast<uint8_t>(std::clamp(value, 0, 255)); }

// ---- Inverse DCT

using Words = std::vector<int16_t>;

// From a few small coefficients to the largest numbers there are: those overflow, and must do so
// alike.
Words RandomBlocks(RandomSource& random, int32_t count) {
    Words blocks(static_cast<size_t>(count + kSpareBlocks) * 64);
    const int32_t kind = Below(random, 4);
    for (int16_t& value : blocks) {
        const auto any = static_cast<int16_t>(random.Below(65536));
        value = kind == 0   ? any
                : kind == 1 ? (any < 0 ? INT16_MIN : INT16_MAX)
                : kind == 2 ? static_cast<int16_t>(any / 1024)
                            : static_cast<int16_t>(any % 8 == 0 ? any / 256 : 0);
    }
    return blocks;
}

std::vector<uint16_t> RandomQuant(RandomSource& random) {
    std::vector<uint16_t> quant(64);
    const uint32_t most = Below(random, 4) == 0 ? 65535 : 255;
    for (uint16_t& step : quant) step = static_cast<uint16_t>(1 + random.Below(most));
    return quant;
}

struct Scale {
    const char* name;
    size_t side;  // samples of a block
    InverseDctOfBlocks* JpegKernels::* kernel;
};
constexpr Scale kScales[] = {{"inverse DCT", 8, &JpegKernels::inverse_dct},
                             {"inverse DCT to 4 x 4", 4, &JpegKernels::inverse_dct_4x4},
                             {"inverse DCT to 2 x 2", 2, &JpegKernels::inverse_dct_2x2},
                             {"inverse DCT to 1 x 1", 1, &JpegKernels::inverse_dct_1x1}};

void TestInverseDct(RandomSource& random, const Scale& scale, int32_t count) {
    const Words blocks = RandomBlocks(random, count);
    const auto quant = RandomQuant(random);
    // The spare bytes of a row end where a margin begins that no row may touch.
    constexpr size_t kMargin = 64;
    const size_t width = static_cast<size_t>(count) * scale.side;
    const size_t stride = width + kSpareBytes + kMargin;
    const auto rows_of = [&](const JpegKernels& kernels) {
        Room room(scale.side * stride - kMargin);
        (kernels.*scale.kernel)(blocks.data(), count, quant.data(), room.data(),
                                static_cast<ptrdiff_t>(stride));
        CHECK(room.MarginsAreUntouched());
        Bytes rows;
        for (size_t row = 0; row < scale.side; ++row) {
            const uint8_t* const at = room.data() + row * stride;
            rows.insert(rows.end(), at, at + width);
            if (row + 1 < scale.side)
                CHECK(Room::IsUntouched(at + width + kSpareBytes, at + stride));
        }
        return rows;
    };
    if (rows_of(BestJpegKernels()) != rows_of(kPortableJpegKernels)) Report(scale.name, count);
}

// ---- Upsampling

uint8_t Mixed(int32_t near, int32_t far, int32_t bias) {
    return static_cast<uint8_t>((3 * near + far + bias) / 4);
}

void TestAcrossTwice(RandomSource& random, int32_t count) {
    const Bytes row = RandomRow(random, count);
    Bytes wanted;
    for (int32_t i = 0; i < count; ++i) {
        wanted.push_back(Mixed(row[i], row[std::max(i - 1, 0)], 1));
        wanted.push_back(Mixed(row[i], row[std::min(i + 1, count - 1)], 2));
    }
    Bytes in = {0};
    in.insert(in.end(), row.begin(), row.end());
    CheckRow("across twice", count, wanted,
             [&](uint8_t* out) { BestJpegKernels().across_twice(in.data() + 1, count, out); });
    CHECK(std::equal(row.begin(), row.begin() + count, in.begin() + 1));
}

void TestDownTwice(const Bytes& near, const Bytes& far, int32_t count) {
    for (const bool far_is_below : {false, true}) {
        Bytes wanted;
        for (int32_t i = 0; i < count; ++i)
            wanted.push_back(Mixed(near[i], far[i], far_is_below ? 2 : 1));
        CheckRow("down twice", count, wanted, [&](uint8_t* out) {
            BestJpegKernels().down_twice(near.data(), far.data(), far_is_below, count, out);
        });
    }
}

void TestBothTwice(const Bytes& near, const Bytes& far, int32_t count) {
    const auto sum = [&](int32_t i) {
        const int32_t at = std::clamp(i, 0, count - 1);
        return 3 * near[at] + far[at];
    };
    Bytes wanted;
    for (int32_t i = 0; i < count; ++i) {
        wanted.push_back(static_cast<uint8_t>((3 * sum(i) + sum(i - 1) + 8) / 16));
        wanted.push_back(static_cast<uint8_t>((3 * sum(i) + sum(i + 1) + 7) / 16));
    }
    Room scratch(sizeof(uint16_t) * static_cast<size_t>(count + 2) + kSpareBytes);
    auto* const sums = reinterpret_cast<uint16_t*>(scratch.data());
    CheckRow("both twice", count, wanted, [&](uint8_t* out) {
        BestJpegKernels().both_twice(near.data(), far.data(), count, sums, out);
    });
    CHECK(scratch.MarginsAreUntouched());
}

// Each pair of levels.
void TestPairs() {
    constexpr int32_t kLevels = 256;
    Bytes near(kLevels + kSpareBytes), far(kLevels + kSpareBytes);
    for (int32_t i = 0; i < kLevels; ++i) far[i] = static_cast<uint8_t>(i);
    for (int32_t level = 0; level < kLevels; ++level) {
        std::fill(near.begin(), near.end(), static_cast<uint8_t>(level));
        TestDownTwice(near, far, kLevels);
        TestBothTwice(near, far, kLevels);
    }
}

// ---- Colours

struct Planes {
    Bytes rows[3];
};

void TestYccToRgb(const Planes& ycc, int32_t width) {
    // As libjpeg has it: 16 bits behind the point, halves rounded up.
    const auto scaled = [](double factor, int32_t value) {
        const int32_t fixed = static_cast<int32_t>(factor * 65536 + 0.5);
        return (fixed * value + 32768) >> 16;
    };
    const auto green_part = [](int32_t cb, int32_t cr) {
        return (-22554 * cb - 46802 * cr + 32768) >> 16;
    };
    Bytes wanted;
    for (int32_t x = 0; x < width; ++x) {
        const int32_t y = ycc.rows[0][x], cb = ycc.rows[1][x] - 128, cr = ycc.rows[2][x] - 128;
        wanted.push_back(Level(y + scaled(1.402, cr)));
        wanted.push_back(Level(y + green_part(cb, cr)));
        wanted.push_back(Level(y + scaled(1.772, cb)));
    }
    CheckRow("YCbCr to RGB", width, wanted, [&](uint8_t* out) {
        BestJpegKernels().ycc_to_rgb(ycc.rows[0].data(), ycc.rows[1].data(), ycc.rows[2].data(),
                                     width, out);
    });
}

void TestInterleave(const Planes& rgb, int32_t width) {
    Bytes wanted;
    for (int32_t x = 0; x < width; ++x)
        for (const Bytes& row : rgb.rows) wanted.push_back(row[x]);
    CheckRow("interleave", width, wanted, [&](uint8_t* out) {
        BestJpegKernels().interleave(rgb.rows[0].data(), rgb.rows[1].data(), rgb.rows[2].data(),
                                     width, out);
    });
}

// Every pair of Cb and Cr with luma from end to end.
void TestColours() {
    constexpr int32_t kLevels = 256;
    Planes ycc;
    for (Bytes& row : ycc.rows) row.resize(kLevels + kSpareBytes);
    for (int32_t cr = 0; cr < kLevels; ++cr) ycc.rows[2][cr] = static_cast<uint8_t>(cr);
    for (int32_t cb = 0; cb < kLevels; ++cb) {
        std::fill(ycc.rows[1].begin(), ycc.rows[1].end(), static_cast<uint8_t>(cb));
        for (const int32_t luma : {0, 1, 63, 127, 128, 200, 255}) {
            std::fill(ycc.rows[0].begin(), ycc.rows[0].end(), static_cast<uint8_t>(luma));
            TestYccToRgb(ycc, kLevels);
        }
    }
}

// Every length, so that ends lie everywhere in a register.
void TestLengths() {
    RandomSource random(1);
    for (int32_t count = 1; count <= kMostSamples; ++count) {
        TestAcrossTwice(random, count);
        const Planes rows = {
            {RandomRow(random, count), RandomRow(random, count), RandomRow(random, count)}};
        TestDownTwice(rows.rows[0], rows.rows[1], count);
        TestBothTwice(rows.rows[0], rows.rows[1], count);
        TestYccToRgb(rows, count);
        TestInterleave(rows, count);
    }
    for (const Scale& scale : kScales)
        for (int32_t round = 0; round < 600; ++round) TestInverseDct(random, scale, 1 + round % 20);
}

}  // namespace

int main() {
    TestLengths();
    TestPairs();
    TestColours();
    return Verdict();
}
