#include "jpeg_kernels_any.h"
#include "simd_level.h"

namespace fastload {

const JpegKernels kPortableJpegKernels = MakeJpegKernels<Register128>();

const JpegKernels& BestJpegKernels() {
    return CurrentSimdLevel() == SimdLevel::kPortable ? kPortableJpegKernels : kAvx2JpegKernels;
}

}  // namespace fastload
