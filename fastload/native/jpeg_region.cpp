#include "jpeg_region.h"

#include <algorithm>
#include <vector>

#include "buffer.h"
#include "error.h"
#include "jpeg_layout.h"
#include "jpeg_source.h"

// How a restart marker is read can be replaced; only libjpeg's inner header declares where.
extern "C" {
#include <jpegint.h>
}

namespace fastload {
namespace {

constexpr size_t kReadablePastRow = 128;
constexpr int32_t kRowsOfBatch = 16;

struct Range {
    int32_t first, last;  // last is one past
};

// MCUs, in one direction, whose samples make the pixels first .. last - 1. Fancy upsampling mixes a
// sample with its neighbour on either side, so that a component with `most / factor` pixels a
// sample needs one more at both ends. Its switch to plain upsampling below 3 samples depends on
// the image's width: two MCUs always hold 3 samples, if the image does.
Range NeededMcus(Range pixels, int32_t most, const int32_t* factors, int32_t component_count,
                 int32_t mcu_size, int32_t mcu_count) {
    Range needed = {pixels.first / mcu_size, (pixels.last - 1) / mcu_size + 1};
    for (int32_t i = 0; i < component_count; ++i) {
        const int32_t step = most / factors[i];
        if (step == 1) continue;
        const int32_t low = std::max(0, (pixels.first / step - 1) * step);
        const int32_t high = ((pixels.last - 1) / step + 2) * step;
        needed.first = std::min(needed.first, low / mcu_size);
        needed.last = std::max(needed.last, (high - 1) / mcu_size + 1);
    }
    needed.last = std::min(needed.last, mcu_count);
    if (needed.last - needed.first < 2) {
        needed.last = std::min(needed.first + 2, mcu_count);
        needed.first = std::max(needed.last - 2, 0);
    }
    return needed;
}

// What of a seekable file is decoded.
struct Cut {
    Range rows;
    Range columns;
    bool drops_columns;  // to the right
    Buffer headers;
    std::vector<size_t> starts;
};

// One decompressor a thread, kept from image to image.
class RegionDecoder {
  public:
    RegionDecoder();
    ~RegionDecoder() { jpeg_destroy_decompress(&info_); }
    RegionDecoder(const RegionDecoder&) = delete;
    RegionDecoder& operator=(const RegionDecoder&) = delete;

    void Decode(const uint8_t* data, size_t size, Box box, int32_t denominator, RowSink& sink);

  private:
    // Returns the decompressor to where it can begin an image, however this one ended.
    class Session {
      public:
        explicit Session(jpeg_decompress_struct& info) : info_(info) {}
        ~Session() { jpeg_abort_decompress(&info_); }
        Session(const Session&) = delete;
        Session& operator=(const Session&) = delete;

      private:
        jpeg_decompress_struct& info_;
    };

    static RegionDecoder& Of(j_decompress_ptr info) {
        return *static_cast<RegionDecoder*>(info->client_data);
    }
    static boolean FillInput(j_decompress_ptr info);
    static void SkipInput(j_decompress_ptr info, long count);
    static boolean EnterMcuRow(j_decompress_ptr info);

    void Feed(const uint8_t* bytes, size_t count) {
        source_.next_input_byte = bytes;
        source_.bytes_in_buffer = count;
    }
    void PlanCut(const JpegLayout& layout, Box box);
    void ReadHeader();
    void EnterScan(const JpegLayout& layout);
    void StartDecoding();
    void DeliverRows(Box box, RowSink& sink);
    void ReadBatch();

    JpegErrors errors_;
    jpeg_decompress_struct info_{};
    jpeg_source_mgr source_{};
    boolean (*read_restart_marker_)(j_decompress_ptr) = nullptr;

    const uint8_t* data_ = nullptr;
    size_t size_ = 0;
    int32_t denominator_ = 1;
    JDIMENSION left_ = 0;  // pixels to the left that are not decoded
    Cut cut_{};

    std::vector<uint8_t> pixels_;
    std::vector<JSAMPROW> rows_;
    JDIMENSION filled_ = 0;
    JDIMENSION wanted_ = 0;
};

RegionDecoder::RegionDecoder() {
    info_.err = errors_.manager();
    errors_.Attempt([](void* info) { jpeg_create_decompress(static_cast<j_decompress_ptr>(info)); },
                    &info_);
    info_.client_data = this;
    source_.init_source = [](j_decompress_ptr) {};
    source_.fill_input_buffer = FillInput;
    source_.skip_input_data = SkipInput;
    source_.resync_to_restart = jpeg_resync_to_restart;
    source_.term_source = [](j_decompress_ptr) {};
    info_.src = &source_;
    read_restart_marker_ = info_.marker->read_restart_marker;
}

// All there is has been fed.
boolean RegionDecoder::FillInput(j_decompress_ptr info) {
    WARNMS(info, JWRN_JPEG_EOF);  // does not return: see JpegErrors
    return FALSE;
}

void RegionDecoder::SkipInput(j_decompress_ptr info, long count) {
    if (count <= 0) return;
    if (static_cast<size_t>(count) > info->src->bytes_in_buffer) WARNMS(info, JWRN_JPEG_EOF);
    info->src->next_input_byte += count;
    info->src->bytes_in_buffer -= static_cast<size_t>(count);
}

// In place of reading a restart marker: goes on where the next row begins, whatever is left of this
// one. Of a row that was read in full, nothing but the marker may be left.
boolean RegionDecoder::EnterMcuRow(j_decompress_ptr info) {
    const RegionDecoder& self = Of(info);
    const uint8_t* const start = self.data_ + self.cut_.starts[info->input_iMCU_row];
    if (!self.cut_.drops_columns) {
        const uint8_t* next = info->src->next_input_byte;
        bool at_end = info->marker->discarded_bytes == 0;
        if (info->unread_marker != 0) {
            at_end = at_end && next == start;
        } else {
            at_end = at_end && next <= start - 2;
            while (at_end && next < start - 1) at_end = *next++ == 0xFF;
        }
        if (!at_end) WARNMS2(info, JWRN_EXTRANEOUS_DATA, info->marker->discarded_bytes, start[-1]);
    }
    info->marker->discarded_bytes = 0;
    info->unread_marker = 0;
    info->src->next_input_byte = start;
    info->src->bytes_in_buffer = static_cast<size_t>(self.data_ + self.size_ - start);
    return TRUE;
}

void RegionDecoder::PlanCut(const JpegLayout& layout, Box box) {
    cut_.columns = NeededMcus({box.left, box.left + box.width}, layout.most_across,
                              layout.across.data(), layout.component_count,
                              DCTSIZE * layout.most_across / denominator_, layout.mcu_columns);
    cut_.rows = NeededMcus({box.top, box.top + box.height}, layout.most_down, layout.down.data(),
                           layout.component_count, DCTSIZE * layout.most_down / denominator_,
                           layout.mcu_rows);
    cut_.drops_columns = cut_.columns.last < layout.mcu_columns;
    FindMcuRows(data_, size_, layout, cut_.rows.first, cut_.rows.last, cut_.starts);
    cut_.headers.Clear();
    AppendCutHeaders(data_, layout, cut_.rows.first, cut_.rows.last, cut_.columns.last,
                     cut_.headers);
}

void RegionDecoder::ReadHeader() {
    errors_.Attempt(
        [](void* info) { (void)jpeg_read_header(static_cast<j_decompress_ptr>(info), TRUE); },
        &info_);
    info_.scale_num = 1;
    info_.scale_denom = static_cast<unsigned>(denominator_);
    info_.out_color_space = info_.num_components == 1 ? JCS_GRAYSCALE : JCS_RGB;
    info_.dct_method = JDCT_ISLOW;
    info_.do_fancy_upsampling = TRUE;
}

// The rows are read from the file itself; the headers alone were copied.
void RegionDecoder::EnterScan(const JpegLayout& layout) {
    if (source_.bytes_in_buffer != 0 ||
        info_.restart_interval != static_cast<unsigned>(cut_.columns.last) ||
        info_.num_components != layout.component_count) {
        throw Failure(FL_CORRUPT, "JPEG: headers that can be read in two ways");
    }
    Feed(data_ + cut_.starts[0], size_ - cut_.starts[0]);
    info_.marker->read_restart_marker = EnterMcuRow;
    left_ =
        static_cast<JDIMENSION>(cut_.columns.first * DCTSIZE * layout.most_across / denominator_);
}

void RegionDecoder::StartDecoding() {
    const auto step = [](void* argument) {
        auto* self = static_cast<RegionDecoder*>(argument);
        (void)jpeg_start_decompress(&self->info_);
        if (self->left_ == 0) return;
        JDIMENSION width = self->info_.output_width - self->left_;
        jpeg_crop_scanline(&self->info_, &self->left_, &width);
    };
    errors_.Attempt(step, this);
}

void RegionDecoder::ReadBatch() {
    const auto step = [](void* argument) {
        auto* self = static_cast<RegionDecoder*>(argument);
        while (self->filled_ < self->wanted_) {
            self->filled_ += jpeg_read_scanlines(&self->info_, self->rows_.data() + self->filled_,
                                                 self->wanted_ - self->filled_);
        }
    };
    filled_ = 0;
    errors_.Attempt(step, this);
}

// `box` lies in what libjpeg puts out.
void RegionDecoder::DeliverRows(Box box, RowSink& sink) {
    const auto channels = static_cast<size_t>(info_.output_components);
    const size_t stride = (info_.output_width * channels + kReadablePastRow + 63) / 64 * 64;
    const auto batch = std::max(kRowsOfBatch, DCTSIZE * info_.max_v_samp_factor / denominator_);
    if (pixels_.size() < stride * static_cast<size_t>(batch)) {
        pixels_.resize(stride * static_cast<size_t>(batch));
    }
    rows_.clear();
    for (int32_t i = 0; i < batch; ++i) rows_.push_back(&pixels_[static_cast<size_t>(i) * stride]);
    const int32_t bottom = box.top + box.height;
    for (int32_t row = 0; row < bottom; row += batch) {
        const int32_t count = std::min(batch, bottom - row);
        wanted_ = static_cast<JDIMENSION>(count);
        ReadBatch();
        const int32_t outside = std::clamp(box.top - row, 0, count);
        if (outside == count) continue;
        sink.Rows(rows_[static_cast<size_t>(outside)] + static_cast<size_t>(box.left) * channels,
                  static_cast<ptrdiff_t>(stride), count - outside);
    }
}

void CheckBox(const JpegLayout& layout, Box box, int32_t denominator) {
    if (denominator != 1 && denominator != 2 && denominator != 4 && denominator != 8) {
        throw Failure(FL_BAD_ARGUMENT, "JPEG: the denominator must be 1, 2, 4 or 8");
    }
    const int32_t width = (layout.width + denominator - 1) / denominator;
    const int32_t height = (layout.height + denominator - 1) / denominator;
    if (box.left < 0 || box.top < 0 || box.width < 1 || box.height < 1 ||
        box.width > width - box.left || box.height > height - box.top) {
        throw Failure(FL_BAD_ARGUMENT, "JPEG: the box is empty or not within the image");
    }
}

void RegionDecoder::Decode(const uint8_t* data, size_t size, Box box, int32_t denominator,
                           RowSink& sink) {
    const JpegLayout layout = ReadJpegLayout(data, size);
    CheckBox(layout, box, denominator);
    data_ = data;
    size_ = size;
    denominator_ = denominator;
    left_ = 0;
    info_.marker->read_restart_marker = read_restart_marker_;
    const Session session(info_);
    if (layout.seekable) {
        PlanCut(layout, box);
        Feed(cut_.headers.data(), cut_.headers.size());
        ReadHeader();
        EnterScan(layout);
        box.top -= cut_.rows.first * DCTSIZE * layout.most_down / denominator;
    } else {
        Feed(data, size);
        ReadHeader();
    }
    StartDecoding();
    box.left -= static_cast<int32_t>(left_);
    if (static_cast<JDIMENSION>(box.left + box.width) > info_.output_width ||
        static_cast<JDIMENSION>(box.top + box.height) > info_.output_height) {
        throw Failure(FL_INTERNAL, "JPEG: libjpeg put out fewer pixels than the headers say");
    }
    DeliverRows(box, sink);
}

}  // namespace

JpegSize ReadJpegSize(const uint8_t* data, size_t size) {
    const JpegLayout layout = ReadJpegLayout(data, size);
    return {layout.width, layout.height, layout.component_count};
}

void DecodeJpegRegion(const uint8_t* data, size_t size, Box box, int32_t denominator,
                      RowSink& sink) {
    thread_local RegionDecoder decoder;
    decoder.Decode(data, size, box, denominator, sink);
}

}  // namespace fastload
