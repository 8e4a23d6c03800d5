#include "dct_record.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <string>

#include "dct_blocks.h"
#include "error.h"
#include "jpeg_kernels.h"
#include "mcu_reader.h"
#include "simd_level.h"

namespace fastload {
namespace {

constexpr std::array<uint8_t, 4> kMagic = {'F', 'D', 'C', 'T'};
constexpr uint8_t kVersion = 1;
constexpr size_t kHeader = 16;
constexpr size_t kTable = 64 * sizeof(uint16_t);
constexpr int32_t kBlock = 8;
constexpr int32_t kCoefficients = kBlock * kBlock;
constexpr int32_t kMostBlocksOfMcu = 10;

[[noreturn]] void Corrupt(const char* what) {
    throw Failure(FL_CORRUPT, std::string("DCT record: ") + what);
}

int32_t DivideUp(int32_t value, int32_t divisor) { return (value + divisor - 1) / divisor; }

uint32_t WordAt(const uint8_t* at) { return at[0] | uint32_t{at[1]} << 8; }

void PutWord(uint32_t value, uint8_t* at) {
    at[0] = static_cast<uint8_t>(value);
    at[1] = static_cast<uint8_t>(value >> 8);
}

// ---- Writing

// The values of a block that are not zero, in natural order, and where they are.
struct Values {
    int16_t values[kCoefficients];
    size_t count = 0;
    uint8_t rows = 0;
    uint8_t masks[kBlock];
    size_t mask_count = 0;

    Values(const int16_t* block, int32_t prediction) {
        for (int32_t row = 0; row < kBlock; ++row) {
            uint8_t mask = 0;
            for (int32_t column = 0; column < kBlock; ++column) {
                const int32_t place = row * kBlock + column;
                const int16_t value = place == 0 ? Wrapped(block[0] - prediction) : block[place];
                if (value == 0) continue;
                mask |= static_cast<uint8_t>(1 << column);
                values[count++] = value;
            }
            if (mask == 0) continue;
            rows |= static_cast<uint8_t>(1 << row);
            masks[mask_count++] = mask;
        }
    }
};

// What a nibble cannot hold of a value, in sixteenths.
int32_t HighPart(int32_t value) { return (value - (((value & 15) ^ 8) - 8)) / 16; }

class BlockWriter {
  public:
    explicit BlockWriter(Buffer& out) : out_(out) {}

    void Write(const int16_t* block, int32_t prediction) {
        if (block[0] != Wrapped(block[0])) TooLarge();
        const Values values(block, prediction);
        uint8_t* const start = out_.Reserve(kMostBytesOfBlock);
        uint8_t* at = start;
        *at++ = values.rows;
        std::memcpy(at, values.masks, values.mask_count);
        at += values.mask_count;
        at = PutNibbles(values, at);
        at = PutHighParts(values, at);
        out_.Commit(static_cast<size_t>(at - start));
    }

  private:
    [[noreturn]] static void TooLarge() {
        throw Failure(FL_JPEG_NOT_BASELINE, "JPEG: coefficients of more than 12 bits");
    }

    static uint8_t* PutNibbles(const Values& values, uint8_t* at) {
        for (size_t i = 0; i < values.count; ++i) {
            const auto nibble = static_cast<uint8_t>(values.values[i] & 15);
            if (i % 2 == 0)
                *at = nibble;
            else
                *at++ |= static_cast<uint8_t>(nibble << 4);
        }
        return at + values.count % 2;
    }

    static uint8_t* PutHighParts(const Values& values, uint8_t* at) {
        uint8_t* const wide = at;
        at += (values.count + 7) / 8;
        std::memset(wide, 0, (values.count + 7) / 8);
        for (size_t i = 0; i < values.count; ++i) {
            const int32_t high = HighPart(values.values[i]);
            if (high == 0) continue;
            // 128 wraps around: only a DC difference has it, which does so too.
            if (high < -128 || high > 128) TooLarge();
            wide[i / 8] |= static_cast<uint8_t>(1 << i % 8);
            *at++ = static_cast<uint8_t>(high);
        }
        return at;
    }

    Buffer& out_;
};

void WriteHeader(const JpegLayout& layout, Buffer& out) {
    uint8_t header[kHeader] = {};
    std::copy(kMagic.begin(), kMagic.end(), header);
    header[4] = kVersion;
    header[5] = static_cast<uint8_t>(layout.component_count);
    header[6] = static_cast<uint8_t>(layout.colour);
    PutWord(static_cast<uint32_t>(layout.width), header + 8);
    PutWord(static_cast<uint32_t>(layout.height), header + 10);
    for (int32_t i = 0; i < layout.component_count; ++i)
        header[12 + i] = static_cast<uint8_t>(layout.across[i] << 4 | layout.down[i]);
    out.Append(header, kHeader);
    for (int32_t i = 0; i < layout.component_count; ++i) {
        uint8_t table[kTable];
        for (int32_t k = 0; k < kCoefficients; ++k)
            PutWord(layout.quant_tables[layout.quant_slots[i]][k], table + 2 * k);
        out.Append(table, kTable);
    }
}

// The groups of one component, row by row.
struct Groups {
    Buffer bytes;
    Buffer lengths;  // words

    void Write(const int16_t* blocks, int32_t count) {
        BlockWriter writer(bytes);
        for (int32_t first = 0; first < count; first += kBlocksOfGroup) {
            const size_t begin = bytes.size();
            int32_t prediction = 0;
            for (int32_t i = first; i < std::min(first + kBlocksOfGroup, count); ++i) {
                const int16_t* block = blocks + kCoefficients * i;
                writer.Write(block, prediction);
                prediction = block[0];
            }
            PutWord(static_cast<uint32_t>(bytes.size() - begin), lengths.Reserve(2));
            lengths.Commit(2);
        }
    }
};

// The blocks of an MCU row that hold pixels of the picture.
void WriteMcuRow(const JpegLayout& layout, int32_t mcu_row, const CoefficientRow& row,
                 Groups groups[3]) {
    for (int32_t i = 0; i < layout.component_count; ++i) {
        const BlockGrid grid = GridOf(layout, i);
        for (int32_t down = 0; down < layout.down[i]; ++down)
            if (mcu_row * layout.down[i] + down < grid.down)
                groups[i].Write(row.Blocks(i, down), grid.across);
    }
}

}  // namespace

BlockGrid GridOf(const JpegLayout& layout, int32_t component) {
    const auto blocks = [](int32_t pixels, int32_t factor, int32_t most) {
        return DivideUp(DivideUp(pixels * factor, most), kBlock);
    };
    return {blocks(layout.width, layout.across[component], layout.most_across),
            blocks(layout.height, layout.down[component], layout.most_down)};
}

void EncodeDct(const uint8_t* jpeg, size_t size, Buffer& out) {
    const JpegLayout layout = ReadJpegLayout(jpeg, size);
    if (!layout.seekable) throw Failure(FL_BAD_ARGUMENT, "DCT record: the JPEG is not seekable");
    std::vector<size_t> starts;
    FindMcuRows(jpeg, size, layout, 0, layout.mcu_rows, starts);
    McuReader reader;
    reader.Begin(layout, {0, layout.mcu_columns}, size);
    CoefficientRow rows[2];
    for (CoefficientRow& row : rows) row.Resize(layout, layout.mcu_columns);
    Groups groups[3];
    for (int32_t first = 0; first < layout.mcu_rows; first += 2) {
        const uint8_t* begins[2];
        const int32_t count = std::min(2, layout.mcu_rows - first);
        for (int32_t i = 0; i < count; ++i) begins[i] = jpeg + starts[first + i];
        reader.Read(begins, count, jpeg + size, rows);
        for (int32_t i = 0; i < count; ++i) WriteMcuRow(layout, first + i, rows[i], groups);
    }
    WriteHeader(layout, out);
    for (int32_t i = 0; i < layout.component_count; ++i)
        out.Append(groups[i].lengths.data(), groups[i].lengths.size());
    for (int32_t i = 0; i < layout.component_count; ++i)
        out.Append(groups[i].bytes.data(), groups[i].bytes.size());
}

void DctRecord::Open(const uint8_t* data, size_t size) {
    data_ = data;
    size_ = size;
    ReadHeader();
    const size_t directory = kHeader + kTable * static_cast<size_t>(layout_.component_count);
    size_t count = 0;
    for (int32_t i = 0; i < layout_.component_count; ++i) {
        grids_[i] = GridOf(layout_, i);
        first_group_[i] = count;
        count += static_cast<size_t>(grids_[i].down) * grids_[i].groups_across();
    }
    if (size < directory || (size - directory) / 2 < count) Corrupt("ends within its directory");
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

void DctRecord::ReadHeader() {
    const uint8_t* const header = data_;
    if (size_ < kHeader || !std::equal(kMagic.begin(), kMagic.end(), header))
        Corrupt("does not begin as one");
    if (size_ > UINT32_MAX) Corrupt("more than 4 GB");
    if (header[4] != kVersion)
        Corrupt("of a version that this fastload does not know: install a newer one");
    layout_ = {};
    layout_.component_count = header[5];
    layout_.colour = static_cast<JpegColour>(header[6]);
    layout_.width = static_cast<int32_t>(WordAt(header + 8));
    layout_.height = static_cast<int32_t>(WordAt(header + 10));
    const bool is_grey = layout_.colour == JpegColour::kGrey;
    if (header[6] > 2 || layout_.component_count != (is_grey ? 1 : 3)) Corrupt("unknown colours");
    if (layout_.width < 1 || layout_.height < 1) Corrupt("no pixels");
    ReadSampling(header + 12);
    if (size_ < kHeader + kTable * static_cast<size_t>(layout_.component_count))
        Corrupt("ends within its tables");
    for (int32_t i = 0; i < layout_.component_count; ++i) {
        const uint8_t* const table = header + kHeader + kTable * i;
        layout_.quant_slots[i] = i;
        for (int32_t k = 0; k < kCoefficients; ++k)
            layout_.quant_tables[i][k] = static_cast<uint16_t>(WordAt(table + 2 * k));
    }
}

void DctRecord::ReadSampling(const uint8_t* factors) {
    int32_t blocks = 0;
    for (int32_t i = 0; i < layout_.component_count; ++i) {
        const int32_t across = factors[i] >> 4, down = factors[i] & 15;
        if (across < 1 || across > 4 || down < 1 || down > 4) Corrupt("impossible sampling");
        layout_.across[i] = across;
        layout_.down[i] = down;
        layout_.most_across = std::max(layout_.most_across, across);
        layout_.most_down = std::max(layout_.most_down, down);
        blocks += across * down;
    }
    for (int32_t i = 0; i < layout_.component_count; ++i)
        if (layout_.most_across % layout_.across[i] != 0 ||
            layout_.most_down % layout_.down[i] != 0 || blocks > kMostBlocksOfMcu)
            Corrupt("impossible sampling");
    layout_.mcu_columns = DivideUp(layout_.width, kBlock * layout_.most_across);
    layout_.mcu_rows = DivideUp(layout_.height, kBlock * layout_.most_down);
}

void DctRecord::Unpack(int32_t component, int32_t row, int32_t first, int32_t last,
                       int16_t* blocks) const {
    static UnpackBlocks* const unpack =
        CurrentSimdLevel() == SimdLevel::kPortable ? UnpackBlocksPortable : UnpackBlocksAvx2;
    const BlockGrid& grid = grids_[component];
    const size_t groups = first_group_[component] + static_cast<size_t>(row) * grid.groups_across();
    for (int32_t group = first / kBlocksOfGroup; group * kBlocksOfGroup < last; ++group) {
        const uint8_t* at = data_ + ends_[groups + group];
        const size_t size = ends_[groups + group + 1] - ends_[groups + group];
        const int32_t count = std::min(kBlocksOfGroup, grid.across - group * kBlocksOfGroup);
        uint8_t padded[kBlocksOfGroup * kMostBytesOfBlock + kReadablePastGroup];
        if (size > kBlocksOfGroup * kMostBytesOfBlock) Corrupt("a group is too long");
        if (static_cast<size_t>(data_ + size_ - at) < size + kReadablePastGroup) {
            std::memcpy(padded, at, size);
            at = padded;
        }
        if (!unpack(at, at + size, count, blocks)) Corrupt("bytes that say other blocks");
        blocks += kCoefficients * kBlocksOfGroup;
    }
}

}  // namespace fastload
