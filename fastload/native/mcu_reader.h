// Coefficients straight from the bytes of a seekable file's MCU rows: two coefficients a look-up,
// and two rows at a time, since each look-up waits for the one before it in its row.
#ifndef FASTLOAD_NATIVE_MCU_READER_H_
#define FASTLOAD_NATIVE_MCU_READER_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "box.h"
#include "huffman_decoding.h"
#include "jpeg_layout.h"

namespace fastload {

// What so many next bits say at once.
inline constexpr uint32_t kPeekedBits = 10;
inline constexpr size_t kPeekedCount = size_t{1} << kPeekedBits;

// One whole AC coefficient or two.
struct CoefficientPair {
    uint8_t total;          // bits of all; 0 where the next one is longer than the peeked bits
    uint8_t first_total;    // bits of the first
    uint8_t advance;        // places in zigzag order up to the last
    uint8_t first_advance;  // up to the first
    int16_t values[2];
};

// A whole DC difference.
struct DcDifference {
    uint8_t total;  // 0 where it is longer than the peeked bits
    int16_t value;
};

// An end of block moves the place in it out of reach of all coefficients, a missing pair further.
inline constexpr uint32_t kEndAdvance = 128;
inline constexpr uint32_t kMissingAdvance = 192;

constexpr uint32_t AdvanceOf(uint32_t symbol) {
    return symbol == kSymbolEndOfBlock ? kEndAdvance : (symbol >> 4) + 1;
}

// Both return false for tables that libjpeg refuses.
struct AcDecoding {
    Decoding single;
    CoefficientPair pairs[kPeekedCount];
    bool Build(const HuffmanTable& source);
};
struct DcDecoding {
    Decoding single;
    DcDifference differences[kPeekedCount];
    bool Build(const HuffmanTable& source);
};

// The coefficients of one MCU row: for each component rows of blocks, 64 coefficients a block in
// natural order.
class CoefficientRow {
  public:
    // Columns of MCUs that are kept.
    void Resize(const JpegLayout& layout, int32_t columns);

    // Block row `down` of a component, of as many as it has in an MCU; kSpareBlocks are readable
    // behind its last block.
    const int16_t* Blocks(int32_t component, int32_t down) const {
        return blocks_.data() + starts_[component] + down * strides_[component];
    }
    int16_t* Blocks(int32_t component, int32_t down) {
        return blocks_.data() + starts_[component] + down * strides_[component];
    }

  private:
    friend class McuReader;
    std::vector<int16_t> blocks_;
    size_t starts_[3];
    size_t strides_[3];
};

// One block of an MCU.
struct McuBlock {
    int32_t component;
    const DcDecoding* dc;
    const AcDecoding* ac;
    size_t start;    // in a row's coefficients, of the block in the first MCU
    size_t advance;  // from MCU to MCU
};

// What the rows of a scan have in common.
struct McuPlan {
    std::vector<McuBlock> blocks;
    Range columns{};  // of MCUs that are kept; those to the left are read over
};

// Where in a row reading begins, or has ended.
struct McuPlace {
    int32_t column = 0;  // of the next MCU
    uint32_t bit = 0;    // of the row's bytes without their stuffed zeros
    std::array<int32_t, 3> predictions{};
};

// One row to be read: its bytes, where to begin, and where its coefficients go.
struct McuRow {
    const Segment* bytes;
    McuPlace start;
    int16_t* coefficients;
};

// How reading one row went: `left` bits were left behind its last block.
struct McuRowEnd {
    bool failed;
    int64_t left;
    McuPlace place;
};

// Reads `count` rows, one or two, in turn.
using ReadMcuRows = void(const McuPlan& plan, const McuRow* rows, int count, McuRowEnd* ends);
ReadMcuRows ReadMcuRowsPortable, ReadMcuRowsAvx2;

class McuReader {
  public:
    // `columns` of MCUs are kept. Makes room for all that a file of `size` bytes can need. Throws
    // FL_CORRUPT for Huffman tables that libjpeg refuses.
    void Begin(const JpegLayout& layout, Range columns, size_t size);

    // Reads one row or two, whose bytes begin at `begins`, from their places on; afterwards the
    // places are behind the last column that is kept. Throws FL_JPEG_WARNING where the bytes are
    // not the rows': there libjpeg would guess.
    void Read(const uint8_t* const* begins, int count, const uint8_t* end, McuPlace* places,
              CoefficientRow* const* rows);

  private:
    void BuildDecodings(const JpegLayout& layout);
    void PlanBlocks(const JpegLayout& layout, Range columns);

    Segment segments_[2];
    DcDecoding dc_[3];
    AcDecoding ac_[3];
    McuPlan plan_;
    bool reads_whole_rows_ = false;
};

}  // namespace fastload

#endif  // FASTLOAD_NATIVE_MCU_READER_H_
