#include "resize.h"

#include <algorithm>
#include <cstring>

#include "error.h"
#include "simd_level.h"

namespace fastload {

const ResizeKernels& BestResizeKernels() {
    static const ResizeKernels& best =
        CurrentSimdLevel() == SimdLevel::kAvx512 ? kAvx512Resize : kPortableResize;
    return best;
}

namespace {

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

bool IsVerticalFirst(int32_t height, int32_t width, int32_t out_height, int32_t out_width) {
    const int32_t shrinks = height - out_height;
    return shrinks > 0 && shrinks > 2 * (width - out_width);
}

void Resampler::Begin(const Axis& horizontal, const Axis& vertical, int32_t channels,
                      bool vertical_first, const ResizeKernels& kernels) {
    kernels_ = &kernels;
    vertical_ = &vertical;
    vertical_first_ = vertical_first;
    origin_ = vertical.begin();
    taken_ = 0;
    kernels.prepare(horizontal, channels, horizontal.begin(), table_);
    in_bytes_ = static_cast<ptrdiff_t>(horizontal.end() - horizontal.begin()) * channels;
    out_bytes_ = static_cast<ptrdiff_t>(horizontal.size()) * channels;
    const ptrdiff_t kept = vertical_first ? in_bytes_ : out_bytes_;
    taken_rows_.resize(static_cast<size_t>(vertical.end() - origin_) * kept + kRowPadding);
}

void Resampler::Rows(const uint8_t* pixels, ptrdiff_t stride, int32_t count) {
    if (vertical_first_) {
        uint8_t* to = taken_rows_.data() + taken_ * in_bytes_;
        for (int32_t row = 0; row < count; ++row, pixels += stride, to += in_bytes_)
            std::memcpy(to, pixels, in_bytes_);
    } else {
        kernels_->horizontal(table_, pixels, stride, count,
                             taken_rows_.data() + taken_ * out_bytes_, out_bytes_);
    }
    taken_ += count;
}

void Resampler::VerticalRow(const uint8_t* rows, ptrdiff_t bytes, int32_t y, uint8_t* out) const {
    const int32_t* weights = vertical_->weights.data() + static_cast<size_t>(y) * vertical_->taps;
    kernels_->vertical(rows + (vertical_->first[y] - origin_) * bytes, bytes, weights,
                       vertical_->count[y], bytes, out);
}

void Resampler::Finish(RowSink& sink) {
    if (taken_ != vertical_->end() - origin_)
        throw Failure(FL_INTERNAL, "a resize was given " + std::to_string(taken_) + " rows of " +
                                       std::to_string(vertical_->end() - origin_));
    vertical_first_ ? FinishVerticalFirst(sink) : FinishHorizontalFirst(sink);
}

void Resampler::FinishHorizontalFirst(RowSink& sink) {
    rows_.resize(out_bytes_ + kRowPadding);
    for (int32_t y = 0; y < vertical_->size(); ++y) {
        VerticalRow(taken_rows_.data(), out_bytes_, y, rows_.data());
        sink.Rows(rows_.data(), out_bytes_, 1);
    }
}

void Resampler::FinishVerticalFirst(RowSink& sink) {
    // So many rows at once that the horizontal pass keeps its tables in registers for a while.
    constexpr int32_t kBatch = 16;
    rows_.resize(kBatch * (in_bytes_ + out_bytes_) + 2 * kRowPadding);
    uint8_t* const out = rows_.data() + kBatch * in_bytes_ + kRowPadding;
    for (int32_t begin = 0; begin < vertical_->size(); begin += kBatch) {
        const int32_t count = std::min(kBatch, vertical_->size() - begin);
        for (int32_t row = 0; row < count; ++row)
            VerticalRow(taken_rows_.data(), in_bytes_, begin + row, rows_.data() + row * in_bytes_);
        kernels_->horizontal(table_, rows_.data(), in_bytes_, count, out, out_bytes_);
        sink.Rows(out, out_bytes_, count);
    }
}

void ResizeRgb(const uint8_t* rgb, int32_t height, int32_t width, int32_t out_height,
               int32_t out_width, int32_t filter, uint8_t* out) {
    constexpr int32_t kChannels = 3;
    if (height < 1 || width < 1 || out_height < 1 || out_width < 1)
        throw Failure(FL_BAD_ARGUMENT, "a resize needs at least one pixel on each side");
    thread_local Axis horizontal, vertical;
    thread_local Resampler resampler;
    const auto by = static_cast<Filter>(filter);
    MakeAxis(by, width, 0, width, out_width, 0, out_width, horizontal);
    MakeAxis(by, height, 0, height, out_height, 0, out_height, vertical);
    resampler.Begin(horizontal, vertical, kChannels,
                    IsVerticalFirst(height, width, out_height, out_width), BestResizeKernels());
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
    CopySink sink(out, ptrdiff_t{out_width} * kChannels);
    resampler.Finish(sink);
}

}  // namespace fastload
