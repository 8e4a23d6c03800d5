#include <immintrin.h>

#include <array>
#include <cstring>

#include "dct_blocks.h"

namespace fastload {
namespace {

// Shuffles that put the first bytes, or words, where a mask has its ones, and zeros elsewhere.
template <int kBytes>
constexpr auto MakeExpansions() {
    std::array<std::array<uint8_t, 8 * kBytes>, 256> expansions{};
    for (int mask = 0; mask < 256; ++mask) {
        int next = 0;
        for (int place = 0; place < 8; ++place) {
            const bool taken = (mask >> place & 1) != 0;
            for (int i = 0; i < kBytes; ++i)
                expansions[mask][place * kBytes + i] =
                    taken ? static_cast<uint8_t>(next * kBytes + i) : 0x80;
            if (taken) ++next;
        }
    }
    return expansions;
}

alignas(64) constexpr auto kExpandBytes = MakeExpansions<1>();
alignas(64) constexpr auto kExpandWords = MakeExpansions<2>();

__m128i LoadLow(const void* at) { return _mm_loadl_epi64(static_cast<const __m128i*>(at)); }
__m128i Load(const void* at) { return _mm_loadu_si128(static_cast<const __m128i*>(at)); }
void Store(void* at, __m128i a) { _mm_storeu_si128(static_cast<__m128i*>(at), a); }

__m128i ExpandBytes(const uint8_t* bytes, uint32_t mask) {
    return _mm_shuffle_epi8(LoadLow(bytes), LoadLow(kExpandBytes[mask].data()));
}

// 32 nibbles to values.
void Widen(const uint8_t* nibbles, int16_t* values) {
    const __m128i both = Load(nibbles), low_half = _mm_set1_epi8(15), sign = _mm_set1_epi8(8);
    const auto extend = [&](__m128i a) {
        return _mm_sub_epi8(_mm_xor_si128(_mm_and_si128(a, low_half), sign), sign);
    };
    const __m128i even = extend(both), odd = extend(_mm_srli_epi16(both, 4));
    const auto store = [&](int32_t at, __m128i bytes) {
        _mm256_storeu_si256(reinterpret_cast<__m256i*>(values + at), _mm256_cvtepi8_epi16(bytes));
    };
    store(0, _mm_unpacklo_epi8(even, odd));
    store(16, _mm_unpackhi_epi8(even, odd));
}

// Returns where the block ends.
const uint8_t* UnpackBlock(const uint8_t* at, int16_t* block) {
    const uint32_t rows = *at++;
    uint64_t mask = static_cast<uint64_t>(_mm_cvtsi128_si64(ExpandBytes(at, rows)));
    at += __builtin_popcount(rows);
    const auto count = static_cast<uint32_t>(__builtin_popcountll(mask));

    alignas(32) int16_t values[64 + 8];
    Widen(at, values);
    if (count > 32) Widen(at + 16, values + 32);
    at += (count + 1) / 2;

    uint64_t wide;
    std::memcpy(&wide, at, sizeof(wide));
    wide = _bzhi_u64(wide, count);
    at += (count + 7) / 8;
    for (int16_t* eight = values; wide != 0; wide >>= 8, eight += 8) {
        const uint32_t taken = wide & 255;
        const __m128i high = _mm_cvtepi8_epi16(ExpandBytes(at, taken));
        Store(eight, _mm_add_epi16(Load(eight), _mm_slli_epi16(high, 4)));
        at += __builtin_popcount(taken);
    }

    const int16_t* next = values;
    for (int32_t row = 0; row < 8; ++row, mask >>= 8) {
        const uint32_t taken = mask & 255;
        Store(block + 8 * row, _mm_shuffle_epi8(Load(next), Load(kExpandWords[taken].data())));
        next += __builtin_popcount(taken);
    }
    return at;
}

}  // namespace

bool UnpackBlocksAvx2(const uint8_t* at, const uint8_t* end, int32_t count, int16_t* blocks) {
    int32_t prediction = 0;
    for (; count > 0 && at < end; --count, blocks += 64) {
        at = UnpackBlock(at, blocks);
        blocks[0] = Wrapped(prediction + blocks[0]);
        prediction = blocks[0];
    }
    return count == 0 && at == end;
}

}  // namespace fastload
