// Makes `.dct` records of JPEGs, and JPEGs of records: the quantised coefficients stay the same.
#ifndef FASTLOAD_NATIVE_DCT_ENCODE_H_
#define FASTLOAD_NATIVE_DCT_ENCODE_H_

#include <cstddef>
#include <cstdint>

#include "buffer.h"
#include "dct_record.h"

namespace fastload {

// Appends the record of a seekable JPEG. Throws FL_BAD_ARGUMENT where it is not seekable,
// FL_JPEG_NOT_BASELINE where a coefficient is too large for a record, and what decoding throws.
void EncodeDct(const uint8_t* jpeg, size_t size, Buffer& out);

// Appends the JPEG of a record, in the pack's layout: that of which the record was made, where
// that was the work of jpeg_transcode.h (but for zero runs before an end of block, which that keeps
// and this does not write). Throws FL_CORRUPT for bytes that are not blocks, and
// FL_JPEG_NOT_BASELINE for coefficients that no JPEG has.
void WriteJpegOfDct(const DctRecord& record, Buffer& out);

}  // namespace fastload

#endif  // FASTLOAD_NATIVE_DCT_ENCODE_H_
