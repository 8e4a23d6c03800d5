// How the blocks of a `.dct` record lie in groups, the parts that can be reached alone: a group is
// what one block row of one component has in some MCU columns beside each other.
#ifndef FASTLOAD_NATIVE_DCT_GROUPS_H_
#define FASTLOAD_NATIVE_DCT_GROUPS_H_

#include <cstddef>
#include <cstdint>

#include "box.h"
#include "buffer.h"
#include "jpeg_layout.h"
#include "mcu_reader.h"

namespace fastload {

// No group has more blocks.
inline constexpr int32_t kMostBlocksOfGroup = 16;

// No MCU row has more block rows, all components together: T.81 B.2.3 allows ten blocks an MCU.
inline constexpr int32_t kMostBlockRows = 10;

// The bytes of a group, and the blocks of its component's block row that it has.
struct PackedGroup {
    const uint8_t* bytes;
    size_t size;
    Range blocks;
};

class DctGroups {
  public:
    DctGroups() = default;
    explicit DctGroups(const JpegLayout& layout);

    // MCU columns of a group; the last one of a row may have fewer.
    int32_t mcus() const { return mcus_; }
    // Groups beside each other.
    int32_t across() const { return across_; }
    // Block rows of an MCU row, component by component.
    int32_t block_rows() const { return block_rows_; }
    // The first of them that is this component's.
    int32_t first_block_row(int32_t component) const { return first_block_row_[component]; }

    // The blocks of a component in MCU columns, as far as they hold pixels of the picture.
    Range Blocks(int32_t component, Range mcus) const;

    // Whether block row `down` of a component in an MCU row holds pixels of the picture.
    bool HasRow(int32_t component, int32_t mcu_row, int32_t down) const;

    Range McusOf(int32_t group) const;

  private:
    int32_t component_count_ = 0;
    int32_t mcu_columns_ = 0;
    int32_t mcus_ = 1;
    int32_t across_ = 0;
    int32_t block_rows_ = 0;
    int32_t first_block_row_[3] = {};
    int32_t factors_across_[3] = {};
    int32_t factors_down_[3] = {};
    int32_t blocks_across_[3] = {};
    int32_t blocks_down_[3] = {};
};

// Appends the groups of an MCU row in `mcus`, which lie within one group's columns, and puts their
// lengths, in bytes, into lengths[0 .. block_rows - 1]. The row's coefficients begin at MCU column
// `first`. Returns false where one is too large for a record.
bool PackGroups(const JpegLayout& layout, const DctGroups& groups, int32_t mcu_row,
                const CoefficientRow& row, int32_t first, Range mcus, Buffer& out,
                uint16_t* lengths);

// The blocks `wanted` of a group of `count`, 64 coefficients each in natural order. Returns whether
// the bytes are such a group. kReadablePastGroup bytes behind them are readable.
bool UnpackGroup(const uint8_t* bytes, size_t size, int32_t count, Range wanted, int16_t* blocks);

}  // namespace fastload

#endif  // FASTLOAD_NATIVE_DCT_GROUPS_H_
