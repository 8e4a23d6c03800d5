// From quantised coefficients to the pixels of a box: only the blocks that it needs, in bands of
// MCU rows.
#ifndef FASTLOAD_NATIVE_REGION_DECODER_H_
#define FASTLOAD_NATIVE_REGION_DECODER_H_

#include "box.h"
#include "coefficient_source.h"
#include "jpeg_layout.h"
#include "row_sink.h"

namespace fastload {

// `box` lies in the image. Rows come in batches, bit for bit libjpeg's. `sink` must not decode on
// the same thread.
void DecodeRegion(const JpegLayout& layout, CoefficientSource& source, Box box, RowSink& sink);

}  // namespace fastload

#endif  // FASTLOAD_NATIVE_REGION_DECODER_H_
