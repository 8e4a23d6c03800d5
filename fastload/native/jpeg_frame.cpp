#include "jpeg_frame.h"

#include <algorithm>
#include <numeric>
#include <string>

#include "error.h"

namespace fastload {
namespace {

// ITU-T T.81 B.2.3: more blocks than this may not be interleaved in one MCU.
constexpr uint32_t kMostBlocksInMcu = 10;
constexpr uint32_t kLongestRestartInterval = 65535;

JpegColour ColourOf(const jpeg_decompress_struct& info) {
    if (info.num_components == 1 && info.jpeg_color_space == JCS_GRAYSCALE)
        return JpegColour::kGrey;
    if (info.num_components == 3 && info.jpeg_color_space == JCS_YCbCr) return JpegColour::kYcc;
    if (info.num_components == 3 && info.jpeg_color_space == JCS_RGB) return JpegColour::kRgb;
    throw Failure(FL_JPEG_UNSUPPORTED,
                  "JPEG: " + std::to_string(info.num_components) +
                      " components of a colour space other than grey, YCbCr and RGB");
}

uint32_t DivideUp(uint32_t value, uint32_t divisor) { return (value + divisor - 1) / divisor; }

}  // namespace

Frame FrameOf(const jpeg_decompress_struct& info) {
    Frame frame{};
    frame.width = info.image_width;
    frame.height = info.image_height;
    frame.colour = ColourOf(info);
    frame.component_count = static_cast<uint32_t>(info.num_components);
    if (info.data_precision != 8) {
        throw Failure(FL_JPEG_UNSUPPORTED,
                      "JPEG: " + std::to_string(info.data_precision) + " bits a sample");
    }
    uint32_t divisor_across = 0, divisor_down = 0;
    for (uint32_t i = 0; i < frame.component_count; ++i) {
        divisor_across =
            std::gcd(divisor_across, static_cast<uint32_t>(info.comp_info[i].h_samp_factor));
        divisor_down =
            std::gcd(divisor_down, static_cast<uint32_t>(info.comp_info[i].v_samp_factor));
    }
    uint32_t most_across = 0, most_down = 0, blocks_in_mcu = 0;
    for (uint32_t i = 0; i < frame.component_count; ++i) {
        FrameComponent& component = frame.components[i];
        component.horizontal =
            static_cast<uint32_t>(info.comp_info[i].h_samp_factor) / divisor_across;
        component.vertical = static_cast<uint32_t>(info.comp_info[i].v_samp_factor) / divisor_down;
        component.blocks_across = info.comp_info[i].width_in_blocks;
        component.blocks_down = info.comp_info[i].height_in_blocks;
        component.huffman_slot = frame.colour == JpegColour::kYcc && i > 0 ? 1 : 0;
        most_across = std::max(most_across, component.horizontal);
        most_down = std::max(most_down, component.vertical);
        blocks_in_mcu += component.horizontal * component.vertical;
    }
    if (blocks_in_mcu > kMostBlocksInMcu) {
        throw Failure(FL_JPEG_NOT_BASELINE,
                      "JPEG: sampling factors too large for one interleaved scan");
    }
    for (uint32_t i = 0; i < frame.component_count; ++i) {
        FrameComponent& component = frame.components[i];
        // libjpeg reads the coefficients of such files, but cannot make pixels of them.
        if (most_across % component.horizontal != 0 || most_down % component.vertical != 0) {
            throw Failure(FL_JPEG_UNSUPPORTED,
                          "JPEG: sampling factors that are no multiples of one another");
        }
        component.plane_width = DivideUp(frame.width * component.horizontal, most_across);
        component.plane_height = DivideUp(frame.height * component.vertical, most_down);
    }
    frame.mcus_across = DivideUp(frame.width, DCTSIZE * most_across);
    frame.mcus_down = DivideUp(frame.height, DCTSIZE * most_down);
    if (frame.mcus_across > kLongestRestartInterval) {
        throw Failure(FL_JPEG_NOT_BASELINE, "JPEG: too wide for one restart interval a row");
    }
    return frame;
}

uint32_t AddQuantTable(const QuantTable& table, Frame& frame) {
    const auto known = std::find(frame.quant_tables.begin(), frame.quant_tables.end(), table);
    const auto slot = static_cast<uint32_t>(known - frame.quant_tables.begin());
    if (known == frame.quant_tables.end()) frame.quant_tables.push_back(table);
    return slot;
}

void SetQuantTables(const std::array<const JQUANT_TBL*, kMostComponents>& tables, Frame& frame) {
    for (uint32_t i = 0; i < frame.component_count; ++i) {
        QuantTable levels;
        std::copy_n(tables[i]->quantval, levels.size(), levels.begin());
        frame.components[i].quant_slot = AddQuantTable(levels, frame);
    }
}

}  // namespace fastload
