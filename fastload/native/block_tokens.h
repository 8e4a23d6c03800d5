// The Huffman symbols of blocks of coefficients.
#ifndef FASTLOAD_NATIVE_BLOCK_TOKENS_H_
#define FASTLOAD_NATIVE_BLOCK_TOKENS_H_

#include <cstdint>

#include "jpeg_tokens.h"

namespace fastload {

// Adds the tokens of one component's blocks, whose DC differences begin anew in each row.
class BlockTokenizer {
  public:
    BlockTokenizer(uint32_t huffman_slot, TokenStream& tokens)
        : dc_(DcTable(huffman_slot)), ac_(AcTable(huffman_slot)), tokens_(&tokens) {}

    void BeginRow() { last_dc_ = 0; }

    // 64 coefficients in natural order. Throws FL_JPEG_NOT_BASELINE where one is larger than
    // baseline Huffman symbols can say.
    void Add(const int16_t* block);

    // A block that only fills up an MCU: the last one's DC again.
    void AddEmpty();

  private:
    uint32_t dc_;
    uint32_t ac_;
    TokenStream* tokens_;
    int32_t last_dc_ = 0;
};

}  // namespace fastload

#endif  // FASTLOAD_NATIVE_BLOCK_TOKENS_H_
