// From quantised coefficients to a resized crop, without its pixels in between. Each plane is
// decoded where the crop needs it, to no more samples than the output calls for, and resampled from
// its own grid to the output's size; colours are converted there. Near what resizing the decoded
// pixels gives, and quicker: nothing is upsampled first, and a plane that is much larger than the
// output is decoded at 1/2, 1/4 or 1/8 of its size.
#ifndef FASTLOAD_NATIVE_PLANE_RESIZE_H_
#define FASTLOAD_NATIVE_PLANE_RESIZE_H_

#include "coefficient_source.h"
#include "jpeg_layout.h"
#include "resize.h"
#include "row_sink.h"

namespace fastload {

// The crop lies in the image, the window in what that is resized to. `sink` must not decode on the
// same thread.
void ResizePlanes(const JpegLayout& layout, CoefficientSource& source, const Resizing& resizing,
                  RowSink& sink);

}  // namespace fastload

#endif  // FASTLOAD_NATIVE_PLANE_RESIZE_H_
