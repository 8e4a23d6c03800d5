// Resized crops straight from planes: against the same computed in double precision from the
// coefficients, against a resize of the decoded pixels, and from all kinds of records alike.
#include "plane_resize.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <numbers>
#include <numeric>

#include "dct_encode.h"
#include "pixel_source.h"
#include "regions.h"
#include "view.h"

namespace {

using namespace fastload;
using Levels = std::vector<double>;

// ---- In double precision

struct Plane {
    int32_t width, height;
    Levels levels;
    double at(int32_t y, int32_t x) const { return levels[size_t(y) * width + x]; }
};

// The basis functions of an inverse DCT of a block's lowest `side` frequencies in as many samples.
Levels BasisOf(int32_t side) {
    Levels basis;
    for (int32_t at = 0; at < side; ++at)
        for (int32_t k = 0; k < side; ++k)
            basis.push_back(std::sqrt(k == 0 ? 0.5 : 1) *
                            std::cos((2 * at + 1) * k * std::numbers::pi / (2 * side)));
    return basis;
}

// One direction of a block: [line][frequency] to [sample][line].
Levels Transformed(const Levels& lines, const Levels& basis, int32_t side) {
    Levels out;
    for (int32_t at = 0; at < side; ++at)
        for (int32_t line = 0; line < side; ++line)
            out.push_back(std::inner_product(&basis[at * side], &basis[at * side] + side,
                                             &lines[line * side], 0.0));
    return out;
}

// [row][column]
Levels SamplesOf(const int16_t* block, const std::array<uint16_t, 64>& quant, const Levels& basis,
                 int32_t side) {
    Levels rows;
    for (int32_t v = 0; v < side; ++v)
        for (int32_t u = 0; u < side; ++u)
            rows.push_back(block[8 * v + u] * quant[8 * v + u] / 4.0);
    return Transformed(Transformed(rows, basis, side), basis, side);
}

Plane PlaneOf(const JpegContent::Component& component, int32_t side) {
    const auto across = static_cast<int32_t>(component.blocks_across);
    const auto down = static_cast<int32_t>(component.blocks_down);
    Plane plane = {across * side, down * side, Levels(size_t(across) * down * side * side)};
    const Levels basis = BasisOf(side);
    for (int32_t block = 0; block < across * down; ++block) {
        const Levels samples =
            SamplesOf(&component.coefficients[size_t{64} * block], component.quant, basis, side);
        const int32_t top = block / across * side, left = block % across * side;
        for (int32_t i = 0; i < side * side; ++i)
            plane.levels[size_t(top + i / side) * plane.width + left + i % side] =
                std::clamp(samples[i] + 128, 0.0, 255.0);
    }
    return plane;
}

// What of a direction of the plane an output is made of.
struct Taps {
    int32_t first;
    Levels weights;
};

std::vector<Taps> TapsOf(Filter filter, double from, double to, int32_t out, int32_t window,
                         int32_t window_size) {
    const auto begin = static_cast<int32_t>(std::floor(from));
    const auto end = static_cast<int32_t>(std::ceil(to));
    Axis axis;
    MakeAxis({filter, end - begin, from - begin, to - begin, out, window, window + window_size},
             axis);
    std::vector<Taps> all;
    for (int32_t x = 0; x < axis.size(); ++x) {
        Taps taps = {begin + axis.first[x], {}};
        for (int32_t tap = 0; tap < axis.count[x]; ++tap)
            taps.weights.push_back(
                std::ldexp(axis.weights[size_t(x) * axis.taps + tap], -kWeightBits));
        all.push_back(taps);
    }
    return all;
}

Plane Resized(const Plane& plane, const std::vector<Taps>& across, const std::vector<Taps>& down) {
    const int32_t top = down.front().first;
    int32_t bottom = top;
    for (const Taps& taps : down)
        bottom = std::max(bottom, taps.first + static_cast<int32_t>(taps.weights.size()));
    Plane rows = {static_cast<int32_t>(across.size()), bottom - top, {}};
    for (int32_t y = top; y < bottom; ++y)
        for (const Taps& columns : across) {
            const double* levels = &plane.levels[size_t(y) * plane.width + columns.first];
            rows.levels.push_back(std::clamp(
                std::inner_product(columns.weights.begin(), columns.weights.end(), levels, 0.0),
                0.0, 255.0));
        }
    Plane out = {rows.width, static_cast<int32_t>(down.size()), {}};
    for (const Taps& taps : down)
        for (int32_t x = 0; x < rows.width; ++x) {
            double sum = 0;
            for (size_t i = 0; i < taps.weights.size(); ++i)
                sum += taps.weights[i] * rows.at(taps.first - top + static_cast<int32_t>(i), x);
            out.levels.push_back(std::clamp(sum, 0.0, 255.0));
        }
    return out;
}

// ITU-T T.871's equations.
std::array<double, 3> RgbOf(double y, double cb, double cr) {
    cb -= 128;
    cr -= 128;
    return {y + 1.402 * cr, y - 0.344136286 * cb - 0.714136286 * cr, y + 1.772 * cb};
}

// The smallest of 1, 2, 4 and 8 samples a block that leaves as many as the output has.
int32_t SideOf(double width, double height, const Resizing& resizing) {
    if (resizing.filter == Filter::kNearest) return 8;
    for (const int32_t side : {1, 2, 4})
        if (width * side / 8 >= resizing.width && height * side / 8 >= resizing.height) return side;
    return 8;
}

Levels Computed(const JpegContent& content, const Resizing& resizing) {
    const auto& [crop, height, width, window, filter, order] = resizing;
    std::vector<Plane> planes;
    for (size_t i = 0; i < content.components.size(); ++i) {
        double across = content.sampling[i][0] / 12.0, down = content.sampling[i][1] / 12.0;
        const int32_t side = SideOf(crop.width * across, crop.height * down, resizing);
        across *= side / 8.0;
        down *= side / 8.0;
        planes.push_back(
            Resized(PlaneOf(content.components[i], side),
                    TapsOf(filter, crop.left * across, (crop.left + crop.width) * across, width,
                           window.left, window.width),
                    TapsOf(filter, crop.top * down, (crop.top + crop.height) * down, height,
                           window.top, window.height)));
    }
    Levels levels;
    for (size_t i = 0; i < planes[0].levels.size(); ++i) {
        if (planes.size() == 1) {
            levels.push_back(planes[0].levels[i]);
            continue;
        }
        std::array<double, 3> rgb = {planes[0].levels[i], planes[1].levels[i], planes[2].levels[i]};
        if (content.colour == JCS_YCbCr) rgb = RgbOf(rgb[0], rgb[1], rgb[2]);
        for (const double level : rgb) levels.push_back(std::clamp(level, 0.0, 255.0));
    }
    return levels;
}

// ---- The library

Bytes Rendered(PixelSource& source, const Resizing& resizing) {
    Collector got(static_cast<size_t>(resizing.window.width) * source.channels());
    CHECK(source.ReadResized(resizing, got));
    return got.pixels;
}

Bytes Viewed(PixelSource& source, const Resizing& resizing, bool fast) {
    View view(source);
    view.Crop(resizing.crop);
    view.Resize(resizing.height, resizing.width, resizing.filter, resizing.order);
    view.Crop(resizing.window);
    Collector got(static_cast<size_t>(view.width()) * source.channels());
    view.Render(source, fast, got);
    return got.pixels;
}

Bytes Exact(PixelSource& source, const Resizing& resizing) {
    return Viewed(source, resizing, false);
}

// How far some levels are from what they should be.
struct Error {
    double sum = 0;
    size_t count = 0;

    double mean() const { return sum / static_cast<double>(count); }

    // Returns how far the one that is furthest off is.
    template <typename Expected>
    double Add(const Bytes& got, const Expected& expected) {
        CHECK(got.size() == expected.size());
        double most = 0;
        for (size_t i = 0; i < std::min(got.size(), expected.size()); ++i) {
            const double off = std::abs(double(got[i]) - double(expected[i]));
            most = std::max(most, off);
            sum += off;
        }
        count += got.size();
        return most;
    }
};

// Crops of all sizes and places, resized to less and to more; the whole result, or a part of it.
Resizing RandomResizing(RandomSource& random, int32_t width, int32_t height) {
    Resizing resizing{};
    resizing.crop = RandomBox(random, width, height);
    const auto side = [&](int32_t from) {
        return Between(random, 1, random.Below(2) == 0 ? 2 + from / 2 : 70);
    };
    resizing.height = side(resizing.crop.height);
    resizing.width = side(resizing.crop.width);
    resizing.window = random.Below(2) == 0 ? RandomBox(random, resizing.width, resizing.height)
                                           : Box{0, 0, resizing.width, resizing.height};
    resizing.filter = static_cast<Filter>(random.Below(6));
    resizing.order = static_cast<PassOrder>(random.Below(3));
    return resizing;
}

bool IsSharp(Filter filter) { return filter == Filter::kLanczos || filter == Filter::kBicubic; }

void Print(const char* name, const PixelSource& source, const Resizing& resizing, double most) {
    const auto& [crop, height, width, window, filter, order] = resizing;
    std::fprintf(stderr,
                 "%s %dx%d: %dx%d at %d %d to %dx%d, of that %dx%d at %d %d, filter %d: off by "
                 "%.2f\n",
                 name, source.width(), source.height(), crop.width, crop.height, crop.left,
                 crop.top, width, height, window.width, window.height, window.left, window.top,
                 static_cast<int>(filter), most);
}

// Levels are rounded as samples, as a resized plane and as RGB, and blue is off by 1.772 times as
// much as its chroma.
void CheckFormula(const Bytes& jpeg, RandomSource& random, const char* name, Error& error) {
    Buffer dct;
    EncodeDct(jpeg.data(), jpeg.size(), dct);
    DctRecord record;
    JpegPixels of_jpeg(jpeg.data(), jpeg.size());
    DctPixels of_record(dct.data(), dct.size(), record);
    const JpegContent content = ContentOf(jpeg);
    for (int i = 0; i < 20; ++i) {
        const Resizing resizing = RandomResizing(random, of_jpeg.width(), of_jpeg.height());
        const Bytes got = Rendered(of_jpeg, resizing);
        const double most = error.Add(got, Computed(content, resizing));
        const bool near = most < (IsSharp(resizing.filter) ? 5 : 3.5);
        CHECK(near);
        if (!near) Print(name, of_jpeg, resizing, most);
        CHECK(Rendered(of_record, resizing) == got);
    }
}

void TestFormula() {
    RandomSource random(1);
    for (const Sampling& sampling : kSamplings) {
        Error error;
        for (int round = 0; round < 16; ++round) {
            const auto most = round < 8 ? 20u : 200u;
            const JpegKind kind = KindOf(sampling, 1 + random.Below(most), 1 + random.Below(most));
            CheckFormula(Seekable(MakeJpeg(kind, random, 30)), random, sampling.name, error);
        }
        CHECK(error.mean() < 0.6);
    }
}

// ---- Against a resize of the decoded pixels

// Waves without noise: what is above the lowest frequencies is not in the planes.
void TestNearExact() {
    RandomSource random(2);
    for (const Sampling& sampling : kSamplings) {
        Error error;
        for (int round = 0; round < 400; ++round) {
            JpegKind kind = KindOf(sampling, 1 + random.Below(200), 1 + random.Below(200));
            kind.quality = 95;
            const auto channels = static_cast<uint32_t>(ChannelsOf(kind.colour));
            const Bytes pixels = random.Picture(kind.width, kind.height, channels, 0, false);
            const Bytes jpeg = Seekable(MakeJpeg(kind, pixels));
            JpegPixels source(jpeg.data(), jpeg.size());
            Resizing resizing = RandomResizing(random, source.width(), source.height());
            // With hard edges a sample more or less is as much as the picture is steep.
            if (resizing.filter == Filter::kNearest || resizing.filter == Filter::kBox)
                resizing.filter = Filter::kBilinear;
            const double most = error.Add(Rendered(source, resizing), Exact(source, resizing));
            CHECK(most <= 18);
            if (most > 18) Print(sampling.name, source, resizing, most);
        }
        CHECK(error.mean() < 1);
    }
}

double PsnrOf(const Bytes& a, const Bytes& b) {
    double squares = 0;
    for (size_t i = 0; i < a.size(); ++i) squares += (a[i] - b[i]) * (a[i] - b[i]);
    return 10 * std::log10(255.0 * 255 * static_cast<double>(a.size()) / std::max(squares, 1.0));
}

// As augmentations and evaluations resize.
void TestPhotos() {
    const char* named = std::getenv("FASTLOAD_TEST_DATA");
    const std::filesystem::path folder =
        std::filesystem::path(named == nullptr ? "../shared/data" : named) / "imagenet-lt20";
    if (!std::filesystem::is_directory(folder)) {
        std::fprintf(stderr, "skipped: no photos in %s\n", folder.c_str());
        return;
    }
    RandomSource random(3);
    double sum = 0;
    int count = 0, number = 0;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
        if (!entry.is_regular_file() || ++number % 20 != 0) continue;
        std::ifstream stream(entry.path(), std::ios::binary);
        const Bytes file{std::istreambuf_iterator<char>(stream), {}};
        JpegPixels source(file.data(), file.size());
        const int32_t width = source.width(), height = source.height();
        const int32_t across = Between(random, width / 2, width);
        const int32_t down = Between(random, height / 2, height);
        const Box crop = {Between(random, 0, width - across), Between(random, 0, height - down),
                          across, down};
        for (const int32_t side : {224, 112, 56}) {
            const Resizing resizing = {
                crop, side, side, {0, 0, side, side}, Filter::kBilinear, PassOrder::kPillow13};
            const double psnr = PsnrOf(Rendered(source, resizing), Exact(source, resizing));
            CHECK(psnr > 28);
            if (psnr <= 28) Print(entry.path().c_str(), source, resizing, psnr);
            sum += psnr;
            ++count;
        }
    }
    CHECK(sum / count > 43);
}

// ---- Files of other layouts

bool ResizesAlike(const Bytes& file, const Bytes& seekable, RandomSource& random) {
    JpegPixels source(file.data(), file.size()), rewritten(seekable.data(), seekable.size());
    const Resizing resizing = RandomResizing(random, source.width(), source.height());
    return Rendered(source, resizing) == Rendered(rewritten, resizing);
}

void TestNotSeekable() {
    RandomSource random(4);
    for (const Sampling& sampling : kSamplings) {
        for (int way = 0; way < 4; ++way) {
            JpegKind kind = KindOf(sampling, 93, 71);
            kind.progressive = way == 1;
            kind.restart_interval = way == 2 ? 4 : 0;
            kind.arithmetic = way == 3;
            const Bytes file = MakeJpeg(kind, random);
            CHECK(!ReadJpegLayout(file.data(), file.size()).seekable);
            const Bytes seekable = Seekable(file);
            for (int i = 0; i < 5; ++i) CHECK(ResizesAlike(file, seekable, random));
        }
    }
}

// What cannot be rewritten is decoded as if the exact pixels had been asked for.
void TestNotRewritable() {
    RandomSource random(5);
    JpegKind incomplete = KindOf(kSamplings[3], 93, 71);
    incomplete.scans = {{3, {0, 1, 2}, 0, 0, 0, 0}};
    const Bytes file = MakeJpeg(incomplete, random);
    JpegPixels source(file.data(), file.size());
    for (int i = 0; i < 10; ++i) {
        const Resizing resizing = RandomResizing(random, source.width(), source.height());
        Collector none(0);
        CHECK(!source.ReadResized(resizing, none));
        CHECK(none.batches == 0);
        CHECK(Viewed(source, resizing, true) == Exact(source, resizing));
    }
}

// Sampling factors that are no multiples of one another: no decoder takes them here.
void TestBrokenRatio() {
    RandomSource random(6);
    Bytes file = MakeJpeg(KindOf(kSamplings[0], 93, 71), random);
    const size_t size_at = ReadJpegLayout(file.data(), file.size()).size_at;
    file[size_at + 6] = 0x31;  // of the first component
    file[size_at + 9] = 0x21;
    JpegPixels source(file.data(), file.size());
    const Resizing resizing = RandomResizing(random, source.width(), source.height());
    const int32_t code = CodeOf([&] { Exact(source, resizing); });
    CHECK(code != FL_OK);
    CHECK(CodeOf([&] { Viewed(source, resizing, true); }) == code);
}

// ---- What goes wrong

int32_t CodeOfResizing(const Bytes& file, const Resizing& resizing) {
    JpegPixels source(file.data(), file.size());
    Collector got(static_cast<size_t>(resizing.window.width) * source.channels());
    return CodeOf([&] { source.ReadResized(resizing, got); });
}

void TestFailures() {
    RandomSource random(7);
    const Bytes file = Seekable(MakeJpeg(KindOf(kSamplings[3], 150, 130), random, 60));
    const Resizing all = {{0, 0, 150, 130},    30, 40, {0, 0, 40, 30}, Filter::kBilinear,
                          PassOrder::kPillow13};
    CHECK(CodeOfResizing(file, all) == FL_OK);
    for (const Box& crop : {Box{-1, 0, 5, 5}, Box{0, 0, 0, 5}, Box{146, 0, 5, 5}, Box{0, 126, 5, 5},
                            Box{1, 1, INT32_MAX, 1}}) {
        Resizing outside = all;
        outside.crop = crop;
        CHECK(CodeOfResizing(file, outside) == FL_BAD_ARGUMENT);
    }
    Resizing unknown = all;
    unknown.filter = static_cast<Filter>(6);
    CHECK(CodeOfResizing(file, unknown) == FL_BAD_ARGUMENT);
    const size_t scan_at = ReadJpegLayout(file.data(), file.size()).scan_at;
    for (const size_t kept : {scan_at, (scan_at + file.size()) / 2, file.size() - 40})
        CHECK(CodeOfResizing(Bytes(file.begin(), file.begin() + static_cast<ptrdiff_t>(kept)),
                             all) != FL_OK);
    // Damage anywhere: failing or not, nothing is read or written out of place.
    for (int round = 0; round < 500; ++round) {
        Bytes damaged = file;
        for (int k = 0; k < 3; ++k)
            damaged[scan_at + random.Below(static_cast<uint32_t>(file.size() - scan_at))] =
                static_cast<uint8_t>(random.Below(256));
        CodeOfResizing(damaged, RandomResizing(random, 150, 130));
    }
    struct Thrower final : RowSink {
        void Rows(const uint8_t*, ptrdiff_t, int32_t) override {
            throw Failure(FL_INTERNAL, "enough");
        }
    } thrower;
    JpegPixels source(file.data(), file.size());
    const Bytes before = Rendered(source, all);
    CHECK(CodeOf([&] { source.ReadResized(all, thrower); }) == FL_INTERNAL);
    CHECK(Rendered(source, all) == before);  // nothing is left of all that
}

}  // namespace

int main() {
    TestFormula();
    TestNearExact();
    TestPhotos();
    TestNotSeekable();
    TestNotRewritable();
    TestBrokenRatio();
    TestFailures();
    return Verdict();
}
