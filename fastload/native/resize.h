// Resampling of rows as they come: the horizontal pass at once, the vertical one at the end.
#ifndef FASTLOAD_NATIVE_RESIZE_H_
#define FASTLOAD_NATIVE_RESIZE_H_

#include <cstdint>
#include <vector>

#include "resize_kernels.h"
#include "row_sink.h"

namespace fastload {

// The kernels of CurrentSimdLevel().
const ResizeKernels& BestResizeKernels();

// Takes the input rows vertical.begin() .. vertical.end() - 1, each beginning with the pixel
// horizontal.begin(); after the last one Finish() delivers the output.
class Resampler final : public RowSink {
  public:
    void Begin(const Axis& horizontal, const Axis& vertical, int32_t channels,
               const ResizeKernels& kernels);
    void Rows(const uint8_t* pixels, ptrdiff_t stride, int32_t count) override;
    void Finish(RowSink& sink);

  private:
    const ResizeKernels* kernels_ = nullptr;
    const Axis* vertical_ = nullptr;
    int32_t origin_ = 0;
    int32_t taken_ = 0;
    ptrdiff_t row_bytes_ = 0;
    HorizontalTable table_;
    std::vector<uint8_t> between_;  // rows after the horizontal pass
    std::vector<uint8_t> row_;
};

// A whole RGB image in memory; `out` has room for out_height rows of 3 * out_width bytes.
void ResizeRgb(const uint8_t* rgb, int32_t height, int32_t width, int32_t out_height,
               int32_t out_width, int32_t filter, uint8_t* out);

}  // namespace fastload

#endif  // FASTLOAD_NATIVE_RESIZE_H_
