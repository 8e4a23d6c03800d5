// The last write: rows of levels into the batch, flipped, in its layout, through its table.
#ifndef FASTLOAD_NATIVE_OUTPUT_H_
#define FASTLOAD_NATIVE_OUTPUT_H_

#include <cstdint>
#include <vector>

#include "capi.h"
#include "row_sink.h"

namespace fastload {

// Writes one image of height x width.
class OutputWriter final : public RowSink {
  public:
    void Begin(const fl_output& output, void* out, int32_t height, int32_t width, int32_t channels,
               bool flip_left_right, bool flip_top_down);
    void Rows(const uint8_t* pixels, ptrdiff_t stride, int32_t count) override;

  private:
    void WriteRow(const uint8_t* pixels);
    template <typename Value>
    void WritePlanar(const uint8_t* const planes[3]);
    template <typename Value>
    void WriteInterleaved(const uint8_t* const planes[3]);

    fl_output output_{};
    uint8_t* out_ = nullptr;
    int32_t height_ = 0;
    int32_t width_ = 0;
    int32_t channels_ = 0;
    bool flip_left_right_ = false;
    bool flip_top_down_ = false;
    int32_t row_ = 0;
    std::vector<uint8_t> planes_;  // one row, channel after channel
};

// The level nearest below, within 0 .. 255; 0 for NaN.
uint8_t LevelOf(float value);

// Sets a box of a written image, in output units; the box is cut at the image's edge.
void Erase(const fl_output& output, void* out, int32_t height, int32_t width, int32_t top,
           int32_t left, int32_t box_height, int32_t box_width, const float value[3]);

}  // namespace fastload

#endif  // FASTLOAD_NATIVE_OUTPUT_H_
