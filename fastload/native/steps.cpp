#include "steps.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <optional>
#include <string>

#include "blur.h"
#include "cached_source.h"
#include "checksum.h"
#include "colour.h"
#include "error.h"
#include "histogram.h"
#include "levels.h"
#include "paging.h"
#include "sharpness.h"
#include "stages.h"
#include "view.h"
#include "warp.h"

namespace fastload {
namespace {

// No image has more pixels on a side, no box lies further out: sums of such numbers fit 32 bits.
constexpr int32_t kMostSide = 1 << 20;

bool IsFarOut(int32_t place) { return place < -kMostSide || place > kMostSide; }

// Throws where an image cannot have these sides.
void CheckSides(const char* what, int32_t height, int32_t width) {
    if (width < 1 || height < 1 || width > kMostSide || height > kMostSide)
        throw Failure(FL_BAD_ARGUMENT, std::string(what) + " " + std::to_string(width) + " x " +
                                           std::to_string(height) + " pixels is impossible");
}

class ImageSink final : public RowSink {
  public:
    explicit ImageSink(Image& image) : image_(image) {}
    void Rows(const uint8_t* pixels, ptrdiff_t stride, int32_t count) override {
        for (; count > 0; --count, ++row_, pixels += stride)
            std::memcpy(image_.row(row_), pixels, image_.stride());
    }

  private:
    Image& image_;
    int32_t row_ = 0;
};

// Carries an image from step to step. Geometry waits in a view, since a later step often makes most
// of the work needless; what needs pixels renders the view into memory first.
class Canvas {
  public:
    Canvas(PixelSource& source, bool fast, Workspace& workspace)
        : source_(&source), view_(source), fast_(fast), workspace_(workspace) {}

    void Apply(const fl_step& step);
    void Write(const fl_item& item, const fl_output& output);

  private:
    Image& Materialise();
    void Continue(Image& image);
    void Crop(Box box);
    void Resize(const fl_step& step);
    void Pad(const fl_step& step);
    void PadBy(int32_t left, int32_t top, int32_t right, int32_t bottom, PadMode mode,
               const uint8_t fill[3]);
    void Warp(const fl_step& step);
    Image& NextImage();
    template <typename Operation>
    void Colour(Operation operation);
    template <typename Operation>
    void Rewrite(Operation operation);

    PixelSource* source_;
    std::optional<ImagePixels> pixels_;  // where it reads an image
    View view_;
    bool fast_;
    Workspace& workspace_;
    Image* image_ = nullptr;  // the one that source_ reads, where it reads one
    int next_image_ = 0;
};

void Canvas::Continue(Image& image) {
    const bool left_right = view_.flipped_left_right(), top_down = view_.flipped_top_down();
    source_ = &pixels_.emplace(image);
    view_ = View(*source_);
    image_ = &image;
    // Flips go on waiting: no operation on pixels depends on them, padding sides apart.
    if (left_right) view_.FlipLeftRight();
    if (top_down) view_.FlipTopDown();
}

// The one that does not hold the image.
Image& Canvas::NextImage() {
    Image& image = workspace_.images[next_image_];
    next_image_ = 1 - next_image_;
    return image;
}

Image& Canvas::Materialise() {
    if (image_ != nullptr && view_.whole()) return *image_;
    Image& image = NextImage();
    image.Allocate(view_.height(), view_.width(), source_->channels());
    ImageSink sink(image);
    view_.Render(*source_, fast_, sink);
    Continue(image);
    return image;
}

void Canvas::PadBy(int32_t left, int32_t top, int32_t right, int32_t bottom, PadMode mode,
                   const uint8_t fill[3]) {
    CheckSides("padding to", view_.height() + top + bottom, view_.width() + left + right);
    Image& image = Materialise();
    if (fill[0] != fill[1] || fill[0] != fill[2]) ExpandToRgb(image);
    if (view_.flipped_left_right()) std::swap(left, right);
    if (view_.flipped_top_down()) std::swap(top, bottom);
    Image& padded = NextImage();
    fastload::Pad(image, left, top, right, bottom, mode, fill, padded);
    Continue(padded);
}

// What is below 0 is cut off, as torchvision does it: before anything is added.
void Canvas::Pad(const fl_step& step) {
    int32_t cut[4], added[4];
    for (int side = 0; side < 4; ++side) {
        if (IsFarOut(step.i[side])) throw Failure(FL_BAD_ARGUMENT, "a padding is too large");
        cut[side] = std::max(-step.i[side], 0);
        added[side] = std::max(step.i[side], 0);
    }
    const auto any = [](const int32_t sides[4]) {
        return std::any_of(sides, sides + 4, [](int32_t side) { return side > 0; });
    };
    if (any(cut))
        Crop({cut[0], cut[1], view_.width() - cut[0] - cut[2], view_.height() - cut[1] - cut[3]});
    uint8_t fill[3];
    for (int c = 0; c < 3; ++c) fill[c] = LevelOf(static_cast<float>(step.f[c]));
    if (any(added))
        PadBy(added[0], added[1], added[2], added[3], static_cast<PadMode>(step.i[4]), fill);
}

void Canvas::Crop(Box box) {
    CheckSides("a crop of", box.height, box.width);
    if (IsFarOut(box.left) || IsFarOut(box.top))
        throw Failure(FL_BAD_ARGUMENT, "a crop lies too far outside of the image");
    const int32_t left = std::max(-box.left, 0), top = std::max(-box.top, 0);
    const int32_t right = std::max(box.left + box.width - view_.width(), 0);
    const int32_t bottom = std::max(box.top + box.height - view_.height(), 0);
    if (left > 0 || top > 0 || right > 0 || bottom > 0) {
        constexpr uint8_t kBlack[3] = {};
        PadBy(left, top, right, bottom, PadMode::kConstant, kBlack);
    }
    view_.Crop({box.left + left, box.top + top, box.width, box.height});
}

void Canvas::Resize(const fl_step& step) {
    const int32_t height = step.i[0], width = step.i[1];
    CheckSides("a resize to", height, width);
    const auto filter = static_cast<Filter>(step.i[2]);
    const auto order = static_cast<PassOrder>(step.i[3]);
    if (view_.Resize(height, width, filter, order)) return;
    // A resampling of a mirrored image rounds differently: mirror the pixels first.
    Image& image = Materialise();
    if (view_.flipped_left_right() || view_.flipped_top_down()) {
        const bool left_right = view_.flipped_left_right(), top_down = view_.flipped_top_down();
        Image& mirrored = NextImage();
        mirrored.Allocate(image.height, image.width, image.channels);
        for (int32_t y = 0; y < image.height; ++y) {
            const uint8_t* from = image.row(top_down ? image.height - 1 - y : y);
            uint8_t* to = mirrored.row(y);
            for (int32_t x = 0; x < image.width; ++x)
                std::memcpy(to + x * image.channels,
                            from + (left_right ? image.width - 1 - x : x) * image.channels,
                            image.channels);
        }
        view_.Unflip();
        Continue(mirrored);
    }
    view_.Resize(height, width, filter, order);
}

template <typename Operation>
void Canvas::Colour(Operation operation) {
    Image& image = Materialise();
    ExpandToRgb(image);
    operation(image.bytes.data(), image.pixels());
    Continue(image);
}

// Mirrors as it reads, where flips wait.
void Canvas::Warp(const fl_step& step) {
    uint8_t fill[3];
    for (int c = 0; c < 3; ++c) fill[c] = LevelOf(static_cast<float>(step.i[1 + c]));
    Image& image = Materialise();
    if (fill[0] != fill[1] || fill[0] != fill[2]) ExpandToRgb(image);
    Image& warped = NextImage();
    fastload::Warp(image, view_.flipped_left_right(), view_.flipped_top_down(), step.f,
                   static_cast<Interpolation>(step.i[0]), fill, warped);
    view_.Unflip();
    Continue(warped);
}

// `operation` makes an image from an image.
template <typename Operation>
void Canvas::Rewrite(Operation operation) {
    const Image& image = Materialise();
    Image& changed = NextImage();
    operation(image, changed);
    Continue(changed);
}

void Canvas::Apply(const fl_step& step) {
    const auto factor = static_cast<float>(step.f[0]);
    switch (static_cast<StepKind>(step.kind)) {
        case StepKind::kNone:
        case StepKind::kErase:
            return;
        case StepKind::kCrop:
            return Crop({step.i[1], step.i[0], step.i[3], step.i[2]});
        case StepKind::kResize:
            return Resize(step);
        case StepKind::kFlipLeftRight:
            return view_.FlipLeftRight();
        case StepKind::kFlipTopDown:
            return view_.FlipTopDown();
        case StepKind::kPad:
            return Pad(step);
        case StepKind::kBrightness:
            return Colour([=](uint8_t* rgb, size_t n) { Brightness(rgb, n, factor); });
        case StepKind::kContrast:
            return Colour([=](uint8_t* rgb, size_t n) { Contrast(rgb, n, factor); });
        case StepKind::kSaturation:
            return Colour([=](uint8_t* rgb, size_t n) { Saturation(rgb, n, factor); });
        case StepKind::kHue:
            return Colour([=](uint8_t* rgb, size_t n) { Hue(rgb, n, factor); });
        case StepKind::kGrayscale:
            return Colour([](uint8_t* rgb, size_t n) { Grayscale(rgb, n); });
        case StepKind::kWarp:
            return Warp(step);
        case StepKind::kSharpness:
            return Rewrite([=](const Image& in, Image& out) { Sharpness(in, factor, out); });
        case StepKind::kPosterize:
            return Posterize(Materialise(), step.i[0]);
        case StepKind::kSolarize:
            return Solarize(Materialise(), step.f[0]);
        case StepKind::kInvert:
            return Invert(Materialise());
        case StepKind::kAutocontrast:
            return Autocontrast(Materialise());
        case StepKind::kEqualize:
            return Equalize(Materialise());
        case StepKind::kBlur:
            return Rewrite([&](const Image& in, Image& out) {
                GaussianBlur(in, step.i[0], step.i[1], step.f[0], out);
            });
    }
    throw Failure(FL_BAD_ARGUMENT, "step kind " + std::to_string(step.kind) + " is not known");
}

void Canvas::Write(const fl_item& item, const fl_output& output) {
    if (view_.height() != item.out_height || view_.width() != item.out_width)
        throw Failure(FL_CORRUPT,
                      "the steps end with " + std::to_string(view_.width()) + " x " +
                          std::to_string(view_.height()) + " pixels, the batch has room for " +
                          std::to_string(item.out_width) + " x " + std::to_string(item.out_height) +
                          ": the image's size is not the one in the index");
    auto* out = reinterpret_cast<void*>(item.out);
    OutputWriter& writer = workspace_.writer;
    writer.Begin(output, out, item.out_height, item.out_width, source_->channels(),
                 view_.flipped_left_right(), view_.flipped_top_down());
    view_.Render(*source_, fast_, writer);
}

void EraseBoxes(const fl_item& item, const fl_output& output) {
    auto* out = reinterpret_cast<void*>(item.out);
    const auto* steps = reinterpret_cast<const fl_step*>(item.steps);
    for (int32_t s = 0; s < item.step_count; ++s) {
        const fl_step& step = steps[s];
        if (static_cast<StepKind>(step.kind) != StepKind::kErase) continue;
        const float value[3] = {static_cast<float>(step.f[0]), static_cast<float>(step.f[1]),
                                static_cast<float>(step.f[2])};
        Erase(output, out, item.out_height, item.out_width, step.i[0], step.i[1], step.i[2],
              step.i[3], value);
    }
}

}  // namespace

void CheckBytes(const fl_item& item) {
    const InStage stage(Stage::kRead);
    const auto* payload = reinterpret_cast<const uint8_t*>(item.payload);
    CheckOnce(payload, item.length, item.crc32c, item.verified);
}

std::unique_ptr<PixelSource> OpenItem(const fl_item& item, bool fast, RecordCache* cache,
                                      Workspace& workspace) {
    const auto* payload = reinterpret_cast<const uint8_t*>(item.payload);
    if (cache != nullptr) {
        auto cached =
            OpenCached({cache, item.key, item.next_use, !fast}, payload, item.length, item.codec);
        if (cached != nullptr) return cached;
    }
    BringIn(payload, item.length);
    return OpenRecord(payload, item.length, item.codec, workspace);
}

void RenderItem(PixelSource& source, const fl_item& item, const fl_output& output, bool fast,
                Workspace& workspace) {
    Canvas canvas(source, fast, workspace);
    const auto* steps = reinterpret_cast<const fl_step*>(item.steps);
    for (int32_t s = 0; s < item.step_count; ++s) canvas.Apply(steps[s]);
    canvas.Write(item, output);
}

std::unique_ptr<PixelSource> OpenRecord(const uint8_t* payload, uint64_t length, int32_t codec,
                                        Workspace& workspace) {
    switch (static_cast<Codec>(codec)) {
        case Codec::kJpeg:
            return std::make_unique<JpegPixels>(payload, length);
        case Codec::kDct:
            return std::make_unique<DctPixels>(payload, length, workspace.record);
        case Codec::kQoi:
            return std::make_unique<QoiPixels>(payload, length, workspace.decoded);
        case Codec::kPixels:
            return std::make_unique<BarePixels>(payload, length);
    }
    throw Failure(FL_BAD_ARGUMENT,
                  "codec " + std::to_string(codec) + " is not one of the native library's");
}

bool ProcessItem(const fl_item& item, const fl_output& output, bool fast, RecordCache* cache,
                 Workspace& workspace) {
    CheckBytes(item);
    const std::unique_ptr<PixelSource> source = OpenItem(item, fast, cache, workspace);
    RenderItem(*source, item, output, fast, workspace);
    EraseBoxes(item, output);
    return source->was_kept();
}

}  // namespace fastload
