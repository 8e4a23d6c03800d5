// A `.dct` record: a JPEG's quantised coefficients without the entropy coding, so that an image
// that is read a hundred times pays for that once. docs/format.md has the layout, byte by byte.
#ifndef FASTLOAD_NATIVE_DCT_RECORD_H_
#define FASTLOAD_NATIVE_DCT_RECORD_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "box.h"
#include "buffer.h"
#include "dct_groups.h"
#include "jpeg_layout.h"

namespace fastload {

// Appends a record's header: sizes, sampling, colours, quantisation tables.
void WriteDctHeader(const JpegLayout& layout, Buffer& out);

// Reads and checks a header; `seekable` is false. Returns its bytes. Throws FL_CORRUPT.
size_t ReadDctHeader(const uint8_t* data, size_t size, JpegLayout& layout);

// A record, its header and directory checked: every group lies within the bytes.
class DctRecord {
  public:
    // Throws FL_CORRUPT.
    void Open(const uint8_t* data, size_t size);

    const JpegLayout& layout() const { return layout_; }
    const DctGroups& groups() const { return groups_; }

    // Appends the groups that have some of these blocks of a component's block row. Throws
    // FL_CORRUPT where one is longer than a group can be.
    void FindGroups(int32_t component, int32_t block_row, Range blocks,
                    std::vector<PackedGroup>& found) const;

    // Some blocks of a component's block row, 64 coefficients each in natural order. Throws
    // FL_CORRUPT where a group's bytes are not its blocks.
    void Unpack(int32_t component, int32_t block_row, Range blocks, int16_t* out) const;

  private:
    const uint8_t* data_ = nullptr;
    size_t size_ = 0;
    JpegLayout layout_;
    DctGroups groups_;
    std::vector<uint32_t> ends_;  // of each group, as offsets; ends_[0] is where the first begins
};

}  // namespace fastload

#endif  // FASTLOAD_NATIVE_DCT_RECORD_H_
