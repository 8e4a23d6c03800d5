// Reading Huffman-coded JPEG bytes: codes looked up by their first bits, markers and stuffed zeros
// out of the way.
#ifndef FASTLOAD_NATIVE_HUFFMAN_DECODING_H_
#define FASTLOAD_NATIVE_HUFFMAN_DECODING_H_

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "buffer.h"
#include "jpeg_layout.h"
#include "jpeg_tokens.h"

namespace fastload {

inline constexpr uint32_t kLongestCode = 16;

// One code, packed: bits 0-5 length of code and value together, bits 8-12 length of the code, bits
// 16-25 symbol and table as in a Token. 0: nothing that is allowed.
using Entry = uint32_t;

constexpr uint32_t TotalOf(Entry entry) { return entry & 63; }
constexpr uint32_t CodeLengthOf(Entry entry) { return (entry >> 8) & 31; }
constexpr uint32_t SymbolOf(Entry entry) { return (entry >> 16) & 255; }

constexpr bool IsAllowed(uint32_t symbol, uint32_t table) {
    if (IsDc(table)) return symbol <= kLargestDcSize;
    const uint32_t size = symbol & 15;
    return size > 0 ? size <= kLargestAcSize
                    : symbol == kSymbolEndOfBlock || symbol == kSymbolZeroRun;
}

constexpr Entry MakeEntry(uint32_t length, uint32_t symbol, uint32_t table) {
    if (!IsAllowed(symbol, table)) return 0;
    return (length + (symbol & 15)) | length << 8 | (symbol | table << 8) << 16;
}

// `bits` are left-aligned.
inline Token TokenOf(Entry entry, uint64_t bits) {
    const uint32_t size = (entry >> 16) & 15;
    const uint64_t value = ((bits << CodeLengthOf(entry)) >> 1) >> (63 - size);
    return entry >> 16 | static_cast<uint32_t>(value) << 16;
}

// The signed value that a token's bits say (T.81 F.2.2.1), without a branch; 0 for size 0.
inline int32_t ValueOf(Token token) {
    const uint32_t size = token & 15;
    const auto bits = static_cast<int32_t>(token >> 16);
    const int32_t span = (1 << size) - 1;
    return bits - (2 * bits <= span ? span : 0);
}

// Huffman decoding by the first bits, and by comparison (T.81 F.2.2.3) for the rare codes that are
// longer.
class Decoding {
  public:
    // Returns false where libjpeg refuses the table: more codes than a length has, one that is all
    // ones, or a DC size above 15.
    bool Build(const HuffmanTable& source, uint32_t table) {
        std::memset(short_, 0, sizeof(short_));
        uint32_t code = 0, place = 0;
        for (uint32_t length = 1; length <= kLongestCode; ++length, code <<= 1) {
            first_[length] = code;
            first_place_[length] = place;
            for (uint32_t i = 0; i < source.counts[length - 1]; ++i, ++code, ++place) {
                if (place >= 256 || code + 1 >= (1u << length)) return false;
                const uint32_t symbol = source.symbols[place];
                if (IsDc(table) && symbol > 15) return false;
                long_[place] = MakeEntry(length, symbol, table);
                if (length <= kPeekBits) Fill(code, length, long_[place]);
            }
            end_[length] = code;
        }
        return true;
    }

    // `bits` are left-aligned.
    Entry Find(uint64_t bits) const {
        const Entry entry = short_[bits >> (64 - kPeekBits)];
        return __builtin_expect(entry != 0, 1) ? entry : FindLong(bits);
    }

  private:
    static constexpr uint32_t kPeekBits = 10;

    void Fill(uint32_t code, uint32_t length, Entry entry) {
        const uint32_t copies = 1u << (kPeekBits - length);
        for (uint32_t i = 0; i < copies; ++i) short_[code * copies + i] = entry;
    }

    __attribute__((noinline)) Entry FindLong(uint64_t bits) const {
        for (uint32_t length = kPeekBits + 1; length <= kLongestCode; ++length) {
            const auto code = static_cast<uint32_t>(bits >> (64 - length));
            if (code >= first_[length] && code < end_[length]) {
                return long_[first_place_[length] + code - first_[length]];
            }
        }
        return 0;
    }

    Entry short_[1u << kPeekBits];
    Entry long_[256];
    uint32_t first_[kLongestCode + 1], end_[kLongestCode + 1], first_place_[kLongestCode + 1];
};

// A block consumes at most 64 tokens of 27 bits and reads 16 bytes ahead, so it is enough to look
// for the end of the bytes once a block if this many zeros lie behind them.
inline constexpr size_t kPadding = 256;

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

    void Expect(size_t bytes) { (void)bytes_.Reserve(bytes + kPadding); }

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

    // `length` is at most what is there.
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

}  // namespace fastload

#endif  // FASTLOAD_NATIVE_HUFFMAN_DECODING_H_
