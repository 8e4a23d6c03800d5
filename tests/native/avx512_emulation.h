// The AVX-512 intrinsics that the kernels use, in plain C++: the tests of a kernel run on machines
// without AVX-512, and a sanitizer sees every byte that a masked load or store touches.
//
// setup.py includes this file before the kernels' sources. Inside of their namespace its names then
// hide the compiler's own. An intrinsic that is missing here does not compile: the compiler's takes
// another __m512i, or needs AVX-512 to be enabled. Add it by the Operation section of its
// instruction's manual page, never by what a kernel expects of it.
#ifndef FASTLOAD_TESTS_NATIVE_AVX512_EMULATION_H_
#define FASTLOAD_TESTS_NATIVE_AVX512_EMULATION_H_

#include <immintrin.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>

// Where a compiler does not inline them these are macros, which know no namespaces.
#undef _mm512_extracti64x4_epi64
#undef _mm512_shuffle_i32x4
#undef _mm512_slli_epi16
#undef _mm512_slli_epi32
#undef _mm512_srai_epi16
#undef _mm512_srai_epi32
#undef _mm512_ternarylogic_epi32

namespace fastload {

struct __m512i {
    uint8_t bytes[64];
};

// Lane i of a register that holds lanes of type T.
template <typename T>
T Lane(const __m512i& a, size_t i) {
    T lane;
    std::memcpy(&lane, a.bytes + i * sizeof(T), sizeof(T));
    return lane;
}

// The register whose lane i is lane_of(i), of which only the low bits count. Asks for them in
// order.
template <typename T, typename LaneOf>
__m512i Lanes(LaneOf lane_of) {
    __m512i lanes;
    for (size_t i = 0; i < sizeof(lanes) / sizeof(T); ++i) {
        const auto lane = static_cast<T>(lane_of(i));
        std::memcpy(lanes.bytes + i * sizeof(T), &lane, sizeof(T));
    }
    return lanes;
}

inline __m128i Register128Of(const uint8_t* bytes) {
    __m128i a;
    std::memcpy(&a, bytes, sizeof(a));
    return a;
}

// Where AVX is not enabled compilers pass no registers of 256 bits.
__attribute__((target("avx"))) inline __m256i Register256Of(const uint8_t* bytes) {
    __m256i a;
    std::memcpy(&a, bytes, sizeof(a));
    return a;
}

template <typename T>
T Saturated(int32_t value) {
    using Limits = std::numeric_limits<T>;
    return static_cast<T>(std::clamp<int32_t>(value, Limits::min(), Limits::max()));
}

// Sums wrap around, as the instructions' do; so they are summed without a sign.

// ---- Memory

inline __m512i _mm512_loadu_si512(const void* at) {
    __m512i a;
    std::memcpy(a.bytes, at, sizeof(a.bytes));
    return a;
}

inline void _mm512_storeu_si512(void* to, const __m512i& a) {
    std::memcpy(to, a.bytes, sizeof(a.bytes));
}

inline __m512i _mm512_maskz_loadu_epi8(__mmask64 mask, const void* at) {
    return Lanes<uint8_t>(
        [=](size_t i) { return mask >> i & 1 ? static_cast<const uint8_t*>(at)[i] : 0; });
}

inline __m128i _mm_maskz_loadu_epi8(__mmask16 mask, const void* at) {
    uint8_t bytes[16] = {};
    for (size_t i = 0; i < 16; ++i)
        if (mask >> i & 1) bytes[i] = static_cast<const uint8_t*>(at)[i];
    return Register128Of(bytes);
}

inline void _mm512_mask_storeu_epi8(void* to, __mmask64 mask, const __m512i& a) {
    for (size_t i = 0; i < 64; ++i)
        if (mask >> i & 1) static_cast<uint8_t*>(to)[i] = a.bytes[i];
}

inline void _mm_mask_storeu_epi8(void* to, __mmask16 mask, __m128i a) {
    uint8_t bytes[16];
    std::memcpy(bytes, &a, sizeof(bytes));
    for (size_t i = 0; i < 16; ++i)
        if (mask >> i & 1) static_cast<uint8_t*>(to)[i] = bytes[i];
}

// ---- One value in all lanes

inline __m512i _mm512_setzero_si512() { return {}; }

inline __m512i _mm512_set1_epi8(int8_t value) {
    return Lanes<int8_t>([=](size_t) { return value; });
}

inline __m512i _mm512_set1_epi16(int16_t value) {
    return Lanes<int16_t>([=](size_t) { return value; });
}

inline __m512i _mm512_set1_epi32(int32_t value) {
    return Lanes<int32_t>([=](size_t) { return value; });
}

// Into the lanes that the mask names; the others keep what `a` has.
inline __m512i _mm512_mask_set1_epi16(const __m512i& a, __mmask32 mask, int16_t value) {
    return Lanes<int16_t>([&](size_t i) { return mask >> i & 1 ? value : Lane<int16_t>(a, i); });
}

inline __m512i _mm512_broadcast_i32x4(__m128i value) {
    __m512i a;
    for (size_t i = 0; i < 4; ++i) std::memcpy(a.bytes + 16 * i, &value, 16);
    return a;
}

// ---- Lane by lane

// Bit by bit: those of a, b and c, in this order, are the number of the bit of `table` to take.
inline __m512i _mm512_ternarylogic_epi32(const __m512i& a, const __m512i& b, const __m512i& c,
                                         int table) {
    return Lanes<uint8_t>([&](size_t i) {
        unsigned byte = 0;
        for (unsigned bit = 0; bit < 8; ++bit) {
            const unsigned number = (a.bytes[i] >> bit & 1u) << 2 | (b.bytes[i] >> bit & 1u) << 1 |
                                    (c.bytes[i] >> bit & 1u);
            byte |= (static_cast<unsigned>(table) >> number & 1u) << bit;
        }
        return byte;
    });
}

inline __m512i _mm512_or_si512(const __m512i& a, const __m512i& b) {
    return Lanes<uint64_t>([&](size_t i) { return Lane<uint64_t>(a, i) | Lane<uint64_t>(b, i); });
}

inline __m512i _mm512_xor_si512(const __m512i& a, const __m512i& b) {
    return Lanes<uint64_t>([&](size_t i) { return Lane<uint64_t>(a, i) ^ Lane<uint64_t>(b, i); });
}

inline __m512i _mm512_add_epi8(const __m512i& a, const __m512i& b) {
    return Lanes<uint8_t>([&](size_t i) { return a.bytes[i] + b.bytes[i]; });
}

inline __m512i _mm512_sub_epi8(const __m512i& a, const __m512i& b) {
    return Lanes<uint8_t>([&](size_t i) { return a.bytes[i] - b.bytes[i]; });
}

inline __m512i _mm512_avg_epu8(const __m512i& a, const __m512i& b) {
    return Lanes<uint8_t>([&](size_t i) { return (a.bytes[i] + b.bytes[i] + 1) >> 1; });
}

inline __m512i _mm512_add_epi16(const __m512i& a, const __m512i& b) {
    return Lanes<uint16_t>([&](size_t i) { return Lane<uint16_t>(a, i) + Lane<uint16_t>(b, i); });
}

inline __m512i _mm512_sub_epi16(const __m512i& a, const __m512i& b) {
    return Lanes<uint16_t>([&](size_t i) { return Lane<uint16_t>(a, i) - Lane<uint16_t>(b, i); });
}

inline __m512i _mm512_mullo_epi16(const __m512i& a, const __m512i& b) {
    return Lanes<int16_t>([&](size_t i) { return Lane<int16_t>(a, i) * Lane<int16_t>(b, i); });
}

// Of the product's 32 bits the 18 highest, rounded to 17, and their low 16.
inline __m512i _mm512_mulhrs_epi16(const __m512i& a, const __m512i& b) {
    return Lanes<int16_t>(
        [&](size_t i) { return ((Lane<int16_t>(a, i) * Lane<int16_t>(b, i) >> 14) + 1) >> 1; });
}

inline __m512i _mm512_add_epi32(const __m512i& a, const __m512i& b) {
    return Lanes<uint32_t>([&](size_t i) { return Lane<uint32_t>(a, i) + Lane<uint32_t>(b, i); });
}

inline __m512i _mm512_sub_epi32(const __m512i& a, const __m512i& b) {
    return Lanes<uint32_t>([&](size_t i) { return Lane<uint32_t>(a, i) - Lane<uint32_t>(b, i); });
}

inline __m512i _mm512_max_epi32(const __m512i& a, const __m512i& b) {
    return Lanes<int32_t>(
        [&](size_t i) { return std::max(Lane<int32_t>(a, i), Lane<int32_t>(b, i)); });
}

inline __m512i _mm512_slli_epi16(const __m512i& a, unsigned count) {
    return Lanes<uint16_t>(
        [&](size_t i) { return count > 15 ? 0u : uint32_t{Lane<uint16_t>(a, i)} << count; });
}

inline __m512i _mm512_srai_epi16(const __m512i& a, unsigned count) {
    return Lanes<int16_t>([&](size_t i) { return Lane<int16_t>(a, i) >> std::min(count, 15u); });
}

inline __m512i _mm512_slli_epi32(const __m512i& a, unsigned count) {
    return Lanes<uint32_t>(
        [&](size_t i) { return count > 31 ? 0 : Lane<uint32_t>(a, i) << count; });
}

inline __m512i _mm512_srai_epi32(const __m512i& a, unsigned count) {
    return Lanes<int32_t>([&](size_t i) { return Lane<int32_t>(a, i) >> std::min(count, 31u); });
}

// ---- Dot products

// Unsigned bytes of `a` by signed ones of `b`.
inline __m512i _mm512_dpbusd_epi32(const __m512i& sums, const __m512i& a, const __m512i& b) {
    return Lanes<uint32_t>([&](size_t i) {
        uint32_t sum = Lane<uint32_t>(sums, i);
        for (size_t k = 4 * i; k < 4 * i + 4; ++k)
            sum += static_cast<uint32_t>(Lane<uint8_t>(a, k) * Lane<int8_t>(b, k));
        return sum;
    });
}

// Words beside each other.
inline __m512i _mm512_madd_epi16(const __m512i& a, const __m512i& b) {
    const auto product = [&](size_t k) {
        return static_cast<uint32_t>(Lane<int16_t>(a, k) * Lane<int16_t>(b, k));
    };
    return Lanes<uint32_t>([&](size_t i) { return product(2 * i) + product(2 * i + 1); });
}

inline __m512i _mm512_dpwssd_epi32(const __m512i& sums, const __m512i& a, const __m512i& b) {
    return _mm512_add_epi32(sums, _mm512_madd_epi16(a, b));
}

// Unsigned bytes of `a` by signed ones of `b`.
inline __m512i _mm512_maddubs_epi16(const __m512i& a, const __m512i& b) {
    const auto product = [&](size_t k) { return Lane<uint8_t>(a, k) * Lane<int8_t>(b, k); };
    return Lanes<int16_t>(
        [&](size_t i) { return Saturated<int16_t>(product(2 * i) + product(2 * i + 1)); });
}

// ---- Wider and narrower lanes, parts of a register

inline __m512i _mm512_cvtepu8_epi16(const __m256i& a) {
    uint8_t bytes[32];
    std::memcpy(bytes, &a, sizeof(bytes));
    return Lanes<uint16_t>([&](size_t i) { return bytes[i]; });
}

inline __m128i _mm512_cvtusepi32_epi8(const __m512i& a) {
    uint8_t bytes[16];
    for (size_t i = 0; i < 16; ++i)
        bytes[i] = static_cast<uint8_t>(std::min(Lane<uint32_t>(a, i), 255u));
    return Register128Of(bytes);
}

__attribute__((target("avx"))) inline __m256i _mm512_castsi512_si256(const __m512i& a) {
    return Register256Of(a.bytes);
}

__attribute__((target("avx"))) inline __m256i _mm512_extracti64x4_epi64(const __m512i& a,
                                                                        int half) {
    return Register256Of(a.bytes + 32 * (half & 1));
}

// Every 16 bytes of the result hold those of `a`, then those of `b`.
template <typename Narrow, typename Wide>
__m512i Pack(const __m512i& a, const __m512i& b) {
    constexpr size_t kWide = 16 / sizeof(Wide);
    return Lanes<Narrow>([&](size_t i) {
        const size_t block = i / (2 * kWide), place = i % (2 * kWide);
        const __m512i& from = place < kWide ? a : b;
        return Saturated<Narrow>(Lane<Wide>(from, block * kWide + place % kWide));
    });
}

inline __m512i _mm512_packs_epi32(const __m512i& a, const __m512i& b) {
    return Pack<int16_t, int32_t>(a, b);
}

inline __m512i _mm512_packs_epi16(const __m512i& a, const __m512i& b) {
    return Pack<int8_t, int16_t>(a, b);
}

inline __m512i _mm512_packus_epi16(const __m512i& a, const __m512i& b) {
    return Pack<uint8_t, int16_t>(a, b);
}

// ---- Lanes in another order

// The lanes of `a` and `b` by turns, out of the lower (kHalf 0) or upper half of every 16 bytes.
template <typename T, size_t kHalf>
__m512i Unpack(const __m512i& a, const __m512i& b) {
    constexpr size_t kBlock = 16 / sizeof(T);
    return Lanes<T>([&](size_t i) {
        const size_t place = i % kBlock / 2 + kHalf * kBlock / 2;
        return Lane<T>(i % 2 == 0 ? a : b, i / kBlock * kBlock + place);
    });
}

inline __m512i _mm512_unpacklo_epi8(const __m512i& a, const __m512i& b) {
    return Unpack<uint8_t, 0>(a, b);
}

inline __m512i _mm512_unpackhi_epi8(const __m512i& a, const __m512i& b) {
    return Unpack<uint8_t, 1>(a, b);
}

inline __m512i _mm512_unpacklo_epi16(const __m512i& a, const __m512i& b) {
    return Unpack<uint16_t, 0>(a, b);
}

inline __m512i _mm512_unpackhi_epi16(const __m512i& a, const __m512i& b) {
    return Unpack<uint16_t, 1>(a, b);
}

inline __m512i _mm512_unpacklo_epi32(const __m512i& a, const __m512i& b) {
    return Unpack<uint32_t, 0>(a, b);
}

inline __m512i _mm512_unpackhi_epi32(const __m512i& a, const __m512i& b) {
    return Unpack<uint32_t, 1>(a, b);
}

inline __m512i _mm512_unpacklo_epi64(const __m512i& a, const __m512i& b) {
    return Unpack<uint64_t, 0>(a, b);
}

inline __m512i _mm512_unpackhi_epi64(const __m512i& a, const __m512i& b) {
    return Unpack<uint64_t, 1>(a, b);
}

// Two bits of `order` for each 16 bytes: the first two out of `a`, the others out of `b`.
inline __m512i _mm512_shuffle_i32x4(const __m512i& a, const __m512i& b, int order) {
    __m512i shuffled;
    for (size_t i = 0; i < 4; ++i) {
        const uint8_t* const from = i < 2 ? a.bytes : b.bytes;
        std::memcpy(shuffled.bytes + 16 * i, from + 16 * (order >> 2 * i & 3), 16);
    }
    return shuffled;
}

inline __m512i _mm512_permutexvar_epi8(const __m512i& index, const __m512i& a) {
    return Lanes<uint8_t>([&](size_t i) { return a.bytes[index.bytes[i] % 64]; });
}

// The lanes that the mask names; the others keep what `source` has.
inline __m512i _mm512_mask_permutexvar_epi8(const __m512i& source, __mmask64 mask,
                                            const __m512i& index, const __m512i& a) {
    return Lanes<uint8_t>(
        [&](size_t i) { return mask >> i & 1 ? a.bytes[index.bytes[i] % 64] : source.bytes[i]; });
}

// The low bits of an index count lanes of `a`, the next one chooses `b`.
template <typename T>
__m512i Permute2(const __m512i& a, const __m512i& index, const __m512i& b) {
    constexpr size_t kLanes = 64 / sizeof(T);
    return Lanes<T>([&](size_t i) {
        const auto from = static_cast<size_t>(Lane<T>(index, i));
        return Lane<T>(from & kLanes ? b : a, from % kLanes);
    });
}

inline __m512i _mm512_permutex2var_epi8(const __m512i& a, const __m512i& index, const __m512i& b) {
    return Permute2<uint8_t>(a, index, b);
}

inline __m512i _mm512_permutex2var_epi32(const __m512i& a, const __m512i& index, const __m512i& b) {
    return Permute2<uint32_t>(a, index, b);
}

inline __m512i _mm512_permutex2var_epi64(const __m512i& a, const __m512i& index, const __m512i& b) {
    return Permute2<uint64_t>(a, index, b);
}

// The lanes that the mask names get the first ones of `a` in their order, the others 0.
template <typename T>
__m512i Expand(uint64_t mask, const __m512i& a) {
    size_t next = 0;
    return Lanes<T>([&](size_t i) { return mask >> i & 1 ? Lane<T>(a, next++) : T{0}; });
}

inline __m512i _mm512_maskz_expand_epi8(__mmask64 mask, const __m512i& a) {
    return Expand<uint8_t>(mask, a);
}

inline __m512i _mm512_maskz_expand_epi16(__mmask32 mask, const __m512i& a) {
    return Expand<uint16_t>(mask, a);
}

}  // namespace fastload

#endif  // FASTLOAD_TESTS_NATIVE_AVX512_EMULATION_H_
