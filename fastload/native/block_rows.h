// Which blocks of a JPEG's components a decode needs, and reading these MCU row by MCU row.
#ifndef FASTLOAD_NATIVE_BLOCK_ROWS_H_
#define FASTLOAD_NATIVE_BLOCK_ROWS_H_

#include <algorithm>
#include <cstdint>

#include "box.h"
#include "coefficient_source.h"
#include "jpeg_layout.h"

namespace fastload {

// Samples on each side of a block.
inline constexpr int32_t kBlockSide = 8;

// How a component's samples lie among the pixels.
struct SampleGrid {
    int32_t step_across, step_down;  // pixels of a sample
    int32_t width, height;           // samples of the whole image
};

SampleGrid SampleGridOf(const JpegLayout& layout, int32_t component);

// Some blocks of a component.
struct BlockBox {
    Range across, down;
};

// All blocks that hold samples of the image.
BlockBox AllBlocks(const JpegLayout& layout, int32_t component);

// The MCUs that have some of the blocks.
BlockBox McusOf(const JpegLayout& layout, const BlockBox blocks[]);

// Calls take(component, block row) for each block row in `blocks` that lies in an MCU row.
template <typename Take>
void ForEachBlockRow(const JpegLayout& layout, const BlockBox blocks[], int32_t mcu_row,
                     Take take) {
    for (int32_t i = 0; i < layout.component_count; ++i) {
        const int32_t first = std::max(mcu_row * layout.down[i], blocks[i].down.first);
        const int32_t last = std::min((mcu_row + 1) * layout.down[i], blocks[i].down.last);
        for (int32_t row = first; row < last; ++row) take(i, row);
    }
}

class BlockTaker {
  public:
    // All the needed blocks of a block row, as CoefficientSource::Blocks gives them.
    virtual void Take(int32_t component, int32_t block_row, const int16_t* blocks) = 0;
    // What is needed of this MCU row has been taken.
    virtual void EndMcuRow(int32_t mcu_row) = 0;

  protected:
    ~BlockTaker() = default;
};

// `needed`: at least one block of each component.
void ReadBlocks(const JpegLayout& layout, CoefficientSource& source, const BlockBox needed[],
                BlockTaker& taker);

}  // namespace fastload

#endif  // FASTLOAD_NATIVE_BLOCK_ROWS_H_
