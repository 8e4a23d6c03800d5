// The C interface of libfastload, its only door. Every function returns 0, or the code that it also
// left, with a message, in *error; none throws, none keeps a pointer beyond the call unless it says
// so. Sizes are in bytes.
#ifndef FASTLOAD_NATIVE_CAPI_H_
#define FASTLOAD_NATIVE_CAPI_H_

#include <stdint.h>

#include "error.h"

#define FL_EXPORT __attribute__((visibility("default")))

#ifdef __cplusplus
extern "C" {
#endif

// ---- Codecs, checksums, draws
// ----------------------------------------------------------------------------------

// Bytes that a call made. The caller frees them.
typedef struct fl_buffer fl_buffer;
FL_EXPORT const uint8_t* fl_buffer_data(const fl_buffer* buffer);
FL_EXPORT uint64_t fl_buffer_size(const fl_buffer* buffer);
FL_EXPORT void fl_buffer_free(fl_buffer* buffer);

// See crc32c.h.
FL_EXPORT int fl_crc32c(const uint8_t* data, uint64_t size, uint32_t* out, fl_error* error);

// See JpegFacts in jpeg_transcode.h.
typedef struct fl_jpeg_facts {
    uint32_t width;
    uint32_t height;
    uint32_t components;
    uint32_t warnings;
    uint32_t incomplete;
    uint32_t reserved;
    uint64_t perceptual_hash;
} fl_jpeg_facts;

// Lossless: see jpeg_transcode.h. *facts is filled as far as known also where the call fails.
FL_EXPORT int fl_jpeg_transcode(const uint8_t* source, uint64_t size, fl_buffer** jpeg,
                                fl_jpeg_facts* facts, fl_error* error);

// See jpeg_encode.h.
FL_EXPORT int fl_jpeg_encode(const uint8_t* pixels, uint32_t height, uint32_t width,
                             uint32_t channels, uint64_t stride, uint32_t quality, fl_buffer** jpeg,
                             fl_error* error);

// See qoi.h; `rgb` has 3 channels.
FL_EXPORT int fl_qoi_encode(const uint8_t* rgb, uint32_t height, uint32_t width, uint64_t stride,
                            fl_buffer** qoi, fl_error* error);
FL_EXPORT int fl_qoi_size(const uint8_t* source, uint64_t size, uint32_t* height, uint32_t* width,
                          fl_error* error);
FL_EXPORT int fl_qoi_decode(const uint8_t* source, uint64_t size, uint8_t* rgb, uint64_t stride,
                            uint32_t row0, uint32_t row1, fl_error* error);

// See perceptual_hash.h; `channels` is 1 or 3.
FL_EXPORT int fl_perceptual_hash(const uint8_t* pixels, uint32_t height, uint32_t width,
                                 uint32_t channels, uint64_t stride, uint64_t* hash,
                                 fl_error* error);

// See philox.h. fl_philox writes out[count][blocks][4].
FL_EXPORT int fl_philox(uint64_t seed, uint64_t epoch, const int64_t* positions, uint64_t count,
                        uint32_t stream, uint32_t blocks, uint32_t* out, fl_error* error);
FL_EXPORT int fl_permutation(uint64_t seed, uint64_t epoch, uint64_t count, int64_t* out,
                             fl_error* error);

#ifdef __cplusplus
}
#endif

#endif  // FASTLOAD_NATIVE_CAPI_H_
