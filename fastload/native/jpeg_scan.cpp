#include "jpeg_scan.h"

#include <algorithm>
#include <array>
#include <cstring>

namespace fastload {
namespace {

constexpr uint32_t kPeekBits = 11;
constexpr uint32_t kLongestCode = 16;

// A block consumes at most 64 tokens of 16 + 11 bits, so bytes are checked once a block if this
// many zeros lie behind the last.
constexpr size_t kPadding = 256;

// What a code says, packed: bits 0-7 length of code and value together (0: no valid token), bits
// 8-12 length of the code, bits 16-25 symbol and table as in a Token.
using Entry = uint32_t;

constexpr uint32_t TotalOf(Entry entry) { return entry & 63; }
constexpr uint32_t CodeLengthOf(Entry entry) { return (entry >> 8) & 31; }

bool IsAllowed(uint32_t symbol, bool dc) {
    if (dc) return symbol <= kLargestDcSize;
    const uint32_t size = symbol & 15;
    return size > 0 ? size <= kLargestAcSize
                    : symbol == kSymbolEndOfBlock || symbol == kSymbolZeroRun;
}

Entry MakeEntry(uint32_t length, uint32_t symbol, uint32_t table) {
    if (!IsAllowed(symbol, (table & 1) == 0)) return 0;
    return (length + (symbol & 15)) | length << 8 | (symbol | table << 8) << 16;
}

// Huffman decoding by the first bits, and by comparison (T.81 F.2.2.3) for the rare codes that are
// longer.
class Decoding {
  public:
    // Returns false where the table is not a prefix code.
    bool Build(const JHUFF_TBL& source, uint32_t table) {
        short_.fill(0);
        uint32_t code = 0, place = 0;
        for (uint32_t length = 1; length <= kLongestCode; ++length) {
            first_[length] = code;
            first_place_[length] = place;
            for (uint32_t i = 0; i < source.bits[length]; ++i, ++code, ++place) {
                if (place >= long_.size() || code >= (1u << length)) return false;
                long_[place] = MakeEntry(length, source.huffval[place], table);
                if (length <= kPeekBits) Fill(code, length, long_[place]);
            }
            end_[length] = code;
            code <<= 1;
        }
        return true;
    }

    // `bits` are left-aligned. 0 stands for what is not allowed.
    Entry Find(uint64_t bits) const {
        const Entry entry = short_[bits >> (64 - kPeekBits)];
        return __builtin_expect(entry != 0, 1) ? entry : FindLong(bits);
    }

  private:
    void Fill(uint32_t code, uint32_t length, Entry entry) {
        const uint32_t copies = 1u << (kPeekBits - length);
        for (uint32_t i = 0; i < copies; ++i) short_[code * copies + i] = entry;
    }

    __attribute__((noinline)) Entry FindLong(uint64_t bits) const {
        for (uint32_t length = kPeekBits + 1; length <= kLongestCode; ++length) {
            const auto code = static_cast<uint32_t>(bits >> (64 - length));
            if (code < end_[length] && code >= first_[length]) {
                return long_[first_place_[length] + code - first_[length]];
            }
        }
        return 0;
    }

    std::array<Entry, 1u << kPeekBits> short_;
    std::array<Entry, 256> long_;
    std::array<uint32_t, kLongestCode + 1> first_, end_, first_place_;
};

// One stretch between markers with its stuffed zeros taken out.
class Segment {
  public:
    // Reads up to the next marker; returns the marker, or 0 where the bytes end without one.
    uint32_t Read(const uint8_t*& next, const uint8_t* end) {
        bytes_.Clear();
        for (;;) {
            const void* found = std::memchr(next, 0xFF, static_cast<size_t>(end - next));
            if (found == nullptr) return 0;
            const auto* ff = static_cast<const uint8_t*>(found);
            if (end - ff < 2) return 0;
            const bool stuffed = ff[1] == 0;
            bytes_.Append(next, static_cast<size_t>(ff - next) + (stuffed ? 1 : 0));
            next = ff + 2;
            if (!stuffed) {
                std::memset(bytes_.Reserve(kPadding), 0, kPadding);
                return ff[1];
            }
        }
    }

    const uint8_t* begin() const { return bytes_.data(); }
    const uint8_t* end() const { return bytes_.data() + bytes_.size(); }

  private:
    Buffer bytes_;
};

// Left-aligned bits of a segment. After `Refill` at least 56 are there.
class Bits {
  public:
    explicit Bits(const Segment& segment) : next_(segment.begin()), end_(segment.end()) {}

    void Refill() {
        uint64_t word;
        std::memcpy(&word, next_, sizeof(word));
        bits_ |= __builtin_bswap64(word) >> count_;
        next_ += (63 - count_) >> 3;
        count_ |= 56;
    }

    uint64_t Peek() const { return bits_; }

    // `length` is 63 at most.
    void Skip(uint32_t length) {
        bits_ <<= length;
        count_ -= length;
    }

    // Bits that are left; negative where more were taken than there were.
    int64_t Left() const { return 8 * (end_ - next_) + static_cast<int64_t>(count_); }

  private:
    const uint8_t* next_;
    const uint8_t* end_;
    uint64_t bits_ = 0;
    uint32_t count_ = 0;
};

// T.81 F.2.2.1: `size` bits as a signed value.
int32_t Extend(uint32_t bits, uint32_t size) {
    const auto negative = static_cast<int32_t>((bits >> (size - 1) & 1) == 0);
    return static_cast<int32_t>(bits) - negative * ((1 << size) - 1);
}

int32_t ValueOf(Token token) {
    const uint32_t size = token & 15;
    return size == 0 ? 0 : Extend(token >> 16, size);
}

Token TokenOf(Entry entry, uint64_t bits) {
    const uint32_t size = (entry >> 16) & 15;
    const uint64_t value = ((bits << CodeLengthOf(entry)) >> 1) >> (63 - size);
    return entry >> 16 | static_cast<uint32_t>(value) << 16;
}

struct ScanComponent {
    const Decoding* dc;
    const Decoding* ac;
    uint32_t dc_table;
    uint32_t ac_table;
    int32_t source_dc;   // prediction of the source, reset at its restarts
    int32_t written_dc;  // prediction of the tokens, reset at each row
};

// The tokens that say the coefficients 1, 2 and 4 in zigzag order, whose place in the block is (0,
// 1), (1, 0) and (1, 1); filled by position, the others unused.
using LowTokens = std::array<Token, 64>;

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
            component.dc = &decodings_[2 * i];
            component.ac = &decodings_[2 * i + 1];
            component.dc_table = DcTable(slot);
            component.ac_table = AcTable(slot);
            // Chroma components nearly always share tables: one copy in cache serves both.
            if (i == 2 && source.dc_tbl_no == info_.comp_info[1].dc_tbl_no &&
                source.ac_tbl_no == info_.comp_info[1].ac_tbl_no &&
                slot == frame_.components[1].huffman_slot) {
                component.dc = components_[1].dc;
                component.ac = components_[1].ac;
                continue;
            }
            if (!decodings_[2 * i].Build(*info_.dc_huff_tbl_ptrs[source.dc_tbl_no],
                                         component.dc_table) ||
                !decodings_[2 * i + 1].Build(*info_.ac_huff_tbl_ptrs[source.ac_tbl_no],
                                             component.ac_table)) {
                return false;
            }
        }
        return true;
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
                    const uint32_t column = mcu_ * layout.horizontal + h;
                    const bool empty = row >= layout.blocks_down || column >= layout.blocks_across;
                    if (!DecodeBlock(bits, i, row, column, empty)) return false;
                }
            }
        }
        return true;
    }

    bool DecodeBlock(Bits& bits, uint32_t i, uint32_t row, uint32_t column, bool empty) {
        ScanComponent& component = components_[i];
        bits.Refill();
        const Entry entry = component.dc->Find(bits.Peek());
        if (entry == 0) return false;
        component.source_dc += ValueOf(TokenOf(entry, bits.Peek()));
        bits.Skip(TotalOf(entry));
        if (static_cast<uint32_t>(component.source_dc + 32768) > 65535) return false;

        Token* const start = tokens_.Block();
        LowTokens low;
        low[1] = low[2] = low[4] = 0;
        Token* const token = DecodeAc(bits, *component.ac, start + 1, low);
        if (token == nullptr || bits.Left() < 0) return false;
        if (empty) {
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
        tokens_.Advance(static_cast<size_t>(token - start));
        if (i < hash_.components()) {
            hash_.AddBlock(
                i, row, column,
                {component.source_dc, ValueOf(low[1]), ValueOf(low[2]), ValueOf(low[4])});
        }
        return true;
    }

    // Returns where the tokens end, or null.
    static Token* DecodeAc(Bits& outer, const Decoding& decoding, Token* token, LowTokens& low) {
        Bits bits = outer;
        uint32_t place = 0;
        do {
            bits.Refill();
            const Entry entry = decoding.Find(bits.Peek());
            if (entry == 0) return nullptr;
            const Token found = TokenOf(entry, bits.Peek());
            bits.Skip(TotalOf(entry));
            *token++ = found;
            const uint32_t symbol = found & 255;
            if (symbol == kSymbolEndOfBlock) break;
            place += (symbol >> 4) + 1;
            if (place > 63) return nullptr;
            low[place] = found;
        } while (place < 63);
        outer = bits;
        return token;
    }

    const jpeg_decompress_struct& info_;
    const Frame& frame_;
    TokenStream& tokens_;
    JpegHash& hash_;
    Segment segment_;
    std::array<Decoding, 2 * kMostComponents> decodings_;
    std::array<ScanComponent, kMostComponents> components_{};
    uint32_t mcu_ = 0;
    uint32_t mcu_row_ = 0;
};

}  // namespace

bool IsPlainScan(const jpeg_decompress_struct& info, const Frame& frame) {
    if (info.progressive_mode || info.arith_code || info.comps_in_scan != info.num_components)
        return false;
    if (info.Ss != 0 || info.Se != 63 || info.Ah != 0 || info.Al != 0) return false;
    for (uint32_t i = 0; i < frame.component_count; ++i) {
        const jpeg_component_info& component = info.comp_info[i];
        if (info.cur_comp_info[i] != &component) return false;
        if (info.quant_tbl_ptrs[component.quant_tbl_no] == nullptr) return false;
        if (info.dc_huff_tbl_ptrs[component.dc_tbl_no] == nullptr) return false;
        if (info.ac_huff_tbl_ptrs[component.ac_tbl_no] == nullptr) return false;
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
