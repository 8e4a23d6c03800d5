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

// Tables of a horizontal pass in the order in which an instruction set reads them.
struct HorizontalTable {
    const Axis* axis = nullptr;
    int32_t channels = 0;
    int32_t origin = 0;  // input pixel that a row's first byte holds
    bool packed = false;
    bool narrow = false;  // one register holds all that a quad's lanes read
    int32_t quads = 0;
    std::vector<int32_t> offsets;
    std::vector<uint8_t> bytes;
};

struct ResizeKernels {
    void (*prepare)(const Axis& axis, int32_t channels, int32_t origin, HorizontalTable& table);
    // `rows` rows of axis.size() * channels bytes each.
    void (*horizontal)(const HorizontalTable& table, const uint8_t* in, ptrdiff_t in_stride,
                       int32_t rows, uint8_t* out, ptrdiff_t out_stride);
    // One row of `bytes` bytes from `count` rows beneath each other.
    void (*vertical)(const uint8_t* in, ptrdiff_t in_stride, const int32_t* weights, int32_t count,
                     size_t bytes, uint8_t* out);
};

extern const ResizeKernels kPortableResize;
extern const ResizeKernels kAvx512Resize;

}  // namespace fastload

#endif  // FASTLOAD_NATIVE_RESIZE_KERNELS_H_
