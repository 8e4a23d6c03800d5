// The passes of resize_kernels.h with weights of 16 bits, for one channel and any width of
// register. A level may be one off, where 22 bits would have rounded it to the other side. Local to
// the source that includes it.
#ifndef FASTLOAD_NATIVE_RESIZE_SHORT_ANY_H_
#define FASTLOAD_NATIVE_RESIZE_SHORT_ANY_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <type_traits>
#include <vector>

#include "resize_kernels.h"
#include "simd_register.h"

namespace fastload {
namespace {

// Behind the point of a weight: the one bit left is for weights above 1, which sharper filters have
// at an edge.
constexpr int kShortBits = 14;

// Levels of 16 bits, from a horizontal pass that is the first one, have so many behind the point.
constexpr int kLevelBits = 7;

// The weights of one output. What rounding one of them leaves goes to the next, so that the sum is
// still 1.
inline void Shorten(const int32_t* weights, int32_t count, int16_t* shorts) {
    constexpr int kDropped = kWeightBits - kShortBits;
    int32_t left = 0;
    for (int32_t tap = 0; tap < count; ++tap) {
        left += weights[tap];
        shorts[tap] = static_cast<int16_t>((left + (1 << (kDropped - 1))) >> kDropped);
        left -= shorts[tap] * (1 << kDropped);
    }
}

// ---- Horizontal
//
// Each lane sums four outputs, two of their taps at a time, out of 16 bytes. A block is what is
// stored at once, eight outputs a lane: two halves, summed one after the other. The table has for
// each half an offset for each lane, and for each pair of taps the order of the bytes and the
// weights.

constexpr int32_t kOutputsOfHalf = 4;  // in each lane

// What a lane's 16 bytes hold.
enum ShortSpread : int32_t {
    kAllTaps,  // of its four outputs
    kOnePair   // of taps of each, two bytes further on than those of the pair before
};

constexpr int32_t PairsOf(int32_t taps) { return (taps + 1) / 2; }

// How far apart the inputs of four outputs lie at most, from the first of one to the last of
// `taps` of another.
inline int32_t BytesOfLane(const Axis& axis, int32_t taps) {
    const int32_t last = axis.size() - 1;
    int32_t most = 0;
    for (int32_t x = 0; x <= last; x += kOutputsOfHalf)
        most = std::max(most,
                        axis.first[std::min(x + kOutputsOfHalf - 1, last)] - axis.first[x] + taps);
    return most;
}

template <typename R>
class ShortTableWriter {
  public:
    // Without steps where the inputs lie too far apart for the table.
    ShortTableWriter(const Axis& axis, int32_t origin, HorizontalTable& table)
        : axis_(axis), table_(table) {
        constexpr int32_t kBytes = 16;
        const int32_t pairs = PairsOf(*std::max_element(axis.count.begin(), axis.count.end()));
        // Pairs of which some outputs of a lane have no use are read nevertheless.
        const bool overreads = 2 * pairs + kBytes > static_cast<int32_t>(kRowPadding);
        table.spread = BytesOfLane(axis, 2 * pairs) <= kBytes ? kAllTaps : kOnePair;
        table.steps = BytesOfLane(axis, 2) > kBytes || overreads ? 0 : pairs;
        if (table.steps > 0) Write(origin);
    }

  private:
    static constexpr int32_t kWords = kOutputsOfHalf * R::kLanes;  // of a register

    void Write(int32_t origin) {
        const size_t halves = (axis_.size() + 2 * kWords - 1) / (2 * kWords) * 2;
        table_.offsets.assign(halves * R::kLanes, 0);
        table_.bytes.assign(halves * table_.steps * 2 * kWords * sizeof(uint32_t), 0);
        for (int32_t begin = 0; begin < axis_.size(); begin += kOutputsOfHalf) {
            const int32_t four = begin / kOutputsOfHalf, lane = four / 2 % R::kLanes;
            const int32_t half = four / (2 * R::kLanes) * 2 + four % 2;
            table_.offsets[half * R::kLanes + lane] = axis_.first[begin] - origin;
            WriteLane(begin, reinterpret_cast<uint32_t*>(table_.bytes.data()) +
                                 half * table_.steps * 2 * kWords + lane * kOutputsOfHalf);
        }
    }

    void WriteLane(int32_t begin, uint32_t* words) {
        const int32_t end = std::min(begin + kOutputsOfHalf, axis_.size());
        for (int32_t x = begin; x < end; ++x, ++words) {
            shorts_.assign(axis_.taps + 1, 0);
            Shorten(&axis_.weights[static_cast<size_t>(x) * axis_.taps], axis_.count[x],
                    shorts_.data());
            for (int32_t pair = 0; pair < PairsOf(axis_.count[x]); ++pair) {
                const auto at = static_cast<uint32_t>(axis_.first[x] - axis_.first[begin] +
                                                      (table_.spread == kAllTaps ? 2 * pair : 0));
                words[2 * pair * kWords] = at | (at + 1) << 16 | 0x80008000;
                words[(2 * pair + 1) * kWords] = static_cast<uint16_t>(shorts_[2 * pair]) |
                                                 static_cast<uint32_t>(shorts_[2 * pair + 1]) << 16;
            }
        }
    }

    const Axis& axis_;
    HorizontalTable& table_;
    std::vector<int16_t> shorts_;
};

template <typename R>
void PrepareShort(const Axis& axis, int32_t channels, int32_t origin, HorizontalTable& table) {
    table.axis = &axis;
    table.channels = channels;
    table.origin = origin;
    ShortTableWriter<R>(axis, origin, table);
}

// Bits of a sum that a level of this type does not keep.
template <typename Level>
constexpr int kDroppedBits = std::is_same_v<Level, uint8_t> ? kShortBits : kShortBits - kLevelBits;

// What a pass over some rows is compiled for. `kPairs_` is table.steps, or 0 where that is not
// known then.
template <typename R_, typename Level_, int kPairs_, ShortSpread kSpread_>
struct ShortKind {
    using R = R_;
    using Level = Level_;
    static constexpr int kPairs = kPairs_;
    static constexpr ShortSpread kSpread = kSpread_;
};

// Sums a half of a block in `kRows` rows; `at` is moved behind its part of the table.
template <typename Kind, int kRows>
inline void SumHalf(const uint8_t*& at, int32_t pairs, const int32_t* offsets, const uint8_t* in,
                    ptrdiff_t in_stride, typename Kind::R::Type sums[kRows]) {
    using R = typename Kind::R;
    using V = typename R::Type;
    constexpr int kDropped = kDroppedBits<typename Kind::Level>;
    V bytes[kRows];
    for (int row = 0; row < kRows; ++row) {
        bytes[row] = R::LoadEach(in + row * in_stride, offsets);
        sums[row] = R::Set32(1 << (kDropped - 1));
    }
    for (int32_t pair = 0; pair < (Kind::kPairs > 0 ? Kind::kPairs : pairs); ++pair) {
        const V order = R::Load(at), weights = R::Load(at + sizeof(V));
        at += 2 * sizeof(V);
        for (int row = 0; row < kRows; ++row) {
            if (Kind::kSpread == kOnePair)
                bytes[row] = R::LoadEach(in + row * in_stride + 2 * pair, offsets);
            sums[row] = R::Add32(sums[row], R::Dot16(R::Shuffle8(bytes[row], order), weights));
        }
    }
    for (int row = 0; row < kRows; ++row) sums[row] = R::template ShiftRight32<kDropped>(sums[row]);
}

// Packing clamps what it makes smaller; levels of 16 bits may still be below 0.
template <typename R>
void StoreTwoRows(const typename R::Type rows[2], uint8_t* out, ptrdiff_t stride) {
    R::StoreHalves(out, out + stride, R::PackUnsigned16(rows[0], rows[1]));
}
template <typename R>
void StoreTwoRows(const typename R::Type rows[2], int16_t* out, ptrdiff_t stride) {
    R::Store(out, R::Max16(rows[0], R::Zero()));
    R::Store(reinterpret_cast<uint8_t*>(out) + stride, R::Max16(rows[1], R::Zero()));
}

// `kRows` is even.
template <typename Kind, int kRows>
void ShortRows(const HorizontalTable& table, const uint8_t* in, ptrdiff_t in_stride, uint8_t* out,
               ptrdiff_t out_stride) {
    using R = typename Kind::R;
    constexpr int32_t kBlock = 2 * kOutputsOfHalf * R::kLanes;
    const uint8_t* at = table.bytes.data();
    const int32_t* offsets = table.offsets.data();
    for (int32_t x = 0; x < table.axis->size(); x += kBlock, offsets += 2 * R::kLanes) {
        typename R::Type first[kRows], second[kRows];
        SumHalf<Kind, kRows>(at, table.steps, offsets, in, in_stride, first);
        SumHalf<Kind, kRows>(at, table.steps, offsets + R::kLanes, in, in_stride, second);
        for (int row = 0; row < kRows; row += 2) {
            const typename R::Type levels[2] = {R::PackSigned32(first[row], second[row]),
                                                R::PackSigned32(first[row + 1], second[row + 1])};
            auto* const to = reinterpret_cast<typename Kind::Level*>(out + row * out_stride) + x;
            StoreTwoRows<R>(levels, to, out_stride);
        }
    }
}

template <typename Kind>
void AllShortRows(const HorizontalTable& table, const uint8_t* in, ptrdiff_t in_stride,
                  int32_t rows, uint8_t* out, ptrdiff_t out_stride) {
    for (; rows >= 4; rows -= 4, in += 4 * in_stride, out += 4 * out_stride)
        ShortRows<Kind, 4>(table, in, in_stride, out, out_stride);
    for (; rows >= 2; rows -= 2, in += 2 * in_stride, out += 2 * out_stride)
        ShortRows<Kind, 2>(table, in, in_stride, out, out_stride);
    // A row that is left alone is computed twice.
    if (rows > 0) ShortRows<Kind, 2>(table, in, 0, out, 0);
}

// Where the inputs lie too far apart for the table.
template <typename Level>
void FarShortRows(const HorizontalTable& table, const uint8_t* in, ptrdiff_t in_stride,
                  int32_t rows, uint8_t* out, ptrdiff_t out_stride) {
    constexpr int kDropped = kDroppedBits<Level>;
    constexpr int32_t kMost = std::numeric_limits<Level>::max();
    const Axis& axis = *table.axis;
    std::vector<int16_t> shorts(axis.taps);
    for (int32_t x = 0; x < axis.size(); ++x) {
        Shorten(&axis.weights[static_cast<size_t>(x) * axis.taps], axis.count[x], shorts.data());
        const uint8_t* levels = in + axis.first[x] - table.origin;
        for (int32_t row = 0; row < rows; ++row, levels += in_stride) {
            int32_t sum = 1 << (kDropped - 1);
            for (int32_t tap = 0; tap < axis.count[x]; ++tap) sum += levels[tap] * shorts[tap];
            reinterpret_cast<Level*>(out + row * out_stride)[x] =
                static_cast<Level>(std::clamp(sum >> kDropped, 0, kMost));
        }
    }
}

template <typename R, typename Level>
HorizontalPass* ShortPassOf(const HorizontalTable& table) {
    if (table.steps == 0) return FarShortRows<Level>;
    if (table.spread == kOnePair) return AllShortRows<ShortKind<R, Level, 0, kOnePair>>;
    switch (table.steps) {
        case 1:
            return AllShortRows<ShortKind<R, Level, 1, kAllTaps>>;
        case 2:
            return AllShortRows<ShortKind<R, Level, 2, kAllTaps>>;
        case 3:
            return AllShortRows<ShortKind<R, Level, 3, kAllTaps>>;
        default:
            return AllShortRows<ShortKind<R, Level, 0, kAllTaps>>;
    }
}

template <typename R, typename Level>
void HorizontalShort(const HorizontalTable& table, const uint8_t* in, ptrdiff_t in_stride,
                     int32_t rows, uint8_t* out, ptrdiff_t out_stride) {
    ShortPassOf<R, Level>(table)(table, in, in_stride, rows, out, out_stride);
}

// ---- Vertical, in 16 bits all the way where taps are few

// Each product is rounded to a 64th of a level: so many cannot add up to half of one.
constexpr int32_t kFewTaps = 31;

// Two registers of levels with kLevelBits behind the point.
template <typename R>
void LoadLevels(const uint8_t* at, typename R::Type levels[2]) {
    const auto bytes = R::Load(at);
    levels[0] = R::template ShiftLeft16<kLevelBits>(R::Low8(bytes, R::Zero()));
    levels[1] = R::template ShiftLeft16<kLevelBits>(R::High8(bytes, R::Zero()));
}
template <typename R>
void LoadLevels(const int16_t* at, typename R::Type levels[2]) {
    levels[0] = R::Load(at);
    levels[1] = R::Load(at + 8 * R::kLanes);
}

// In the order in which they were loaded.
template <typename R>
void StoreLevels(typename R::Type bytes, const uint8_t*, uint8_t* out) {
    R::Store(out, bytes);
}
template <typename R>
void StoreLevels(typename R::Type bytes, const int16_t*, uint8_t* out) {
    R::StoreHalves(out, out + 8 * R::kLanes, bytes);
}

// `kCount` is `count`, or 0 where that is not known when this is compiled.
template <typename R, typename Level, int kCount>
void SumRows(const uint8_t* in, ptrdiff_t in_stride, const int16_t* shorts, int32_t count,
             size_t levels, uint8_t* out) {
    using V = typename R::Type;
    constexpr size_t kBlock = 16 * R::kLanes;
    // A rounded product of 16 bits leaves 15 of its 31 out.
    constexpr int kBits = kLevelBits + kShortBits - 15;
    V weights[kCount > 0 ? kCount : 1];
    for (int32_t tap = 0; tap < kCount; ++tap) weights[tap] = R::Set16(shorts[tap]);
    for (size_t begin = 0; begin < levels; begin += kBlock) {
        V sums[2] = {R::Set16(1 << (kBits - 1)), R::Set16(1 << (kBits - 1))};
        const uint8_t* row = in + begin * sizeof(Level);
        for (int32_t tap = 0; tap < (kCount > 0 ? kCount : count); ++tap, row += in_stride) {
            V parts[2];
            LoadLevels<R>(reinterpret_cast<const Level*>(row), parts);
            const V weight = kCount > 0 ? weights[tap] : R::Set16(shorts[tap]);
            for (int i = 0; i < 2; ++i)
                sums[i] = R::Add16(sums[i], R::MulRound16(parts[i], weight));
        }
        for (V& sum : sums) sum = R::template ShiftRight16<kBits>(sum);
        StoreLevels<R>(R::PackUnsigned16(sums[0], sums[1]), static_cast<const Level*>(nullptr),
                       out + begin);
    }
}

template <typename Level>
void SumManyRows(const uint8_t* in, ptrdiff_t in_stride, const int32_t* weights, int32_t count,
                 size_t levels, uint8_t* out) {
    constexpr int kBits = kShortBits + (std::is_same_v<Level, uint8_t> ? 0 : kLevelBits);
    std::vector<int16_t> shorts(count);
    Shorten(weights, count, shorts.data());
    std::vector<int32_t> sums(levels, 1 << (kBits - 1));
    for (int32_t tap = 0; tap < count; ++tap, in += in_stride) {
        const auto* row = reinterpret_cast<const Level*>(in);
        for (size_t i = 0; i < levels; ++i) sums[i] += row[i] * shorts[tap];
    }
    for (size_t i = 0; i < levels; ++i)
        out[i] = static_cast<uint8_t>(std::clamp(sums[i] >> kBits, 0, 255));
}

template <typename R, typename Level>
void VerticalShort(const uint8_t* in, ptrdiff_t in_stride, const int32_t* weights, int32_t count,
                   size_t levels, uint8_t* out) {
    if (count > kFewTaps) return SumManyRows<Level>(in, in_stride, weights, count, levels, out);
    int16_t shorts[kFewTaps];
    Shorten(weights, count, shorts);
    const auto sum = count == 2   ? SumRows<R, Level, 2>
                     : count == 3 ? SumRows<R, Level, 3>
                     : count == 4 ? SumRows<R, Level, 4>
                                  : SumRows<R, Level, 0>;
    sum(in, in_stride, shorts, count, levels, out);
}

template <typename R>
constexpr ResizeKernels MakeShortResize() {
    return {PrepareShort<R>,
            HorizontalShort<R, uint8_t>,
            VerticalShort<R, uint8_t>,
            {sizeof(int16_t), HorizontalShort<R, int16_t>, VerticalShort<R, int16_t>}};
}

}  // namespace
}  // namespace fastload

#endif  // FASTLOAD_NATIVE_RESIZE_SHORT_ANY_H_
