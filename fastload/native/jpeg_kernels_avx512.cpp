#include "jpeg_kernels_any.h"
#include "simd_register_512.h"

namespace fastload {

const JpegKernels kAvx512JpegKernels = MakeJpegKernels<Register512, Register256>();

}  // namespace fastload
