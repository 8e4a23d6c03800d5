// From a JPEG's quantised coefficients to its pixels: the arithmetic of libjpeg-turbo (its "islow"
// inverse DCT, "fancy" upsampling and colour conversion), bit for bit, one implementation for each
// instruction set.
#ifndef FASTLOAD_NATIVE_JPEG_KERNELS_H_
#define FASTLOAD_NATIVE_JPEG_KERNELS_H_

#include <cstddef>
#include <cstdint>

namespace fastload {

// Kernels work on whole registers: they read and write up to so many bytes, or blocks, behind
// what they are asked for, and use none of it.
inline constexpr size_t kSpareBytes = 192;
inline constexpr int32_t kSpareBlocks = 4;

// `count` blocks beside each other, 64 coefficients each in natural order, to as many rows of
// samples as a block has.
using InverseDctOfBlocks = void(const int16_t* blocks, int32_t count, const uint16_t quant[64],
                                uint8_t* out, ptrdiff_t stride);

struct JpegKernels {
    InverseDctOfBlocks* inverse_dct;  // 8 x 8 samples a block
    // Upsampling of one row; `far` is the row above or below `near` that is nearer to the result.
    // in[-1] and in[count] are readable and writable: the edges are repeated there. `scratch` has
    // room for count + 2 numbers.
    void (*across_twice)(uint8_t* in, int32_t count, uint8_t* out);
    void (*down_twice)(const uint8_t* near, const uint8_t* far, bool far_is_below, int32_t count,
                       uint8_t* out);
    void (*both_twice)(const uint8_t* near, const uint8_t* far, int32_t count, uint16_t* scratch,
                       uint8_t* out);
    // Planes to interleaved RGB.
    void (*ycc_to_rgb)(const uint8_t* y, const uint8_t* cb, const uint8_t* cr, int32_t width,
                       uint8_t* rgb);
    void (*interleave)(const uint8_t* red, const uint8_t* green, const uint8_t* blue, int32_t width,
                       uint8_t* rgb);
    // Fewer samples a block, of its lowest frequencies alone: not libjpeg-turbo's, which takes more
    // of them.
    InverseDctOfBlocks *inverse_dct_4x4, *inverse_dct_2x2, *inverse_dct_1x1;
};

extern const JpegKernels kPortableJpegKernels;
extern const JpegKernels kAvx2JpegKernels;
extern const JpegKernels kAvx512JpegKernels;

// Those of CurrentSimdLevel().
const JpegKernels& BestJpegKernels();

}  // namespace fastload

#endif  // FASTLOAD_NATIVE_JPEG_KERNELS_H_
