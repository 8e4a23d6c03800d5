// Exact 22-bit weights by 32-bit products, one output level a sum. Between the two passes levels
// stay 32 bits wide, as the second one multiplies them.
#include <immintrin.h>

#include <algorithm>
#include <cstring>

#include "resize_kernels.h"

namespace fastload {
namespace {

constexpr int32_t kLane = 16;  // bytes; shuffles do not cross lanes
constexpr int32_t kLanes = 2;
constexpr int32_t kSumsOfLane = 4;
constexpr int32_t kSums = kLanes * kSumsOfLane;
constexpr int32_t kRowsAtOnce = 4;

__m256i Load(const void* at) { return _mm256_loadu_si256(static_cast<const __m256i*>(at)); }
void Store(void* at, __m256i values) { _mm256_storeu_si256(static_cast<__m256i*>(at), values); }

__m256i Half() { return _mm256_set1_epi32(1 << (kWeightBits - 1)); }

__m256i AddProduct(__m256i sums, __m256i levels, __m256i weights) {
    return _mm256_add_epi32(sums, _mm256_mullo_epi32(levels, weights));
}

// Not yet between 0 and 255.
__m256i LevelsOf(__m256i sums) { return _mm256_srai_epi32(sums, kWeightBits); }

// ---- Horizontal: a group is what one register sums, a step one tap of each of its outputs

struct Step {
    int32_t offsets[kLanes];  // of the bytes that the lanes are shuffled from
    uint32_t shuffle[kSums];
    int32_t weights[kSums];
};

// How far apart the inputs lie decides what one load of a lane holds.
enum Spread : int32_t {
    kNear,    // all taps of four outputs
    kMiddle,  // two taps of four outputs
    kFar,     // four taps of one pixel
};

constexpr int32_t TapsOfLoad(int32_t spread) {
    return spread == kNear ? 1 << 20 : spread == kMiddle ? 2 : 4;
}

Step* StepsOf(HorizontalTable& table) { return reinterpret_cast<Step*>(table.bytes.data()); }
const Step* StepsOf(const HorizontalTable& table) {
    return reinterpret_cast<const Step*>(table.bytes.data());
}

class TableWriter {
  public:
    TableWriter(HorizontalTable& table, Spread spread)
        : table_(table),
          axis_(*table.axis),
          spread_(spread),
          outputs_of_lane_(spread == kFar ? table.channels : kSumsOfLane) {
        table.spread = spread;
    }

    // Returns false where a lane's inputs lie too far apart.
    bool Write() {
        const int32_t bytes = axis_.size() * table_.channels;
        const int32_t lanes = (bytes + outputs_of_lane_ - 1) / outputs_of_lane_;
        const int32_t groups = (lanes + kLanes - 1) / kLanes;
        table_.bytes.assign(static_cast<size_t>(groups) * table_.steps * sizeof(Step), 0);
        for (int32_t lane = 0; lane < lanes; ++lane) {
            const int32_t begin = lane * outputs_of_lane_;
            if (!WriteLane(lane, begin, std::min(begin + outputs_of_lane_, bytes))) return false;
        }
        return true;
    }

  private:
    bool WriteLane(int32_t lane, int32_t begin, int32_t end) {
        Step* const steps = StepsOf(table_) + lane / kLanes * table_.steps;
        lane %= kLanes;
        const int32_t channels = table_.channels;
        int32_t x = begin / channels, channel = begin % channels;
        const int32_t leftmost = axis_.first[x];
        const int32_t offset = (leftmost - table_.origin) * channels;
        const int32_t taps_of_load = TapsOfLoad(spread_);
        for (int32_t output = begin; output < end; ++output) {
            const int32_t place = lane * kSumsOfLane + output - begin;
            const int32_t* weights = &axis_.weights[static_cast<size_t>(x) * axis_.taps];
            const int32_t first = (axis_.first[x] - leftmost) * channels + channel;
            for (int32_t tap = 0; tap < axis_.count[x]; ++tap) {
                const int32_t tap_of_load = tap % taps_of_load;
                const int32_t at = first + tap_of_load * channels;
                if (at >= kLane) return false;
                steps[tap].offsets[lane] = offset + (tap - tap_of_load) * channels;
                steps[tap].shuffle[place] = static_cast<uint32_t>(at) | 0x80808000;
                steps[tap].weights[place] = weights[tap];
            }
            if (++channel == channels) channel = 0, ++x;
        }
        return true;
    }

    HorizontalTable& table_;
    const Axis& axis_;
    const Spread spread_;
    const int32_t outputs_of_lane_;
};

void Prepare(const Axis& axis, int32_t channels, int32_t origin, HorizontalTable& table) {
    kPortableResize.prepare(axis, channels, origin, table);
    table.steps = *std::max_element(axis.count.begin(), axis.count.end());
    for (const Spread spread : {kNear, kMiddle, kFar})
        if (TableWriter(table, spread).Write()) return;
}

__m256i LoadLanes(const uint8_t* row, const Step& step) {
    const auto lane = [&](int i) {
        return _mm_loadu_si128(reinterpret_cast<const __m128i*>(row + step.offsets[i]));
    };
    return _mm256_inserti128_si256(_mm256_castsi128_si256(lane(0)), lane(1), 1);
}

// Stores a group of four rows. Lanes of fewer outputs than sums write what the next one overwrites.
template <int kOutputsOfLane>
void StoreRows(const __m256i levels[kRowsAtOnce], uint8_t* out, ptrdiff_t stride) {
    const __m256i lanes = _mm256_packus_epi16(_mm256_packs_epi32(levels[0], levels[1]),
                                              _mm256_packs_epi32(levels[2], levels[3]));
    alignas(32) uint32_t of_row[kLanes][kRowsAtOnce];
    Store(of_row, lanes);
    for (int32_t row = 0; row < kRowsAtOnce; ++row, out += stride) {
        for (int32_t lane = 0; lane < kLanes; ++lane)
            std::memcpy(out + lane * kOutputsOfLane, &of_row[lane][row], sizeof(uint32_t));
    }
}

template <int kOutputsOfLane>
void StoreRows(const __m256i levels[kRowsAtOnce], int32_t* out, ptrdiff_t stride) {
    for (int32_t row = 0; row < kRowsAtOnce; ++row) {
        auto* const to = reinterpret_cast<int32_t*>(reinterpret_cast<uint8_t*>(out) + row * stride);
        Store(to, levels[row]);
        if constexpr (kOutputsOfLane < kSumsOfLane)
            _mm_storeu_si128(reinterpret_cast<__m128i*>(to + kOutputsOfLane),
                             _mm256_extracti128_si256(levels[row], 1));
    }
}

__m256i Clamped(__m256i levels) {
    return _mm256_max_epi32(_mm256_min_epi32(levels, _mm256_set1_epi32(255)),
                            _mm256_setzero_si256());
}

// What a pass over four rows is compiled for.
template <Spread kSpread_, int kOutputsOfLane_, typename Level_, bool kClamp_>
struct PassKind {
    static constexpr Spread kSpread = kSpread_;
    static constexpr int kOutputsOfLane = kOutputsOfLane_;
    static constexpr bool kClamp = kClamp_;
    using Level = Level_;
};

// `kSteps` is table.steps, or 0 where that is not known when this is compiled.
template <typename Kind, int kSteps>
void FourRows(const HorizontalTable& table, const uint8_t* in, ptrdiff_t in_stride, uint8_t* out,
              ptrdiff_t out_stride) {
    const int32_t outputs = table.axis->size() * table.channels;
    const int32_t steps = kSteps > 0 ? kSteps : table.steps;
    const Step* step = StepsOf(table);
    auto* to = reinterpret_cast<typename Kind::Level*>(out);
    constexpr int32_t kOutputs = kLanes * Kind::kOutputsOfLane;
    constexpr int32_t kTaps = TapsOfLoad(Kind::kSpread);
    for (int32_t at = 0; at < outputs; at += kOutputs, to += kOutputs) {
        __m256i sums[kRowsAtOnce] = {Half(), Half(), Half(), Half()};
        for (int32_t left = steps; left > 0; left -= kTaps) {
            __m256i bytes[kRowsAtOnce];
            for (int32_t row = 0; row < kRowsAtOnce; ++row)
                bytes[row] = LoadLanes(in + row * in_stride, *step);
            for (int32_t i = std::min(left, kTaps); i > 0; --i, ++step) {
                for (int32_t row = 0; row < kRowsAtOnce; ++row) {
                    const __m256i levels = _mm256_shuffle_epi8(bytes[row], Load(step->shuffle));
                    sums[row] = AddProduct(sums[row], levels, Load(step->weights));
                }
            }
        }
        for (__m256i& sum : sums) sum = Kind::kClamp ? Clamped(LevelsOf(sum)) : LevelsOf(sum);
        StoreRows<Kind::kOutputsOfLane>(sums, to, out_stride);
    }
}

template <typename Kind>
void AllRows(const HorizontalTable& table, const uint8_t* in, ptrdiff_t in_stride, int32_t rows,
             uint8_t* out, ptrdiff_t out_stride) {
    const auto pass = table.steps == 2   ? FourRows<Kind, 2>
                      : table.steps == 3 ? FourRows<Kind, 3>
                      : table.steps == 4 ? FourRows<Kind, 4>
                                         : FourRows<Kind, 0>;
    int32_t row = 0;
    for (; row + kRowsAtOnce <= rows; row += kRowsAtOnce)
        pass(table, in + row * in_stride, in_stride, out + row * out_stride, out_stride);
    // Rows that are left alone are computed four times over.
    for (; row < rows; ++row) pass(table, in + row * in_stride, 0, out + row * out_stride, 0);
}

template <typename Level, bool kClamp>
HorizontalPass* PassOf(const HorizontalTable& table) {
    switch (table.spread) {
        case kNear:
            return AllRows<PassKind<kNear, kSumsOfLane, Level, kClamp>>;
        case kMiddle:
            return AllRows<PassKind<kMiddle, kSumsOfLane, Level, kClamp>>;
        default:
            return table.channels == 3 ? AllRows<PassKind<kFar, 3, Level, kClamp>>
                                       : AllRows<PassKind<kFar, 1, Level, kClamp>>;
    }
}

// Packing to bytes clamps by itself, and without negative weights there is nothing to clamp.
void HorizontalToBytes(const HorizontalTable& table, const uint8_t* in, ptrdiff_t in_stride,
                       int32_t rows, uint8_t* out, ptrdiff_t out_stride) {
    PassOf<uint8_t, false>(table)(table, in, in_stride, rows, out, out_stride);
}

void HorizontalToWords(const HorizontalTable& table, const uint8_t* in, ptrdiff_t in_stride,
                       int32_t rows, uint8_t* out, ptrdiff_t out_stride) {
    const auto pass =
        table.axis->overshoots ? PassOf<int32_t, true>(table) : PassOf<int32_t, false>(table);
    pass(table, in, in_stride, rows, out, out_stride);
}

// ---- Vertical

__m256i Widened(const uint8_t* levels) {
    return _mm256_cvtepu8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(levels)));
}
__m256i Widened(const int32_t* levels) { return Load(levels); }

__m256i PackInOrder(const __m256i levels[4]) {
    const __m256i lanes = _mm256_packus_epi16(_mm256_packs_epi32(levels[0], levels[1]),
                                              _mm256_packs_epi32(levels[2], levels[3]));
    return _mm256_permutevar8x32_epi32(lanes, _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7));
}

template <typename Level>
void Vertical(const uint8_t* in, ptrdiff_t in_stride, const int32_t* weights, int32_t count,
              size_t levels, uint8_t* out) {
    constexpr size_t kBlock = 4 * kSums;
    for (size_t begin = 0; begin < levels; begin += kBlock) {
        __m256i sums[4] = {Half(), Half(), Half(), Half()};
        const uint8_t* row = in + begin * sizeof(Level);
        for (int32_t tap = 0; tap < count; ++tap, row += in_stride) {
            const __m256i weight = _mm256_set1_epi32(weights[tap]);
            const auto* part = reinterpret_cast<const Level*>(row);
            for (int32_t i = 0; i < 4; ++i, part += kSums)
                sums[i] = AddProduct(sums[i], Widened(part), weight);
        }
        for (__m256i& sum : sums) sum = LevelsOf(sum);
        Store(out + begin, PackInOrder(sums));
    }
}

}  // namespace

const ResizeKernels kAvx2Resize = {
    Prepare,
    HorizontalToBytes,
    Vertical<uint8_t>,
    {sizeof(int32_t), HorizontalToWords, Vertical<int32_t>},
};

}  // namespace fastload
