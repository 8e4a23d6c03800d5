#include "plane_resize.h"

#include <algorithm>
#include <cstring>
#include <vector>

#include "block_rows.h"
#include "jpeg_kernels.h"
#include "stages.h"

namespace fastload {
namespace {

// Rows that are handed on together: a multiple of those of a block.
constexpr int32_t kRowsOfBatch = 16;

// Samples on each side of a block that leave a plane at least as many as the output has. The
// nearest pixel is one that is there, not a mean of some.
int32_t SideOf(const SampleGrid& grid, const Resizing& resizing) {
    if (resizing.filter == Filter::kNearest) return kBlockSide;
    for (const int32_t side : {1, 2, 4}) {
        const int32_t fraction = kBlockSide / side;
        if (resizing.crop.width >= resizing.width * grid.step_across * fraction &&
            resizing.crop.height >= resizing.height * grid.step_down * fraction)
            return side;
    }
    return kBlockSide;
}

InverseDctOfBlocks* KernelOf(int32_t side) {
    const JpegKernels& kernels = BestJpegKernels();
    return side == 1   ? kernels.inverse_dct_1x1
           : side == 2 ? kernels.inverse_dct_2x2
           : side == 4 ? kernels.inverse_dct_4x4
                       : kernels.inverse_dct;
}

// One direction of a crop, resampled from samples of `step` pixels. These lie centred among their
// pixels, so that a place in the plane is one in the image divided by the step.
struct Direction {
    Range samples;
    Resampling resampling;

    Direction(Filter filter, Range crop, int32_t step, int32_t out, Range window)
        : samples(Touched(crop, step)),
          resampling{filter,
                     samples.count(),
                     static_cast<double>(crop.first) / step - samples.first,
                     static_cast<double>(crop.last) / step - samples.first,
                     out,
                     window.first,
                     window.last} {}
};

// Rows of one plane of the output that wait for those of the others.
class RowQueue final : public RowSink {
  public:
    void Begin(int32_t width) {
        width_ = width;
        stride_ = width + static_cast<ptrdiff_t>(kSpareBytes);
        count_ = 0;
    }
    void Rows(const uint8_t* pixels, ptrdiff_t stride, int32_t count) override {
        rows_.resize(std::max(rows_.size(), static_cast<size_t>((count_ + count) * stride_)));
        for (; count > 0; --count, pixels += stride)
            std::memcpy(rows_.data() + count_++ * stride_, pixels, width_);
    }
    int32_t count() const { return count_; }
    const uint8_t* row(int32_t i) const { return rows_.data() + i * stride_; }
    void Drop(int32_t count) {
        count_ -= count;
        std::memmove(rows_.data(), row(count), count_ * stride_);
    }

  private:
    int32_t width_ = 0;
    ptrdiff_t stride_ = 0;
    int32_t count_ = 0;
    std::vector<uint8_t> rows_;
};

// One component: its samples, a batch of rows at a time, and their resampling.
class Plane {
  public:
    void Begin(const uint16_t* quant, int32_t side, Range columns, Range rows,
               const ResizePlan& plan, RowSink& sink) {
        quant_ = quant;
        side_ = side;
        inverse_dct_ = KernelOf(side);
        const Axis &across = plan.horizontal, &down = plan.vertical;
        rows_ = {rows.first + down.begin(), rows.first + down.end()};
        columns = {columns.first + across.begin(), columns.first + across.end()};
        blocks_ = {Touched(columns, side), Touched(rows_, side)};
        left_ = columns.first - blocks_.across.first * side;
        stride_ = blocks_.across.count() * side + static_cast<ptrdiff_t>(kSpareBytes);
        samples_.resize(std::max(samples_.size(), kRowsOfBatch * stride_ + kSpareBytes));
        resampler_.Begin(plan, sink);
    }

    const BlockBox& blocks() const { return blocks_; }

    void Take(int32_t block_row, const int16_t* blocks) {
        const int32_t y = block_row * side_, end = std::min(y + side_, rows_.last);
        inverse_dct_(blocks, blocks_.across.count(), quant_, Row(y), stride_);
        if (end % kRowsOfBatch != 0 && end != rows_.last) return;
        const int32_t first = std::max((end - 1) / kRowsOfBatch * kRowsOfBatch, rows_.first);
        resampler_.Rows(Row(first) + left_, stride_, end - first);
    }

    void Finish() const { resampler_.Finish(); }

  private:
    uint8_t* Row(int32_t y) { return samples_.data() + y % kRowsOfBatch * stride_; }

    const uint16_t* quant_ = nullptr;
    int32_t side_ = kBlockSide;
    InverseDctOfBlocks* inverse_dct_ = nullptr;
    Range rows_{};  // that are needed
    BlockBox blocks_{};
    int32_t left_ = 0;  // of the first needed sample in the first block
    ptrdiff_t stride_ = 0;
    std::vector<uint8_t> samples_;
    Resampler resampler_;
};

// Memory that a thread keeps from image to image.
class PlaneResizer final : public BlockTaker {
  public:
    void Resize(const JpegLayout& layout, CoefficientSource& source, const Resizing& resizing,
                RowSink& sink);
    void Take(int32_t component, int32_t block_row, const int16_t* blocks) override {
        planes_[component].Take(block_row, blocks);
    }
    void EndMcuRow(int32_t) override;

  private:
    void BeginPlane(const JpegLayout& layout, int32_t component, const Resizing& resizing);
    void MakeRows(int32_t first, int32_t count);

    const JpegKernels& kernels_ = BestJpegKernels();
    ResizePlan plans_[3];
    Plane planes_[3];
    RowQueue queues_[3];
    JpegColour colour_ = JpegColour::kGrey;
    int32_t width_ = 0;
    RowSink* sink_ = nullptr;
    ptrdiff_t stride_ = 0;
    std::vector<uint8_t> pixels_;
};

void PlaneResizer::BeginPlane(const JpegLayout& layout, int32_t component,
                              const Resizing& resizing) {
    const Box &crop = resizing.crop, &window = resizing.window;
    const SampleGrid grid = SampleGridOf(layout, component);
    const int32_t side = SideOf(grid, resizing), fraction = kBlockSide / side;
    const Direction across(resizing.filter, {crop.left, crop.left + crop.width},
                           grid.step_across * fraction, resizing.width,
                           {window.left, window.left + window.width});
    const Direction down(resizing.filter, {crop.top, crop.top + crop.height},
                         grid.step_down * fraction, resizing.height,
                         {window.top, window.top + window.height});
    // Planes that are resampled alike share a plan.
    int32_t i = 0;
    while (i < component && !plans_[i].IsFor(across.resampling, down.resampling)) ++i;
    plans_[i].Make(across.resampling, down.resampling, 1, resizing.order, BestShortResizeKernels());
    RowSink& sink = colour_ == JpegColour::kGrey ? *sink_ : queues_[component];
    planes_[component].Begin(layout.quant_tables[layout.quant_slots[component]].data(), side,
                             across.samples, down.samples, plans_[i], sink);
    queues_[component].Begin(width_);
}

void PlaneResizer::EndMcuRow(int32_t) {
    if (colour_ == JpegColour::kGrey) return;
    const int32_t ready = std::min({queues_[0].count(), queues_[1].count(), queues_[2].count()});
    if (ready == 0) return;
    for (int32_t first = 0; first < ready; first += kRowsOfBatch)
        MakeRows(first, std::min(ready - first, kRowsOfBatch));
    for (RowQueue& queue : queues_) queue.Drop(ready);
}

void PlaneResizer::MakeRows(int32_t first, int32_t count) {
    const InStage stage(Stage::kColour);
    const auto convert = colour_ == JpegColour::kYcc ? kernels_.ycc_to_rgb : kernels_.interleave;
    for (int32_t i = 0; i < count; ++i)
        convert(queues_[0].row(first + i), queues_[1].row(first + i), queues_[2].row(first + i),
                width_, pixels_.data() + i * stride_);
    sink_->Rows(pixels_.data(), stride_, count);
}

void PlaneResizer::Resize(const JpegLayout& layout, CoefficientSource& source,
                          const Resizing& resizing, RowSink& sink) {
    colour_ = layout.colour;
    width_ = resizing.window.width;
    sink_ = &sink;
    stride_ = 3 * width_ + static_cast<ptrdiff_t>(kSpareBytes);
    pixels_.resize(std::max(pixels_.size(), kRowsOfBatch * stride_ + kSpareBytes));
    BlockBox needed[3];
    for (int32_t i = 0; i < layout.component_count; ++i) {
        BeginPlane(layout, i, resizing);
        needed[i] = planes_[i].blocks();
    }
    ReadBlocks(layout, source, needed, *this);
    for (int32_t i = 0; i < layout.component_count; ++i) planes_[i].Finish();
}

}  // namespace

void ResizePlanes(const JpegLayout& layout, CoefficientSource& source, const Resizing& resizing,
                  RowSink& sink) {
    const InStage stage(Stage::kInverseDct);
    thread_local PlaneResizer resizer;
    resizer.Resize(layout, source, resizing, sink);
}

}  // namespace fastload
