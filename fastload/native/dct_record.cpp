#include "dct_record.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <string>

#include "dct_blocks.h"
#include "error.h"

namespace fastload {
namespace {

constexpr std::array<uint8_t, 4> kMagic = {'F', 'D', 'C', 'T'};
constexpr uint8_t kVersion = 1;
constexpr size_t kFixedHeader = 16;
constexpr size_t kTable = 64 * sizeof(uint16_t);
constexpr int32_t kBlock = 8;
constexpr int32_t kCoefficients = kBlock * kBlock;
constexpr int32_t kMostBlocksOfMcu = 10;  // T.81 B.2.3

[[noreturn]] void Corrupt(const char* what) {
    throw Failure(FL_CORRUPT, std::string("DCT record: ") + what);
}

int32_t DivideUp(int32_t value, int32_t divisor) { return (value + divisor - 1) / divisor; }

uint32_t WordAt(const uint8_t* at) { return at[0] | uint32_t{at[1]} << 8; }

void PutWord(uint32_t value, uint8_t* at) {
    at[0] = static_cast<uint8_t>(value);
    at[1] = static_cast<uint8_t>(value >> 8);
}

size_t HeaderSize(const JpegLayout& layout) {
    return kFixedHeader + kTable * static_cast<size_t>(layout.component_count);
}

void ReadSampling(const uint8_t* factors, JpegLayout& layout) {
    int32_t blocks = 0;
    for (int32_t i = 0; i < layout.component_count; ++i) {
        const int32_t across = factors[i] >> 4, down = factors[i] & 15;
        if (across < 1 || across > 4 || down < 1 || down > 4) Corrupt("impossible sampling");
        layout.across[i] = across;
        layout.down[i] = down;
        layout.most_across = std::max(layout.most_across, across);
        layout.most_down = std::max(layout.most_down, down);
        blocks += across * down;
    }
    // A scan of one component is not interleaved (T.81 A.2.2): its factors would say nothing.
    if (layout.component_count == 1 && blocks != 1) Corrupt("impossible sampling");
    for (int32_t i = 0; i < layout.component_count; ++i)
        if (layout.most_across % layout.across[i] != 0 || layout.most_down % layout.down[i] != 0 ||
            blocks > kMostBlocksOfMcu)
            Corrupt("impossible sampling");
    layout.mcu_columns = DivideUp(layout.width, kBlock * layout.most_across);
    layout.mcu_rows = DivideUp(layout.height, kBlock * layout.most_down);
}

}  // namespace

void WriteDctHeader(const JpegLayout& layout, Buffer& out) {
    uint8_t header[kFixedHeader] = {};
    std::copy(kMagic.begin(), kMagic.end(), header);
    header[4] = kVersion;
    header[5] = static_cast<uint8_t>(layout.component_count);
    header[6] = static_cast<uint8_t>(layout.colour);
    PutWord(static_cast<uint32_t>(layout.width), header + 8);
    PutWord(static_cast<uint32_t>(layout.height), header + 10);
    for (int32_t i = 0; i < layout.component_count; ++i)
        header[12 + i] = static_cast<uint8_t>(layout.across[i] << 4 | layout.down[i]);
    out.Append(header, kFixedHeader);
    for (int32_t i = 0; i < layout.component_count; ++i) {
        uint8_t table[kTable];
        for (int32_t k = 0; k < kCoefficients; ++k)
            PutWord(layout.quant_tables[layout.quant_slots[i]][k], table + 2 * k);
        out.Append(table, kTable);
    }
}

size_t ReadDctHeader(const uint8_t* data, size_t size, JpegLayout& layout) {
    if (size < kFixedHeader || !std::equal(kMagic.begin(), kMagic.end(), data))
        Corrupt("does not begin as one");
    if (data[4] != kVersion)
        Corrupt("of a version that this fastload does not know: install a newer one");
    layout = {};
    layout.component_count = data[5];
    layout.colour = static_cast<JpegColour>(data[6]);
    layout.width = static_cast<int32_t>(WordAt(data + 8));
    layout.height = static_cast<int32_t>(WordAt(data + 10));
    const bool is_grey = layout.colour == JpegColour::kGrey;
    if (data[6] > 2 || layout.component_count != (is_grey ? 1 : 3)) Corrupt("unknown colours");
    if (layout.width < 1 || layout.height < 1) Corrupt("no pixels");
    if (std::max(layout.width, layout.height) > kLongestSide) Corrupt("a side that no JPEG has");
    ReadSampling(data + 12, layout);
    if (size < HeaderSize(layout)) Corrupt("ends within its tables");
    for (int32_t i = 0; i < layout.component_count; ++i) {
        const uint8_t* const table = data + kFixedHeader + kTable * i;
        layout.quant_slots[i] = i;
        for (int32_t k = 0; k < kCoefficients; ++k)
            layout.quant_tables[i][k] = static_cast<uint16_t>(WordAt(table + 2 * k));
    }
    return HeaderSize(layout);
}

void DctRecord::Open(const uint8_t* data, size_t size) {
    data_ = data;
    size_ = size;
    const size_t directory = ReadDctHeader(data, size, layout_);
    if (size > UINT32_MAX) Corrupt("more than 4 GB");
    groups_ = DctGroups(layout_);
    const size_t count = static_cast<size_t>(layout_.mcu_rows) * groups_.across() *
                         static_cast<size_t>(groups_.block_rows());
    if ((size - directory) / 2 < count) Corrupt("ends within its directory");
    size_t end = directory + 2 * count;
    ends_.resize(count + 1);
    ends_[0] = static_cast<uint32_t>(end);
    for (size_t i = 0; i < count; ++i) {
        end += WordAt(data + directory + 2 * i);
        if (end > size) break;
        ends_[i + 1] = static_cast<uint32_t>(end);
    }
    if (end != size) Corrupt("its groups are not all of its bytes");
}

void DctRecord::FindGroups(int32_t component, int32_t block_row, Range blocks,
                           std::vector<PackedGroup>& found) const {
    const int32_t down = layout_.down[component];
    const int32_t blocks_of_group = groups_.mcus() * layout_.across[component];
    int32_t group = blocks.first / blocks_of_group;
    size_t at = static_cast<size_t>(block_row / down) * groups_.across() + group;
    at = at * groups_.block_rows() + groups_.first_block_row(component) + block_row % down;
    for (; group * blocks_of_group < blocks.last; ++group, at += groups_.block_rows()) {
        const size_t size = ends_[at + 1] - ends_[at];
        if (size > PackedBlocksBound(kMostBlocksOfGroup) - kReadablePastGroup)
            Corrupt("a group is too long");
        found.push_back(
            {data_ + ends_[at], size, groups_.Blocks(component, groups_.McusOf(group))});
    }
}

void DctRecord::Unpack(int32_t component, int32_t block_row, Range blocks, int16_t* out) const {
    thread_local std::vector<PackedGroup> found;
    found.clear();
    FindGroups(component, block_row, blocks, found);
    for (const PackedGroup& group : found) {
        const uint8_t* bytes = group.bytes;
        uint8_t padded[PackedBlocksBound(kMostBlocksOfGroup)];
        if (static_cast<size_t>(data_ + size_ - bytes) < group.size + kReadablePastGroup) {
            std::memcpy(padded, bytes, group.size);
            bytes = padded;
        }
        const Range all = group.blocks;
        const Range wanted = {std::max(blocks.first, all.first) - all.first,
                              std::min(blocks.last, all.last) - all.first};
        if (!UnpackGroup(bytes, group.size, all.count(), wanted, out))
            Corrupt("bytes that say other blocks");
        out += size_t{kCoefficients} * wanted.count();
    }
}

}  // namespace fastload
