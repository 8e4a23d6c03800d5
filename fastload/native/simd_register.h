// One register of 16-bit or 8-bit lanes in three widths, so that a kernel is written once. All that
// shuffles stays within lanes of 128 bits: wider registers do the same work for more data beside
// each other. Everything here is local to the source that includes it, since each is compiled for
// other instructions.
#ifndef FASTLOAD_NATIVE_SIMD_REGISTER_H_
#define FASTLOAD_NATIVE_SIMD_REGISTER_H_

#include <immintrin.h>

#include <cstdint>

namespace fastload {
namespace {

struct Register128 {
    using Type = __m128i;
    static constexpr int kLanes = 1;

    static Type Zero() { return _mm_setzero_si128(); }
    static Type Set8(int8_t value) { return _mm_set1_epi8(value); }
    static Type Set16(int16_t value) { return _mm_set1_epi16(value); }
    static Type Set32(int32_t value) { return _mm_set1_epi32(value); }
    static Type Load(const void* at) { return _mm_loadu_si128(static_cast<const Type*>(at)); }
    static void Store(void* at, Type a) { _mm_storeu_si128(static_cast<Type*>(at), a); }
    // The lanes are read `stride` bytes apart; all are the same for a stride of 0.
    static Type LoadLanes(const void* at, ptrdiff_t) { return Load(at); }
    // Each lane from an offset of its own.
    static Type LoadEach(const uint8_t* at, const int32_t* offsets) { return Load(at + *offsets); }
    // The lower halves of all lanes beside each other, and the upper ones.
    static void StoreHalves(void* lower, void* upper, Type a) {
        _mm_storel_epi64(static_cast<Type*>(lower), a);
        _mm_storel_epi64(static_cast<Type*>(upper), _mm_unpackhi_epi64(a, a));
    }
    // Three registers whose lanes belong beside each other: a0 b0 c0 a1 b1 c1 ...
    static void StoreLanesInTurn(void* at, Type a, Type b, Type c) {
        auto* to = static_cast<Type*>(at);
        Store(to, a), Store(to + 1, b), Store(to + 2, c);
    }

    static Type Or(Type a, Type b) { return _mm_or_si128(a, b); }
    static Type Add8(Type a, Type b) { return _mm_add_epi8(a, b); }
    static Type Add16(Type a, Type b) { return _mm_add_epi16(a, b); }
    static Type Sub16(Type a, Type b) { return _mm_sub_epi16(a, b); }
    static Type Add32(Type a, Type b) { return _mm_add_epi32(a, b); }
    static Type Sub32(Type a, Type b) { return _mm_sub_epi32(a, b); }
    static Type MulLow16(Type a, Type b) { return _mm_mullo_epi16(a, b); }
    static Type MulHigh16(Type a, Type b) { return _mm_mulhi_epi16(a, b); }
    // a * b / 32768, rounded.
    static Type MulRound16(Type a, Type b) { return _mm_mulhrs_epi16(a, b); }
    static Type Dot16(Type a, Type b) { return _mm_madd_epi16(a, b); }
    static Type Max16(Type a, Type b) { return _mm_max_epi16(a, b); }
    template <int kBits>
    static Type ShiftLeft16(Type a) {
        return _mm_slli_epi16(a, kBits);
    }
    template <int kBits>
    static Type ShiftRight16(Type a) {
        return _mm_srai_epi16(a, kBits);
    }
    template <int kBits>
    static Type ShiftRight32(Type a) {
        return _mm_srai_epi32(a, kBits);
    }
    static Type PackSigned32(Type a, Type b) { return _mm_packs_epi32(a, b); }
    static Type PackSigned16(Type a, Type b) { return _mm_packs_epi16(a, b); }
    static Type PackUnsigned16(Type a, Type b) { return _mm_packus_epi16(a, b); }
    static Type Shuffle8(Type a, Type order) { return _mm_shuffle_epi8(a, order); }
    static Type Low8(Type a, Type b) { return _mm_unpacklo_epi8(a, b); }
    static Type High8(Type a, Type b) { return _mm_unpackhi_epi8(a, b); }
    static Type Low16(Type a, Type b) { return _mm_unpacklo_epi16(a, b); }
    static Type High16(Type a, Type b) { return _mm_unpackhi_epi16(a, b); }
    static Type Low32(Type a, Type b) { return _mm_unpacklo_epi32(a, b); }
    static Type High32(Type a, Type b) { return _mm_unpackhi_epi32(a, b); }
    static Type Low64(Type a, Type b) { return _mm_unpacklo_epi64(a, b); }
    static Type High64(Type a, Type b) { return _mm_unpackhi_epi64(a, b); }
};

#ifdef __AVX2__

struct Register256 {
    using Type = __m256i;
    static constexpr int kLanes = 2;

    static Type Zero() { return _mm256_setzero_si256(); }
    static Type Set8(int8_t value) { return _mm256_set1_epi8(value); }
    static Type Set16(int16_t value) { return _mm256_set1_epi16(value); }
    static Type Set32(int32_t value) { return _mm256_set1_epi32(value); }
    static Type Load(const void* at) { return _mm256_loadu_si256(static_cast<const Type*>(at)); }
    static void Store(void* at, Type a) { _mm256_storeu_si256(static_cast<Type*>(at), a); }
    static Type LoadLanes(const void* at, ptrdiff_t stride) {
        const auto* second = static_cast<const uint8_t*>(at) + stride;
        return _mm256_inserti128_si256(_mm256_castsi128_si256(Register128::Load(at)),
                                       Register128::Load(second), 1);
    }
    static Type LoadEach(const uint8_t* at, const int32_t* offsets) {
        return _mm256_inserti128_si256(_mm256_castsi128_si256(Register128::Load(at + offsets[0])),
                                       Register128::Load(at + offsets[1]), 1);
    }
    static void StoreHalves(void* lower, void* upper, Type a) {
        const Type halves = _mm256_permute4x64_epi64(a, 0xD8);
        Register128::Store(lower, _mm256_castsi256_si128(halves));
        Register128::Store(upper, _mm256_extracti128_si256(halves, 1));
    }
    static void StoreLanesInTurn(void* at, Type a, Type b, Type c) {
        auto* to = static_cast<Type*>(at);
        Store(to, _mm256_permute2x128_si256(a, b, 0x20));
        Store(to + 1, _mm256_permute2x128_si256(c, a, 0x30));
        Store(to + 2, _mm256_permute2x128_si256(b, c, 0x31));
    }

    static Type Or(Type a, Type b) { return _mm256_or_si256(a, b); }
    static Type Add8(Type a, Type b) { return _mm256_add_epi8(a, b); }
    static Type Add16(Type a, Type b) { return _mm256_add_epi16(a, b); }
    static Type Sub16(Type a, Type b) { return _mm256_sub_epi16(a, b); }
    static Type Add32(Type a, Type b) { return _mm256_add_epi32(a, b); }
    static Type Sub32(Type a, Type b) { return _mm256_sub_epi32(a, b); }
    static Type MulLow16(Type a, Type b) { return _mm256_mullo_epi16(a, b); }
    static Type MulHigh16(Type a, Type b) { return _mm256_mulhi_epi16(a, b); }
    // a * b / 32768, rounded.
    static Type MulRound16(Type a, Type b) { return _mm256_mulhrs_epi16(a, b); }
    static Type Dot16(Type a, Type b) { return _mm256_madd_epi16(a, b); }
    static Type Max16(Type a, Type b) { return _mm256_max_epi16(a, b); }
    template <int kBits>
    static Type ShiftLeft16(Type a) {
        return _mm256_slli_epi16(a, kBits);
    }
    template <int kBits>
    static Type ShiftRight16(Type a) {
        return _mm256_srai_epi16(a, kBits);
    }
    template <int kBits>
    static Type ShiftRight32(Type a) {
        return _mm256_srai_epi32(a, kBits);
    }
    static Type PackSigned32(Type a, Type b) { return _mm256_packs_epi32(a, b); }
    static Type PackSigned16(Type a, Type b) { return _mm256_packs_epi16(a, b); }
    static Type PackUnsigned16(Type a, Type b) { return _mm256_packus_epi16(a, b); }
    static Type Shuffle8(Type a, Type order) { return _mm256_shuffle_epi8(a, order); }
    static Type Low8(Type a, Type b) { return _mm256_unpacklo_epi8(a, b); }
    static Type High8(Type a, Type b) { return _mm256_unpackhi_epi8(a, b); }
    static Type Low16(Type a, Type b) { return _mm256_unpacklo_epi16(a, b); }
    static Type High16(Type a, Type b) { return _mm256_unpackhi_epi16(a, b); }
    static Type Low32(Type a, Type b) { return _mm256_unpacklo_epi32(a, b); }
    static Type High32(Type a, Type b) { return _mm256_unpackhi_epi32(a, b); }
    static Type Low64(Type a, Type b) { return _mm256_unpacklo_epi64(a, b); }
    static Type High64(Type a, Type b) { return _mm256_unpackhi_epi64(a, b); }
};

#endif  // __AVX2__

}  // namespace
}  // namespace fastload

#endif  // FASTLOAD_NATIVE_SIMD_REGISTER_H_
