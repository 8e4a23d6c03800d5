// Exact 22-bit weights by 8-bit dot products: a weight is split into three signed digits to the
// base 256, and Horner's rule joins the three dot products: ((d2 << 8) + d1 << 8) + d0.
#include <immintrin.h>

#include <algorithm>
#include <cstring>

#include "resize_kernels.h"

namespace fastload {
namespace {

constexpr int32_t kLanes = 16;     // 32-bit sums in a register, one an output byte
constexpr int32_t kRegister = 64;  // bytes
constexpr int32_t kDigits = 3;
// A quad's inputs lie within one register, or two.
enum Spread : int32_t { kNarrow, kWide };
// Rounding half, as it stands before the two shifts by eight.
constexpr int32_t kHalfBeforeShifts = 1 << (kWeightBits - 1 - 16);

void SplitWeight(int32_t weight, int8_t digits[kDigits]) {
    for (int d = 0; d < kDigits; ++d) {
        digits[d] = static_cast<int8_t>(weight & 0xff);
        weight = (weight - digits[d]) >> 8;
    }
}

// A group is 16 output bytes, a step four taps of each: a quad. A quad's inputs are gathered out of
// 64 bytes or 128 by one permutation; where they lie further apart the portable
// pass serves.
void Prepare(const Axis& axis, int32_t channels, int32_t origin, HorizontalTable& table) {
    kPortableResize.prepare(axis, channels, origin, table);
    const int32_t bytes = axis.size() * channels;
    const int32_t groups = (bytes + kLanes - 1) / kLanes;
    int32_t most = 1;
    for (int32_t count : axis.count) most = std::max(most, count);
    const int32_t quads = (most + 3) / 4;
    table.offsets.resize(static_cast<size_t>(groups) * quads);
    table.bytes.assign(table.offsets.size() * kRegister * (1 + kDigits), 0);
    table.spread = kNarrow;

    uint8_t* entry = table.bytes.data();
    for (int32_t group = 0; group < groups; ++group) {
        const int32_t begin = group * kLanes;
        const int32_t end = std::min(begin + kLanes, bytes);
        const int32_t leftmost = axis.first[begin / channels];
        for (int32_t quad = 0; quad < quads; ++quad, entry += kRegister * (1 + kDigits)) {
            const int32_t base = (leftmost - origin + 4 * quad) * channels;
            bool used = false;
            for (int32_t lane = 0; begin + lane < end; ++lane) {
                const int32_t x = (begin + lane) / channels;
                const int32_t channel = (begin + lane) % channels;
                for (int32_t i = 0; i < 4 && 4 * quad + i < axis.count[x]; ++i) {
                    const int32_t tap = 4 * quad + i;
                    const int32_t at = (axis.first[x] - origin + tap) * channels + channel - base;
                    if (at >= 2 * kRegister) return;
                    used = true;
                    if (at >= kRegister) table.spread = kWide;
                    entry[lane * 4 + i] = static_cast<uint8_t>(at);
                    int8_t digits[kDigits];
                    SplitWeight(axis.weights[static_cast<size_t>(x) * axis.taps + tap], digits);
                    for (int d = 0; d < kDigits; ++d)
                        std::memcpy(entry + (1 + d) * kRegister + lane * 4 + i, &digits[d], 1);
                }
            }
            // A quad without taps must not read behind the row.
            table.offsets[group * quads + quad] = used ? base : 0;
        }
    }
    table.steps = quads;
}

__m512i Load(const uint8_t* at) { return _mm512_loadu_si512(at); }

// Sums of 16 outputs to 16 levels.
__m128i Levels(__m512i sums) {
    sums = _mm512_srai_epi32(sums, kWeightBits);
    return _mm512_cvtusepi32_epi8(_mm512_max_epi32(sums, _mm512_setzero_si512()));
}

template <int kQuads, bool kNarrow>
void HorizontalGroups(const HorizontalTable& table, const uint8_t* in, ptrdiff_t in_stride,
                      int32_t rows, uint8_t* out, ptrdiff_t out_stride) {
    const int32_t bytes = table.axis->size() * table.channels;
    const int32_t quads = kQuads > 0 ? kQuads : table.steps;
    const uint8_t* entry = table.bytes.data();
    const int32_t* offsets = table.offsets.data();
    for (int32_t begin = 0; begin < bytes; begin += kLanes, offsets += quads) {
        const auto lanes =
            static_cast<__mmask16>(bytes - begin >= kLanes ? 0xffff : (1u << (bytes - begin)) - 1);
        const uint8_t* row = in;
        uint8_t* to = out + begin;
        for (int32_t r = 0; r < rows; ++r, row += in_stride, to += out_stride) {
            __m512i sums = _mm512_set1_epi32(kHalfBeforeShifts);
            for (int d = kDigits - 1; d >= 0; --d) {
                for (int32_t quad = 0; quad < quads; ++quad) {
                    const uint8_t* tables = entry + quad * kRegister * (1 + kDigits);
                    const uint8_t* at = row + offsets[quad];
                    const __m512i pixels = kNarrow
                                               ? _mm512_permutexvar_epi8(Load(tables), Load(at))
                                               : _mm512_permutex2var_epi8(Load(at), Load(tables),
                                                                          Load(at + kRegister));
                    sums = _mm512_dpbusd_epi32(sums, pixels, Load(tables + (1 + d) * kRegister));
                }
                if (d > 0) sums = _mm512_slli_epi32(sums, 8);
            }
            _mm_mask_storeu_epi8(to, lanes, Levels(sums));
        }
        entry += quads * kRegister * (1 + kDigits);
    }
}

void Horizontal(const HorizontalTable& table, const uint8_t* in, ptrdiff_t in_stride, int32_t rows,
                uint8_t* out, ptrdiff_t out_stride) {
    if (table.steps == 0)
        return kPortableResize.horizontal(table, in, in_stride, rows, out, out_stride);
    const auto pass = table.spread == kWide ? HorizontalGroups<0, false>
                      : table.steps == 1    ? HorizontalGroups<1, true>
                      : table.steps == 2    ? HorizontalGroups<2, true>
                                            : HorizontalGroups<0, true>;
    pass(table, in, in_stride, rows, out, out_stride);
}

struct FourRows {
    __m512i parts[4];
};

// Byte i of four rows beside each other: the four parts hold 16 columns each, in the order that
// packing undoes.
FourRows Interleave(__m512i a, __m512i b, __m512i c, __m512i d) {
    const __m512i ab0 = _mm512_unpacklo_epi8(a, b), ab1 = _mm512_unpackhi_epi8(a, b);
    const __m512i cd0 = _mm512_unpacklo_epi8(c, d), cd1 = _mm512_unpackhi_epi8(c, d);
    return {{_mm512_unpacklo_epi16(ab0, cd0), _mm512_unpackhi_epi16(ab0, cd0),
             _mm512_unpacklo_epi16(ab1, cd1), _mm512_unpackhi_epi16(ab1, cd1)}};
}

template <int kMaxQuads>
void VerticalBlocks(const uint8_t* in, ptrdiff_t in_stride, const int32_t* digits, int32_t count,
                    size_t bytes, uint8_t* out) {
    const int32_t quads = (count + 3) / 4;
    for (size_t begin = 0; begin < bytes; begin += kRegister) {
        const __mmask64 mask = bytes - begin >= kRegister ? ~0ull : (1ull << (bytes - begin)) - 1;
        const uint8_t* column = in + begin;
        __m512i sums[4];
        for (auto& sum : sums) sum = _mm512_set1_epi32(kHalfBeforeShifts);
        const auto rows_of = [&](int32_t quad) {
            __m512i rows[4];
            for (int32_t i = 0; i < 4; ++i) {
                const int32_t tap = std::min(4 * quad + i, count - 1);
                rows[i] = _mm512_maskz_loadu_epi8(mask, column + tap * in_stride);
            }
            return Interleave(rows[0], rows[1], rows[2], rows[3]);
        };
        if constexpr (kMaxQuads == 1) {
            const FourRows rows = rows_of(0);
            for (int d = kDigits - 1; d >= 0; --d) {
                const __m512i digit = _mm512_set1_epi32(digits[d]);
                for (int part = 0; part < 4; ++part) {
                    sums[part] = _mm512_dpbusd_epi32(sums[part], rows.parts[part], digit);
                    if (d > 0) sums[part] = _mm512_slli_epi32(sums[part], 8);
                }
            }
        } else {
            __m512i low[4] = {}, middle[4] = {};
            for (int32_t quad = 0; quad < quads; ++quad) {
                const FourRows rows = rows_of(quad);
                const int32_t* digit = digits + quad * kDigits;
                for (int part = 0; part < 4; ++part) {
                    const __m512i pixels = rows.parts[part];
                    low[part] = _mm512_dpbusd_epi32(low[part], pixels, _mm512_set1_epi32(digit[0]));
                    middle[part] =
                        _mm512_dpbusd_epi32(middle[part], pixels, _mm512_set1_epi32(digit[1]));
                    sums[part] =
                        _mm512_dpbusd_epi32(sums[part], pixels, _mm512_set1_epi32(digit[2]));
                }
            }
            for (int part = 0; part < 4; ++part) {
                sums[part] = _mm512_add_epi32(_mm512_slli_epi32(sums[part], 8), middle[part]);
                sums[part] = _mm512_add_epi32(_mm512_slli_epi32(sums[part], 8), low[part]);
            }
        }
        for (auto& sum : sums) sum = _mm512_srai_epi32(sum, kWeightBits);
        const __m512i levels = _mm512_packus_epi16(_mm512_packs_epi32(sums[0], sums[1]),
                                                   _mm512_packs_epi32(sums[2], sums[3]));
        _mm512_mask_storeu_epi8(out + begin, mask, levels);
    }
}

void Vertical(const uint8_t* in, ptrdiff_t in_stride, const int32_t* weights, int32_t count,
              size_t bytes, uint8_t* out) {
    constexpr int32_t kMostTaps = 512;
    if (count > kMostTaps)
        return kPortableResize.vertical(in, in_stride, weights, count, bytes, out);
    // [quad][digit], four taps' digits in one word.
    int32_t digits[kMostTaps / 4 * kDigits] = {};
    if (count <= 4) {
        int8_t packed[kDigits][4] = {};
        for (int32_t tap = 0; tap < count; ++tap) {
            int8_t split[kDigits];
            SplitWeight(weights[tap], split);
            for (int d = 0; d < kDigits; ++d) packed[d][tap] = split[d];
        }
        std::memcpy(digits, packed, sizeof(packed));
        return VerticalBlocks<1>(in, in_stride, digits, count, bytes, out);
    }
    for (int32_t tap = 0; tap < count; ++tap) {
        int8_t split[kDigits];
        SplitWeight(weights[tap], split);
        for (int d = 0; d < kDigits; ++d) {
            char* word = reinterpret_cast<char*>(&digits[tap / 4 * kDigits + d]);
            std::memcpy(word + tap % 4, &split[d], 1);
        }
    }
    VerticalBlocks<0>(in, in_stride, digits, count, bytes, out);
}

}  // namespace

const ResizeKernels kAvx512Resize = {Prepare, Horizontal, Vertical, {1, Horizontal, Vertical}};

}  // namespace fastload
