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

// Shuffles that put the bytes, or words, where a mask has its ones first, and zeros behind them.
template <int kBytes>
constexpr auto MakeCompressions() {
    std::array<std::array<uint8_t, 8 * kBytes>, 256> compressions{};
    for (int mask = 0; mask < 256; ++mask) {
        int next = 0;
        for (int place = 0; place < 8; ++place) {
            if ((mask >> place & 1) == 0) continue;
            for (int i = 0; i < kBytes; ++i)
                compressions[mask][next * kBytes + i] = static_cast<uint8_t>(place * kBytes + i);
            ++next;
        }
        for (int at = next * kBytes; at < 8 * kBytes; ++at) compressions[mask][at] = 0x80;
    }
    return compressions;
}

alignas(64) constexpr auto kExpandBytes = MakeExpansions<1>();
alignas(64) constexpr auto kExpandWords = MakeExpansions<2>();
alignas(64) constexpr auto kCompressBytes = MakeCompressions<1>();
alignas(64) constexpr auto kCompressWords = MakeCompressions<2>();

__m128i LoadLow(const void* at) { return _mm_loadl_epi64(static_cast<const __m128i*>(at)); }
__m128i Load(const void* at) { return _mm_loadu_si128(static_cast<const __m128i*>(at)); }
void Store(void* at, __m128i a) { _mm_storeu_si128(static_cast<__m128i*>(at), a); }

__m128i ExpandBytes(const uint8_t* bytes, uint32_t mask) {
    return _mm_shuffle_epi8(LoadLow(bytes), LoadLow(kExpandBytes[mask].data()));
}

// ---- Packing

__m256i Load256(const void* at) { return _mm256_loadu_si256(static_cast<const __m256i*>(at)); }

// The AC coefficients of a block, two rows a register; the DC's place has a zero.
struct Rows {
    __m256i pairs[4];

    explicit Rows(const int16_t* block) {
        for (int i = 0; i < 4; ++i) pairs[i] = Load256(block + 16 * i);
        pairs[0] = _mm256_insert_epi16(pairs[0], 0, 0);
    }

    // A bit for each value that is not zero.
    uint64_t Mask() const {
        const __m256i zero = _mm256_setzero_si256();
        const auto half = [&](__m256i a, __m256i b) {
            const __m256i zeros =
                _mm256_packs_epi16(_mm256_cmpeq_epi16(a, zero), _mm256_cmpeq_epi16(b, zero));
            const __m256i in_order = _mm256_permute4x64_epi64(zeros, 0b11011000);
            return static_cast<uint32_t>(_mm256_movemask_epi8(in_order));
        };
        return ~(half(pairs[0], pairs[1]) | uint64_t{half(pairs[2], pairs[3])} << 32);
    }

    // The largest magnitudes of both rows of a register, column by column.
    __m256i Most() const {
        return _mm256_max_epu16(
            _mm256_max_epu16(_mm256_abs_epi16(pairs[0]), _mm256_abs_epi16(pairs[1])),
            _mm256_max_epu16(_mm256_abs_epi16(pairs[2]), _mm256_abs_epi16(pairs[3])));
    }
};

// The AC coefficients of one block that are not zero, and where they are.
struct Nonzero {
    alignas(32) int16_t values[64 + 8];  // eight zeros behind them, then nothing that is used
    uint64_t mask;

    void Take(const Rows& rows) {
        mask = rows.Mask();
        uint64_t rest = mask;
        int16_t* next = values;
        for (const __m256i pair : rows.pairs) {
            for (const __m128i row :
                 {_mm256_castsi256_si128(pair), _mm256_extracti128_si256(pair, 1)}) {
                Store(next, _mm_shuffle_epi8(row, Load(kCompressWords[rest & 255].data())));
                next += __builtin_popcount(rest & 255);
                rest >>= 8;
            }
        }
        Store(next, _mm_setzero_si128());
    }
};

// The low four bits of 32 values.
void PutNibbles(const int16_t* values, uint8_t* out) {
    const __m256i low = _mm256_set1_epi16(15);
    const __m256i bytes = _mm256_packus_epi16(_mm256_and_si256(Load256(values), low),
                                              _mm256_and_si256(Load256(values + 16), low));
    const __m256i pairs = _mm256_maddubs_epi16(bytes, _mm256_set1_epi16(1 | 16 << 8));
    const __m256i packed = _mm256_packus_epi16(pairs, pairs);
    // Quarters: values 0-7, 16-23, twice; 8-15, 24-31, twice.
    const __m256i even =
        _mm256_permutevar8x32_epi32(packed, _mm256_setr_epi32(0, 4, 1, 5, 0, 0, 0, 0));
    Store(out, _mm256_castsi256_si128(even));
}

// What 32 values have above their nibbles, as bytes, and which have any.
uint32_t HighParts(const int16_t* values, uint8_t* out) {
    const __m256i half = _mm256_set1_epi16(8), byte = _mm256_set1_epi16(255);
    const auto high = [&](const int16_t* at) {
        return _mm256_and_si256(_mm256_srai_epi16(_mm256_add_epi16(Load256(at), half), 4), byte);
    };
    const __m256i bytes =
        _mm256_permute4x64_epi64(_mm256_packus_epi16(high(values), high(values + 16)), 0b11011000);
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(out), bytes);
    const __m256i none = _mm256_cmpeq_epi8(bytes, _mm256_setzero_si256());
    return ~static_cast<uint32_t>(_mm256_movemask_epi8(none));
}

// Returns where the coefficients end.
uint8_t* PutAc(const Nonzero& nonzero, uint8_t* at) {
    if (nonzero.mask == 0) return at;
    const auto count = static_cast<uint32_t>(__builtin_popcountll(nonzero.mask));
    const __m128i masks = _mm_cvtsi64_si128(static_cast<int64_t>(nonzero.mask));
    const __m128i empty = _mm_cmpeq_epi8(masks, _mm_setzero_si128());
    const uint32_t filled = ~static_cast<uint32_t>(_mm_movemask_epi8(empty)) & 255;
    *at++ = static_cast<uint8_t>(filled);
    _mm_storel_epi64(reinterpret_cast<__m128i*>(at),
                     _mm_shuffle_epi8(masks, LoadLow(kCompressBytes[filled].data())));
    at += __builtin_popcount(filled);

    PutNibbles(nonzero.values, at);
    uint8_t high[64];
    uint64_t wide = HighParts(nonzero.values, high);
    if (count > 32) {
        PutNibbles(nonzero.values + 32, at + 16);
        wide |= uint64_t{HighParts(nonzero.values + 32, high + 32)} << 32;
    }
    at += (count + 1) / 2;
    wide = _bzhi_u64(wide, count);
    std::memcpy(at, &wide, sizeof(wide));
    at += (count + 7) / 8;
    const uint8_t* eight = high;
    const auto put_eight = [&] {
        const uint32_t taken = wide & 255;
        _mm_storel_epi64(reinterpret_cast<__m128i*>(at),
                         _mm_shuffle_epi8(LoadLow(eight), LoadLow(kCompressBytes[taken].data())));
        at += __builtin_popcount(taken);
        wide >>= 8;
        eight += 8;
    };
    // Most wide values are among the first 16, those of low frequencies: no branch for these.
    put_eight();
    put_eight();
    while (wide != 0) put_eight();
    return at;
}

// ---- Unpacking

// 32 nibbles to values, in two halves.
struct Nibbles {
    __m256i halves[2];

    explicit Nibbles(const uint8_t* nibbles) {
        const __m128i both = Load(nibbles), low = _mm_set1_epi8(15), sign = _mm_set1_epi8(8);
        const auto extend = [&](__m128i a) {
            return _mm_sub_epi8(_mm_xor_si128(_mm_and_si128(a, low), sign), sign);
        };
        const __m128i even = extend(both), odd = extend(_mm_srli_epi16(both, 4));
        halves[0] = _mm256_cvtepi8_epi16(_mm_unpacklo_epi8(even, odd));
        halves[1] = _mm256_cvtepi8_epi16(_mm_unpackhi_epi8(even, odd));
    }
};

// The high parts of 16 values, in their place: bytes that are there for the ones of `wide` alone.
__m256i HighPartsAt(const uint8_t* bytes, uint32_t wide) {
    const uint32_t first = wide & 255, second = wide >> 8 & 255;
    const __m128i expanded = _mm_unpacklo_epi64(
        ExpandBytes(bytes, first), ExpandBytes(bytes + __builtin_popcount(first), second));
    return _mm256_slli_epi16(_mm256_cvtepi8_epi16(expanded), 4);
}

void Store256(void* at, __m256i a) { _mm256_storeu_si256(static_cast<__m256i*>(at), a); }

// The coefficients of one block that are not zero, and where they are.
struct Values {
    alignas(32) int16_t values[64 + 8];
    uint64_t mask;

    // Returns where the coefficients end.
    const uint8_t* Read(const uint8_t* at) {
        const uint32_t rows = *at++;
        mask = static_cast<uint64_t>(_mm_cvtsi128_si64(ExpandBytes(at, rows)));
        at += __builtin_popcount(rows);
        const auto count = static_cast<uint32_t>(__builtin_popcountll(mask));
        const uint8_t* const nibbles = at;
        at += (count + 1) / 2;
        uint64_t wide;
        std::memcpy(&wide, at, sizeof(wide));
        wide = _bzhi_u64(wide, count);
        at += (count + 7) / 8;
        const uint8_t* const end = at + __builtin_popcountll(wide);

        const Nibbles first(nibbles);
        Store256(values, _mm256_add_epi16(first.halves[0], HighPartsAt(at, wide & 0xffff)));
        Store256(values + 16, first.halves[1]);
        if (count > 32) {
            const Nibbles second(nibbles + 16);
            Store256(values + 32, second.halves[0]);
            Store256(values + 48, second.halves[1]);
        }
        for (int16_t* next = values + 16; (wide >>= 16) != 0; next += 16) {
            at = end - __builtin_popcountll(wide);
            Store256(next, _mm256_add_epi16(Load256(next), HighPartsAt(at, wide & 0xffff)));
        }
        return end;
    }

    void Expand(int16_t* block) const {
        const int16_t* next = values;
        uint64_t rest = mask;
        for (int32_t row = 0; row < 8; ++row, rest >>= 8) {
            const uint32_t taken = rest & 255;
            Store(block + 8 * row, _mm_shuffle_epi8(Load(next), Load(kExpandWords[taken].data())));
            next += __builtin_popcount(taken);
        }
    }
};

}  // namespace

// Both directions work in two passes: what is read again in other pieces than it was written in is
// read when the writes have reached the cache.

uint8_t* PackBlocksAvx2(const int16_t* blocks, int32_t count, uint8_t* out) {
    Nonzero nonzero[16];
    bool fit = true;
    __m256i most = _mm256_setzero_si256();
    for (int32_t i = 0; i < count; ++i) {
        const int16_t* const block = blocks + 64 * i;
        const Rows rows(block);
        fit &= block[0] >= -2048 && block[0] < 2048;
        most = _mm256_max_epu16(most, rows.Most());
        nonzero[i].Take(rows);
        std::memcpy(out + 2 * i, block, sizeof(int16_t));
    }
    // AC coefficients of up to 10 bits (T.81 F.1.2.2).
    if (!fit || _mm256_testz_si256(most, _mm256_set1_epi16(-1024)) == 0) return nullptr;
    uint8_t* const lengths = out + 2 * count;
    uint8_t* at = out + kFrontOfBlock * static_cast<size_t>(count);
    for (int32_t i = 0; i < count; ++i) {
        uint8_t* const end = PutAc(nonzero[i], at);
        lengths[i] = static_cast<uint8_t>(end - at);
        at = end;
    }
    return at;
}

bool UnpackBlocksAvx2(const uint8_t* group, size_t size, int32_t count, Range wanted,
                      int16_t* blocks) {
    const uint8_t* const lengths = group + 2 * count;
    size_t all = kFrontOfBlock * static_cast<size_t>(count);
    if (size < all) return false;
    const uint8_t* at = group + all;
    for (int32_t i = 0; i < count; ++i) {
        all += lengths[i];
        at += i < wanted.first ? lengths[i] : 0;
    }
    if (all != size) return false;

    Values values[16];
    const int32_t wanted_count = wanted.count();
    bool whole = true;
    for (int32_t i = 0; i < wanted_count; ++i) {
        const uint8_t* const end = at + lengths[wanted.first + i];
        if (at == end)
            values[i].mask = 0;
        else
            whole &= values[i].Read(at) == end;
        at = end;
    }
    for (int32_t i = 0; i < wanted_count; ++i, blocks += 64) {
        values[i].Expand(blocks);
        std::memcpy(blocks, group + 2 * (wanted.first + i), sizeof(int16_t));
    }
    return whole;
}

}  // namespace fastload
