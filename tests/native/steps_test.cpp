// Steps against a reference that keeps the whole image in memory after each of them. Decoding,
// resampling and colours have tests of their own: the reference takes them from the library.
#include "steps.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <limits>
#include <string>

#include "blur.h"
#include "check.h"
#include "colour.h"
#include "histogram.h"
#include "items.h"
#include "levels.h"
#include "resize.h"
#include "room.h"
#include "sharpness.h"
#include "warp.h"

namespace {

using fastload::Filter;
using fastload::PadMode;
using fastload::StepKind;
using Rgb = std::array<uint8_t, 3>;

constexpr int32_t kFar = std::numeric_limits<int32_t>::max();
constexpr PadMode kPadModes[] = {PadMode::kConstant, PadMode::kEdge, PadMode::kReflect,
                                 PadMode::kSymmetric};

// ---- The reference

struct Picture {
    int32_t height, width;
    Bytes rgb;

    bool Holds(int32_t y, int32_t x) const { return y >= 0 && y < height && x >= 0 && x < width; }
    Rgb at(int32_t y, int32_t x) const {
        const uint8_t* pixel = &rgb[(size_t(y) * width + x) * 3];
        return {pixel[0], pixel[1], pixel[2]};
    }
};

template <typename PixelAt>
Picture Drawn(int32_t height, int32_t width, PixelAt&& pixel_at) {
    Picture picture = {height, width, {}};
    picture.rgb.reserve(size_t(3) * height * width);
    for (int32_t y = 0; y < height; ++y) {
        for (int32_t x = 0; x < width; ++x) {
            const Rgb pixel = pixel_at(y, x);
            picture.rgb.insert(picture.rgb.end(), pixel.begin(), pixel.end());
        }
    }
    return picture;
}

Picture Cropped(const Picture& in, int32_t top, int32_t left, int32_t height, int32_t width) {
    return Drawn(height, width, [&](int32_t y, int32_t x) {
        return in.Holds(y + top, x + left) ? in.at(y + top, x + left) : Rgb{};
    });
}

Picture Resized(const Picture& in, int32_t height, int32_t width, int32_t filter,
                fastload::PassOrder order) {
    if (height == in.height && width == in.width) return in;
    Picture out = {height, width, Bytes(size_t(3) * height * width)};
    fastload::ResizeRgb(in.rgb.data(), in.height, in.width, height, width, filter, order,
                        out.rgb.data());
    return out;
}

Picture FlippedLeftRight(const Picture& in) {
    return Drawn(in.height, in.width,
                 [&](int32_t y, int32_t x) { return in.at(y, in.width - 1 - x); });
}

Picture FlippedTopDown(const Picture& in) {
    return Drawn(in.height, in.width,
                 [&](int32_t y, int32_t x) { return in.at(in.height - 1 - y, x); });
}

// Mirrors at the nearer edge until it is inside. `doubled`: the edge itself is seen twice.
int32_t Mirrored(int32_t at, int32_t size, bool doubled) {
    if (size == 1) return 0;
    while (at < 0 || at >= size) {
        if (at < 0) at = doubled ? -1 - at : -at;
        if (at >= size) at = doubled ? 2 * size - 1 - at : 2 * size - 2 - at;
    }
    return at;
}

Picture Padded(const Picture& in, const fl_step& step) {
    const auto added = [&](int side) { return std::max(step.i[side], 0); };
    const auto cut = [&](int side) { return std::max(-step.i[side], 0); };
    const Picture kept =
        Cropped(in, cut(1), cut(0), in.height - cut(1) - cut(3), in.width - cut(0) - cut(2));
    const auto mode = static_cast<PadMode>(step.i[4]);
    const auto place = [&](int32_t at, int32_t size) {
        return mode == PadMode::kEdge ? std::clamp(at, 0, size - 1)
                                      : Mirrored(at, size, mode == PadMode::kSymmetric);
    };
    Rgb fill;
    for (size_t c = 0; c < 3; ++c) fill[c] = static_cast<uint8_t>(step.f[c]);
    return Drawn(kept.height + added(1) + added(3), kept.width + added(0) + added(2),
                 [&](int32_t y, int32_t x) {
                     y -= added(1);
                     x -= added(0);
                     if (mode == PadMode::kConstant && !kept.Holds(y, x)) return fill;
                     return kept.at(place(y, kept.height), place(x, kept.width));
                 });
}

Picture Greyed(const Picture& in) {
    return Drawn(in.height, in.width, [&](int32_t y, int32_t x) {
        const Rgb pixel = in.at(y, x);
        const double luma = pixel[0] * 19595.0 + pixel[1] * 38470.0 + pixel[2] * 7471.0;
        const auto level = static_cast<uint8_t>(std::floor(luma / 65536 + 0.5));
        return Rgb{level, level, level};
    });
}

template <typename Adjustment>
Picture Adjusted(Picture picture, Adjustment adjust, float factor) {
    adjust(picture.rgb.data(), picture.rgb.size() / 3, factor);
    return picture;
}

fastload::Image ImageOf(const Picture& in) {
    fastload::Image image;
    image.Allocate(in.height, in.width, 3);
    std::copy(in.rgb.begin(), in.rgb.end(), image.bytes.begin());
    return image;
}

Picture PictureOf(const fastload::Image& image) {
    return {image.height, image.width,
            Bytes(image.bytes.begin(), image.bytes.begin() + ptrdiff_t(3 * image.pixels()))};
}

template <typename Operation>
Picture Changed(const Picture& in, Operation operation) {
    fastload::Image image = ImageOf(in);
    operation(image);
    return PictureOf(image);
}

template <typename Operation>
Picture Rewritten(const Picture& in, Operation operation) {
    fastload::Image out;
    operation(ImageOf(in), out);
    return PictureOf(out);
}

Picture Warped(const Picture& in, const fl_step& step) {
    const uint8_t fill[3] = {static_cast<uint8_t>(step.i[1]), static_cast<uint8_t>(step.i[2]),
                             static_cast<uint8_t>(step.i[3])};
    return Rewritten(in, [&](const fastload::Image& image, fastload::Image& out) {
        fastload::Warp(image, false, false, step.f, static_cast<fastload::Interpolation>(step.i[0]),
                       fill, out);
    });
}

Picture After(const Picture& in, const fl_step& step) {
    switch (static_cast<StepKind>(step.kind)) {
        case StepKind::kNone:
        case StepKind::kErase:
            return in;
        case StepKind::kCrop:
            return Cropped(in, step.i[0], step.i[1], step.i[2], step.i[3]);
        case StepKind::kResize:
            return Resized(in, step.i[0], step.i[1], step.i[2],
                           static_cast<fastload::PassOrder>(step.i[3]));
        case StepKind::kFlipLeftRight:
            return FlippedLeftRight(in);
        case StepKind::kFlipTopDown:
            return FlippedTopDown(in);
        case StepKind::kPad:
            return Padded(in, step);
        case StepKind::kBrightness:
            return Adjusted(in, fastload::Brightness, step.f[0]);
        case StepKind::kContrast:
            return Adjusted(in, fastload::Contrast, step.f[0]);
        case StepKind::kSaturation:
            return Adjusted(in, fastload::Saturation, step.f[0]);
        case StepKind::kHue:
            return Adjusted(in, fastload::Hue, step.f[0]);
        case StepKind::kGrayscale:
            return Greyed(in);
        case StepKind::kWarp:
            return Warped(in, step);
        case StepKind::kSharpness:
            return Rewritten(in, [&](const fastload::Image& image, fastload::Image& out) {
                fastload::Sharpness(image, static_cast<float>(step.f[0]), out);
            });
        case StepKind::kPosterize:
            return Changed(in, [&](auto& image) { fastload::Posterize(image, step.i[0]); });
        case StepKind::kSolarize:
            return Changed(in, [&](auto& image) { fastload::Solarize(image, step.f[0]); });
        case StepKind::kInvert:
            return Changed(in, fastload::Invert);
        case StepKind::kAutocontrast:
            return Changed(in, fastload::Autocontrast);
        case StepKind::kEqualize:
            return Changed(in, fastload::Equalize);
        case StepKind::kBlur:
            return Rewritten(in, [&](const fastload::Image& image, fastload::Image& out) {
                fastload::GaussianBlur(image, step.i[0], step.i[1], step.f[0], out);
            });
    }
    CHECK(false);
    return in;
}

// On the output, so after all that moves pixels.
Picture Erased(Picture picture, const fl_step& step) {
    return Drawn(picture.height, picture.width, [&](int32_t y, int32_t x) {
        const bool inside = y >= step.i[0] && y < step.i[0] + step.i[2] && x >= step.i[1] &&
                            x < step.i[1] + step.i[3];
        if (!inside) return picture.at(y, x);
        Rgb colour;
        for (size_t c = 0; c < 3; ++c) colour[c] = static_cast<uint8_t>(step.f[c]);
        return colour;
    });
}

Picture After(Picture picture, const Steps& steps) {
    for (const fl_step& step : steps) picture = After(picture, step);
    for (const fl_step& step : steps) {
        if (static_cast<StepKind>(step.kind) == StepKind::kErase) picture = Erased(picture, step);
    }
    return picture;
}

// ---- The library

struct RgbSink final : fastload::RowSink {
    RgbSink(int32_t row_width, int32_t row_channels) : width(row_width), channels(row_channels) {}
    void Rows(const uint8_t* pixels, ptrdiff_t stride, int32_t count) override {
        for (; count > 0; --count, pixels += stride) {
            for (int32_t x = 0; x < width; ++x) {
                for (int32_t c = 0; c < 3; ++c) {
                    rgb.push_back(pixels[x * channels + (channels == 1 ? 0 : c)]);
                }
            }
        }
    }
    int32_t width, channels;
    Bytes rgb;
};

Picture PictureOf(const Record& record) {
    fastload::Workspace workspace;
    const auto source = fastload::OpenRecord(record.payload.data(), record.payload.size(),
                                             static_cast<int32_t>(record.codec), workspace);
    RgbSink sink(source->width(), source->channels());
    source->Read({0, 0, source->width(), source->height()}, sink);
    return {source->height(), source->width(), std::move(sink.rgb)};
}

constexpr fl_output kRgbLevels = {FL_UINT8, FL_INTERLEAVED, 3, 0, 0};
constexpr fl_output kFirstLevels = {FL_UINT8, FL_INTERLEAVED, 1, 0, 0};

struct Result {
    int32_t code;
    Bytes levels;
};

// One workspace for all, as a thread has it: nothing of the image before may be left in it.
Result ResultOf(const Record& record, const Steps& steps, int32_t height, int32_t width,
                const fl_output& output = kRgbLevels, bool fast = false) {
    static fastload::Workspace workspace;
    Room room(size_t(height) * width * output.channels);
    const fl_item item = ItemOf(record, steps, height, width, room.data());
    const int32_t code =
        CodeOf([&] { fastload::ProcessItem(item, output, fast, nullptr, workspace); });
    CHECK(room.MarginsAreUntouched());
    return {code, room.Contents()};
}

Bytes FirstChannelOf(const Bytes& rgb) {
    Bytes first;
    for (size_t i = 0; i < rgb.size(); i += 3) first.push_back(rgb[i]);
    return first;
}

void Print(const Record& record, const Steps& steps) {
    std::fprintf(stderr, "codec %d, %d x %d:", static_cast<int>(record.codec), record.height,
                 record.width);
    for (const fl_step& step : steps) {
        std::fprintf(stderr, " %d(%d %d %d %d %d; %g %g %g)", step.kind, step.i[0], step.i[1],
                     step.i[2], step.i[3], step.i[4], step.f[0], step.f[1], step.f[2]);
    }
    std::fprintf(stderr, "\n");
}

void CheckResult(const Record& record, const Steps& steps, const Picture& expected) {
    const Result all = ResultOf(record, steps, expected.height, expected.width);
    const Result first = ResultOf(record, steps, expected.height, expected.width, kFirstLevels);
    const bool same = all.code == FL_OK && all.levels == expected.rgb && first.code == FL_OK &&
                      first.levels == FirstChannelOf(expected.rgb);
    CHECK(same);
    if (!same) Print(record, steps);
}

void CheckSteps(const Record& record, const Steps& steps) {
    CheckResult(record, steps, After(PictureOf(record), steps));
}

// ---- One kind at a time

void TestNothing() {
    RandomSource random(1);
    for (const Record& record : RecordsOfAllKinds(random, 37, 53)) {
        CheckSteps(record, {});
        CheckSteps(record, {Step(StepKind::kNone), Step(StepKind::kNone, {1, 2, 3, 4})});
    }
    const Bytes rgb = random.Bytes(3 * 20 * 30);
    CheckResult(QoiRecord(rgb, 20, 30), {}, {20, 30, rgb});
}

void TestCrops() {
    RandomSource random(2);
    for (const Record& record : RecordsOfAllKinds(random, 40, 60)) {
        for (const fl_step& inside : {Crop(0, 0, 40, 60), Crop(0, 0, 1, 1), Crop(39, 59, 1, 1),
                                      Crop(7, 11, 20, 30), Crop(0, 59, 40, 1)}) {
            CheckSteps(record, {inside});
        }
        for (const fl_step& partly : {Crop(-3, 0, 10, 10), Crop(0, -3, 10, 10),
                                      Crop(35, 50, 10, 20), Crop(-2, -3, 50, 70)}) {
            CheckSteps(record, {partly});
        }
        for (const fl_step& beside :
             {Crop(-10, 0, 10, 10), Crop(40, 0, 3, 5), Crop(0, -9, 4, 8), Crop(0, 60, 40, 2),
              Crop(-90, -90, 3, 3), Crop(100, 100, 2, 2)}) {
            CheckSteps(record, {beside});
        }
        CheckSteps(record, {Crop(5, 6, 30, 40), Crop(7, 8, 20, 10)});
        CheckSteps(record, {Crop(-5, -6, 30, 40), Crop(-7, 8, 20, 50)});
    }
}

void TestResizes() {
    RandomSource random(3);
    for (const Record& record : RecordsOfAllKinds(random, 24, 36)) {
        for (int32_t filter = 0; filter <= 5; ++filter) {
            for (auto [height, width] :
                 {std::array{12, 18}, std::array{1, 1}, std::array{5, 36}, std::array{24, 7},
                  std::array{31, 55}, std::array{24, 36}, std::array{3, 50}}) {
                const fl_step resize = Resize(height, width, static_cast<Filter>(filter));
                CheckSteps(record, {resize});
                CheckSteps(record, {Crop(3, 5, 17, 19), resize});
                CheckSteps(record, {resize, Crop(height / 3, width / 4, (height + 1) / 2, 1)});
                CheckSteps(record, {Crop(1, 0, 22, 36), resize, Crop(-1, 0, height, width + 1)});
            }
            const auto by = static_cast<Filter>(filter);
            CheckSteps(record, {Resize(4, 30, by, fastload::PassOrder::kWidthFirst)});
            CheckSteps(record, {Resize(12, 18, by), Resize(27, 11, by)});
            CheckSteps(record, {Resize(12, 18, by), Crop(2, 3, 8, 9), Resize(27, 11, by)});
            CheckSteps(record, {Resize(12, 18, by), Crop(2, 3, 8, 9), Resize(8, 9, by)});
        }
    }
}

void TestFlips() {
    RandomSource random(4);
    const std::vector<Steps> flips = {{FlipLeftRight()},
                                      {FlipTopDown()},
                                      {FlipLeftRight(), FlipTopDown()},
                                      {FlipTopDown(), FlipLeftRight(), FlipTopDown()}};
    const std::vector<Steps> others = {{},
                                       {Crop(3, 5, 13, 22)},
                                       {Crop(-3, 5, 25, 40)},
                                       {Resize(15, 21)},
                                       {Resize(24, 36)},
                                       {Crop(3, 5, 13, 22), Resize(15, 21), Crop(1, 2, 10, 9)},
                                       {Pad(1, 2, 3, 4, PadMode::kReflect)},
                                       {Colour(StepKind::kContrast, 1.5F)}};
    for (const Record& record : RecordsOfAllKinds(random, 24, 36)) {
        for (const Steps& flip : flips) {
            for (const Steps& other : others) {
                Steps before = flip, after = other;
                before.insert(before.end(), other.begin(), other.end());
                after.insert(after.end(), flip.begin(), flip.end());
                Steps around = before;
                around.insert(around.end(), flip.begin(), flip.end());
                for (const Steps& steps : {before, after, around}) CheckSteps(record, steps);
            }
        }
    }
}

void TestPads() {
    RandomSource random(5);
    constexpr std::array<std::array<int32_t, 4>, 9> kSides = {{{1, 2, 3, 4},
                                                               {0, 0, 0, 5},
                                                               {30, 0, 0, 0},
                                                               {17, 40, 25, 31},
                                                               {0, 0, 0, 0},
                                                               {-1, -2, -3, -4},
                                                               {-2, 3, 4, -5},
                                                               {0, -7, 9, 7},
                                                               {-4, 0, -4, 0}}};
    for (auto [height, width] : {std::array{9, 12}, std::array{8, 9}, std::array{8, 31}}) {
        for (const Record& record : RecordsOfAllKinds(random, height, width)) {
            for (PadMode mode : kPadModes) {
                for (const auto& [left, top, right, bottom] : kSides) {
                    for (std::array<float, 3> fill :
                         {std::array{9.0F, 9.0F, 9.0F}, std::array{9.0F, 9.0F, 80.0F},
                          std::array{9.0F, 255.0F, 9.0F}}) {
                        CheckSteps(record, {Pad(left, top, right, bottom, mode, fill)});
                    }
                }
            }
        }
    }
    // Nothing to mirror but the edge itself.
    for (auto [height, width] : {std::array{1, 1}, std::array{1, 7}, std::array{7, 1}}) {
        const Record record = QoiRecord(random, height, width);
        for (PadMode mode : kPadModes) CheckSteps(record, {Pad(3, 4, 5, 6, mode)});
    }
}

// Fill levels between and outside of the levels.
void TestPadFill() {
    RandomSource random(6);
    const Record record = QoiRecord(random, 5, 4);
    const auto padded = [&](std::array<float, 3> fill) {
        return ResultOf(record, {Pad(1, 1, 1, 1, PadMode::kConstant, fill)}, 7, 6);
    };
    CHECK(padded({1.9F, 255.5F, -0.5F}).code == FL_OK);
    CHECK(padded({1.9F, 255.5F, -0.5F}).levels == padded({1, 255, 0}).levels);
    CHECK(padded({-1e9F, 1e30F, std::nanf("")}).levels == padded({0, 255, 0}).levels);
}

void TestColours() {
    RandomSource random(7);
    const std::vector<Steps> others = {{},
                                       {Crop(3, 5, 20, 40)},
                                       {Resize(21, 33)},
                                       {FlipTopDown()},
                                       {Colour(StepKind::kSaturation, 0.3F)}};
    for (const Record& record : RecordsOfAllKinds(random, 30, 50)) {
        for (const fl_step& colour :
             {Colour(StepKind::kBrightness, 1.3F), Colour(StepKind::kContrast, 0.4F),
              Colour(StepKind::kSaturation, 1.9F), Colour(StepKind::kHue, -0.2F), Grayscale()}) {
            for (const Steps& other : others) {
                Steps before = {colour}, after = other;
                before.insert(before.end(), other.begin(), other.end());
                after.push_back(colour);
                CheckSteps(record, before);
                CheckSteps(record, after);
            }
        }
    }
}

void TestErasing() {
    RandomSource random(8);
    for (const Record& record : RecordsOfAllKinds(random, 30, 50)) {
        CheckSteps(record, {Erase(3, 4, 10, 20, {1, 2, 3})});
        CheckSteps(record, {Erase(20, 40, 99, 99, {1, 2, 3}), Erase(-5, -6, 30, 30, {255, 0, 9})});
        // In the image that is handed over, not in the one that was there when the step came.
        CheckSteps(record, {Erase(3, 4, 5, 6, {1, 2, 3}), FlipLeftRight(), Resize(11, 12)});
        CheckSteps(record, {FlipTopDown(), Resize(11, 12), Erase(1, 0, 5, 6, {1, 2, 3})});
    }
}

// ---- Any order

fl_step RandomCrop(RandomSource& random, const Picture& picture) {
    const auto span = [&](int32_t size, int32_t& start, int32_t& length) {
        const int32_t margin = random.Below(2) == 0 ? 0 : 6;
        length = 1 + static_cast<int32_t>(random.Below(size + margin));
        start = static_cast<int32_t>(random.Below(std::max(size + margin - length, 0) + 1)) -
                static_cast<int32_t>(random.Below(margin + 1));
    };
    int32_t top, left, height, width;
    span(picture.height, top, height);
    span(picture.width, left, width);
    return Crop(top, left, height, width);
}

fl_step RandomPad(RandomSource& random, const Picture& picture) {
    int32_t sides[4];
    for (int side = 0; side < 4; ++side) {
        // Two that cut leave a pixel at least.
        const int32_t size = side % 2 == 0 ? picture.width : picture.height;
        const int32_t cut = std::min((size - 1) / 2, 5);
        sides[side] = static_cast<int32_t>(random.Below(10 + cut)) - cut;
    }
    const auto level = [&] { return static_cast<float>(random.Below(256)); };
    const float grey = level();
    const bool coloured = random.Below(2) == 0;
    return Pad(sides[0], sides[1], sides[2], sides[3], kPadModes[random.Below(4)],
               {grey, coloured ? level() : grey, coloured ? level() : grey});
}

fl_step RandomWarp(RandomSource& random) {
    const auto about = [&](double size) { return size * (random.Below(2001) - 1000.0) / 1000; };
    const auto level = [&] { return static_cast<int32_t>(random.Below(256)); };
    const int32_t grey = level();
    const bool coloured = random.Below(2) == 0;
    constexpr int32_t kInterpolations[] = {0, 2, 3};
    return Step(StepKind::kWarp,
                {kInterpolations[random.Below(3)], grey, coloured ? level() : grey,
                 coloured ? level() : grey},
                {1, about(0.5), about(20), about(0.5), 1, about(20)});
}

fl_step RandomBlur(RandomSource& random, const Picture& picture) {
    const auto odd = [&](int32_t most) {
        return 1 + 2 * static_cast<int32_t>(random.Below(std::min(most, 4)));
    };
    return Step(StepKind::kBlur, {odd(picture.width), odd(picture.height)},
                {0.2 + random.Below(30) / 10.0});
}

fl_step RandomStep(RandomSource& random, const Picture& picture) {
    const auto uniform = [&](double low, double high) {
        return static_cast<float>(low + (high - low) * random.Below(1000) / 1000);
    };
    constexpr StepKind kKinds[] = {
        StepKind::kNone,        StepKind::kCrop,          StepKind::kResize,
        StepKind::kFlipTopDown, StepKind::kFlipLeftRight, StepKind::kPad,
        StepKind::kBrightness,  StepKind::kContrast,      StepKind::kSaturation,
        StepKind::kHue,         StepKind::kGrayscale,     StepKind::kWarp,
        StepKind::kSharpness,   StepKind::kPosterize,     StepKind::kSolarize,
        StepKind::kInvert,      StepKind::kAutocontrast,  StepKind::kEqualize,
        StepKind::kBlur};
    const bool large = picture.height > 60 || picture.width > 60;
    const auto kind = large ? StepKind::kResize : kKinds[random.Below(std::size(kKinds))];
    switch (kind) {
        case StepKind::kCrop:
            return RandomCrop(random, picture);
        case StepKind::kResize:
            return Resize(1 + static_cast<int32_t>(random.Below(40)),
                          1 + static_cast<int32_t>(random.Below(40)),
                          static_cast<Filter>(random.Below(6)));
        case StepKind::kPad:
            return RandomPad(random, picture);
        case StepKind::kBrightness:
        case StepKind::kContrast:
        case StepKind::kSaturation:
        case StepKind::kSharpness:
            return Colour(kind, uniform(0, 2));
        case StepKind::kWarp:
            return RandomWarp(random);
        case StepKind::kPosterize:
            return Step(kind, {1 + static_cast<int32_t>(random.Below(8))});
        case StepKind::kSolarize:
            return Step(kind, {}, {uniform(0, 256)});
        case StepKind::kBlur:
            return RandomBlur(random, picture);
        case StepKind::kHue:
            return Colour(kind, uniform(-0.5, 0.5));
        default:
            return Step(kind);
    }
}

fl_step RandomErasing(RandomSource& random, const Picture& picture) {
    const auto level = [&] { return static_cast<float>(random.Below(256)); };
    return Erase(static_cast<int32_t>(random.Below(picture.height)),
                 static_cast<int32_t>(random.Below(picture.width)),
                 static_cast<int32_t>(random.Below(picture.height + 4)),
                 static_cast<int32_t>(random.Below(picture.width + 4)),
                 {level(), level(), level()});
}

void TestCombinations() {
    RandomSource random(9);
    for (int round = 0; round < 150; ++round) {
        const auto height = static_cast<int32_t>(5 + random.Below(35));
        const auto width = static_cast<int32_t>(5 + random.Below(35));
        for (const Record& record : RecordsOfAllKinds(random, height, width)) {
            Picture picture = PictureOf(record);
            Steps steps;
            for (uint32_t count = random.Below(9); count > 0; --count) {
                steps.push_back(RandomStep(random, picture));
                picture = After(picture, steps.back());
            }
            for (uint32_t count = random.Below(3); count > 0; --count) {
                steps.push_back(RandomErasing(random, picture));
                picture = Erased(picture, steps.back());
            }
            CheckResult(record, steps, picture);
        }
    }
}

// ---- Fast

double MeanDifference(const Bytes& a, const Bytes& b) {
    double sum = 0;
    for (size_t i = 0; i < a.size(); ++i) sum += std::abs(a[i] - b[i]);
    return sum / static_cast<double>(a.size());
}

// Near the exact pixels where a JPEG is made smaller, else equal to them.
void TestFast() {
    RandomSource random(10);
    const auto smooth = [&](int32_t channels) {
        return random.Picture(170, 130, channels, 2, false);
    };
    const Record colour = JpegRecord(smooth(3), 130, 170, 3),
                 grey = JpegRecord(smooth(1), 130, 170, 1);
    for (const Record& record :
         {QoiRecord(smooth(3), 130, 170), colour, grey, DctRecord(colour), DctRecord(grey)}) {
        for (const fl_step& crop : {Crop(0, 0, 130, 170), Crop(13, 29, 101, 99)}) {
            for (int32_t side : {200, 150, 70, 50, 40, 25, 16, 12, 5}) {
                const Steps steps = {crop, Resize(side, side), FlipLeftRight()};
                const Result exact = ResultOf(record, steps, side, side);
                const Result fast = ResultOf(record, steps, side, side, kRgbLevels, true);
                CHECK(exact.code == FL_OK && fast.code == FL_OK);
                const bool resized_by_planes =
                    record.codec != fastload::Codec::kQoi && side * side < crop.i[2] * crop.i[3];
                CHECK((fast.levels == exact.levels) == !resized_by_planes);
                CHECK(MeanDifference(fast.levels, exact.levels) < 4);
            }
            const Steps cropped = {crop, FlipLeftRight()};
            CHECK(ResultOf(record, cropped, crop.i[2], crop.i[3], kRgbLevels, true).levels ==
                  ResultOf(record, cropped, crop.i[2], crop.i[3]).levels);
        }
    }
}

// ---- What is impossible

void TestImpossibleSteps() {
    constexpr int32_t kNear = -kFar - 1;
    RandomSource random(11);
    for (const Record& record : RecordsOfAllKinds(random, 20, 30)) {
        for (const fl_step& step : {Crop(0, 0, 0, 5),
                                    Crop(0, 0, 5, 0),
                                    Crop(0, 0, -1, 5),
                                    Crop(0, 0, 5, kNear),
                                    Crop(0, 0, kFar, kFar),
                                    Crop(0, 0, 5, (1 << 20) + 1),
                                    Crop(kFar, 0, 5, 5),
                                    Crop(0, kFar, 5, 5),
                                    Crop(kNear, 0, 5, 5),
                                    Crop(0, kNear, 5, 5),
                                    Crop(kNear, kNear, kFar, kFar),
                                    Crop((1 << 20) + 1, 0, 5, 5),
                                    Resize(0, 5),
                                    Resize(5, 0),
                                    Resize(-3, 5),
                                    Resize(5, kNear),
                                    Resize(kFar, 5),
                                    Resize(5, (1 << 20) + 1),
                                    Resize(5, 5, static_cast<Filter>(6)),
                                    Resize(5, 5, static_cast<Filter>(-1)),
                                    Pad(kFar, 0, 0, 0, PadMode::kEdge),
                                    Pad(0, (1 << 20) + 1, 0, 0, PadMode::kEdge),
                                    Pad(0, 0, 1 << 20, 0, PadMode::kEdge),
                                    Pad(kNear, 0, 0, 0, PadMode::kEdge),
                                    Pad(kNear, 0, kNear, 0, PadMode::kEdge),
                                    Pad(0, -20, 0, 0, PadMode::kEdge),
                                    Pad(-15, 0, -15, 1, PadMode::kEdge),
                                    Pad(1, 0, 0, 0, static_cast<PadMode>(4)),
                                    Pad(0, 0, 0, 1, static_cast<PadMode>(-1)),
                                    Step(static_cast<StepKind>(20)),
                                    Step(static_cast<StepKind>(-1)),
                                    Step(static_cast<StepKind>(kFar))}) {
            for (const Steps& steps : {Steps{step}, Steps{FlipLeftRight(), FlipTopDown(), step},
                                       Steps{Grayscale(), step, Resize(5, 5)}}) {
                const int32_t code = ResultOf(record, steps, 5, 5).code;
                CHECK(code == FL_BAD_ARGUMENT);
                if (code != FL_BAD_ARGUMENT) Print(record, steps);
            }
        }
        CheckSteps(record, {Grayscale(), Resize(7, 8)});  // the workspace outlived it all
    }
}

void TestWrongSizes() {
    RandomSource random(12);
    for (const Record& record : RecordsOfAllKinds(random, 20, 30)) {
        CHECK(ResultOf(record, {}, 20, 30).code == FL_OK);
        for (auto [height, width] : {std::array{30, 20}, std::array{20, 29}, std::array{20, 31},
                                     std::array{21, 30}, std::array{0, 0}}) {
            CHECK(ResultOf(record, {}, height, width).code == FL_CORRUPT);
            CHECK(ResultOf(record, {Resize(20, 30), FlipTopDown()}, height, width).code ==
                  FL_CORRUPT);
        }
    }
}

void TestUnreadableRecords() {
    RandomSource random(13);
    for (const Record& record : RecordsOfAllKinds(random, 20, 30)) {
        Record damaged = record;
        for (int32_t codec : {-1, 3, kFar}) {
            damaged.codec = static_cast<fastload::Codec>(codec);
            CHECK(ResultOf(damaged, {}, 20, 30).code == FL_BAD_ARGUMENT);
        }
        damaged = record;
        damaged.payload[0] ^= 1;
        CHECK(ResultOf(damaged, {}, 20, 30).code == FL_CORRUPT);
        for (size_t kept : {size_t{0}, size_t{1}, record.payload.size() / 2}) {
            damaged.payload.assign(record.payload.begin(),
                                   record.payload.begin() + static_cast<ptrdiff_t>(kept));
            CHECK(ResultOf(damaged, {}, 20, 30).code != FL_OK);
        }
        CheckSteps(record, {});
    }
}

// Bytes of runs can hold it, 32 bits with a sign cannot.
void TestImmenseRecord() {
    Record record = {fastload::Codec::kQoi, 1, 1, Bytes((size_t{1} << 31) / 62 + 100)};
    constexpr std::array<uint8_t, 14> kHeader = {'q', 'o', 'i', 'f', 0x80, 0, 0,
                                                 0,   0,   0,   0,   1,    3, 0};
    std::copy(kHeader.begin(), kHeader.end(), record.payload.begin());
    CHECK(ResultOf(record, {Crop(0, 0, 1, 1)}, 1, 1).code == FL_CORRUPT);
    CHECK(ResultOf(record, {FlipLeftRight(), Pad(1, 1, 1, 1, PadMode::kEdge)}, 3, 3).code ==
          FL_CORRUPT);
}

}  // namespace

int main() {
    TestNothing();
    TestCrops();
    TestResizes();
    TestFlips();
    TestPads();
    TestPadFill();
    TestColours();
    TestErasing();
    TestCombinations();
    TestFast();
    TestImpossibleSteps();
    TestWrongSizes();
    TestUnreadableRecords();
    TestImmenseRecord();
    return Verdict();
}
