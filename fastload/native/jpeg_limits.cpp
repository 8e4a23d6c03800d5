#include "jpeg_limits.h"

#include <cstdint>
#include <string>

#include "error.h"

namespace fastload {
namespace {

// Every Huffman-coded block takes a bit at least.
constexpr uint64_t kMostBlocksOfByte = 8;

// Arithmetic-coded blocks may take next to nothing: so many are believed whatever the size, four
// megapixels of one grey.
constexpr uint64_t kMostFreeBlocks = 1 << 16;

// Encoders write some ten scans of a progressive file.
constexpr int kMostProgressiveScans = 500;

}  // namespace

void CheckSize(const jpeg_decompress_struct& info, size_t size) {
    uint64_t blocks = 0;
    for (int i = 0; i < info.num_components; ++i) {
        const jpeg_component_info& component = info.comp_info[i];
        blocks += uint64_t{component.width_in_blocks} * component.height_in_blocks;
    }
    const uint64_t free_blocks = info.arith_code ? kMostFreeBlocks : 0;
    if (blocks <= kMostBlocksOfByte * size + free_blocks) return;
    throw Failure(FL_JPEG_WARNING, "JPEG: " + std::to_string(size) + " bytes cannot hold " +
                                       std::to_string(info.image_width) + "x" +
                                       std::to_string(info.image_height) + " pixels");
}

void ScanLimit::Check(j_common_ptr common) {
    const auto* info = reinterpret_cast<j_decompress_ptr>(common);
    const int most = info->progressive_mode ? kMostProgressiveScans : info->num_components;
    if (info->input_scan_number > most)
        ERREXIT1(info, JERR_BAD_SCAN_SCRIPT, info->input_scan_number);
}

}  // namespace fastload
