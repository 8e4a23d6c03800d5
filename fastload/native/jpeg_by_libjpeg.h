// Decodes a box of a JPEG by libjpeg: whatever is not laid out as the pack does it, and images at a
// fraction of their size.
#ifndef FASTLOAD_NATIVE_JPEG_BY_LIBJPEG_H_
#define FASTLOAD_NATIVE_JPEG_BY_LIBJPEG_H_

#include "box.h"
#include "jpeg_layout.h"
#include "row_sink.h"

namespace fastload {

// As DecodeJpegRegion, whose argument checks are done. Of a seekable file only the MCU rows that
// the box needs are read.
void DecodeByLibjpeg(const uint8_t* data, size_t size, const JpegLayout& layout, Box box,
                     int32_t denominator, RowSink& sink);

}  // namespace fastload

#endif  // FASTLOAD_NATIVE_JPEG_BY_LIBJPEG_H_
