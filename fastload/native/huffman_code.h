// Optimal Huffman codes of at most 16 bits, ITU-T T.81 Annex K.2.
#ifndef FASTLOAD_NATIVE_HUFFMAN_CODE_H_
#define FASTLOAD_NATIVE_HUFFMAN_CODE_H_

#include <array>
#include <cstdint>

namespace fastload {

struct HuffmanCode {
    std::array<uint8_t, 17> counts;    // codes of each length; [0] is 0
    std::array<uint8_t, 256> symbols;  // in the order of their codes
    std::array<uint16_t, 256> codes;   // of each symbol, right-aligned
    std::array<uint8_t, 256> lengths;  // of each symbol; 0 where it has no code

    uint32_t symbol_count() const;
};

// Every symbol with a frequency above 0 gets a code; no code is all ones.
HuffmanCode OptimalCode(const std::array<uint32_t, 256>& frequencies);

}  // namespace fastload

#endif  // FASTLOAD_NATIVE_HUFFMAN_CODE_H_
