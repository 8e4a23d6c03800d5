// The two passes of a resampling, one implementation for each instruction set. All give the same
// bytes.
#ifndef FASTLOAD_NATIVE_RESIZE_KERNELS_H_
#define FASTLOAD_NATIVE_RESIZE_KERNELS_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "resize_axis.h"

namespace fastload {

// Bytes that the passes may read, never use, behind the last one of a row.
inline constexpr size_t kRowPadding = 128;

// Bytes that they may write behind the last one of a row.
inline constexpr size_t kWritablePastRow = 32;

// Tables of a horizontal pass in the order in which an instruction set reads them.
struct HorizontalTable {
    const Axis* axis = nullptr;
    int32_t channels = 0;
    int32_t origin = 0;  // input pixel that a row's first byte holds
    int32_t steps = 0;   // each takes a few taps of some outputs; 0: the portable pass serves
    int32_t spread = 0;  // how far apart the inputs of a step lie
    std::vector<int32_t> offsets;
    std::vector<uint8_t> bytes;
};

// `rows` rows of axis.size() * channels levels each. Strides are in bytes.
using HorizontalPass = void(const HorizontalTable& table, const uint8_t* in, ptrdiff_t in_stride,
                            int32_t rows, uint8_t* out, ptrdiff_t out_stride);
// One row of so many levels from `count` rows beneath each other.
using VerticalPass = void(const uint8_t* in, ptrdiff_t in_stride, const int32_t* weights,
                          int32_t count, size_t levels, uint8_t* out);

struct ResizeKernels {
    void (*prepare)(const Axis& axis, int32_t channels, int32_t origin, HorizontalTable& table);
    HorizontalPass* horizontal;
    VerticalPass* vertical;
    // The same where the vertical pass is the second one: levels may be wider between the two.
    struct {
        size_t bytes_of_level;
        HorizontalPass* horizontal;
        VerticalPass* vertical;
    } horizontal_first;
};

extern const ResizeKernels kPortableResize;
extern const ResizeKernels kAvx2Resize;
extern const ResizeKernels kAvx512Resize;

// Quicker and less exact, for one channel: weights of 16 bits. All give the same bytes, too.
extern const ResizeKernels kPortableShortResize;
extern const ResizeKernels kAvx2ShortResize;

}  // namespace fastload

#endif  // FASTLOAD_NATIVE_RESIZE_KERNELS_H_
