// Decodes a box of a JPEG by libjpeg: whatever is not laid out as the pack does it.
#ifndef FASTLOAD_NATIVE_JPEG_BY_LIBJPEG_H_
#define FASTLOAD_NATIVE_JPEG_BY_LIBJPEG_H_

#include "box.h"
#include "row_sink.h"

namespace fastload {

// As DecodeJpegRegion, whose argument checks are done.
void DecodeByLibjpeg(const uint8_t* data, size_t size, Box box, RowSink& sink);

}  // namespace fastload

#endif  // FASTLOAD_NATIVE_JPEG_BY_LIBJPEG_H_
