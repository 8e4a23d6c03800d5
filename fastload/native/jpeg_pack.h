// Tokens to bits, the last step of Huffman coding.
#ifndef FASTLOAD_NATIVE_JPEG_PACK_H_
#define FASTLOAD_NATIVE_JPEG_PACK_H_

#include <array>
#include <cstddef>
#include <cstdint>

#include "jpeg_tokens.h"

namespace fastload {

// For each token's low 10 bits: its code moved left by the size of the bits that follow it, and in
// bits 27-31 the length of both together (27 at most).
using EntropyCodes = std::array<uint32_t, 1024>;
inline constexpr uint32_t kLengthShift = 27;

// Room that PackTokens needs for `count` tokens, in bytes.
constexpr size_t PackedBound(size_t count) { return 4 * count + 16; }

// Writes the tokens' bits, the first one highest, and fills the last byte with ones (T.81 F.1.2.3).
// Bytes of 0xFF get no zero behind them. Returns where the bytes end.
uint8_t* PackTokens(const Token* tokens, size_t count, const EntropyCodes& codes, uint8_t* out);

}  // namespace fastload

#endif  // FASTLOAD_NATIVE_JPEG_PACK_H_
