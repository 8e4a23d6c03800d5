// JPEG encoding from pixels, for lossy packs: by libjpeg, then rewritten by jpeg_transcode.h.
#ifndef FASTLOAD_NATIVE_JPEG_ENCODE_H_
#define FASTLOAD_NATIVE_JPEG_ENCODE_H_

#include <cstddef>
#include <cstdint>

#include "buffer.h"

namespace fastload {

// `channels` is 1 (grey) or 3 (RGB, stored as YCbCr 4:2:0), interleaved, `stride` bytes from row to
// row; `quality` is libjpeg's 1 .. 100.
void EncodeJpeg(const uint8_t* pixels, uint32_t width, uint32_t height, uint32_t channels,
                size_t stride, uint32_t quality, Buffer& out);

}  // namespace fastload

#endif  // FASTLOAD_NATIVE_JPEG_ENCODE_H_
