// The layout of a baseline JPEG as the pack stores it: one interleaved scan, one restart interval
// per MCU row.
#ifndef FASTLOAD_NATIVE_JPEG_FRAME_H_
#define FASTLOAD_NATIVE_JPEG_FRAME_H_

#include <array>
#include <cstdint>
#include <vector>

#include "jpeg_layout.h"
#include "jpeg_source.h"

namespace fastload {

// Levels in natural (row by row) order, as libjpeg keeps them.
using QuantTable = std::array<uint16_t, 64>;

inline constexpr size_t kMostComponents = 3;

struct FrameComponent {
    uint32_t horizontal;  // sampling factors
    uint32_t vertical;
    uint32_t blocks_across;  // those that hold pixels of the picture
    uint32_t blocks_down;
    uint32_t plane_width;  // samples that belong to the picture
    uint32_t plane_height;
    uint32_t quant_slot;
    uint32_t huffman_slot;
};

struct Frame {
    uint32_t width;
    uint32_t height;
    JpegColour colour;
    uint32_t component_count;
    std::array<FrameComponent, kMostComponents> components;
    std::vector<QuantTable> quant_tables;
    uint32_t mcus_across;
    uint32_t mcus_down;

    uint32_t huffman_slots() const { return colour == JpegColour::kYcc ? 2 : 1; }
};

// Derives the layout from what libjpeg read. Sampling factors lose their common divisors (3 x 2x2
// is 3 x 1x1), which moves no sample. Throws FL_JPEG_UNSUPPORTED or FL_JPEG_NOT_BASELINE where the
// pack's layout cannot hold the image. Quantisation tables are not read here: libjpeg fixes them
// scan by scan.
Frame FrameOf(const jpeg_decompress_struct& info);

// Adds a table unless an equal one is there; returns its slot.
uint32_t AddQuantTable(const QuantTable& table, Frame& frame);

// Gives each component its table, equal ones shared. `tables` are libjpeg's, one a component, none
// null.
void SetQuantTables(const std::array<const JQUANT_TBL*, kMostComponents>& tables, Frame& frame);

}  // namespace fastload

#endif  // FASTLOAD_NATIVE_JPEG_FRAME_H_
