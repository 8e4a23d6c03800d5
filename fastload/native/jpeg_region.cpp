#include "jpeg_region.h"

#include <algorithm>
#include <vector>

#include "coefficient_source.h"
#include "error.h"
#include "jpeg_by_libjpeg.h"
#include "jpeg_transcode.h"
#include "mcu_reader.h"
#include "plane_resize.h"
#include "region_decoder.h"
#include "stages.h"

namespace fastload {
namespace {

constexpr int32_t kCoefficients = 64;

// The MCU rows of a seekable file, two read at a time.
class SeekableRows final : public CoefficientSource {
  public:
    void Open(const uint8_t* data, size_t size, const JpegLayout& layout) {
        data_ = data;
        size_ = size;
        layout_ = &layout;
    }

    void Begin(Range columns, Range rows) override {
        const InStage stage(Stage::kEntropy);
        columns_ = columns;
        rows_ = rows;
        read_ = {rows.first, rows.first};
        FindMcuRows(data_, size_, *layout_, rows.first, rows.last, starts_);
        reader_.Begin(*layout_, columns, size_);
        for (CoefficientRow& row : coefficients_) row.Resize(*layout_, columns.count());
    }

    const int16_t* Blocks(int32_t component, int32_t block_row, Range blocks) override {
        const InStage stage(Stage::kEntropy);
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
        McuPlace places[2];
        for (int32_t i = 0; i < read_.count(); ++i)
            begins[i] = data_ + starts_[row + i - rows_.first];
        CoefficientRow* const coefficients[2] = {&coefficients_[0], &coefficients_[1]};
        reader_.Read(begins, read_.count(), data_ + size_, places, coefficients);
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

void CheckBox(const JpegLayout& layout, Box box) {
    if (box.left < 0 || box.top < 0 || box.width < 1 || box.height < 1 ||
        box.width > layout.width - box.left || box.height > layout.height - box.top) {
        throw Failure(FL_BAD_ARGUMENT, "JPEG: the box is empty or not within the image");
    }
}

SeekableRows& RowsOf(const uint8_t* data, size_t size, const JpegLayout& layout) {
    thread_local SeekableRows rows;
    rows.Open(data, size, layout);
    return rows;
}

}  // namespace

void DecodeJpegRegion(const uint8_t* data, size_t size, const JpegLayout& layout, Box box,
                      RowSink& sink) {
    CheckBox(layout, box);
    if (!layout.seekable) return DecodeByLibjpeg(data, size, box, sink);
    DecodeOrAskLibjpeg(layout, RowsOf(data, size, layout), data, size, box, sink);
}

void DecodeOrAskLibjpeg(const JpegLayout& layout, CoefficientSource& source, const uint8_t* data,
                        size_t size, Box box, RowSink& sink) {
    CountedRows counted(sink);
    try {
        return DecodeRegion(layout, source, box, counted);
    } catch (const Failure& failure) {
        if (failure.code() != FL_JPEG_WARNING) throw;
    }
    // libjpeg has the last word: it reads some blocks that T.81 does not allow without a warning.
    box.top += counted.count();
    box.height -= counted.count();
    DecodeByLibjpeg(data, size, box, sink);
}

bool ResizeJpegRegion(const uint8_t* data, size_t size, const JpegLayout& layout,
                      const Resizing& resizing, RowSink& sink) {
    CheckBox(layout, resizing.crop);
    if (layout.seekable) {
        ResizePlanes(layout, RowsOf(data, size, layout), resizing, sink);
        return true;
    }
    thread_local Buffer file;
    file.Clear();
    if (!RewriteSeekable(data, size, file)) return false;
    const JpegLayout rewritten = ReadJpegLayout(file.data(), file.size());
    ResizePlanes(rewritten, RowsOf(file.data(), file.size(), rewritten), resizing, sink);
    return true;
}

}  // namespace fastload
