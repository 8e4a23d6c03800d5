// Decodes a box of a JPEG, bit for bit the pixels that libjpeg gives there for the whole image. Of
// a seekable file (jpeg_layout.h) only the MCU rows that the box needs are read, those only up to
// the last MCU that it needs, and of those only the blocks that it needs become pixels.
#ifndef FASTLOAD_NATIVE_JPEG_REGION_H_
#define FASTLOAD_NATIVE_JPEG_REGION_H_

#include <cstddef>
#include <cstdint>

#include "box.h"
#include "coefficient_source.h"
#include "jpeg_layout.h"
#include "resize.h"
#include "row_sink.h"

namespace fastload {

// `layout` is that of the file. Rows come in batches. Throws FL_BAD_ARGUMENT, or where libjpeg
// would fail or warn, FL_CORRUPT, FL_JPEG_WARNING or FL_JPEG_UNSUPPORTED; some rows may have been
// delivered by then. `sink` must not decode on the same thread.
void DecodeJpegRegion(const uint8_t* data, size_t size, const JpegLayout& layout, Box box,
                      RowSink& sink);

// The same from another source of a seekable file's coefficients.
void DecodeOrAskLibjpeg(const JpegLayout& layout, CoefficientSource& source, const uint8_t* data,
                        size_t size, Box box, RowSink& sink);

// Delivers a resized crop by plane_resize.h; throws as above. A file that is not seekable is
// rewritten in memory first: returns false, with nothing delivered, where that fails.
bool ResizeJpegRegion(const uint8_t* data, size_t size, const JpegLayout& layout,
                      const Resizing& resizing, RowSink& sink);

}  // namespace fastload

#endif  // FASTLOAD_NATIVE_JPEG_REGION_H_
