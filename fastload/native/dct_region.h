// Decodes a box of a `.dct` record, or a resized one: the pixels of the JPEG that it was made of,
// bit for bit.
#ifndef FASTLOAD_NATIVE_DCT_REGION_H_
#define FASTLOAD_NATIVE_DCT_REGION_H_

#include "box.h"
#include "dct_record.h"
#include "resize.h"
#include "row_sink.h"

namespace fastload {

// As DecodeJpegRegion; throws FL_CORRUPT where the record's bytes are not blocks.
void DecodeDctRegion(const DctRecord& record, Box box, RowSink& sink);

// As ResizePlanes; throws FL_CORRUPT where the record's bytes are not blocks.
void ResizeDctRegion(const DctRecord& record, const Resizing& resizing, RowSink& sink);

}  // namespace fastload

#endif  // FASTLOAD_NATIVE_DCT_REGION_H_
