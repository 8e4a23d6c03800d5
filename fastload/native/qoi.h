// QOI, the "Quite OK Image" format (qoiformat.org, specification version 1.0): 3-channel encoding
// and row-range decoding to RGB.
#ifndef FASTLOAD_NATIVE_QOI_H_
#define FASTLOAD_NATIVE_QOI_H_

#include <array>
#include <cstddef>
#include <cstdint>

#include "buffer.h"

namespace fastload {

struct QoiHeader {
    uint32_t width;
    uint32_t height;
    uint32_t channels;    // 3 or 4, as the file says
    uint32_t colorspace;  // 0 sRGB, 1 linear: informative
};

// Throws FL_CORRUPT where the first 14 bytes are not a QOI header.
QoiHeader ReadQoiHeader(const uint8_t* source, size_t size);

// Appends a whole QOI file of `height` rows of `width` RGB pixels, `stride` bytes from row to row.
void EncodeQoi(const uint8_t* rgb, uint32_t width, uint32_t height, size_t stride, Buffer& out);

// Writes rows row0 .. row1-1 as RGB, row r at out + (r - row0) * stride, and not a byte more.
// Decoding ends with row1-1; where that is the last row, the file must end there too, with the
// format's end mark. The alpha of a 4-channel file is dropped. Throws FL_CORRUPT on bytes that are
// no QOI image; `out` may be half written then.
void DecodeQoi(const uint8_t* source, size_t size, uint8_t* out, size_t stride, uint32_t row0,
               uint32_t row1);

// Where in a file's bytes a row ends, and what the next one builds on.
struct QoiPlace {
    size_t offset;
    uint64_t pixel;
    uint32_t run;
};

// Reads the rows of a file one after another, each once.
class QoiReader {
  public:
    // Throws FL_CORRUPT where the bytes do not begin as a QOI file.
    QoiReader(const uint8_t* source, size_t size);

    const QoiHeader& header() const { return header_; }

    // Of the file, in bytes.
    size_t size() const { return size_; }

    // The next row to be read.
    uint32_t row() const { return row_; }

    // Writes the next `count` rows, `stride` bytes apart. `source` is the constructor's file, which
    // may have moved. As DecodeQoi; after an exception the reader is of no use.
    void Read(const uint8_t* source, uint32_t count, uint8_t* out, size_t stride);

  private:
    QoiHeader header_;
    size_t size_;
    QoiPlace place_;
    uint32_t row_ = 0;
    std::array<uint64_t, 64> seen_{};
};

}  // namespace fastload

#endif  // FASTLOAD_NATIVE_QOI_H_
