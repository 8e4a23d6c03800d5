// From quantised coefficients to the pixels of a box: only the blocks that it needs, in bands of
// MCU rows.
#ifndef FASTLOAD_NATIVE_REGION_DECODER_H_
#define FASTLOAD_NATIVE_REGION_DECODER_H_

#include <cstddef>
#include <cstdint>

#include "box.h"
#include "coefficient_source.h"
#include "jpeg_layout.h"
#include "row_sink.h"

namespace fastload {

// `box` lies in the image. Rows come in batches, bit for bit libjpeg's. `sink` must not decode on
// the same thread.
void DecodeRegion(const JpegLayout& layout, CoefficientSource& source, Box box, RowSink& sink);

// The samples of an image, decoded before: of each component those of all its blocks that hold
// samples of the image, row by row.
struct SamplePlanes {
    const uint8_t* first[3];
    ptrdiff_t strides[3];
};
void DecodeRegion(const JpegLayout& layout, const SamplePlanes& samples, Box box, RowSink& sink);

}  // namespace fastload

#endif  // FASTLOAD_NATIVE_REGION_DECODER_H_
