#include "jpeg_region.h"

#include <algorithm>
#include <vector>

#include "coefficient_source.h"
#include "error.h"
#include "jpeg_by_libjpeg.h"
#include "mcu_reader.h"
#include "region_decoder.h"

namespace fastload {
namespace {

constexpr int32_t kCoefficients = 64;

int32_t DivideUp(int32_t value, int32_t divisor) { return (value + divisor - 1) / divisor; }

// The MCU rows of a seekable file, two read at a time.
class SeekableRows final : public CoefficientSource {
  public:
    void Open(const uint8_t* data, size_t size, const JpegLayout& layout) {
        data_ = data;
        size_ = size;
        layout_ = &layout;
    }

    void Begin(Range columns, Range rows) override {
        columns_ = columns;
        rows_ = rows;
        read_ = {rows.first, rows.first};
        FindMcuRows(data_, size_, *layout_, rows.first, rows.last, starts_);
        reader_.Begin(*layout_, columns, size_);
        for (CoefficientRow& row : coefficients_) row.Resize(*layout_, columns.count());
    }

    const int16_t* Blocks(int32_t component, int32_t block_row, Range blocks) override {
        const int32_t down = layout_->down[component];
        const int32_t row = block_row / down;
        if (row >= read_.last) Read(row);
        const int32_t skipped = blocks.first - columns_.first * layout_->across[component];
        return coefficients_[row - read_.first].Blocks(component, block_row % down) +
               kCoefficients * skipped;
    }

  private:
    void Read(int32_t row) {
        read_ = {row, std::min(row + 2, rows_.last)};
        const uint8_t* begins[2];
        for (int32_t i = 0; i < read_.count(); ++i)
            begins[i] = data_ + starts_[row + i - rows_.first];
        reader_.Read(begins, read_.count(), data_ + size_, coefficients_);
    }

    const uint8_t* data_ = nullptr;
    size_t size_ = 0;
    const JpegLayout* layout_ = nullptr;
    Range columns_{}, rows_{}, read_{};
    std::vector<size_t> starts_;
    McuReader reader_;
    CoefficientRow coefficients_[2];
};

// Hands rows on and counts them.
class CountedRows final : public RowSink {
  public:
    explicit CountedRows(RowSink& sink) : sink_(sink) {}

    void Rows(const uint8_t* pixels, ptrdiff_t stride, int32_t count) override {
        sink_.Rows(pixels, stride, count);
        count_ += count;
    }

    int32_t count() const { return count_; }

  private:
    RowSink& sink_;
    int32_t count_ = 0;
};

void CheckBox(const JpegLayout& layout, Box box, int32_t denominator) {
    if (denominator != 1 && denominator != 2 && denominator != 4 && denominator != 8) {
        throw Failure(FL_BAD_ARGUMENT, "JPEG: the denominator must be 1, 2, 4 or 8");
    }
    const int32_t width = DivideUp(layout.width, denominator);
    const int32_t height = DivideUp(layout.height, denominator);
    if (box.left < 0 || box.top < 0 || box.width < 1 || box.height < 1 ||
        box.width > width - box.left || box.height > height - box.top) {
        throw Failure(FL_BAD_ARGUMENT, "JPEG: the box is empty or not within the image");
    }
}

}  // namespace

void DecodeJpegRegion(const uint8_t* data, size_t size, const JpegLayout& layout, Box box,
                      int32_t denominator, RowSink& sink) {
    CheckBox(layout, box, denominator);
    if (!layout.seekable || denominator != 1)
        return DecodeByLibjpeg(data, size, layout, box, denominator, sink);
    thread_local SeekableRows rows;
    rows.Open(data, size, layout);
    CountedRows counted(sink);
    try {
        return DecodeRegion(layout, rows, box, counted);
    } catch (const Failure& failure) {
        if (failure.code() != FL_JPEG_WARNING) throw;
    }
    // libjpeg has the last word: it reads some blocks that T.81 does not allow without a warning.
    box.top += counted.count();
    box.height -= counted.count();
    DecodeByLibjpeg(data, size, layout, box, denominator, sink);
}

}  // namespace fastload
