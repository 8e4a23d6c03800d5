#include "dct_encode.h"

#include <algorithm>
#include <vector>

#include "block_tokens.h"
#include "error.h"
#include "jpeg_frame.h"
#include "jpeg_layout.h"
#include "jpeg_writer.h"
#include "mcu_reader.h"

namespace fastload {
namespace {

constexpr int32_t kCoefficients = 64;

// The groups of one MCU row after the other.
class GroupsOfImage {
  public:
    explicit GroupsOfImage(const JpegLayout& layout) : layout_(layout), groups_(layout) {}

    void AddRow(int32_t mcu_row, const CoefficientRow& row) {
        for (int32_t group = 0; group < groups_.across(); ++group) {
            uint16_t lengths[kMostBlockRows];
            if (!PackGroups(layout_, groups_, mcu_row, row, 0, groups_.McusOf(group), bytes_,
                            lengths))
                throw Failure(FL_JPEG_NOT_BASELINE, "JPEG: coefficients too large for a record");
            for (int32_t i = 0; i < groups_.block_rows(); ++i) {
                const uint8_t word[2] = {static_cast<uint8_t>(lengths[i]),
                                         static_cast<uint8_t>(lengths[i] >> 8)};
                directory_.Append(word, sizeof(word));
            }
        }
    }

    void Write(Buffer& out) const {
        WriteDctHeader(layout_, out);
        out.Append(directory_.data(), directory_.size());
        out.Append(bytes_.data(), bytes_.size());
    }

  private:
    const JpegLayout& layout_;
    const DctGroups groups_;
    Buffer directory_;
    Buffer bytes_;
};

Frame FrameOf(const DctRecord& record) {
    const JpegLayout& layout = record.layout();
    Frame frame{};
    frame.width = static_cast<uint32_t>(layout.width);
    frame.height = static_cast<uint32_t>(layout.height);
    frame.colour = layout.colour;
    frame.component_count = static_cast<uint32_t>(layout.component_count);
    frame.mcus_across = static_cast<uint32_t>(layout.mcu_columns);
    frame.mcus_down = static_cast<uint32_t>(layout.mcu_rows);
    for (int32_t i = 0; i < layout.component_count; ++i) {
        FrameComponent& component = frame.components[i];
        component.horizontal = static_cast<uint32_t>(layout.across[i]);
        component.vertical = static_cast<uint32_t>(layout.down[i]);
        component.huffman_slot = layout.colour == JpegColour::kYcc && i > 0 ? 1 : 0;
        component.quant_slot = AddQuantTable(layout.quant_tables[i], frame);
    }
    return frame;
}

// Writes the tokens of a record's blocks MCU row by MCU row.
class RecordTokens {
  public:
    RecordTokens(const DctRecord& record, const Frame& frame, TokenStream& tokens)
        : record_(record), layout_(record.layout()), tokens_(tokens) {
        for (int32_t i = 0; i < layout_.component_count; ++i)
            tokenizers_.emplace_back(frame.components[i].huffman_slot, tokens);
    }

    void AddRow(int32_t mcu_row) {
        for (BlockTokenizer& tokenizer : tokenizers_) tokenizer.BeginRow();
        for (int32_t group = 0; group < record_.groups().across(); ++group) {
            const Range mcus = record_.groups().McusOf(group);
            UnpackGroups(mcu_row, mcus);
            for (int32_t mcu = mcus.first; mcu < mcus.last; ++mcu) AddMcu(mcu_row, mcus, mcu);
        }
        tokens_.EndRow();
    }

  private:
    void UnpackGroups(int32_t mcu_row, Range mcus) {
        for (int32_t i = 0; i < layout_.component_count; ++i) {
            const Range blocks = record_.groups().Blocks(i, mcus);
            for (int32_t down = 0; down < layout_.down[i]; ++down)
                if (record_.groups().HasRow(i, mcu_row, down))
                    record_.Unpack(i, mcu_row * layout_.down[i] + down, blocks, blocks_[i][down]);
        }
    }

    void AddMcu(int32_t mcu_row, Range mcus, int32_t mcu) {
        for (int32_t i = 0; i < layout_.component_count; ++i) {
            const int32_t across = layout_.across[i];
            const Range blocks = record_.groups().Blocks(i, mcus);
            for (int32_t down = 0; down < layout_.down[i]; ++down) {
                const bool has_row = record_.groups().HasRow(i, mcu_row, down);
                for (int32_t block = mcu * across; block < (mcu + 1) * across; ++block) {
                    if (has_row && block < blocks.last)
                        tokenizers_[i].Add(blocks_[i][down] +
                                           kCoefficients * (block - blocks.first));
                    else
                        tokenizers_[i].AddEmpty();
                }
            }
        }
    }

    const DctRecord& record_;
    const JpegLayout& layout_;
    TokenStream& tokens_;
    std::vector<BlockTokenizer> tokenizers_;
    int16_t blocks_[3][4][kMostBlocksOfGroup * kCoefficients];
};

}  // namespace

void EncodeDct(const uint8_t* jpeg, size_t size, Buffer& out) {
    const JpegLayout layout = ReadJpegLayout(jpeg, size);
    if (!layout.seekable) throw Failure(FL_BAD_ARGUMENT, "DCT record: the JPEG is not seekable");
    std::vector<size_t> starts;
    FindMcuRows(jpeg, size, layout, 0, layout.mcu_rows, starts);
    McuReader reader;
    reader.Begin(layout, {0, layout.mcu_columns}, size);
    CoefficientRow rows[2];
    for (CoefficientRow& row : rows) row.Resize(layout, layout.mcu_columns);
    CoefficientRow* const both_rows[2] = {&rows[0], &rows[1]};
    GroupsOfImage groups(layout);
    for (int32_t first = 0; first < layout.mcu_rows; first += 2) {
        const uint8_t* begins[2];
        McuPlace places[2];
        const int32_t count = std::min(2, layout.mcu_rows - first);
        for (int32_t i = 0; i < count; ++i) begins[i] = jpeg + starts[first + i];
        reader.Read(begins, count, jpeg + size, places, both_rows);
        for (int32_t i = 0; i < count; ++i) groups.AddRow(first + i, rows[i]);
    }
    groups.Write(out);
}

void WriteJpegOfDct(const DctRecord& record, Buffer& out) {
    const Frame frame = FrameOf(record);
    TokenStream tokens;
    RecordTokens rows(record, frame, tokens);
    for (int32_t row = 0; row < record.layout().mcu_rows; ++row) rows.AddRow(row);
    WriteJpeg(frame, tokens, out);
}

}  // namespace fastload
