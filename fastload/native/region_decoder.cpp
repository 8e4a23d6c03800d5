#include "region_decoder.h"

#include <algorithm>
#include <cstring>
#include <vector>

#include "jpeg_kernels.h"
#include "stages.h"

namespace fastload {
namespace {

constexpr int32_t kBlock = 8;
constexpr int32_t kRowsOfBatch = 16;
// Kernels write one sample in front of a row.
constexpr ptrdiff_t kInFront = 64;
static_assert(kSpareBytes >= 128, "a sink may read so far behind a row");

// How samples become as many as there are pixels.
enum class Upsampling {
    kNone,
    kAcrossTwice,
    kDownTwice,
    kBothTwice,
    kRepeat,
};

// The choice is libjpeg's: its smooth upsampling knows twice as many, and needs more than two
// samples where that is across.
Upsampling UpsamplingOf(int32_t step_across, int32_t step_down, int32_t width) {
    if (step_across == 1 && step_down == 1) return Upsampling::kNone;
    if (step_across == 1 && step_down == 2) return Upsampling::kDownTwice;
    if (step_across == 2 && step_down == 1 && width > 2) return Upsampling::kAcrossTwice;
    if (step_across == 2 && step_down == 2 && width > 2) return Upsampling::kBothTwice;
    return Upsampling::kRepeat;
}

// Samples that the pixels of a range are made of: smooth upsampling mixes a sample with those
// beside it.
Range NeededSamples(Range pixels, int32_t step, bool smooth, int32_t count) {
    const int32_t beside = smooth ? 1 : 0;
    return {std::max(pixels.first / step - beside, 0),
            std::min((pixels.last - 1) / step + 1 + beside, count)};
}

int32_t DivideUp(int32_t value, int32_t divisor) { return (value + divisor - 1) / divisor; }

// The samples of one component, as far as the box needs them: two bands, a band being the rows of
// one MCU row. A third one takes the first one's place.
class Plane {
  public:
    void Begin(const JpegLayout& layout, int32_t component, Box box) {
        const int32_t across = layout.across[component], down = layout.down[component];
        step_across_ = layout.most_across / across;
        step_down_ = layout.most_down / down;
        height_ = DivideUp(layout.height * down, layout.most_down);
        const int32_t width = DivideUp(layout.width * across, layout.most_across);
        upsampling_ = UpsamplingOf(step_across_, step_down_, width);
        const bool smooth = upsampling_ != Upsampling::kRepeat;
        columns_ = NeededSamples({box.left, box.left + box.width}, step_across_,
                                 smooth && step_across_ > 1, width);
        rows_ = NeededSamples({box.top, box.top + box.height}, step_down_, smooth && step_down_ > 1,
                              height_);
        blocks_ = {columns_.first / kBlock, (columns_.last - 1) / kBlock + 1};
        band_ = kBlock * down;
        stride_ = blocks_.count() * kBlock + static_cast<ptrdiff_t>(kSpareBytes);
        samples_.resize(std::max(samples_.size(), kInFront + 2 * band_ * stride_ + kSpareBytes));
    }

    Range columns() const { return columns_; }
    Range rows() const { return rows_; }
    Range blocks() const { return blocks_; }

    // The row of the first block's first sample.
    uint8_t* Row(int32_t y) { return samples_.data() + kInFront + y % (2 * band_) * stride_; }
    ptrdiff_t stride() const { return stride_; }

    // The samples of pixel row y from pixel `left` on, `width` of them; `scratch` may hold them.
    const uint8_t* PixelRow(const JpegKernels& kernels, int32_t y, int32_t left, int32_t width,
                            std::vector<uint8_t>& scratch, std::vector<uint16_t>& sums) {
        if (upsampling_ == Upsampling::kNone) return Sample(y, left);
        const int32_t count = columns_.count();
        scratch.resize(std::max(scratch.size(), static_cast<size_t>(2 * count) + kSpareBytes));
        uint8_t* const out = scratch.data();
        const int32_t near = y / step_down_;
        const bool far_is_below = y % 2 != 0;
        const int32_t far = std::clamp(far_is_below ? near + 1 : near - 1, 0, height_ - 1);
        switch (upsampling_) {
            case Upsampling::kAcrossTwice:
                kernels.across_twice(Sample(near, columns_.first), count, out);
                return out + left - 2 * columns_.first;
            case Upsampling::kDownTwice:
                kernels.down_twice(Sample(near, columns_.first), Sample(far, columns_.first),
                                   far_is_below, count, out);
                return out + left - columns_.first;
            case Upsampling::kBothTwice:
                sums.resize(std::max(sums.size(), count + kSpareBytes));
                kernels.both_twice(Sample(near, columns_.first), Sample(far, columns_.first), count,
                                   sums.data(), out);
                return out + left - 2 * columns_.first;
            default:
                return Repeated(near, left, width, scratch);
        }
    }

  private:
    uint8_t* Sample(int32_t y, int32_t x) { return Row(y) + x - blocks_.first * kBlock; }

    const uint8_t* Repeated(int32_t y, int32_t left, int32_t width, std::vector<uint8_t>& out) {
        out.resize(std::max(out.size(), width + kSpareBytes));
        const uint8_t* const row = Sample(y, 0);
        for (int32_t x = 0; x < width; ++x) out[x] = row[(left + x) / step_across_];
        return out.data();
    }

    int32_t step_across_ = 1;  // pixels of a sample
    int32_t step_down_ = 1;
    int32_t height_ = 0;  // of the whole image
    Upsampling upsampling_ = Upsampling::kNone;
    Range columns_{};
    Range rows_{};
    Range blocks_{};  // across
    int32_t band_ = 0;
    ptrdiff_t stride_ = 0;
    std::vector<uint8_t> samples_;
};

// Makes pixel rows and hands them on in batches.
class RowMaker {
  public:
    void Begin(const JpegLayout& layout, Box box, Plane* planes, RowSink& sink) {
        colour_ = layout.colour;
        box_ = box;
        planes_ = planes;
        sink_ = &sink;
        next_ = box.top;
        batch_ = 0;
        stride_ = DivideUp(box.width * (colour_ == JpegColour::kGrey ? 1 : 3), 64) * 64 +
                  static_cast<ptrdiff_t>(kSpareBytes);
        rows_.resize(std::max(rows_.size(), static_cast<size_t>(kRowsOfBatch * stride_)));
    }

    // All pixel rows above `bottom` can be made.
    void MakeUpTo(int32_t bottom) {
        const InStage stage(Stage::kColour);
        for (; next_ < bottom; ++next_) {
            MakeRow(rows_.data() + batch_ * stride_);
            if (++batch_ == kRowsOfBatch || next_ + 1 == box_.top + box_.height) {
                sink_->Rows(rows_.data(), stride_, batch_);
                batch_ = 0;
            }
        }
    }

  private:
    void MakeRow(uint8_t* out) {
        const int32_t width = box_.width;
        const uint8_t* samples[3];
        for (int i = 0; i < (colour_ == JpegColour::kGrey ? 1 : 3); ++i)
            samples[i] = planes_[i].PixelRow(kernels_, next_, box_.left, width, scratch_[i], sums_);
        switch (colour_) {
            case JpegColour::kGrey:
                std::memcpy(out, samples[0], width);
                return;
            case JpegColour::kYcc:
                return kernels_.ycc_to_rgb(samples[0], samples[1], samples[2], width, out);
            case JpegColour::kRgb:
                return kernels_.interleave(samples[0], samples[1], samples[2], width, out);
        }
    }

    const JpegKernels& kernels_ = BestJpegKernels();
    JpegColour colour_ = JpegColour::kGrey;
    Box box_{};
    Plane* planes_ = nullptr;
    RowSink* sink_ = nullptr;
    int32_t next_ = 0;
    int32_t batch_ = 0;  // rows of it that are made
    ptrdiff_t stride_ = 0;
    std::vector<uint8_t> rows_;
    std::vector<uint8_t> scratch_[3];
    std::vector<uint16_t> sums_;
};

// Memory that a thread keeps from image to image.
class RegionDecoder {
  public:
    void Decode(const JpegLayout& layout, CoefficientSource& source, Box box, RowSink& sink);

  private:
    void MakeSamples(const JpegLayout& layout, CoefficientSource& source, int32_t mcu_row);

    const JpegKernels& kernels_ = BestJpegKernels();
    Plane planes_[3];
    RowMaker pixels_;
};

void RegionDecoder::MakeSamples(const JpegLayout& layout, CoefficientSource& source,
                                int32_t mcu_row) {
    for (int32_t i = 0; i < layout.component_count; ++i) {
        Plane& plane = planes_[i];
        for (int32_t down = 0; down < layout.down[i]; ++down) {
            const int32_t block_row = mcu_row * layout.down[i] + down, y = block_row * kBlock;
            if (y >= plane.rows().last || y + kBlock <= plane.rows().first) continue;
            kernels_.inverse_dct(
                source.Blocks(i, block_row, plane.blocks()), plane.blocks().count(),
                layout.quant_tables[layout.quant_slots[i]].data(), plane.Row(y), plane.stride());
        }
    }
}

void RegionDecoder::Decode(const JpegLayout& layout, CoefficientSource& source, Box box,
                           RowSink& sink) {
    Range columns = {layout.mcu_columns, 0}, rows = {layout.mcu_rows, 0};
    bool looks_below = false;
    for (int32_t i = 0; i < layout.component_count; ++i) {
        planes_[i].Begin(layout, i, box);
        const int32_t across = layout.across[i] * kBlock, down = layout.down[i] * kBlock;
        columns.first = std::min(columns.first, planes_[i].columns().first / across);
        columns.last = std::max(columns.last, (planes_[i].columns().last - 1) / across + 1);
        rows.first = std::min(rows.first, planes_[i].rows().first / down);
        rows.last = std::max(rows.last, (planes_[i].rows().last - 1) / down + 1);
        looks_below |= layout.down[i] < layout.most_down;
    }
    source.Begin(columns, rows);
    pixels_.Begin(layout, box, planes_, sink);

    const int32_t height = kBlock * layout.most_down, end = box.top + box.height;
    for (int32_t row = rows.first; row < rows.last; ++row) {
        MakeSamples(layout, source, row);
        // The last pixel row of a band may need samples of the next one.
        const int32_t bottom = (row + 1) * height - (looks_below ? 1 : 0);
        pixels_.MakeUpTo(row + 1 == rows.last ? end : std::min(bottom, end));
    }
}

}  // namespace

void DecodeRegion(const JpegLayout& layout, CoefficientSource& source, Box box, RowSink& sink) {
    const InStage stage(Stage::kInverseDct);
    thread_local RegionDecoder decoder;
    decoder.Decode(layout, source, box, sink);
}

}  // namespace fastload
