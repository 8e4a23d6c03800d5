// The Huffman symbols of a whole image before their codes are known, and how often each occurs.
#ifndef FASTLOAD_NATIVE_JPEG_TOKENS_H_
#define FASTLOAD_NATIVE_JPEG_TOKENS_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "buffer.h"

namespace fastload {

// Bits 0-7: the symbol (T.81 F.1.2: zero run << 4 | size; a DC symbol is its size alone). Bits 8-9:
// the Huffman table. Bits 16-31: the `size` bits that follow the code.
using Token = uint32_t;

inline constexpr uint32_t kSymbolEndOfBlock = 0x00;
inline constexpr uint32_t kSymbolZeroRun = 0xF0;
inline constexpr uint32_t kMostTokensInBlock = 64;
// Tokens that may be written behind the last one of a block and are then not counted.
inline constexpr uint32_t kSpareTokens = 8;
inline constexpr uint32_t kLargestDcSize = 11;
inline constexpr uint32_t kLargestAcSize = 10;

constexpr uint32_t DcTable(uint32_t huffman_slot) { return 2 * huffman_slot; }
constexpr uint32_t AcTable(uint32_t huffman_slot) { return 2 * huffman_slot + 1; }
constexpr bool IsDc(uint32_t table) { return table % 2 == 0; }
constexpr Token MakeToken(uint32_t table, uint32_t symbol, uint32_t bits) {
    return symbol | table << 8 | bits << 16;
}

// The number of bits of |value|.
inline uint32_t SizeOf(int32_t value) {
    const auto magnitude = static_cast<uint32_t>(value < 0 ? -value : value);
    return magnitude == 0 ? 0 : 32 - static_cast<uint32_t>(__builtin_clz(magnitude));
}

// T.81 F.1.2.1: negative values are sent as value - 1 in `size` bits.
inline uint32_t BitsOf(int32_t value, uint32_t size) {
    return static_cast<uint32_t>(value + (value >> 31)) & ((1u << size) - 1);
}

class TokenStream {
  public:
    // Makes room for about as many tokens as `bytes` of entropy-coded data hold.
    void Expect(size_t bytes);

    // Room for the tokens of one block; `Advance` tells where they end.
    Token* Block() {
        return reinterpret_cast<Token*>(
            tokens_.Reserve((kMostTokensInBlock + kSpareTokens) * sizeof(Token)));
    }
    void Advance(size_t count) { tokens_.Commit(count * sizeof(Token)); }

    void EndRow();

    const Token* tokens() const { return reinterpret_cast<const Token*>(tokens_.data()); }

    // One past the last token of each MCU row.
    const std::vector<size_t>& row_ends() const { return row_ends_; }

    // Occurrences of each symbol in each of the four tables.
    std::array<std::array<uint32_t, 256>, 4> Frequencies() const;

  private:
    Buffer tokens_;
    std::vector<size_t> row_ends_;
};

}  // namespace fastload

#endif  // FASTLOAD_NATIVE_JPEG_TOKENS_H_
