#include "jpeg_kernels_any.h"

namespace fastload {

const JpegKernels kAvx2JpegKernels = MakeJpegKernels<Register256>();

}  // namespace fastload
