// The kernels of jpeg_kernels.h for any width of register. Local to the source that includes it.
#ifndef FASTLOAD_NATIVE_JPEG_KERNELS_ANY_H_
#define FASTLOAD_NATIVE_JPEG_KERNELS_ANY_H_

#include <algorithm>

#include "jpeg_kernels.h"
#include "simd_register.h"

namespace fastload {
namespace {

// ---- Inverse DCT
//
// The algorithm of Loeffler, Ligtenberg and Moschytz (ICASSP 1989) with 12 multiplications, in
// libjpeg's fixed point: constants with 13 bits behind the point, two more bits kept between the
// passes. Sums of two 16-bit values stay 16 bits wide, as in libjpeg-turbo's vector code.

constexpr int kConstantBits = 13;
constexpr int kKeptBits = 2;

constexpr int32_t Fixed(double value) {
    return static_cast<int32_t>(value * (1 << kConstantBits) + (value < 0 ? -0.5 : 0.5));
}

// Cosines' products and sums as the algorithm has them.
constexpr int32_t kFix0298 = Fixed(0.298631336), kFix0390 = Fixed(0.390180644);
constexpr int32_t kFix0541 = Fixed(0.541196100), kFix0765 = Fixed(0.765366865);
constexpr int32_t kFix0899 = Fixed(0.899976223), kFix1175 = Fixed(1.175875602);
constexpr int32_t kFix1501 = Fixed(1.501321110), kFix1847 = Fixed(1.847759065);
constexpr int32_t kFix1961 = Fixed(1.961570560), kFix2053 = Fixed(2.053119869);
constexpr int32_t kFix2562 = Fixed(2.562915447), kFix3072 = Fixed(3.072711026);

template <typename R>
struct Transform {
    using V = typename R::Type;

    // 32-bit values of the eight columns of a lane.
    struct Wide {
        V low, high;
        friend Wide operator+(Wide a, Wide b) {
            return {R::Add32(a.low, b.low), R::Add32(a.high, b.high)};
        }
        friend Wide operator-(Wide a, Wide b) {
            return {R::Sub32(a.low, b.low), R::Sub32(a.high, b.high)};
        }
    };

    // Two rows interleaved, to be multiplied by two constants and added.
    struct Rows {
        V low, high;
        Rows(V a, V b) : low(R::Low16(a, b)), high(R::High16(a, b)) {}
        template <int32_t kFirst, int32_t kSecond>
        Wide Dot() const {
            const V constants = Constants<kFirst, kSecond>();
            return {R::Dot16(low, constants), R::Dot16(high, constants)};
        }
        template <int32_t kFirst, int32_t kSecond>
        Wide AddDot(Wide sum) const {
            const V constants = Constants<kFirst, kSecond>();
            return {R::AddDot16(sum.low, low, constants), R::AddDot16(sum.high, high, constants)};
        }

      private:
        template <int32_t kFirst, int32_t kSecond>
        static V Constants() {
            static_assert(kFirst == static_cast<int16_t>(kFirst));
            static_assert(kSecond == static_cast<int16_t>(kSecond));
            return R::Set32((kFirst & 0xffff) | kSecond * 65536);
        }
    };

    template <int kShift>
    static V Descale(Wide a) {
        return R::PackSigned32(R::template ShiftRight32<kShift>(a.low),
                               R::template ShiftRight32<kShift>(a.high));
    }

    // The sum and the difference of two rows with the bits of a constant behind the point, and what
    // rounds them.
    template <int kShift>
    static void SumAndDifference(V a, V b, Wide& sum, Wide& difference) {
        const Rows ends(R::Add16(a, b), R::Sub16(a, b));
        constexpr int32_t kOne = 1 << kConstantBits;
        const V half = R::Set32(1 << (kShift - 1));
        sum = ends.template AddDot<kOne, 0>({half, half});
        difference = ends.template AddDot<0, kOne>({half, half});
    }

    // One pass over eight rows, all columns beside each other.
    template <int kShift>
    static void Pass(V rows[8]) {
        const Rows even(rows[2], rows[6]);
        const Wide even2 = even.template Dot<kFix0541, kFix0541 - kFix1847>();
        const Wide even3 = even.template Dot<kFix0541 + kFix0765, kFix0541>();
        Wide even0, even1;
        SumAndDifference<kShift>(rows[0], rows[4], even0, even1);

        const Rows sums(R::Add16(rows[7], rows[3]), R::Add16(rows[5], rows[1]));
        const Wide sum3 = sums.template Dot<kFix1175 - kFix1961, kFix1175>();
        const Wide sum4 = sums.template Dot<kFix1175, kFix1175 - kFix0390>();
        const Rows outer(rows[7], rows[1]), inner(rows[5], rows[3]);
        const Wide odd0 = outer.template AddDot<kFix0298 - kFix0899, -kFix0899>(sum3);
        const Wide odd3 = outer.template AddDot<-kFix0899, kFix1501 - kFix0899>(sum4);
        const Wide odd1 = inner.template AddDot<kFix2053 - kFix2562, -kFix2562>(sum4);
        const Wide odd2 = inner.template AddDot<-kFix2562, kFix3072 - kFix2562>(sum3);

        const auto finish = [&](int row, Wide even_part, Wide odd_part) {
            rows[row] = Descale<kShift>(even_part + odd_part);
            rows[7 - row] = Descale<kShift>(even_part - odd_part);
        };
        finish(0, even0 + even3, odd3);
        finish(1, even1 + even2, odd2);
        finish(2, even1 - even2, odd1);
        finish(3, even0 - even3, odd0);
    }

    // 8 x 8 values of 16 bits in each lane.
    static void Transpose(V rows[8]) {
        V pairs[8], fours[8];
        for (int i = 0; i < 4; ++i) {
            pairs[i] = R::Low16(rows[2 * i], rows[2 * i + 1]);
            pairs[4 + i] = R::High16(rows[2 * i], rows[2 * i + 1]);
        }
        for (int i = 0; i < 4; ++i) {
            fours[2 * i] = R::Low32(pairs[2 * i], pairs[2 * i + 1]);
            fours[2 * i + 1] = R::High32(pairs[2 * i], pairs[2 * i + 1]);
        }
        for (int i = 0; i < 2; ++i) {
            rows[4 * i] = R::Low64(fours[4 * i], fours[4 * i + 2]);
            rows[4 * i + 1] = R::High64(fours[4 * i], fours[4 * i + 2]);
            rows[4 * i + 2] = R::Low64(fours[4 * i + 1], fours[4 * i + 3]);
            rows[4 * i + 3] = R::High64(fours[4 * i + 1], fours[4 * i + 3]);
        }
    }

    // Columns of 16-bit samples around 0 to rows of bytes.
    static void StoreColumns(const V columns[8], uint8_t* out, ptrdiff_t stride) {
        const auto four_rows = [](V a, V b, V c, V d, V& upper, V& lower) {
            const V ac = R::PackSigned16(a, c), bd = R::PackSigned16(b, d);
            const V ab = R::Low8(ac, bd), cd = R::High8(ac, bd);
            upper = R::Low16(ab, cd);
            lower = R::High16(ab, cd);
        };
        V left[2], right[2];
        four_rows(columns[0], columns[1], columns[2], columns[3], left[0], left[1]);
        four_rows(columns[4], columns[5], columns[6], columns[7], right[0], right[1]);
        const V centre = R::Set8(-128);
        for (int half = 0; half < 2; ++half)
            R::StoreFourRows(out + 4 * half * stride, stride, R::Add8(left[half], centre),
                             R::Add8(right[half], centre));
    }

    static void Run(const int16_t* blocks, const V quant[8], uint8_t* out, ptrdiff_t stride) {
        V rows[8];
        R::LoadBlocks(blocks, rows);
        for (int i = 0; i < 8; ++i) rows[i] = R::MulLow16(rows[i], quant[i]);
        Pass<kConstantBits - kKeptBits>(rows);
        Transpose(rows);
        Pass<kConstantBits + kKeptBits + 3>(rows);
        StoreColumns(rows, out, stride);
    }
};

template <typename R>
void InverseDct(const int16_t* blocks, int32_t count, const uint16_t quant[64], uint8_t* out,
                ptrdiff_t stride) {
    typename R::Type levels[8];
    for (int i = 0; i < 8; ++i) levels[i] = R::LoadRepeated(quant + 8 * i);
    for (int32_t i = 0; i < count; i += R::kLanes)
        Transform<R>::Run(blocks + 64 * i, levels, out + 8 * i, stride);
}

// ---- Inverse DCT to fewer samples
//
// An image at 1/2, 1/4 or 1/8 of its size: of an orthonormal DCT of N x N samples the lowest n x n
// frequencies, times n / N, are the orthonormal DCT of the same block in n x n samples (Dugad and
// Ahuja, "A fast scheme for image size change in the compressed domain", IEEE Transactions on
// Circuits and Systems for Video Technology, 2001). So these are plain inverse DCTs of n x n
// frequencies, an eighth of each sum being left to a shift at the end, as with 8 x 8.

// Four columns of two blocks beside each other fill a lane, and so do four rows.
template <typename R>
struct Transform4 {
    using V = typename R::Type;
    using Wide = typename Transform<R>::Wide;
    using Rows = typename Transform<R>::Rows;

    // The square root of 2 times the cosines of pi / 8 and 3 pi / 8.
    static constexpr int32_t kFix1306 = Fixed(1.306562965);

    template <int kShift>
    static void Pass(V rows[4]) {
        Wide even0, even1;
        Transform<R>::template SumAndDifference<kShift>(rows[0], rows[2], even0, even1);
        const Rows odd(rows[1], rows[3]);
        const Wide odd0 = odd.template Dot<kFix1306, kFix0541>();
        const Wide odd1 = odd.template Dot<kFix0541, -kFix1306>();
        rows[0] = Transform<R>::template Descale<kShift>(even0 + odd0);
        rows[1] = Transform<R>::template Descale<kShift>(even1 + odd1);
        rows[2] = Transform<R>::template Descale<kShift>(even1 - odd1);
        rows[3] = Transform<R>::template Descale<kShift>(even0 - odd0);
    }

    static void Transpose(V rows[4]) {
        const V first0 = R::Low16(rows[0], rows[1]), first2 = R::Low16(rows[2], rows[3]);
        const V second0 = R::High16(rows[0], rows[1]), second2 = R::High16(rows[2], rows[3]);
        const V first01 = R::Low32(first0, first2), first23 = R::High32(first0, first2);
        const V second01 = R::Low32(second0, second2), second23 = R::High32(second0, second2);
        rows[0] = R::Low64(first01, second01);
        rows[1] = R::High64(first01, second01);
        rows[2] = R::Low64(first23, second23);
        rows[3] = R::High64(first23, second23);
    }

    // Columns of 16-bit samples around 0 to rows of bytes.
    static void StoreColumns(const V columns[4], uint8_t* out, ptrdiff_t stride) {
        const V even = R::PackSigned16(columns[0], columns[2]);
        const V odd = R::PackSigned16(columns[1], columns[3]);
        const V left = R::Low8(even, odd), right = R::High8(even, odd);
        const V first = R::Low16(left, right), second = R::High16(left, right);
        const V centre = R::Set8(-128);
        R::StoreHalves(out, out + stride, R::Add8(R::Low32(first, second), centre));
        out += 2 * stride;
        R::StoreHalves(out, out + stride, R::Add8(R::High32(first, second), centre));
    }

    static void Run(const int16_t* blocks, const V quant[4], uint8_t* out, ptrdiff_t stride) {
        constexpr int32_t kEvenBlocks[2] = {0, 128 * sizeof(int16_t)};
        V rows[4];
        for (int i = 0; i < 4; ++i) {
            const auto load = [&](const int16_t* at) {
                return R::LoadEach(reinterpret_cast<const uint8_t*>(at), kEvenBlocks);
            };
            const V first = load(blocks + 8 * i), second = load(blocks + 64 + 8 * i);
            rows[i] = R::MulLow16(R::Low64(first, second), quant[i]);
        }
        Pass<kConstantBits - kKeptBits>(rows);
        Transpose(rows);
        Pass<kConstantBits + kKeptBits + 3>(rows);
        StoreColumns(rows, out, stride);
    }
};

template <typename R>
void InverseDct4x4(const int16_t* blocks, int32_t count, const uint16_t quant[64], uint8_t* out,
                   ptrdiff_t stride) {
    typename R::Type levels[4];
    for (int i = 0; i < 4; ++i) {
        const auto row = R::LoadRepeated(quant + 8 * i);
        levels[i] = R::Low64(row, row);
    }
    constexpr int32_t kBlocks = 2 * R::kLanes;
    for (int32_t i = 0; i < count; i += kBlocks)
        Transform4<R>::Run(blocks + 64 * i, levels, out + 4 * i, stride);
}

// Four blocks fill one lane, and nothing is multiplied but the coefficients.
inline void InverseDct2x2(const int16_t* blocks, int32_t count, const uint16_t quant[64],
                          uint8_t* out, ptrdiff_t stride) {
    using R = Register128;
    // Of the row of each block its first two coefficients.
    const auto gather = [](const int16_t* row, ptrdiff_t step) {
        return R::Low64(R::Low32(R::Load(row), R::Load(row + step)),
                        R::Low32(R::Load(row + 2 * step), R::Load(row + 3 * step)));
    };
    const auto upper_levels = gather(reinterpret_cast<const int16_t*>(quant), 0);
    const auto lower_levels = gather(reinterpret_cast<const int16_t*>(quant) + 8, 0);
    const auto plus = R::Set16(1), minus = R::Set32(1 | -1 * 65536), half = R::Set32(4);
    for (int32_t i = 0; i < count; i += 4, blocks += 4 * 64, out += 4 * 2) {
        const auto upper = R::MulLow16(gather(blocks, 64), upper_levels);
        const auto lower = R::MulLow16(gather(blocks + 8, 64), lower_levels);
        const auto above = R::Add16(upper, lower), below = R::Sub16(upper, lower);
        const auto samples = [&](R::Type signs) {
            const auto descaled = [&](R::Type row) {
                return R::ShiftRight32<3>(R::Add32(R::Dot16(row, signs), half));
            };
            return R::PackSigned32(descaled(above), descaled(below));
        };
        const auto left = samples(plus), right = samples(minus);
        const auto rows = R::PackSigned16(R::Low16(left, right), R::High16(left, right));
        R::StoreHalves(out, out + stride, R::Add8(rows, R::Set8(-128)));
    }
}

inline void InverseDct1x1(const int16_t* blocks, int32_t count, const uint16_t quant[64],
                          uint8_t* out, ptrdiff_t) {
    const int32_t level = quant[0];
    for (int32_t i = 0; i < count; ++i)
        out[i] =
            static_cast<uint8_t>(std::clamp((blocks[64 * i] * level + 4) >> 3, -128, 127) + 128);
}

// ---- Upsampling: three parts of the nearer sample and one of the farther, in each direction

inline void RepeatEdges(uint8_t* in, int32_t count) {
    in[-1] = in[0];
    in[count] = in[count - 1];
}

// Three parts of `near` and one of `far`, of bytes: (sum + 2) / 4 and (sum + 1) / 4. The half that
// one average drops, or adds, never decides how the other one rounds.
template <typename R>
typename R::Type MixUp8(typename R::Type near, typename R::Type far) {
    return R::Average8(near, R::AverageDown8(near, far));
}

template <typename R>
typename R::Type MixDown8(typename R::Type near, typename R::Type far) {
    return R::AverageDown8(near, R::Average8(near, far));
}

template <typename R>
void AcrossTwice(uint8_t* in, int32_t count, uint8_t* out) {
    RepeatEdges(in, count);
    constexpr int32_t kSamples = 16 * R::kLanes;
    for (int32_t i = 0; i < count; i += kSamples, out += 2 * kSamples) {
        const auto here = R::Load(in + i);
        R::StoreByTurns(out, MixDown8<R>(here, R::Load(in + i - 1)),
                        MixUp8<R>(here, R::Load(in + i + 1)));
    }
}

template <typename R>
void DownTwice(const uint8_t* near, const uint8_t* far, bool far_is_below, int32_t count,
               uint8_t* out) {
    constexpr int32_t kSamples = 16 * R::kLanes;
    const auto mix_rows = [&](auto mix) {
        for (int32_t i = 0; i < count; i += kSamples)
            R::Store(out + i, mix(R::Load(near + i), R::Load(far + i)));
    };
    return far_is_below ? mix_rows(MixUp8<R>) : mix_rows(MixDown8<R>);
}

template <typename R>
void BothTwice(const uint8_t* near, const uint8_t* far, int32_t count, uint16_t* scratch,
               uint8_t* out) {
    uint16_t* const sums = scratch + 1;
    constexpr int32_t kSums = 8 * R::kLanes;
    const auto thrice = [](auto a) { return R::Add16(a, R::template ShiftLeft16<1>(a)); };
    for (int32_t i = 0; i < count; i += kSums)
        R::Store(sums + i, R::Add16(thrice(R::Widen8(near + i)), R::Widen8(far + i)));
    sums[-1] = sums[0];
    sums[count] = sums[count - 1];
    for (int32_t i = 0; i < count; i += kSums, out += 2 * kSums) {
        const auto here = thrice(R::Load(sums + i));
        const auto left = R::Add16(R::Load(sums + i - 1), R::Set16(8));
        const auto right = R::Add16(R::Load(sums + i + 1), R::Set16(7));
        const auto even = R::template ShiftRight16<4>(R::Add16(here, left));
        const auto odd = R::template ShiftRight16<4>(R::Add16(here, right));
        R::Store(out, R::Or(even, R::template ShiftLeft16<8>(odd)));
    }
}

// ---- Colours
//
// ITU-T T.871's equations in 16 bits of fixed point. What exceeds 16 signed bits is split: 1.402 =
// 1 + 0.402, 1.772 = 2 - 0.228, -0.714 = 0.286 - 1. The red and blue parts are products of a byte,
// which 15 bits behind the point round to the same whole number.

constexpr int32_t Fixed15(double value) {
    return static_cast<int32_t>(value * 32768 + (value < 0 ? -0.5 : 0.5));
}
constexpr int32_t Fixed16(double value) { return static_cast<int32_t>(value * 65536 + 0.5); }

// Half of a register's pixels, 16 bits each.
template <typename R>
struct Pixels16 {
    using V = typename R::Type;
    V red, green, blue;

    Pixels16(V y, V cb, V cr) {
        red = R::Add16(R::Add16(y, cr), R::MulRound16(cr, R::Set16(Fixed15(0.402))));
        blue =
            R::Add16(R::Add16(y, R::Add16(cb, cb)), R::MulRound16(cb, R::Set16(Fixed15(-0.228))));
        constexpr int32_t kOfCb = -Fixed16(0.34414), kOfCr = 65536 - Fixed16(0.71414);
        const V constants = R::Set32((kOfCb & 0xffff) | kOfCr * 65536), half = R::Set32(32768);
        const auto sum = [&](V pair) {
            return R::template ShiftRight32<16>(R::AddDot16(half, pair, constants));
        };
        const V both = R::PackSigned32(sum(R::Low16(cb, cr)), sum(R::High16(cb, cr)));
        green = R::Add16(R::Sub16(y, cr), both);
    }
};

template <typename R>
void YccToRgb(const uint8_t* y, const uint8_t* cb, const uint8_t* cr, int32_t width, uint8_t* rgb) {
    constexpr int32_t kPixels = 16 * R::kLanes;
    const auto zero = R::Zero(), centre = R::Set16(128);
    for (int32_t x = 0; x < width; x += kPixels, rgb += 3 * kPixels) {
        const auto luma = R::Load(y + x), blue = R::Load(cb + x), red = R::Load(cr + x);
        const Pixels16<R> low(R::Low8(luma, zero), R::Sub16(R::Low8(blue, zero), centre),
                              R::Sub16(R::Low8(red, zero), centre));
        const Pixels16<R> high(R::High8(luma, zero), R::Sub16(R::High8(blue, zero), centre),
                               R::Sub16(R::High8(red, zero), centre));
        R::StoreByTurns(rgb, R::PackUnsigned16(low.red, high.red),
                        R::PackUnsigned16(low.green, high.green),
                        R::PackUnsigned16(low.blue, high.blue));
    }
}

template <typename R>
void Interleave(const uint8_t* red, const uint8_t* green, const uint8_t* blue, int32_t width,
                uint8_t* rgb) {
    constexpr int32_t kPixels = 16 * R::kLanes;
    for (int32_t x = 0; x < width; x += kPixels, rgb += 3 * kPixels)
        R::StoreByTurns(rgb, R::Load(red + x), R::Load(green + x), R::Load(blue + x));
}

// Blocks of 4 x 4 samples are few bytes, for which registers of `Small` do.
template <typename R, typename Small = R>
constexpr JpegKernels MakeJpegKernels() {
    return {InverseDct<R>, AcrossTwice<R>,       DownTwice<R>,  BothTwice<R>, YccToRgb<R>,
            Interleave<R>, InverseDct4x4<Small>, InverseDct2x2, InverseDct1x1};
}

}  // namespace
}  // namespace fastload

#endif  // FASTLOAD_NATIVE_JPEG_KERNELS_ANY_H_
