// One register of 16-bit or 8-bit values in several widths, so that a kernel is written once; that
// of 512 bits is in simd_register_512.h. What shuffles within a register stays within lanes of 128
// bits: wider registers do the same work for more data beside each other. Everything here is local
// to the source that includes it, since each is compiled for other instructions.
#ifndef FASTLOAD_NATIVE_SIMD_REGISTER_H_
#define FASTLOAD_NATIVE_SIMD_REGISTER_H_

#include <immintrin.h>

#include <array>
#include <cstddef>
#include <cstdint>

namespace fastload {
namespace {

// Where in 48 bytes, of which `part` says the first, second or third 16, the bytes of one of three
// registers go that are taken by turns; others get a zero.
using Spreads = std::array<std::array<std::array<uint8_t, 16>, 3>, 3>;

constexpr Spreads MakeSpreads() {
    Spreads spreads{};
    for (int part = 0; part < 3; ++part)
        for (int source = 0; source < 3; ++source)
            for (int i = 0; i < 16; ++i) {
                const int at = 16 * part + i;
                spreads[part][source][i] = at % 3 == source ? static_cast<uint8_t>(at / 3) : 0x80;
            }
    return spreads;
}

alignas(16) constexpr Spreads kSpreads = MakeSpreads();

// The first, second or third 16 bytes of a, b and c by turns, in every lane.
template <typename R>
typename R::Type PartByTurns(int part, typename R::Type a, typename R::Type b, typename R::Type c) {
    const auto spread = [&](typename R::Type bytes, int source) {
        return R::Shuffle8(bytes, R::LoadRepeated(kSpreads[part][source].data()));
    };
    return R::Or(R::Or(spread(a, 0), spread(b, 1)), spread(c, 2));
}

struct Register128 {
    using Type = __m128i;
    static constexpr int kLanes = 1;

    static Type Zero() { return _mm_setzero_si128(); }
    static Type Set8(int8_t value) { return _mm_set1_epi8(value); }
    static Type Set16(int16_t value) { return _mm_set1_epi16(value); }
    static Type Set32(int32_t value) { return _mm_set1_epi32(value); }
    static Type Load(const void* at) { return _mm_loadu_si128(static_cast<const Type*>(at)); }
    static void Store(void* at, Type a) { _mm_storeu_si128(static_cast<Type*>(at), a); }
    // The same 16 bytes in every lane.
    static Type LoadRepeated(const void* at) { return Load(at); }
    // Each lane from an offset of its own.
    static Type LoadEach(const uint8_t* at, const int32_t* offsets) { return Load(at + *offsets); }
    // The lower halves of all lanes beside each other, and the upper ones.
    static void StoreHalves(void* lower, void* upper, Type a) {
        _mm_storel_epi64(static_cast<Type*>(lower), a);
        _mm_storel_epi64(static_cast<Type*>(upper), _mm_unpackhi_epi64(a, a));
    }
    // As many bytes as a register has words.
    static Type Widen8(const void* at) {
        return _mm_cvtepu8_epi16(_mm_loadl_epi64(static_cast<const Type*>(at)));
    }
    // The rows of as many blocks of 8 x 8 words as a register has lanes.
    static void LoadBlocks(const int16_t* blocks, Type rows[8]) {
        for (int i = 0; i < 8; ++i) rows[i] = Load(blocks + 8 * i);
    }
    // Four rows of such blocks' bytes: `left` has the rows' first four, `right` their last four.
    static void StoreFourRows(uint8_t* at, ptrdiff_t stride, Type left, Type right) {
        StoreHalves(at, at + stride, Low32(left, right));
        StoreHalves(at + 2 * stride, at + 3 * stride, High32(left, right));
    }
    // The bytes of two or three registers by turns: a0 b0 c0 a1 b1 c1 ...
    static void StoreByTurns(uint8_t* at, Type a, Type b) {
        Store(at, Low8(a, b));
        Store(at + 16, High8(a, b));
    }
    static void StoreByTurns(uint8_t* at, Type a, Type b, Type c) {
        for (int part = 0; part < 3; ++part)
            Store(at + 16 * part, PartByTurns<Register128>(part, a, b, c));
    }

    static Type Or(Type a, Type b) { return _mm_or_si128(a, b); }
    // (a + b) / 2, rounded up, and rounded down: the complement of that of the complements.
    static Type Average8(Type a, Type b) { return _mm_avg_epu8(a, b); }
    static Type AverageDown8(Type a, Type b) {
        const Type ones = Set8(-1);
        const Type average = _mm_avg_epu8(_mm_xor_si128(a, ones), _mm_xor_si128(b, ones));
        return _mm_xor_si128(average, ones);
    }
    static Type Add8(Type a, Type b) { return _mm_add_epi8(a, b); }
    static Type Add16(Type a, Type b) { return _mm_add_epi16(a, b); }
    static Type Sub16(Type a, Type b) { return _mm_sub_epi16(a, b); }
    static Type Add32(Type a, Type b) { return _mm_add_epi32(a, b); }
    static Type Sub32(Type a, Type b) { return _mm_sub_epi32(a, b); }
    static Type MulLow16(Type a, Type b) { return _mm_mullo_epi16(a, b); }
    // a * b / 32768, rounded.
    static Type MulRound16(Type a, Type b) { return _mm_mulhrs_epi16(a, b); }
    static Type Dot16(Type a, Type b) { return _mm_madd_epi16(a, b); }
    static Type AddDot16(Type sum, Type a, Type b) { return Add32(sum, Dot16(a, b)); }
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
    static Type LoadRepeated(const void* at) {
        return _mm256_broadcastsi128_si256(Register128::Load(at));
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
    static Type Widen8(const void* at) { return _mm256_cvtepu8_epi16(Register128::Load(at)); }
    static void LoadBlocks(const int16_t* blocks, Type rows[8]) {
        for (int i = 0; i < 8; ++i)
            rows[i] =
                _mm256_inserti128_si256(_mm256_castsi128_si256(Register128::Load(blocks + 8 * i)),
                                        Register128::Load(blocks + 64 + 8 * i), 1);
    }
    static void StoreFourRows(uint8_t* at, ptrdiff_t stride, Type left, Type right) {
        StoreHalves(at, at + stride, Low32(left, right));
        StoreHalves(at + 2 * stride, at + 3 * stride, High32(left, right));
    }
    static void StoreByTurns(uint8_t* at, Type a, Type b) {
        const Type low = Low8(a, b), high = High8(a, b);
        Store(at, _mm256_permute2x128_si256(low, high, 0x20));
        Store(at + 32, _mm256_permute2x128_si256(low, high, 0x31));
    }
    static void StoreByTurns(uint8_t* at, Type a, Type b, Type c) {
        Type parts[3];
        for (int part = 0; part < 3; ++part) parts[part] = PartByTurns<Register256>(part, a, b, c);
        Store(at, _mm256_permute2x128_si256(parts[0], parts[1], 0x20));
        Store(at + 32, _mm256_permute2x128_si256(parts[2], parts[0], 0x30));
        Store(at + 64, _mm256_permute2x128_si256(parts[1], parts[2], 0x31));
    }

    static Type Or(Type a, Type b) { return _mm256_or_si256(a, b); }
    static Type Average8(Type a, Type b) { return _mm256_avg_epu8(a, b); }
    static Type AverageDown8(Type a, Type b) {
        const Type ones = Set8(-1);
        const Type average = _mm256_avg_epu8(_mm256_xor_si256(a, ones), _mm256_xor_si256(b, ones));
        return _mm256_xor_si256(average, ones);
    }
    static Type Add8(Type a, Type b) { return _mm256_add_epi8(a, b); }
    static Type Add16(Type a, Type b) { return _mm256_add_epi16(a, b); }
    static Type Sub16(Type a, Type b) { return _mm256_sub_epi16(a, b); }
    static Type Add32(Type a, Type b) { return _mm256_add_epi32(a, b); }
    static Type Sub32(Type a, Type b) { return _mm256_sub_epi32(a, b); }
    static Type MulLow16(Type a, Type b) { return _mm256_mullo_epi16(a, b); }
    static Type MulRound16(Type a, Type b) { return _mm256_mulhrs_epi16(a, b); }
    static Type Dot16(Type a, Type b) { return _mm256_madd_epi16(a, b); }
    static Type AddDot16(Type sum, Type a, Type b) { return Add32(sum, Dot16(a, b)); }
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
