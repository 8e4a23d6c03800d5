#include "jpeg_pack.h"

#include <cstring>

namespace fastload {
namespace {

// Left-aligned bits on their way out. Whole bytes leave at each `Put`, whether that completes any
// or not: a branch would be guessed wrong too often.
class BitPacker {
  public:
    explicit BitPacker(uint8_t* out) : out_(out) {}

    // `length` is 1 .. 56.
    void Put(uint64_t bits, uint32_t length) {
        count_ += length;
        pending_ |= bits << (64 - count_);
        const uint64_t bytes = __builtin_bswap64(pending_);
        std::memcpy(out_, &bytes, sizeof(bytes));
        out_ += count_ >> 3;
        pending_ <<= count_ & ~7u;
        count_ &= 7;
    }

    uint8_t* Finish() {
        if (count_ > 0) *out_++ = static_cast<uint8_t>(pending_ >> 56 | 0xFFu >> count_);
        return out_;
    }

  private:
    uint8_t* out_;
    uint64_t pending_ = 0;
    uint32_t count_ = 0;
};

uint64_t BitsOfToken(Token token, uint32_t code) {
    return (code & ((1u << kLengthShift) - 1)) | token >> 16;
}

}  // namespace

uint8_t* PackTokens(const Token* tokens, size_t count, const EntropyCodes& codes, uint8_t* out) {
    const uint32_t* const code_of = &codes[0];
    BitPacker packer(out);
    size_t i = 0;
    for (; i + 2 <= count; i += 2) {
        const Token first = tokens[i], second = tokens[i + 1];
        const uint32_t first_code = code_of[first & 1023], second_code = code_of[second & 1023];
        const uint32_t second_length = second_code >> kLengthShift;
        const uint64_t bits =
            BitsOfToken(first, first_code) << second_length | BitsOfToken(second, second_code);
        packer.Put(bits, (first_code >> kLengthShift) + second_length);
    }
    if (i < count) {
        const uint32_t code = code_of[tokens[i] & 1023];
        packer.Put(BitsOfToken(tokens[i], code), code >> kLengthShift);
    }
    return packer.Finish();
}

}  // namespace fastload
