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

// Which pass comes first, as the Pillow beside us does it: each pass rounds, so the pixels differ.
enum class PassOrder : int32_t {
    kPillow13 = 0,    // libImaging/Resample.c: the vertical one where the height shrinks by more
                      // than twice as many pixels as the width
    kPillow12_2 = 1,  // Image.resize: the vertical one where the height shrinks and is more than a
                      // hundred times the width
    kWidthFirst = 2   // before
};

// Whether the vertical pass runs first for these whole sizes.
bool IsVerticalFirst(PassOrder order, int32_t height, int32_t width, int32_t out_height,
                     int32_t out_width);

// Takes the input rows vertical.begin() .. vertical.end() - 1, each beginning with the pixel
// horizontal.begin(), and hands on each output row as soon as all that it needs is there. Finish()
// says that all have been given.
class Resampler final : public RowSink {
  public:
    void Begin(const Axis& horizontal, const Axis& vertical, int32_t channels, bool vertical_first,
               const ResizeKernels& kernels, RowSink& sink);
    void Rows(const uint8_t* pixels, ptrdiff_t stride, int32_t count) override;
    void Finish() const;

  private:
    void Hold(const uint8_t* pixels, ptrdiff_t stride, int32_t count);
    void DropRows();
    void DeliverReady();
    bool IsReady(int32_t y) const;
    void VerticalRow(uint8_t* out);
    void HorizontalRows();

    const ResizeKernels* kernels_ = nullptr;
    const Axis* vertical_ = nullptr;
    RowSink* sink_ = nullptr;
    bool vertical_first_ = false;
    HorizontalTable table_;
    Resampling table_made_for_;

    ptrdiff_t levels_ = 0;      // of a row that the vertical pass makes
    ptrdiff_t out_stride_ = 0;  // of a row of the result
    ptrdiff_t stride_ = 0;      // of a row that it takes

    // What the vertical pass takes: input rows, after the horizontal pass unless that is the
    // second.
    std::vector<uint8_t> held_;
    int32_t room_ = 0;
    int32_t held_begin_ = 0;  // the first one's row of the input
    int32_t held_end_ = 0;
    int32_t next_ = 0;  // output row

    std::vector<uint8_t> made_;  // rows of the vertical pass, and behind them those of the second
    int32_t made_count_ = 0;
};

// A whole RGB image in memory; `out` has room for out_height rows of 3 * out_width bytes.
void ResizeRgb(const uint8_t* rgb, int32_t height, int32_t width, int32_t out_height,
               int32_t out_width, int32_t filter, PassOrder order, uint8_t* out);

}  // namespace fastload

#endif  // FASTLOAD_NATIVE_RESIZE_H_
