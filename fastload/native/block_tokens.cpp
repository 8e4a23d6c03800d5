#include "block_tokens.h"

#include <array>
#include <string>

#include "error.h"

namespace fastload {
namespace {

// Position in natural order -> position in zigzag order (T.81 figure A.6).
constexpr std::array<uint8_t, 64> kZigzagOfNatural = {
    0,  1,  5,  6,  14, 15, 27, 28, 2,  4,  7,  13, 16, 26, 29, 42, 3,  8,  12, 17, 25, 30,
    41, 43, 9,  11, 18, 24, 31, 40, 44, 53, 10, 19, 23, 32, 39, 45, 52, 54, 20, 22, 33, 38,
    46, 51, 55, 60, 21, 34, 37, 47, 50, 56, 59, 61, 35, 36, 48, 49, 57, 58, 62, 63};

Token MakeSized(uint32_t table, int32_t value, uint32_t run, uint32_t largest) {
    const uint32_t size = SizeOf(value);
    if (size > largest) {
        throw Failure(
            FL_JPEG_NOT_BASELINE,
            "JPEG: coefficient difference " + std::to_string(value) + " is too large for baseline");
    }
    return MakeToken(table, run << 4 | size, BitsOf(value, size));
}

}  // namespace

void BlockTokenizer::Add(const int16_t* block) {
    Token* token = tokens_->Block();
    const Token* const start = token;
    *token++ = MakeSized(dc_, block[0] - last_dc_, 0, kLargestDcSize);
    last_dc_ = block[0];
    std::array<int16_t, 64> zigzag;
    uint64_t present = 0;
    for (size_t natural = 1; natural < 64; ++natural) {
        const size_t place = kZigzagOfNatural[natural];
        zigzag[place] = block[natural];
        present |= uint64_t{block[natural] != 0} << place;
    }
    uint32_t place = 0;
    for (; present != 0; present &= present - 1) {
        const auto next = static_cast<uint32_t>(__builtin_ctzll(present));
        uint32_t run = next - place - 1;
        for (; run > 15; run -= 16) *token++ = MakeToken(ac_, kSymbolZeroRun, 0);
        *token++ = MakeSized(ac_, zigzag[next], run, kLargestAcSize);
        place = next;
    }
    if (place < 63) *token++ = MakeToken(ac_, kSymbolEndOfBlock, 0);
    tokens_->Advance(static_cast<size_t>(token - start));
}

void BlockTokenizer::AddEmpty() {
    Token* token = tokens_->Block();
    token[0] = MakeToken(dc_, 0, 0);
    token[1] = MakeToken(ac_, kSymbolEndOfBlock, 0);
    tokens_->Advance(2);
}

}  // namespace fastload
