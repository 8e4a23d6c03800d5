// Cuts the MCU rows that a band of pixel rows needs out of a seekable JPEG (jpeg_layout.h), by
// copying: a smaller file that is still standard, for decoders that know nothing of the layout.
#ifndef FASTLOAD_NATIVE_JPEG_CUT_H_
#define FASTLOAD_NATIVE_JPEG_CUT_H_

#include <cstddef>
#include <cstdint>

#include "box.h"
#include "buffer.h"
#include "capi.h"

namespace fastload {

struct JpegCut {
    size_t offset = 0;  // of the file in the arena
    size_t size = 0;    // 0: the file is not seekable, or all of its rows are needed
    int32_t top = 0;    // pixel row of the image that the file's first row is
};

// Appends to `arena` a file of the MCU rows that the pixel rows `rows` need, so that these decode
// to the very pixels of the whole file: chroma upsampling looks one pixel row beyond. Throws
// FL_BAD_ARGUMENT where the rows are not within the image, FL_CORRUPT and FL_JPEG_UNSUPPORTED as
// ReadJpegLayout does, and FL_CORRUPT where restart markers are amiss.
JpegCut CutJpeg(const uint8_t* data, size_t size, Range rows, Buffer& arena);

// Does that for each record whose checksum holds; the others, and those that cannot be cut, get a
// status.
void CutJpegs(fl_cut* cuts, uint64_t count, Buffer& arena);

}  // namespace fastload

#endif  // FASTLOAD_NATIVE_JPEG_CUT_H_
