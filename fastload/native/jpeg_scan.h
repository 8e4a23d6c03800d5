// Tokens straight from the entropy-coded bytes of a plain baseline JPEG: Huffman symbols are passed
// on without ever becoming coefficients. Anything out of the ordinary is left to libjpeg, which
// alone decides what is an error.
#ifndef FASTLOAD_NATIVE_JPEG_SCAN_H_
#define FASTLOAD_NATIVE_JPEG_SCAN_H_

#include "jpeg_frame.h"
#include "jpeg_hash.h"
#include "jpeg_source.h"
#include "jpeg_tokens.h"

namespace fastload {

// Whether the header describes one sequential Huffman scan of all components, with all tables
// there, whose MCUs are the frame's.
bool IsPlainScan(const jpeg_decompress_struct& info, const Frame& frame);

// `info` stands behind the header of a plain scan. Returns false, with `tokens` and `hash` half
// filled, unless the scan is whole and clean up to EOI: every code valid, every coefficient in its
// block and in baseline's range, every restart marker where it belongs, no byte to spare. The
// tokens are then those of TokensOfCoefficients, but that zero runs before an end of block stay if
// the source has them.
bool TokensOfScan(const jpeg_decompress_struct& info, const Frame& frame, TokenStream& tokens,
                  JpegHash& hash);

}  // namespace fastload

#endif  // FASTLOAD_NATIVE_JPEG_SCAN_H_
