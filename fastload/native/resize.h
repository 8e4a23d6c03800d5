// Resampling of rows as they come: the horizontal pass at once, the vertical one at the end; or the
// other way round where Pillow does it so, since each pass rounds.
#ifndef FASTLOAD_NATIVE_RESIZE_H_
#define FASTLOAD_NATIVE_RESIZE_H_

#include <cstdint>
#include <vector>

#include "box.h"
#include "resize_kernels.h"
#include "row_sink.h"

namespace fastload {

// The kernels of CurrentSimdLevel().
const ResizeKernels& BestResizeKernels();
const ResizeKernels& BestShortResizeKernels();

// Which pass comes first, as the Pillow beside us does it: each pass rounds, so the pixels differ.
enum class PassOrder : int32_t {
    kPillow13 = 0,    // libImaging/Resample.c: the vertical one where the height shrinks by more
                      // than twice as many pixels as the width
    kPillow12_2 = 1,  // Image.resize: the vertical one where the height shrinks and is more than a
                      // hundred times the width
    kWidthFirst = 2   // before
};

// A crop of an image, resized, and what is wanted of the result.
struct Resizing {
    Box crop;
    int32_t height, width;
    Box window;
    Filter filter;
    PassOrder order;
};

// The two axes of a resizing, the crop being all of the input.
Resampling AcrossOf(const Resizing& resizing);
Resampling DownOf(const Resizing& resizing);

// Whether the vertical pass runs first for these whole sizes.
bool IsVerticalFirst(PassOrder order, int32_t height, int32_t width, int32_t out_height,
                     int32_t out_width);

// What resamplings of the same sizes have in common. Stays where it is while a Resampler uses it.
struct ResizePlan {
    Axis horizontal, vertical;
    bool vertical_first = false;
    const ResizeKernels* kernels = nullptr;
    HorizontalTable table;

    bool IsFor(const Resampling& across, const Resampling& down) const {
        return horizontal.made_for == across && vertical.made_for == down;
    }

    // Keeps what the last call made as far as it is the same.
    void Make(const Resampling& across, const Resampling& down, int32_t channels, PassOrder order,
              const ResizeKernels& by);

  private:
    Resampling table_made_for_;
};

// Takes the input rows plan.vertical.begin() .. plan.vertical.end() - 1, each beginning with the
// pixel plan.horizontal.begin(), and hands on each output row as soon as all that it needs is
// there. Finish() says that all have been given.
class Resampler final : public RowSink {
  public:
    void Begin(const ResizePlan& plan, RowSink& sink);
    void Rows(const uint8_t* pixels, ptrdiff_t stride, int32_t count) override;
    void Finish() const;

  private:
    void Hold(const uint8_t* pixels, ptrdiff_t stride, int32_t count);
    void DropRows();
    void DeliverReady();
    bool IsReady(int32_t y) const;
    void VerticalRow(uint8_t* out);
    void HorizontalRows();

    const ResizePlan* plan_ = nullptr;
    RowSink* sink_ = nullptr;

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
