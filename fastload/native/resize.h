// Resampling of rows as they come: the horizontal pass at once, the vertical one at the end; or the
// other way round where Pillow does it so, since each pass rounds.
#ifndef FASTLOAD_NATIVE_RESIZE_H_
#define FASTLOAD_NATIVE_RESIZE_H_

#include <cstdint>
#include <vector>

#include "resize_kernels.h"
#include "row_sink.h"

namespace fastload {

// The kernels of CurrentSimdLevel().
const ResizeKernels& BestResizeKernels();

// Whether Pillow (13.0, libImaging/Resample.c) runs the vertical pass first for these whole sizes:
// where the height shrinks by more than twice as many pixels as the width.
bool IsVerticalFirst(int32_t height, int32_t width, int32_t out_height, int32_t out_width);

// Takes the input rows vertical.begin() .. vertical.end() - 1, each beginning with the pixel
// horizontal.begin(); after the last one Finish() delivers the output.
class Resampler final : public RowSink {
  public:
    void Begin(const Axis& horizontal, const Axis& vertical, int32_t channels, bool vertical_first,
               const ResizeKernels& kernels);
    void Rows(const uint8_t* pixels, ptrdiff_t stride, int32_t count) override;
    void Finish(RowSink& sink);

  private:
    void FinishHorizontalFirst(RowSink& sink);
    void FinishVerticalFirst(RowSink& sink);
    // Output row y of the vertical pass, from rows of `bytes` bytes.
    void VerticalRow(const uint8_t* rows, ptrdiff_t bytes, int32_t y, uint8_t* out) const;

    const ResizeKernels* kernels_ = nullptr;
    const Axis* vertical_ = nullptr;
    int32_t origin_ = 0;
    int32_t taken_ = 0;
    bool vertical_first_ = false;
    ptrdiff_t in_bytes_ = 0;   // of a row before the horizontal pass
    ptrdiff_t out_bytes_ = 0;  // and after it
    HorizontalTable table_;
    std::vector<uint8_t> taken_rows_;  // after the horizontal pass, unless that is the second
    std::vector<uint8_t> rows_;
};

// A whole RGB image in memory; `out` has room for out_height rows of 3 * out_width bytes.
void ResizeRgb(const uint8_t* rgb, int32_t height, int32_t width, int32_t out_height,
               int32_t out_width, int32_t filter, uint8_t* out);

}  // namespace fastload

#endif  // FASTLOAD_NATIVE_RESIZE_H_
