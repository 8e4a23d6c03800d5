// The packed blocks that a box needs, cut out of a source's groups into an arena.
#ifndef FASTLOAD_NATIVE_GATHER_BLOCKS_H_
#define FASTLOAD_NATIVE_GATHER_BLOCKS_H_

#include <cstdint>
#include <vector>

#include "arena.h"
#include "block_rows.h"
#include "box.h"
#include "capi.h"
#include "pixel_source.h"

namespace fastload {

class GatheredBlocks {
  public:
    // Finds the blocks; returns false where the source has none, or cannot have those, or where
    // they are too many for fl_gathered. Throws FL_CORRUPT where a group's own lengths are not
    // those of its blocks.
    bool Find(PixelSource& source, Box box);

    // Bytes that they take: Write() reserves so many, with alignment.
    uint64_t bytes() const;

    // Copies them, and checks that each block has the bytes that it says: a kernel that follows
    // them stays within. Throws FL_CORRUPT.
    void Write(Arena& arena, fl_gathered& gathered) const;

  private:
    // Some blocks of a group.
    struct Piece {
        const uint8_t* dc;
        const uint8_t* lengths;
        const uint8_t* ac;
        uint32_t ac_size;
        int32_t block_row, first, count;
    };

    void Cut(const PackedGroup& group, int32_t block_row, Range wanted);

    const JpegLayout* layout_ = nullptr;
    BlockBox needed_[3]{};
    int32_t piece_counts_[3] = {};
    uint64_t packed_bytes_ = 0;
    std::vector<Piece> pieces_;
    std::vector<PackedGroup> groups_;
};

}  // namespace fastload

#endif  // FASTLOAD_NATIVE_GATHER_BLOCKS_H_
