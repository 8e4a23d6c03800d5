// Coefficients straight from the bytes of a seekable file's MCU rows: two coefficients a look-up,
// and two rows at a time, since each look-up waits for the one before it in its row.
#ifndef FASTLOAD_NATIVE_MCU_READER_H_
#define FASTLOAD_NATIVE_MCU_READER_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "huffman_decoding.h"
#include "jpeg_layout.h"

namespace fastload {

// What the next bits say at once: one whole AC coefficient or two.
struct CoefficientPair {
    int16_t values[2];
    uint8_t first_advance;  // places in zigzag order up to the first
    uint8_t advance;        // up to the last
    uint8_t total;          // bits of all; 0 where the next one is longer than the peeked bits
    uint8_t first_total;    // bits of the first
};

class CoefficientDecoding {
  public:
    static constexpr uint32_t kPeekBits = 10;

    // Returns false for tables that libjpeg refuses.
    bool Build(const HuffmanTable& source);

    const CoefficientPair& Peek(uint64_t bits) const { return pairs_[bits >> (64 - kPeekBits)]; }
    Entry Find(uint64_t bits) const { return single_.Find(bits); }

  private:
    Decoding single_;
    CoefficientPair pairs_[1u << kPeekBits];
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

  private:
    friend class McuReader;
    std::vector<int16_t> blocks_;
    size_t starts_[3];
    size_t strides_[3];
};

// A range of MCUs in one direction; `last` is one past.
struct McuRange {
    int32_t first, last;
    int32_t count() const { return last - first; }
};

class McuReader {
  public:
    // Makes room for all that a file of `size` bytes can need. Throws FL_CORRUPT for Huffman tables
    // that are missing or that libjpeg refuses.
    void Begin(const JpegLayout& layout, McuRange columns, size_t size);

    // Reads one row or two (`begin[1]` is null for one). Throws FL_JPEG_WARNING where the bytes are
    // not the row's: there libjpeg would guess.
    void Read(const uint8_t* const begin[2], const uint8_t* end, CoefficientRow rows[2]);

  private:
    struct Component {
        const Decoding* dc = nullptr;
        const CoefficientDecoding* ac = nullptr;
    };
    // A block of an MCU.
    struct Place {
        int32_t component;
        size_t start;    // in the row's blocks
        size_t advance;  // from MCU to MCU
    };
    class Stream;

    void BuildDecodings(const JpegLayout& layout);
    void Check(const Stream& stream) const;

    Segment segments_[2];
    Decoding dc_[3];
    CoefficientDecoding ac_[3];
    Component components_[3];
    std::vector<Place> places_;
    McuRange columns_{};
    bool reads_whole_rows_ = false;
};

}  // namespace fastload

#endif  // FASTLOAD_NATIVE_MCU_READER_H_
