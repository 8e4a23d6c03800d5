// Where a decoder puts the rows of a box.
#ifndef FASTLOAD_NATIVE_ROW_SINK_H_
#define FASTLOAD_NATIVE_ROW_SINK_H_

#include <cstddef>
#include <cstdint>

namespace fastload {

// Receives the rows of a box in order. `pixels` points at the box's first pixel in the first of
// `count` rows, `stride` bytes apart: interleaved RGB or grey. At least 128 bytes past the end of
// each row are readable, and all are valid during the call only.
struct RowSink {
    virtual void Rows(const uint8_t* pixels, ptrdiff_t stride, int32_t count) = 0;

  protected:
    ~RowSink() = default;
};

}  // namespace fastload

#endif  // FASTLOAD_NATIVE_ROW_SINK_H_
