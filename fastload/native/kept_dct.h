// What a cache keeps of a JPEG: the groups of a `.dct` record as far as they have been needed. An
// MCU row is kept from its left edge on and can be continued, so that no MCU is ever decoded twice.
#ifndef FASTLOAD_NATIVE_KEPT_DCT_H_
#define FASTLOAD_NATIVE_KEPT_DCT_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "buffer.h"
#include "dct_groups.h"
#include "jpeg_layout.h"
#include "mcu_reader.h"
#include "record_cache.h"

namespace fastload {

// Parts of MCU rows on their way into a KeptDct.
class RowParts {
  public:
    void Clear();

    // Packs MCU columns `start.column` .. `end.column` - 1 of a row whose coefficients begin at
    // column 0. Returns false where a coefficient is too large.
    bool Add(const JpegLayout& layout, const DctGroups& groups, int32_t mcu_row,
             const CoefficientRow& row, int32_t first_column, const McuPlace& end);

  private:
    friend class KeptDct;
    struct Part {
        int32_t mcu_row;
        size_t offset;
    };
    std::vector<Part> parts_;
    Buffer bytes_;
};

// Can be read by some threads while others add to it.
class KeptDct final : public KeptRecord {
  public:
    explicit KeptDct(const JpegLayout& layout);

    uint64_t bytes() const override;

    // Without Huffman tables.
    const JpegLayout& layout() const { return layout_; }
    const DctGroups& groups() const { return groups_; }

    // Where reading the row goes on: what is left of there is kept.
    McuPlace PlaceOf(int32_t mcu_row) const;

    // Appends the groups, or parts of groups, that have some of these blocks of a component's block
    // row, which are kept; kReadablePastGroup bytes behind each are readable.
    void FindGroups(int32_t component, int32_t block_row, Range blocks,
                    std::vector<PackedGroup>& found) const;

    // Blocks of a component's block row, which are kept, 64 coefficients each in natural order.
    void Unpack(int32_t component, int32_t block_row, Range blocks, int16_t* out) const;

    // Adds what still goes on from where its row ends. Returns the bytes that this takes.
    size_t Add(const RowParts& parts);

  private:
    // Lengths of the groups, then their bytes, follow. Does not change any more once it can be
    // seen.
    struct Strip {
        const Strip* before;  // what is to its left
        int32_t first_column;
        McuPlace end;

        const uint16_t* lengths() const { return reinterpret_cast<const uint16_t*>(this + 1); }
    };
    friend class RowParts;

    void FindGroups(const Strip& strip, int32_t component, int32_t row, Range blocks,
                    std::vector<PackedGroup>& found) const;

    // The last strip of a row, null at first.
    using Row = std::atomic<const Strip*>;

    JpegLayout layout_;
    DctGroups groups_;
    std::unique_ptr<Row[]> rows_;
    std::mutex adding_;
    std::vector<std::unique_ptr<uint8_t[]>> memory_;
};

}  // namespace fastload

#endif  // FASTLOAD_NATIVE_KEPT_DCT_H_
