#include "resize.h"

#include <algorithm>
#include <cstring>

#include "error.h"
#include "simd_level.h"
#include "stages.h"

namespace fastload {

const ResizeKernels& BestResizeKernels() {
    static const ResizeKernels& best = CurrentSimdLevel() == SimdLevel::kAvx512 ? kAvx512Resize
                                       : CurrentSimdLevel() == SimdLevel::kAvx2 ? kAvx2Resize
                                                                                : kPortableResize;
    return best;
}

const ResizeKernels& BestShortResizeKernels() {
    return CurrentSimdLevel() == SimdLevel::kPortable ? kPortableShortResize : kAvx2ShortResize;
}

namespace {

// Rows that a horizontal pass takes at once: so few that they stay in the nearest cache, so many
// that going over its tables pays.
constexpr int32_t kBatch = 16;

class CopySink final : public RowSink {
  public:
    explicit CopySink(uint8_t* out, ptrdiff_t row_bytes) : out_(out), row_bytes_(row_bytes) {}
    void Rows(const uint8_t* pixels, ptrdiff_t stride, int32_t count) override {
        for (; count > 0; --count, pixels += stride, out_ += row_bytes_)
            std::memcpy(out_, pixels, row_bytes_);
    }

  private:
    uint8_t* out_;
    ptrdiff_t row_bytes_;
};

}  // namespace

Resampling AcrossOf(const Resizing& resizing) {
    const Box &crop = resizing.crop, &window = resizing.window;
    return {resizing.filter,           crop.width,     0,
            double(crop.width),        resizing.width, window.left,
            window.left + window.width};
}

Resampling DownOf(const Resizing& resizing) {
    const Box &crop = resizing.crop, &window = resizing.window;
    return {resizing.filter,           crop.height,     0,
            double(crop.height),       resizing.height, window.top,
            window.top + window.height};
}

bool IsVerticalFirst(PassOrder order, int32_t height, int32_t width, int32_t out_height,
                     int32_t out_width) {
    const int32_t shrinks = height - out_height;
    if (shrinks <= 0) return false;
    switch (order) {
        case PassOrder::kPillow13:
            return shrinks > 2 * (width - out_width);
        case PassOrder::kPillow12_2:
            return height > int64_t{100} * width;
        case PassOrder::kWidthFirst:
            return false;
    }
    throw Failure(FL_BAD_ARGUMENT, "order of passes " + std::to_string(static_cast<int>(order)) +
                                       " is none of 0 to 2");
}

void ResizePlan::Make(const Resampling& across, const Resampling& down, int32_t channels,
                      PassOrder order, const ResizeKernels& by) {
    MakeAxis(across, horizontal);
    MakeAxis(down, vertical);
    vertical_first = IsVerticalFirst(order, down.in, across.in, down.out, across.out);
    if (kernels == &by && table.channels == channels && table_made_for_ == across) return;
    table_made_for_ = {};  // of no use until all is done
    by.prepare(horizontal, channels, horizontal.begin(), table);
    kernels = &by;
    table_made_for_ = across;
}

void Resampler::Begin(const ResizePlan& plan, RowSink& sink) {
    plan_ = &plan;
    sink_ = &sink;
    const Axis &horizontal = plan.horizontal, &vertical = plan.vertical;
    const int32_t channels = plan.table.channels;
    const int32_t in = (horizontal.end() - horizontal.begin()) * channels;
    const int32_t out = horizontal.size() * channels;
    const size_t level = plan.vertical_first ? 1 : plan.kernels->horizontal_first.bytes_of_level;
    levels_ = plan.vertical_first ? in : out;
    stride_ = levels_ * static_cast<ptrdiff_t>(level) + kWritablePastRow;
    out_stride_ = out + kWritablePastRow;

    room_ = kBatch + *std::max_element(vertical.count.begin(), vertical.count.end());
    held_.resize(room_ * stride_ + kRowPadding);
    held_begin_ = held_end_ = vertical.begin();
    made_.resize(kBatch * (levels_ + kWritablePastRow + out_stride_) + 2 * kRowPadding);
    made_count_ = next_ = 0;
}

void Resampler::Rows(const uint8_t* pixels, ptrdiff_t stride, int32_t count) {
    const InStage stage(Stage::kResize);
    while (count > 0) {
        DropRows();
        const int32_t batch = std::min(count, kBatch);
        Hold(pixels, stride, batch);
        DeliverReady();
        pixels += batch * stride;
        count -= batch;
    }
}

// Afterwards there is room for kBatch rows: those kept are fewer than an output row needs.
void Resampler::DropRows() {
    const Axis& vertical = plan_->vertical;
    const int32_t needed = next_ < vertical.size() ? vertical.first[next_] : held_end_;
    const int32_t begin = std::min(needed, held_end_);
    const int32_t dropped = begin - held_begin_;
    if (dropped == 0) return;
    std::memmove(held_.data(), held_.data() + dropped * stride_, (held_end_ - begin) * stride_);
    held_begin_ = begin;
}

void Resampler::Hold(const uint8_t* pixels, ptrdiff_t stride, int32_t count) {
    uint8_t* to = held_.data() + (held_end_ - held_begin_) * stride_;
    held_end_ += count;
    if (!plan_->vertical_first)
        return plan_->kernels->horizontal_first.horizontal(plan_->table, pixels, stride, count, to,
                                                           stride_);
    for (; count > 0; --count, pixels += stride, to += stride_) std::memcpy(to, pixels, levels_);
}

bool Resampler::IsReady(int32_t y) const {
    const Axis& vertical = plan_->vertical;
    return y < vertical.size() && vertical.first[y] + vertical.count[y] <= held_end_;
}

void Resampler::DeliverReady() {
    while (IsReady(next_)) {
        if (plan_->vertical_first) {
            VerticalRow(made_.data() + made_count_ * (levels_ + kWritablePastRow));
            if (++made_count_ == kBatch || next_ == plan_->vertical.size()) HorizontalRows();
        } else {
            VerticalRow(made_.data());
            sink_->Rows(made_.data(), out_stride_, 1);
        }
    }
}

// Makes output row next_ of the vertical pass.
void Resampler::VerticalRow(uint8_t* out) {
    const ResizeKernels& kernels = *plan_->kernels;
    const Axis& vertical = plan_->vertical;
    const auto pass = plan_->vertical_first ? kernels.vertical : kernels.horizontal_first.vertical;
    const int32_t* weights = vertical.weights.data() + static_cast<size_t>(next_) * vertical.taps;
    pass(held_.data() + (vertical.first[next_] - held_begin_) * stride_, stride_, weights,
         vertical.count[next_], levels_, out);
    ++next_;
}

void Resampler::HorizontalRows() {
    const ptrdiff_t made_stride = levels_ + kWritablePastRow;
    uint8_t* const out = made_.data() + kBatch * made_stride + kRowPadding;
    plan_->kernels->horizontal(plan_->table, made_.data(), made_stride, made_count_, out,
                               out_stride_);
    sink_->Rows(out, out_stride_, made_count_);
    made_count_ = 0;
}

void Resampler::Finish() const {
    const int32_t size = plan_->vertical.size();
    if (next_ != size)
        throw Failure(FL_INTERNAL, "a resize made " + std::to_string(next_) + " rows of " +
                                       std::to_string(size) + ": it was given too few");
}

void ResizeRgb(const uint8_t* rgb, int32_t height, int32_t width, int32_t out_height,
               int32_t out_width, int32_t filter, PassOrder order, uint8_t* out) {
    constexpr int32_t kChannels = 3;
    if (height < 1 || width < 1 || out_height < 1 || out_width < 1)
        throw Failure(FL_BAD_ARGUMENT, "a resize needs at least one pixel on each side");
    thread_local ResizePlan plan;
    thread_local Resampler resampler;
    const auto by = static_cast<Filter>(filter);
    plan.Make({by, width, 0, double(width), out_width, 0, out_width},
              {by, height, 0, double(height), out_height, 0, out_height}, kChannels, order,
              BestResizeKernels());
    CopySink sink(out, ptrdiff_t{out_width} * kChannels);
    resampler.Begin(plan, sink);
    const Axis &horizontal = plan.horizontal, &vertical = plan.vertical;
    const ptrdiff_t stride = ptrdiff_t{width} * kChannels;
    const uint8_t* first = rgb + vertical.begin() * stride + horizontal.begin() * kChannels;
    const int32_t rows = vertical.end() - vertical.begin();
    // The passes read a little behind a row: the last rows, where that is not the caller's memory,
    // come from a copy.
    const auto behind = static_cast<int32_t>(kRowPadding / stride + 1);
    const int32_t inside = std::max(rows - behind, 0);
    resampler.Rows(first, stride, inside);
    std::vector<uint8_t> tail((rows - inside) * stride + kRowPadding);
    const uint8_t* last = rgb + (vertical.begin() + inside) * stride;
    std::memcpy(tail.data(), last, (rows - inside) * stride);
    resampler.Rows(tail.data() + horizontal.begin() * kChannels, stride, rows - inside);
    resampler.Finish();
}

}  // namespace fastload
