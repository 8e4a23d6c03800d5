#include "jpeg_scan.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "huffman_decoding.h"

namespace fastload {
namespace {

// How far a token moves the place in the block. An end of block moves it out of reach of all
// others.
constexpr uint32_t kLastPlace = 63;
constexpr uint32_t kEndAdvance = 128;
constexpr uint32_t kFarthestPlace = kLastPlace - 1 + 16 + kEndAdvance;

constexpr uint32_t AdvanceOf(uint32_t symbol) {
    return symbol == kSymbolEndOfBlock ? kEndAdvance : (symbol >> 4) + 1;
}

// What the next bits say at once: one whole AC token or two, values included.
struct Pair {
    Token tokens[2];
    uint8_t count;
    uint8_t first_total;    // bits of the first token
    uint8_t first_advance;  // of the first token
    uint8_t advance;        // of all
};

class PairDecoding {
  public:
    static constexpr uint32_t kPeekBits = 10;

    void Build(const Decoding& single) {
        for (uint32_t index = 0; index < (1u << kPeekBits); ++index) {
            const uint64_t bits = uint64_t{index} << (64 - kPeekBits);
            const Entry first = single.Find(bits);
            totals_[index] = 0;
            if (first == 0 || TotalOf(first) > kPeekBits) continue;
            Pair& pair = pairs_[index];
            pair.tokens[0] = pair.tokens[1] = TokenOf(first, bits);
            pair.count = 1;
            pair.first_total = totals_[index] = static_cast<uint8_t>(TotalOf(first));
            pair.first_advance = pair.advance = static_cast<uint8_t>(AdvanceOf(SymbolOf(first)));
            if (SymbolOf(first) != kSymbolEndOfBlock)
                AddSecond(single, bits << TotalOf(first), index);
        }
    }

    static uint32_t IndexOf(uint64_t bits) {
        return static_cast<uint32_t>(bits >> (64 - kPeekBits));
    }

    // Bits of all tokens; 0 where the next token is longer than the peeked bits.
    uint32_t total(uint32_t index) const { return totals_[index]; }
    const Pair& pair(uint32_t index) const { return pairs_[index]; }

  private:
    void AddSecond(const Decoding& single, uint64_t bits, uint32_t index) {
        const Entry second = single.Find(bits);
        if (second == 0 || totals_[index] + TotalOf(second) > kPeekBits) return;
        Pair& pair = pairs_[index];
        pair.tokens[1] = TokenOf(second, bits);
        pair.count = 2;
        pair.advance = static_cast<uint8_t>(pair.advance + AdvanceOf(SymbolOf(second)));
        totals_[index] = static_cast<uint8_t>(totals_[index] + TotalOf(second));
    }

    Pair pairs_[1u << kPeekBits];
    uint8_t totals_[1u << kPeekBits];
};

// Room made ahead stops here: what follows the end of an image may be large and need none.
constexpr size_t kMostExpected = size_t{4} << 20;

// The AC tokens of one block, from where `bits` stands.
class BlockReader {
  public:
    BlockReader(Bits& bits, const Decoding& single, const PairDecoding& pairs, Token* out)
        : bits_(bits), single_(single), pairs_(pairs), out_(out) {}

    // Returns one past the last token, or null where the bytes say no block.
    Token* Run() {
        low_[1] = low_[2] = low_[4] = 0;
        // A refill's 56 bits suffice for two steps of at most 26.
        do {
            bits_.Refill();
        } while (!Step() && !Step());
        const bool ends =
            place_ == kLastPlace || (place_ >= kEndAdvance && place_ < kEndAdvance + kLastPlace);
        return ends ? out_ : nullptr;
    }

    // The coefficient at `place` in zigzag order, one of 1, 2 and 4.
    int32_t Low(uint32_t place) const { return ValueOf(low_[place]); }

  private:
    // Reads what the next bits say; returns whether that was the block's last, or nonsense.
    bool Step() {
        const uint32_t index = PairDecoding::IndexOf(bits_.Peek());
        const uint32_t total = pairs_.total(index);
        if (__builtin_expect(total == 0, 0)) return StepSingle();
        const Pair& pair = pairs_.pair(index);
        std::memcpy(out_, pair.tokens, sizeof(pair.tokens));
        const uint32_t first_place = place_ + pair.first_advance;
        place_ += pair.advance;
        low_[place_] = pair.tokens[1];
        low_[first_place] = pair.tokens[0];
        if (place_ >= kLastPlace) {
            EndWith(pair, first_place, total);
            return true;
        }
        bits_.Skip(total);
        out_ += pair.count;
        return false;
    }

    // A first token that fills the block leaves the second to the next block.
    void EndWith(const Pair& pair, uint32_t first_place, uint32_t total) {
        const bool first_fills = first_place == kLastPlace;
        if (first_fills) place_ = kLastPlace;
        bits_.Skip(first_fills ? pair.first_total : total);
        out_ += first_fills ? 1 : pair.count;
    }

    bool StepSingle() {
        const Entry entry = single_.Find(bits_.Peek());
        if (entry == 0) {
            place_ = kFarthestPlace + 1;
            return true;
        }
        const Token token = TokenOf(entry, bits_.Peek());
        bits_.Skip(TotalOf(entry));
        *out_++ = token;
        place_ += AdvanceOf(SymbolOf(entry));
        low_[place_] = token;
        return place_ >= kLastPlace;
    }

    Bits& bits_;
    const Decoding& single_;
    const PairDecoding& pairs_;
    Token* out_;
    uint32_t place_ = 0;
    // Tokens by place; only those read by `Low` mean anything, the others save a branch.
    Token low_[kFarthestPlace + 16 + 1];
};

HuffmanTable TableOf(const JHUFF_TBL& table) { return {table.bits + 1, table.huffval}; }

struct ScanComponent {
    const Decoding* dc;
    const Decoding* ac;
    const PairDecoding* ac_pairs;
    uint32_t dc_table;
    uint32_t ac_table;
    int32_t source_dc;   // prediction of the source, begun anew at its restarts
    int32_t written_dc;  // prediction of the tokens, begun anew in each row
};

class Scan {
  public:
    Scan(const jpeg_decompress_struct& info, const Frame& frame, TokenStream& tokens,
         JpegHash& hash)
        : info_(info), frame_(frame), tokens_(tokens), hash_(hash) {}

    bool Run() {
        if (!BuildDecodings()) return false;
        const uint8_t* next = info_.src->next_input_byte;
        const uint8_t* const end = next + info_.src->bytes_in_buffer;
        uint64_t left = uint64_t{frame_.mcus_across} * frame_.mcus_down;
        const uint64_t interval = info_.restart_interval > 0 ? info_.restart_interval : left;
        const size_t expected_bytes = std::min(info_.src->bytes_in_buffer, kMostExpected);
        if (interval >= left) segment_.Expect(expected_bytes);
        tokens_.Expect(expected_bytes);
        for (uint32_t restart = 0; left > 0; ++restart) {
            const uint32_t marker = segment_.Read(next, end);
            const uint64_t count = std::min(left, interval);
            left -= count;
            const uint32_t expected = left > 0 ? 0xD0 | (restart & 7) : 0xD9;
            if (marker != expected || !DecodeSegment(count)) return false;
        }
        return true;
    }

  private:
    bool BuildDecodings() {
        for (uint32_t i = 0; i < frame_.component_count; ++i) {
            const jpeg_component_info& source = info_.comp_info[i];
            const uint32_t slot = frame_.components[i].huffman_slot;
            ScanComponent& component = components_[i];
            if (i == 2 && SharesTablesOf(1, source, slot)) {
                component = components_[1];
                continue;
            }
            component = {&dc_[i], &ac_[i], &ac_pairs_[i], DcTable(slot), AcTable(slot), 0, 0};
            if (!dc_[i].Build(TableOf(*info_.dc_huff_tbl_ptrs[source.dc_tbl_no]), DcTable(slot)))
                return false;
            if (!ac_[i].Build(TableOf(*info_.ac_huff_tbl_ptrs[source.ac_tbl_no]), AcTable(slot)))
                return false;
            ac_pairs_[i].Build(ac_[i]);
        }
        return true;
    }

    bool SharesTablesOf(uint32_t other, const jpeg_component_info& source, uint32_t slot) const {
        const jpeg_component_info& known = info_.comp_info[other];
        return source.dc_tbl_no == known.dc_tbl_no && source.ac_tbl_no == known.ac_tbl_no &&
               slot == frame_.components[other].huffman_slot;
    }

    bool DecodeSegment(uint64_t mcu_count) {
        Bits bits(segment_);
        for (ScanComponent& component : components_) component.source_dc = 0;
        for (uint64_t i = 0; i < mcu_count; ++i) {
            if (!DecodeMcu(bits)) return false;
            if (++mcu_ < frame_.mcus_across) continue;
            mcu_ = 0;
            ++mcu_row_;
            tokens_.EndRow();
            for (ScanComponent& component : components_) component.written_dc = 0;
        }
        // Only the bits that fill up the last byte may be left.
        return bits.Left() >= 0 && bits.Left() < 8;
    }

    bool DecodeMcu(Bits& bits) {
        for (uint32_t i = 0; i < frame_.component_count; ++i) {
            const FrameComponent& layout = frame_.components[i];
            for (uint32_t v = 0; v < layout.vertical; ++v) {
                const uint32_t row = mcu_row_ * layout.vertical + v;
                for (uint32_t h = 0; h < layout.horizontal; ++h) {
                    if (!DecodeBlock(bits, i, row, mcu_ * layout.horizontal + h)) return false;
                }
            }
        }
        return true;
    }

    bool DecodeBlock(Bits& outer, uint32_t i, uint32_t row, uint32_t column) {
        ScanComponent& component = components_[i];
        Bits bits = outer;
        bits.Refill();
        const Entry entry = component.dc->Find(bits.Peek());
        if (entry == 0) return false;
        component.source_dc += ValueOf(TokenOf(entry, bits.Peek()));
        bits.Skip(TotalOf(entry));
        if (component.source_dc < INT16_MIN || component.source_dc > INT16_MAX) return false;

        Token* const start = tokens_.Block();
        BlockReader reader(bits, *component.ac, *component.ac_pairs, start + 1);
        Token* const end = reader.Run();
        if (end == nullptr || bits.Left() < 0) return false;
        outer = bits;
        const FrameComponent& layout = frame_.components[i];
        if (row >= layout.blocks_down || column >= layout.blocks_across) {
            start[0] = MakeToken(component.dc_table, 0, 0);
            start[1] = MakeToken(component.ac_table, kSymbolEndOfBlock, 0);
            tokens_.Advance(2);
            return true;
        }
        const int32_t difference = component.source_dc - component.written_dc;
        const uint32_t size = SizeOf(difference);
        if (size > kLargestDcSize) return false;
        component.written_dc = component.source_dc;
        start[0] = MakeToken(component.dc_table, size, BitsOf(difference, size));
        tokens_.Advance(static_cast<size_t>(end - start));
        if (i < hash_.components()) {
            hash_.AddBlock(i, row, column,
                           {component.source_dc, reader.Low(1), reader.Low(2), reader.Low(4)});
        }
        return true;
    }

    const jpeg_decompress_struct& info_;
    const Frame& frame_;
    TokenStream& tokens_;
    JpegHash& hash_;
    Segment segment_;
    Decoding dc_[kMostComponents];
    Decoding ac_[kMostComponents];
    PairDecoding ac_pairs_[kMostComponents];
    ScanComponent components_[kMostComponents] = {};
    uint32_t mcu_ = 0;
    uint32_t mcu_row_ = 0;
};

// The header says table numbers of up to 255, which libjpeg looks at only when it needs the table.
template <typename Table, size_t kCount>
bool IsThere(Table* const (&tables)[kCount], int number) {
    return number >= 0 && static_cast<size_t>(number) < kCount && tables[number] != nullptr;
}

}  // namespace

bool IsPlainScan(const jpeg_decompress_struct& info, const Frame& frame) {
    if (info.progressive_mode || info.arith_code || info.comps_in_scan != info.num_components)
        return false;
    if (info.Ss != 0 || info.Se != 63 || info.Ah != 0 || info.Al != 0) return false;
    for (uint32_t i = 0; i < frame.component_count; ++i) {
        const jpeg_component_info& component = info.comp_info[i];
        if (info.cur_comp_info[i] != &component) return false;
        if (!IsThere(info.quant_tbl_ptrs, component.quant_tbl_no)) return false;
        if (!IsThere(info.dc_huff_tbl_ptrs, component.dc_tbl_no)) return false;
        if (!IsThere(info.ac_huff_tbl_ptrs, component.ac_tbl_no)) return false;
        // The blocks of a lone component come one by one whatever its factors say.
        if (frame.component_count == 1) continue;
        if (static_cast<uint32_t>(component.h_samp_factor) != frame.components[i].horizontal)
            return false;
        if (static_cast<uint32_t>(component.v_samp_factor) != frame.components[i].vertical)
            return false;
    }
    return true;
}

bool TokensOfScan(const jpeg_decompress_struct& info, const Frame& frame, TokenStream& tokens,
                  JpegHash& hash) {
    return Scan(info, frame, tokens, hash).Run();
}

}  // namespace fastload
