#include "jpeg_by_libjpeg.h"

#include <algorithm>
#include <array>
#include <vector>

#include "error.h"
#include "jpeg_limits.h"
#include "jpeg_source.h"
#include "stages.h"

namespace fastload {
namespace {

constexpr size_t kReadablePastRow = 128;
constexpr int32_t kRowsOfBatch = 16;

// For one image: a decompressor that goes on to the next keeps the tables, and lends them to an
// image without its own.
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
    void ReadHeader(const uint8_t* data, size_t size);
    void Start();
    void DeliverRows(Box box, RowSink& sink);
    void ReadBatch(JSAMPROW* rows, JDIMENSION count);

    JpegErrors errors_;
    ScanLimit scans_;
    jpeg_decompress_struct info_{};
};

void Decompressor::ReadHeader(const uint8_t* data, size_t size) {
    struct Request {
        j_decompress_ptr info;
        const uint8_t* data;
        size_t size;
    } request = {&info_, data, size};
    const auto step = [](void* argument) {
        const auto& wanted = *static_cast<Request*>(argument);
        jpeg_mem_src(wanted.info, wanted.data, wanted.size);
        (void)jpeg_read_header(wanted.info, TRUE);
    };
    errors_.Attempt(step, &request);
}

void Decompressor::Start() {
    info_.out_color_space = info_.num_components == 1 ? JCS_GRAYSCALE : JCS_RGB;
    info_.dct_method = JDCT_ISLOW;
    info_.do_fancy_upsampling = TRUE;
    scans_.Watch(info_);
    errors_.Attempt(
        [](void* info) { (void)jpeg_start_decompress(static_cast<j_decompress_ptr>(info)); },
        &info_);
}

void Decompressor::ReadBatch(JSAMPROW* rows, JDIMENSION count) {
    struct Request {
        j_decompress_ptr info;
        JSAMPROW* rows;
        JDIMENSION left;
    } request = {&info_, rows, count};
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
    thread_local std::vector<uint8_t> pixels;
    pixels.resize(std::max(pixels.size(), stride * kRowsOfBatch));
    std::array<JSAMPROW, kRowsOfBatch> rows;
    for (size_t i = 0; i < rows.size(); ++i) rows[i] = &pixels[i * stride];
    const int32_t bottom = box.top + box.height;
    for (int32_t row = 0; row < bottom; row += kRowsOfBatch) {
        const int32_t count = std::min(kRowsOfBatch, bottom - row);
        ReadBatch(rows.data(), static_cast<JDIMENSION>(count));
        const int32_t outside = std::clamp(box.top - row, 0, count);
        if (outside == count) continue;
        sink.Rows(rows[static_cast<size_t>(outside)] + static_cast<size_t>(box.left) * channels,
                  static_cast<ptrdiff_t>(stride), count - outside);
    }
}

void Decompressor::Decode(const uint8_t* data, size_t size, Box box, RowSink& sink) {
    ReadHeader(data, size);
    CheckSize(info_, size);
    Start();
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
    Decompressor decompressor;
    decompressor.Decode(data, size, box, sink);
}

}  // namespace fastload
