// The register of 512 bits beside those of simd_register.h, for sources compiled for AVX-512.
#ifndef FASTLOAD_NATIVE_SIMD_REGISTER_512_H_
#define FASTLOAD_NATIVE_SIMD_REGISTER_512_H_

#include <immintrin.h>

#include <array>
#include <cstddef>
#include <cstdint>

namespace fastload {
namespace {

// Of two registers as 32 values of 32 bits beside each other: where in `left` and `right` (as
// Register128 has them) those of row `first` of four blocks are, then those of the row below.
constexpr std::array<int32_t, 16> TwoRowsFrom(int first) {
    std::array<int32_t, 16> order{};
    for (int i = 0; i < 16; ++i) order[i] = first + i / 8 + 4 * (i / 2 % 4) + 16 * (i % 2);
    return order;
}

// Of 192 bytes from three registers by turns, the part-th 64: which bytes of their registers.
constexpr std::array<uint8_t, 64> BytesByTurns(int part) {
    std::array<uint8_t, 64> order{};
    for (int i = 0; i < 64; ++i) order[i] = static_cast<uint8_t>((64 * part + i) / 3);
    return order;
}

// And which of them are the source-th register's.
constexpr uint64_t TurnsOf(int source, int part) {
    uint64_t turns = 0;
    for (int i = 0; i < 64; ++i) turns |= uint64_t{(64 * part + i) % 3 == source} << i;
    return turns;
}

alignas(64) constexpr std::array<int32_t, 16> kTwoRows[2] = {TwoRowsFrom(0), TwoRowsFrom(2)};
alignas(64) constexpr std::array<uint8_t, 64> kBytesByTurns[3] = {BytesByTurns(0), BytesByTurns(1),
                                                                  BytesByTurns(2)};
// The lanes of two registers by turns, in values of 64 bits.
alignas(64) constexpr std::array<int64_t, 8> kLanesByTurns[2] = {{0, 1, 8, 9, 2, 3, 10, 11},
                                                                 {4, 5, 12, 13, 6, 7, 14, 15}};

struct Register512 {
    using Type = __m512i;
    static constexpr int kLanes = 4;

    static Type Zero() { return _mm512_setzero_si512(); }
    static Type Set8(int8_t value) { return _mm512_set1_epi8(value); }
    static Type Set16(int16_t value) { return _mm512_set1_epi16(value); }
    static Type Set32(int32_t value) { return _mm512_set1_epi32(value); }
    static Type Load(const void* at) { return _mm512_loadu_si512(at); }
    static void Store(void* at, Type a) { _mm512_storeu_si512(at, a); }
    static Type LoadRepeated(const void* at) {
        return _mm512_broadcast_i32x4(_mm_loadu_si128(static_cast<const __m128i*>(at)));
    }
    static Type Widen8(const void* at) { return _mm512_cvtepu8_epi16(Load256(at)); }
    static void LoadBlocks(const int16_t* blocks, Type rows[8]) {
        for (int half = 0; half < 2; ++half, blocks += 32, rows += 4) {
            const Type a = Load(blocks), b = Load(blocks + 64);
            const Type c = Load(blocks + 128), d = Load(blocks + 192);
            const Type upper_ab = _mm512_shuffle_i32x4(a, b, 0x44);
            const Type lower_ab = _mm512_shuffle_i32x4(a, b, 0xEE);
            const Type upper_cd = _mm512_shuffle_i32x4(c, d, 0x44);
            const Type lower_cd = _mm512_shuffle_i32x4(c, d, 0xEE);
            rows[0] = _mm512_shuffle_i32x4(upper_ab, upper_cd, 0x88);
            rows[1] = _mm512_shuffle_i32x4(upper_ab, upper_cd, 0xDD);
            rows[2] = _mm512_shuffle_i32x4(lower_ab, lower_cd, 0x88);
            rows[3] = _mm512_shuffle_i32x4(lower_ab, lower_cd, 0xDD);
        }
    }
    static void StoreFourRows(uint8_t* at, ptrdiff_t stride, Type left, Type right) {
        for (int pair = 0; pair < 2; ++pair, at += 2 * stride) {
            const Type rows = _mm512_permutex2var_epi32(left, Load(kTwoRows[pair].data()), right);
            Store256(at, _mm512_castsi512_si256(rows));
            Store256(at + stride, _mm512_extracti64x4_epi64(rows, 1));
        }
    }
    static void StoreByTurns(uint8_t* at, Type a, Type b) {
        const Type low = Low8(a, b), high = High8(a, b);
        for (int part = 0; part < 2; ++part)
            Store(at + 64 * part,
                  _mm512_permutex2var_epi64(low, Load(kLanesByTurns[part].data()), high));
    }
    static void StoreByTurns(uint8_t* at, Type a, Type b, Type c) {
        StorePartByTurns<0>(at, a, b, c);
        StorePartByTurns<1>(at, a, b, c);
        StorePartByTurns<2>(at, a, b, c);
    }

    static Type Or(Type a, Type b) { return _mm512_or_si512(a, b); }
    static Type Average8(Type a, Type b) { return _mm512_avg_epu8(a, b); }
    static Type AverageDown8(Type a, Type b) {
        // (a ^ b) & 1: what Average8 has rounded up.
        const Type rounded = _mm512_ternarylogic_epi32(a, b, Set8(1), (0xF0 ^ 0xCC) & 0xAA);
        return _mm512_sub_epi8(_mm512_avg_epu8(a, b), rounded);
    }
    static Type Add8(Type a, Type b) { return _mm512_add_epi8(a, b); }
    static Type Add16(Type a, Type b) { return _mm512_add_epi16(a, b); }
    static Type Sub16(Type a, Type b) { return _mm512_sub_epi16(a, b); }
    static Type Add32(Type a, Type b) { return _mm512_add_epi32(a, b); }
    static Type Sub32(Type a, Type b) { return _mm512_sub_epi32(a, b); }
    static Type MulLow16(Type a, Type b) { return _mm512_mullo_epi16(a, b); }
    static Type MulRound16(Type a, Type b) { return _mm512_mulhrs_epi16(a, b); }
    static Type Dot16(Type a, Type b) { return _mm512_madd_epi16(a, b); }
    static Type AddDot16(Type sum, Type a, Type b) { return _mm512_dpwssd_epi32(sum, a, b); }
    template <int kBits>
    static Type ShiftLeft16(Type a) {
        return _mm512_slli_epi16(a, kBits);
    }
    template <int kBits>
    static Type ShiftRight16(Type a) {
        return _mm512_srai_epi16(a, kBits);
    }
    template <int kBits>
    static Type ShiftRight32(Type a) {
        return _mm512_srai_epi32(a, kBits);
    }
    static Type PackSigned32(Type a, Type b) { return _mm512_packs_epi32(a, b); }
    static Type PackSigned16(Type a, Type b) { return _mm512_packs_epi16(a, b); }
    static Type PackUnsigned16(Type a, Type b) { return _mm512_packus_epi16(a, b); }
    static Type Low8(Type a, Type b) { return _mm512_unpacklo_epi8(a, b); }
    static Type High8(Type a, Type b) { return _mm512_unpackhi_epi8(a, b); }
    static Type Low16(Type a, Type b) { return _mm512_unpacklo_epi16(a, b); }
    static Type High16(Type a, Type b) { return _mm512_unpackhi_epi16(a, b); }
    static Type Low32(Type a, Type b) { return _mm512_unpacklo_epi32(a, b); }
    static Type High32(Type a, Type b) { return _mm512_unpackhi_epi32(a, b); }
    static Type Low64(Type a, Type b) { return _mm512_unpacklo_epi64(a, b); }
    static Type High64(Type a, Type b) { return _mm512_unpackhi_epi64(a, b); }

  private:
    static __m256i Load256(const void* at) {
        return _mm256_loadu_si256(static_cast<const __m256i*>(at));
    }
    static void Store256(void* at, __m256i a) { _mm256_storeu_si256(static_cast<__m256i*>(at), a); }

    template <int kPart>
    static void StorePartByTurns(uint8_t* at, Type a, Type b, Type c) {
        constexpr uint64_t kOfB = TurnsOf(1, kPart), kOfC = TurnsOf(2, kPart);
        const Type order = Load(kBytesByTurns[kPart].data());
        Type bytes = _mm512_permutexvar_epi8(order, a);
        bytes = _mm512_mask_permutexvar_epi8(bytes, kOfB, order, b);
        bytes = _mm512_mask_permutexvar_epi8(bytes, kOfC, order, c);
        Store(at + 64 * kPart, bytes);
    }
};

}  // namespace
}  // namespace fastload

#endif  // FASTLOAD_NATIVE_SIMD_REGISTER_512_H_
