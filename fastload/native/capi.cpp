#include "capi.h"

#include <cstring>
#include <memory>

#include "buffer.h"
#include "crc32c.h"
#include "jpeg_encode.h"
#include "jpeg_transcode.h"
#include "perceptual_hash.h"
#include "philox.h"
#include "qoi.h"

using fastload::Guard;

// ---- Codecs, checksums, draws
// ----------------------------------------------------------------------------------

struct fl_buffer {
    fastload::Buffer bytes;
};

static_assert(sizeof(fl_jpeg_facts) == sizeof(fastload::JpegFacts));

extern "C" {

const uint8_t* fl_buffer_data(const fl_buffer* buffer) { return buffer->bytes.data(); }

uint64_t fl_buffer_size(const fl_buffer* buffer) { return buffer->bytes.size(); }

void fl_buffer_free(fl_buffer* buffer) { std::unique_ptr<fl_buffer>{buffer}; }

int fl_crc32c(const uint8_t* data, uint64_t size, uint32_t* out, fl_error* error) {
    return Guard(error, [&] { *out = fastload::Crc32c(data, size); });
}

int fl_jpeg_transcode(const uint8_t* source, uint64_t size, fl_buffer** jpeg, fl_jpeg_facts* facts,
                      fl_error* error) {
    fastload::JpegFacts known;
    const int code = Guard(error, [&] {
        auto made = std::make_unique<fl_buffer>();
        fastload::TranscodeJpeg(source, size, made->bytes, known);
        *jpeg = made.release();
    });
    std::memcpy(facts, &known, sizeof(known));
    return code;
}

int fl_jpeg_encode(const uint8_t* pixels, uint32_t height, uint32_t width, uint32_t channels,
                   uint64_t stride, uint32_t quality, fl_buffer** jpeg, fl_error* error) {
    return Guard(error, [&] {
        auto made = std::make_unique<fl_buffer>();
        fastload::EncodeJpeg(pixels, width, height, channels, stride, quality, made->bytes);
        *jpeg = made.release();
    });
}

int fl_qoi_encode(const uint8_t* rgb, uint32_t height, uint32_t width, uint64_t stride,
                  fl_buffer** qoi, fl_error* error) {
    return Guard(error, [&] {
        auto made = std::make_unique<fl_buffer>();
        fastload::EncodeQoi(rgb, width, height, stride, made->bytes);
        *qoi = made.release();
    });
}

int fl_qoi_size(const uint8_t* source, uint64_t size, uint32_t* height, uint32_t* width,
                fl_error* error) {
    return Guard(error, [&] {
        const fastload::QoiHeader header = fastload::ReadQoiHeader(source, size);
        *height = header.height;
        *width = header.width;
    });
}

int fl_qoi_decode(const uint8_t* source, uint64_t size, uint8_t* rgb, uint64_t stride,
                  uint32_t row0, uint32_t row1, fl_error* error) {
    return Guard(error, [&] { fastload::DecodeQoi(source, size, rgb, stride, row0, row1); });
}

int fl_perceptual_hash(const uint8_t* pixels, uint32_t height, uint32_t width, uint32_t channels,
                       uint64_t stride, uint64_t* hash, fl_error* error) {
    return Guard(
        error, [&] { *hash = fastload::PerceptualHash(pixels, width, height, channels, stride); });
}

int fl_philox(uint64_t seed, uint64_t epoch, const int64_t* positions, uint64_t count,
              uint32_t stream, uint32_t blocks, uint32_t* out, fl_error* error) {
    return Guard(
        error, [&] { fastload::PhiloxDraws(seed, epoch, positions, count, stream, blocks, out); });
}

int fl_permutation(uint64_t seed, uint64_t epoch, uint64_t count, int64_t* out, fl_error* error) {
    return Guard(error, [&] { fastload::Permutation(seed, epoch, count, out); });
}

}  // extern "C"
