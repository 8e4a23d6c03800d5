#include "region_decoder.h"

#include <algorithm>
#include <cstring>
#include <vector>

#include "block_rows.h"
#include "jpeg_kernels.h"
#include "stages.h"
#include "upsampling.h"

namespace fastload {
namespace {

constexpr int32_t kRowsOfBatch = 16;
// Kernels write one sample in front of a row.
constexpr ptrdiff_t kInFront = 64;
static_assert(kSpareBytes >= 128, "a sink may read so far behind a row");

int32_t DivideUp(int32_t value, int32_t divisor) { return (value + divisor - 1) / divisor; }

// The samples of one component, as far as the box needs them: two bands, a band being the rows of
// one MCU row. A third one takes the first one's place.
class Plane {
  public:
    void Begin(const JpegLayout& layout, int32_t component, Box box) {
        grid_ = SampleGridOf(layout, component);
        upsampling_ = UpsamplingOf(grid_);
        columns_ = NeededColumns(grid_, box);
        blocks_ = NeededBlocks(grid_, box);
        quant_ = layout.quant_tables[layout.quant_slots[component]].data();
        band_ = kBlockSide * layout.down[component];
        stride_ = blocks_.across.count() * kBlockSide + static_cast<ptrdiff_t>(kSpareBytes);
        samples_.resize(std::max(samples_.size(), kInFront + 2 * band_ * stride_ + kSpareBytes));
    }

    const BlockBox& blocks() const { return blocks_; }

    void Transform(const JpegKernels& kernels, int32_t block_row, const int16_t* blocks) {
        kernels.inverse_dct(blocks, blocks_.across.count(), quant_, Row(block_row * kBlockSide),
                            stride_);
    }

    void Copy(int32_t block_row, const uint8_t* first, ptrdiff_t stride) {
        const size_t width = blocks_.across.count() * kBlockSide;
        const uint8_t* from = first + block_row * kBlockSide * stride;
        from += blocks_.across.first * kBlockSide;
        uint8_t* const to = Row(block_row * kBlockSide);
        for (int32_t y = 0; y < kBlockSide; ++y)
            std::memcpy(to + y * stride_, from + y * stride, width);
    }

    // The samples of pixel row y from pixel `left` on, `width` of them; `scratch` may hold them.
    const uint8_t* PixelRow(const JpegKernels& kernels, int32_t y, int32_t left, int32_t width,
                            std::vector<uint8_t>& scratch, std::vector<uint16_t>& sums) {
        if (upsampling_ == Upsampling::kNone) return Sample(y, left);
        const int32_t count = columns_.count();
        scratch.resize(std::max(scratch.size(), static_cast<size_t>(2 * count) + kSpareBytes));
        uint8_t* const out = scratch.data();
        const int32_t near = y / grid_.step_down;
        const bool far_is_below = y % 2 != 0;
        const int32_t far = std::clamp(far_is_below ? near + 1 : near - 1, 0, grid_.height - 1);
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
    // The row of the first block's first sample.
    uint8_t* Row(int32_t y) { return samples_.data() + kInFront + y % (2 * band_) * stride_; }
    uint8_t* Sample(int32_t y, int32_t x) { return Row(y) + x - blocks_.across.first * kBlockSide; }

    const uint8_t* Repeated(int32_t y, int32_t left, int32_t width, std::vector<uint8_t>& out) {
        out.resize(std::max(out.size(), width + kSpareBytes));
        const uint8_t* const row = Sample(y, 0);
        for (int32_t x = 0; x < width; ++x) out[x] = row[(left + x) / grid_.step_across];
        return out.data();
    }

    SampleGrid grid_{};
    Upsampling upsampling_ = Upsampling::kNone;
    Range columns_{};
    BlockBox blocks_{};
    const uint16_t* quant_ = nullptr;
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
class RegionDecoder final : public BlockTaker {
  public:
    void Decode(const JpegLayout& layout, CoefficientSource& source, Box box, RowSink& sink);
    void Decode(const JpegLayout& layout, const SamplePlanes& samples, Box box, RowSink& sink);
    void Take(int32_t component, int32_t block_row, const int16_t* blocks) override {
        planes_[component].Transform(kernels_, block_row, blocks);
    }
    void EndMcuRow(int32_t mcu_row) override {
        const int32_t bottom = (mcu_row + 1) * height_of_mcu_ - (looks_below_ ? 1 : 0);
        pixels_.MakeUpTo(std::min(bottom, end_));
    }

  private:
    void Begin(const JpegLayout& layout, Box box, RowSink& sink);

    const JpegKernels& kernels_ = BestJpegKernels();
    Plane planes_[3];
    BlockBox needed_[3];
    RowMaker pixels_;
    int32_t height_of_mcu_ = 0;  // in pixels
    bool looks_below_ = false;   // the last pixel row of an MCU row needs samples of the next one
    int32_t end_ = 0;
};

void RegionDecoder::Begin(const JpegLayout& layout, Box box, RowSink& sink) {
    looks_below_ = false;
    for (int32_t i = 0; i < layout.component_count; ++i) {
        planes_[i].Begin(layout, i, box);
        needed_[i] = planes_[i].blocks();
        looks_below_ |= layout.down[i] < layout.most_down;
    }
    height_of_mcu_ = kBlockSide * layout.most_down;
    end_ = box.top + box.height;
    pixels_.Begin(layout, box, planes_, sink);
}

void RegionDecoder::Decode(const JpegLayout& layout, CoefficientSource& source, Box box,
                           RowSink& sink) {
    Begin(layout, box, sink);
    ReadBlocks(layout, source, needed_, *this);
    pixels_.MakeUpTo(end_);
}

void RegionDecoder::Decode(const JpegLayout& layout, const SamplePlanes& samples, Box box,
                           RowSink& sink) {
    Begin(layout, box, sink);
    const Range rows = McusOf(layout, needed_).down;
    for (int32_t mcu_row = rows.first; mcu_row < rows.last; ++mcu_row) {
        ForEachBlockRow(layout, needed_, mcu_row, [&](int32_t component, int32_t row) {
            planes_[component].Copy(row, samples.first[component], samples.strides[component]);
        });
        EndMcuRow(mcu_row);
    }
    pixels_.MakeUpTo(end_);
}

RegionDecoder& DecoderOfThread() {
    thread_local RegionDecoder decoder;
    return decoder;
}

}  // namespace

void DecodeRegion(const JpegLayout& layout, CoefficientSource& source, Box box, RowSink& sink) {
    const InStage stage(Stage::kInverseDct);
    DecoderOfThread().Decode(layout, source, box, sink);
}

void DecodeRegion(const JpegLayout& layout, const SamplePlanes& samples, Box box, RowSink& sink) {
    const InStage stage(Stage::kInverseDct);
    DecoderOfThread().Decode(layout, samples, box, sink);
}

}  // namespace fastload
