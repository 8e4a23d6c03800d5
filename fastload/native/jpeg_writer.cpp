#include "jpeg_writer.h"

#include <algorithm>
#include <cstring>
#include <string_view>

#include "huffman_code.h"
#include "jpeg_pack.h"
#include "zigzag.h"

namespace fastload {
namespace {

using namespace std::string_view_literals;

using Codes = std::array<HuffmanCode, 4>;

// Bytes of one marker segment, big-endian as JPEG has them.
class Segments {
  public:
    explicit Segments(Buffer& out) : out_(out) {}

    void Bytes(std::string_view bytes) { out_.Append(bytes.data(), bytes.size()); }
    void Byte(uint32_t value) {
        const auto byte = static_cast<uint8_t>(value);
        out_.Append(&byte, 1);
    }
    void Word(uint32_t value) {
        Byte(value >> 8);
        Byte(value);
    }
    // `length` counts itself, not the marker.
    void Marker(uint32_t marker, uint32_t length) {
        Byte(0xFF);
        Byte(marker);
        Word(length);
    }

  private:
    Buffer& out_;
};

bool NeedsWords(const QuantTable& table) {
    return std::any_of(table.begin(), table.end(), [](uint16_t level) { return level > 255; });
}

// RGB is told from YCbCr by Adobe's marker, and by component ids for readers that look at those.
uint32_t ComponentId(const Frame& frame, uint32_t i) {
    return frame.colour == JpegColour::kRgb ? static_cast<uint32_t>("RGB"[i]) : i + 1;
}

void WriteColour(const Frame& frame, Segments& out) {
    if (frame.colour == JpegColour::kRgb) {
        out.Marker(0xEE, 14);
        out.Bytes("Adobe\0\x64\0\0\0\0\0"sv);  // version 100, no flags, transform 0
    } else {
        out.Marker(0xE0, 16);
        out.Bytes("JFIF\0\1\1\0\0\1\0\1\0\0"sv);  // version 1.1, no density, no thumbnail
    }
}

void WriteQuantTables(const Frame& frame, Segments& out) {
    for (uint32_t slot = 0; slot < frame.quant_tables.size(); ++slot) {
        const QuantTable& table = frame.quant_tables[slot];
        const bool words = NeedsWords(table);
        out.Marker(0xDB, words ? 3 + 128 : 3 + 64);
        out.Byte(slot | (words ? 0x10 : 0x00));
        for (uint8_t place : kNaturalOrder) {
            if (words) {
                out.Word(table[place]);
            } else {
                out.Byte(table[place]);
            }
        }
    }
}

void WriteFrameHeader(const Frame& frame, Segments& out) {
    const bool extended =
        std::any_of(frame.quant_tables.begin(), frame.quant_tables.end(), NeedsWords);
    out.Marker(extended ? 0xC1 : 0xC0, 8 + 3 * frame.component_count);
    out.Byte(8);
    out.Word(frame.height);
    out.Word(frame.width);
    out.Byte(frame.component_count);
    for (uint32_t i = 0; i < frame.component_count; ++i) {
        const FrameComponent& component = frame.components[i];
        out.Byte(ComponentId(frame, i));
        out.Byte(component.horizontal << 4 | component.vertical);
        out.Byte(component.quant_slot);
    }
}

void WriteHuffmanTables(const Frame& frame, const Codes& codes, Segments& out) {
    for (uint32_t table = 0; table < 2 * frame.huffman_slots(); ++table) {
        const HuffmanCode& code = codes[table];
        const uint32_t symbols = code.symbol_count();
        out.Marker(0xC4, 19 + symbols);
        out.Byte((table & 1) << 4 | table >> 1);
        for (size_t length = 1; length <= 16; ++length) out.Byte(code.counts[length]);
        for (uint32_t i = 0; i < symbols; ++i) out.Byte(code.symbols[i]);
    }
}

void WriteScanHeader(const Frame& frame, Segments& out) {
    out.Marker(0xDD, 4);
    out.Word(frame.mcus_across);
    out.Marker(0xDA, 6 + 2 * frame.component_count);
    out.Byte(frame.component_count);
    for (uint32_t i = 0; i < frame.component_count; ++i) {
        const uint32_t slot = frame.components[i].huffman_slot;
        out.Byte(ComponentId(frame, i));
        out.Byte(slot << 4 | slot);
    }
    out.Bytes("\0\77\0"sv);  // coefficients 0 to 63, all bits at once
}

EntropyCodes MakeEntropyCodes(const Codes& codes) {
    EntropyCodes result{};
    for (uint32_t i = 0; i < result.size(); ++i) {
        const HuffmanCode& code = codes[i >> 8];
        const uint32_t symbol = i & 255, size = symbol & 15;
        if (code.lengths[symbol] == 0) continue;
        result[i] = uint32_t{code.codes[symbol]} << size | (code.lengths[symbol] + size)
                                                               << kLengthShift;
    }
    return result;
}

uint64_t CountBits(const std::array<std::array<uint32_t, 256>, 4>& frequencies,
                   const Codes& codes) {
    uint64_t bits = 0;
    for (size_t table = 0; table < 4; ++table) {
        for (uint32_t symbol = 0; symbol < 256; ++symbol) {
            bits += uint64_t{frequencies[table][symbol]} *
                    (codes[table].lengths[symbol] + (symbol & 15));
        }
    }
    return bits;
}

// Copies with a zero byte after each 0xFF; returns where the copy ends.
uint8_t* Stuff(const uint8_t* bytes, const uint8_t* end, uint8_t* out) {
    for (;;) {
        const void* found = std::memchr(bytes, 0xFF, static_cast<size_t>(end - bytes));
        const uint8_t* const stop = found == nullptr ? end : static_cast<const uint8_t*>(found) + 1;
        const auto count = static_cast<size_t>(stop - bytes);
        std::memcpy(out, bytes, count);
        out += count;
        bytes = stop;
        if (found == nullptr) return out;
        *out++ = 0;
    }
}

uint8_t* PutMarker(uint8_t* out, uint32_t marker) {
    out[0] = 0xFF;
    out[1] = static_cast<uint8_t>(marker);
    return out + 2;
}

void WriteEntropy(const TokenStream& tokens, const Codes& codes, uint64_t bits, Buffer& out) {
    const auto& row_ends = tokens.row_ends();
    // Each byte may need a zero behind it; each row ends in up to one more byte and a marker.
    uint8_t* const start = out.Reserve(2 * (bits / 8 + row_ends.size()) + 2 * row_ends.size() + 2);
    uint8_t* next = start;
    const EntropyCodes entropy_codes = MakeEntropyCodes(codes);
    Buffer packed;
    size_t token = 0;
    for (size_t row = 0; row < row_ends.size(); ++row) {
        if (row > 0) next = PutMarker(next, 0xD0 | ((row - 1) & 7));
        const size_t count = row_ends[row] - token;
        uint8_t* const bytes = packed.Reserve(PackedBound(count));
        const uint8_t* const end = PackTokens(tokens.tokens() + token, count, entropy_codes, bytes);
        next = Stuff(bytes, end, next);
        token += count;
    }
    next = PutMarker(next, 0xD9);
    out.Commit(static_cast<size_t>(next - start));
}

}  // namespace

void WriteJpeg(const Frame& frame, const TokenStream& tokens, Buffer& out) {
    const auto frequencies = tokens.Frequencies();
    Codes codes;
    for (size_t table = 0; table < codes.size(); ++table)
        codes[table] = OptimalCode(frequencies[table]);
    Segments segments(out);
    segments.Bytes("\xFF\xD8"sv);
    WriteColour(frame, segments);
    WriteQuantTables(frame, segments);
    WriteFrameHeader(frame, segments);
    WriteHuffmanTables(frame, codes, segments);
    WriteScanHeader(frame, segments);
    WriteEntropy(tokens, codes, CountBits(frequencies, codes), out);
}

}  // namespace fastload
