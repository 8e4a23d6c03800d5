// What a JPEG's headers say, read without libjpeg, and where its MCU rows lie. A file is seekable
// where it is laid out as the pack lays it out: one sequential Huffman scan of all components and
// one restart interval per MCU row, so that a row can be decoded without those above it.
#ifndef FASTLOAD_NATIVE_JPEG_LAYOUT_H_
#define FASTLOAD_NATIVE_JPEG_LAYOUT_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace fastload {

// Pixels of the longest side that libjpeg takes.
inline constexpr int32_t kLongestSide = 65500;

enum class JpegColour { kGrey, kYcc, kRgb };

// A Huffman table as T.81 B.2.4.2 has it.
struct HuffmanTable {
    const uint8_t* counts = nullptr;   // of the codes of each length, 1 to 16
    const uint8_t* symbols = nullptr;  // in the order of their codes; null: no such table
};

struct JpegLayout {
    int32_t width = 0;
    int32_t height = 0;
    int32_t component_count = 0;  // 1 or 3
    JpegColour colour = JpegColour::kGrey;
    std::array<int32_t, 3> across{};  // sampling factors
    std::array<int32_t, 3> down{};
    int32_t most_across = 1;
    int32_t most_down = 1;
    int32_t mcu_columns = 0;
    int32_t mcu_rows = 0;
    bool seekable = false;

    // What a seekable file's scan is decoded with. Huffman tables lie in the file's bytes.
    std::array<std::array<uint16_t, 64>, 4> quant_tables;  // natural order
    std::array<int32_t, 3> quant_slots{};
    std::array<HuffmanTable, 4> dc_tables{};
    std::array<HuffmanTable, 4> ac_tables{};
    std::array<int32_t, 3> dc_slots{};
    std::array<int32_t, 3> ac_slots{};

    size_t size_at = 0;      // offset of the frame header's height, the width behind it
    size_t interval_at = 0;  // offset of the restart interval; 0 without one
    size_t scan_at = 0;      // offset of the first entropy-coded byte
};

// Reads up to the first scan. Throws FL_CORRUPT where the headers break the format, and
// FL_JPEG_UNSUPPORTED for other than grey or three components of 8 bits, coded by DCT, and for
// markers and sides that libjpeg does not take.
JpegLayout ReadJpegLayout(const uint8_t* data, size_t size);

// Offsets where the MCU rows first .. last - 1 of a seekable file begin. Throws FL_CORRUPT where
// the restart markers up to the last of them are not all there, in turn.
void FindMcuRows(const uint8_t* data, size_t size, const JpegLayout& layout, int32_t first,
                 int32_t last, std::vector<size_t>& starts);

}  // namespace fastload

#endif  // FASTLOAD_NATIVE_JPEG_LAYOUT_H_
