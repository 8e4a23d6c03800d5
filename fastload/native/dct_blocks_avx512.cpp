#include <immintrin.h>

#include <array>
#include <cstring>

#include "dct_blocks.h"

namespace fastload {
namespace {

// Of two registers the bytes from `first` on by turns.
constexpr std::array<uint8_t, 64> PairsFrom(int first) {
    std::array<uint8_t, 64> order{};
    for (int i = 0; i < 64; ++i) order[i] = static_cast<uint8_t>(first + i / 2 + 64 * (i % 2));
    return order;
}

alignas(64) constexpr std::array<uint8_t, 64> kPairs[2] = {PairsFrom(0), PairsFrom(32)};

size_t SumOf(const uint8_t* lengths, int32_t count) {
    const auto taken = static_cast<__mmask16>((1u << count) - 1);
    const __m128i halves = _mm_sad_epu8(_mm_maskz_loadu_epi8(taken, lengths), _mm_setzero_si128());
    return static_cast<size_t>(_mm_cvtsi128_si64(halves) + _mm_extract_epi64(halves, 1));
}

// 64 nibbles with a sign to bytes.
__m512i Nibbles(const uint8_t* at) {
    const __m512i both =
        _mm512_cvtepu8_epi16(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(at)));
    const __m512i sign = _mm512_set1_epi8(8);
    // (a | b) & c: the lower nibble stays where it is, the upper one gets a byte of its own.
    const __m512i apart = _mm512_ternarylogic_epi32(both, _mm512_slli_epi16(both, 4),
                                                    _mm512_set1_epi8(15), (0xF0 | 0xCC) & 0xAA);
    return _mm512_sub_epi8(_mm512_xor_si512(apart, sign), sign);
}

// Reads the AC coefficients of `length` bytes. Returns whether they are as many.
bool UnpackBlock(const uint8_t* at, size_t length, int16_t dc, int16_t* block) {
    // Blocks without any are read as if a byte said that no row is there: a branch would often be
    // foreseen wrongly.
    const bool empty = length == 0;
    const uint64_t rows = *at & (empty ? 0 : 255);
    uint64_t masks;
    std::memcpy(&masks, at + 1, sizeof(masks));
    // A byte of ones for each row that is there.
    const uint64_t filled = _pdep_u64(rows, 0x0101010101010101) * 255;
    const uint64_t mask = _pdep_u64(masks, filled);
    const auto count = static_cast<uint64_t>(__builtin_popcountll(mask));
    const uint8_t* const nibbles = at + 1 + __builtin_popcountll(rows);
    const uint8_t* const bits = nibbles + (count + 1) / 2;
    uint64_t wide;
    std::memcpy(&wide, bits, sizeof(wide));
    wide = _bzhi_u64(wide, static_cast<uint32_t>(count));
    const uint8_t* const high_parts = bits + (count + 7) / 8;

    const __m512i low = _mm512_maskz_expand_epi8(mask, Nibbles(nibbles));
    const __m512i high =
        _mm512_maskz_expand_epi8(_pdep_u64(wide, mask), _mm512_loadu_si512(high_parts));
    const __m512i scale = _mm512_set1_epi16(1 | 16 << 8);
    const auto half = [&](int i) {
        const __m512i order = _mm512_loadu_si512(kPairs[i].data());
        return _mm512_maddubs_epi16(scale, _mm512_permutex2var_epi8(low, order, high));
    };
    _mm512_storeu_si512(block, _mm512_mask_set1_epi16(half(0), 1, dc));
    _mm512_storeu_si512(block + 32, half(1));
    return high_parts + __builtin_popcountll(wide) == at + length + empty;
}

}  // namespace

bool UnpackBlocksAvx512(const uint8_t* group, size_t size, int32_t count, Range wanted,
                        int16_t* blocks) {
    const uint8_t* const lengths = group + 2 * count;
    const size_t front = kFrontOfBlock * static_cast<size_t>(count);
    if (size < front || SumOf(lengths, count) != size - front) return false;
    const uint8_t* at = group + front + SumOf(lengths, wanted.first);
    bool whole = true;
    for (int32_t i = wanted.first; i < wanted.last; ++i, blocks += 64) {
        int16_t dc;
        std::memcpy(&dc, group + 2 * i, sizeof(dc));
        whole &= UnpackBlock(at, lengths[i], dc, blocks);
        at += lengths[i];
    }
    return whole;
}

}  // namespace fastload
