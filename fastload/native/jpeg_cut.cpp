#include "jpeg_cut.h"

#include <algorithm>
#include <vector>

#include "checksum.h"
#include "error.h"
#include "jpeg_layout.h"

namespace fastload {
namespace {

constexpr int32_t kBlockSide = 8;
constexpr uint8_t kEndOfImage[] = {0xFF, 0xD9};

Range McuRowsOf(const JpegLayout& layout, Range rows) {
    const auto end = layout.down.begin() + layout.component_count;
    const bool smooth = std::any_of(layout.down.begin(), end,
                                    [&](int32_t down) { return down < layout.most_down; });
    if (smooth) rows = {std::max(rows.first - 1, 0), std::min(rows.last + 1, layout.height)};
    return Touched(rows, kBlockSide * layout.most_down);
}

void SetWord(uint8_t* bytes, int32_t word) {
    bytes[0] = static_cast<uint8_t>(word >> 8);
    bytes[1] = static_cast<uint8_t>(word);
}

}  // namespace

JpegCut CutJpeg(const uint8_t* data, size_t size, Range rows, Buffer& arena) {
    const JpegLayout layout = ReadJpegLayout(data, size);
    if (rows.first < 0 || rows.first >= rows.last || rows.last > layout.height)
        throw Failure(FL_BAD_ARGUMENT, "JPEG: the rows are not within the image");
    const Range wanted = McuRowsOf(layout, rows);
    if (!layout.seekable || wanted.count() == layout.mcu_rows) return {};
    const int32_t band = kBlockSide * layout.most_down;
    const bool to_the_end = wanted.last == layout.mcu_rows;
    thread_local std::vector<size_t> starts;
    FindMcuRows(data, size, layout, wanted.first, wanted.last + (to_the_end ? 0 : 1), starts);
    // The marker in front of the next row is left out. Behind the last row all is taken.
    const size_t from = starts.front();
    const size_t to = to_the_end ? size : starts.back() - sizeof(kEndOfImage);

    JpegCut cut = {arena.size(), 0, wanted.first * band};
    arena.Append(data, layout.scan_at);
    SetWord(arena.At(cut.offset + layout.size_at),
            std::min(layout.height - cut.top, wanted.count() * band));
    arena.Append(data + from, to - from);
    // Restart markers count from 0 in each file.
    const size_t scan = cut.offset + layout.scan_at;
    for (int32_t row = 1; row < wanted.count(); ++row)
        *arena.At(scan + starts[row] - from - 1) = static_cast<uint8_t>(0xD0 | ((row - 1) & 7));
    if (!to_the_end) arena.Append(kEndOfImage, sizeof(kEndOfImage));
    cut.size = arena.size() - cut.offset;
    return cut;
}

void CutJpegs(fl_cut* cuts, uint64_t count, Buffer& arena) {
    std::vector<size_t> offsets(count);
    for (uint64_t i = 0; i < count; ++i) {
        fl_cut& one = cuts[i];
        const size_t used = arena.size();
        one.data = one.payload;
        one.size = one.length;
        one.top = 0;
        one.status = Guard(nullptr, [&] {
            const auto* payload = reinterpret_cast<const uint8_t*>(one.payload);
            CheckOnce(payload, one.length, one.crc32c, one.verified);
            const JpegCut cut = CutJpeg(payload, one.length, {one.first, one.last}, arena);
            if (cut.size == 0) return;
            one.data = 0;
            one.size = cut.size;
            one.top = cut.top;
            offsets[i] = cut.offset;
        });
        if (one.status != FL_OK) arena.Truncate(used);
    }
    // The arena has moved while it grew.
    for (uint64_t i = 0; i < count; ++i) {
        if (cuts[i].data == 0) cuts[i].data = reinterpret_cast<uint64_t>(arena.data() + offsets[i]);
    }
}

}  // namespace fastload
