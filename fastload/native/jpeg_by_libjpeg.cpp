#include "jpeg_by_libjpeg.h"

#include <algorithm>
#include <vector>

#include "error.h"
#include "jpeg_source.h"
#include "stages.h"

namespace fastload {
namespace {

constexpr size_t kReadablePastRow = 128;
constexpr int32_t kRowsOfBatch = 16;

// One decompressor a thread, kept from image to image.
class Decompressor {
  public:
    Decompressor() {
        info_.err = errors_.manager();
        errors_.Attempt(
            [](void* info) { jpeg_create_decompress(static_cast<j_decompress_ptr>(info)); },
            &info_);
    }
    ~Decompressor() { jpeg_destroy_decompress(&info_); }
    Decompressor(const Decompressor&) = delete;
    Decompressor& operator=(const Decompressor&) = delete;

    void Decode(const uint8_t* data, size_t size, Box box, RowSink& sink);

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

    void Start(const uint8_t* data, size_t size);
    void DeliverRows(Box box, RowSink& sink);
    void ReadBatch(JDIMENSION count);

    JpegErrors errors_;
    jpeg_decompress_struct info_{};
    std::vector<uint8_t> pixels_;
    std::vector<JSAMPROW> rows_;
};

void Decompressor::Start(const uint8_t* data, size_t size) {
    struct Request {
        j_decompress_ptr info;
        const uint8_t* data;
        size_t size;
    } request = {&info_, data, size};
    const auto step = [](void* argument) {
        const auto& wanted = *static_cast<Request*>(argument);
        const j_decompress_ptr info = wanted.info;
        jpeg_mem_src(info, wanted.data, wanted.size);
        (void)jpeg_read_header(info, TRUE);
        info->out_color_space = info->num_components == 1 ? JCS_GRAYSCALE : JCS_RGB;
        info->dct_method = JDCT_ISLOW;
        info->do_fancy_upsampling = TRUE;
        (void)jpeg_start_decompress(info);
    };
    errors_.Attempt(step, &request);
}

void Decompressor::ReadBatch(JDIMENSION count) {
    struct Request {
        j_decompress_ptr info;
        JSAMPROW* rows;
        JDIMENSION left;
    } request = {&info_, rows_.data(), count};
    const auto step = [](void* argument) {
        auto& wanted = *static_cast<Request*>(argument);
        while (wanted.left > 0) {
            const JDIMENSION read = jpeg_read_scanlines(wanted.info, wanted.rows, wanted.left);
            wanted.rows += read;
            wanted.left -= read;
        }
    };
    errors_.Attempt(step, &request);
}

void Decompressor::DeliverRows(Box box, RowSink& sink) {
    const auto channels = static_cast<size_t>(info_.output_components);
    const size_t stride = (info_.output_width * channels + kReadablePastRow + 63) / 64 * 64;
    pixels_.resize(std::max(pixels_.size(), stride * kRowsOfBatch));
    rows_.clear();
    for (int32_t i = 0; i < kRowsOfBatch; ++i)
        rows_.push_back(&pixels_[static_cast<size_t>(i) * stride]);
    const int32_t bottom = box.top + box.height;
    for (int32_t row = 0; row < bottom; row += kRowsOfBatch) {
        const int32_t count = std::min(kRowsOfBatch, bottom - row);
        ReadBatch(static_cast<JDIMENSION>(count));
        const int32_t outside = std::clamp(box.top - row, 0, count);
        if (outside == count) continue;
        sink.Rows(rows_[static_cast<size_t>(outside)] + static_cast<size_t>(box.left) * channels,
                  static_cast<ptrdiff_t>(stride), count - outside);
    }
}

void Decompressor::Decode(const uint8_t* data, size_t size, Box box, RowSink& sink) {
    const Session session(info_);
    Start(data, size);
    if (static_cast<JDIMENSION>(box.left + box.width) > info_.output_width ||
        static_cast<JDIMENSION>(box.top + box.height) > info_.output_height) {
        throw Failure(FL_CORRUPT, "JPEG: headers that can be read in two ways");
    }
    DeliverRows(box, sink);
}

}  // namespace

void DecodeByLibjpeg(const uint8_t* data, size_t size, Box box, RowSink& sink) {
    // Its inverse DCT is within: what takes longer gives its name.
    const InStage stage(Stage::kEntropy);
    thread_local Decompressor decompressor;
    decompressor.Decode(data, size, box, sink);
}

}  // namespace fastload
