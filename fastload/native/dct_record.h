// A `.dct` record: a JPEG's quantised coefficients without the entropy coding, so that an image
// that is read a hundred times pays for that once. docs/format.md has the layout, byte by byte.
#ifndef FASTLOAD_NATIVE_DCT_RECORD_H_
#define FASTLOAD_NATIVE_DCT_RECORD_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "buffer.h"
#include "jpeg_layout.h"

namespace fastload {

// Blocks beside each other whose DC differences begin anew, and whose bytes can be reached alone.
inline constexpr int32_t kBlocksOfGroup = 16;

// What a block takes at most: its rows, their masks, nibbles, wide bits and high parts.
inline constexpr size_t kMostBytesOfBlock = 1 + 8 + 32 + 8 + 64;

// How the blocks of one component lie.
struct BlockGrid {
    int32_t across = 0;  // blocks that hold pixels of the picture
    int32_t down = 0;
    int32_t groups_across() const { return (across + kBlocksOfGroup - 1) / kBlocksOfGroup; }
};

BlockGrid GridOf(const JpegLayout& layout, int32_t component);

// Appends the record of a seekable JPEG. Throws FL_JPEG_NOT_BASELINE where a coefficient is too
// large for it, and what decoding throws.
void EncodeDct(const uint8_t* jpeg, size_t size, Buffer& out);

// A record, its header and directory checked: every group lies within the bytes.
class DctRecord {
  public:
    // Throws FL_CORRUPT.
    void Open(const uint8_t* data, size_t size);

    // Sizes, sampling, colour and quantisation tables; seekable is false.
    const JpegLayout& layout() const { return layout_; }

    // The blocks first .. last - 1 of a block row to 64 coefficients each in natural order, as many
    // groups as that needs: `blocks` begins with the first one of the first group. Throws
    // FL_CORRUPT where a group's bytes are not so many blocks.
    void Unpack(int32_t component, int32_t row, int32_t first, int32_t last, int16_t* blocks) const;

  private:
    void ReadHeader();
    void ReadSampling(const uint8_t* factors);

    const uint8_t* data_ = nullptr;
    size_t size_ = 0;
    JpegLayout layout_;
    BlockGrid grids_[3];
    size_t first_group_[3];
    std::vector<uint32_t> ends_;  // of each group, as offsets; ends_[0] is where the first begins
};

}  // namespace fastload

#endif  // FASTLOAD_NATIVE_DCT_RECORD_H_
