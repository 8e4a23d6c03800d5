// Lossless rewriting of a JPEG into the pack's layout: baseline, one interleaved scan, Huffman
// tables made for it, one restart interval per MCU row, no metadata but what colour needs. Every
// quantised coefficient stays as it is.
#ifndef FASTLOAD_NATIVE_JPEG_TRANSCODE_H_
#define FASTLOAD_NATIVE_JPEG_TRANSCODE_H_

#include <cstddef>
#include <cstdint>

#include "buffer.h"

namespace fastload {

struct JpegFacts {
    uint32_t width = 0;
    uint32_t height = 0;
    uint32_t components = 0;
    uint32_t warnings = 0;  // 1 where libjpeg warned, which also fails the call
    uint32_t incomplete =
        0;  // 1 where a progressive file lacks its last scans, which also fails the call
    uint32_t reserved = 0;
    uint64_t perceptual_hash = 0;
};

// Appends the rewritten file. Throws one of the FL_JPEG_* codes, or FL_CORRUPT, where the file is
// not one that decodes to the very pixels of the source beyond doubt; `facts` then holds what was
// known.
void TranscodeJpeg(const uint8_t* source, size_t size, Buffer& out, JpegFacts& facts);

// Appends a seekable file (jpeg_layout.h) of the same coefficients. Returns whether there is one
// beyond doubt.
bool RewriteSeekable(const uint8_t* source, size_t size, Buffer& out);

}  // namespace fastload

#endif  // FASTLOAD_NATIVE_JPEG_TRANSCODE_H_
