#include "jpeg_kernels_any.h"
#include "simd_level.h"

namespace fastload {

const JpegKernels kPortableJpegKernels = MakeJpegKernels<Register128>();

const JpegKernels& BestJpegKernels() {
    const SimdLevel level = CurrentSimdLevel();
    return level == SimdLevel::kAvx512 ? kAvx512JpegKernels
           : level == SimdLevel::kAvx2 ? kAvx2JpegKernels
                                       : kPortableJpegKernels;
}

}  // namespace fastload
