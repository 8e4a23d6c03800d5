#include "output.h"

#include <emmintrin.h>
#include <tmmintrin.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

#include "error.h"
#include "stages.h"

namespace fastload {
namespace {

constexpr int32_t kBlock = 16;  // pixels of 3 bytes that fill three registers

// For each register of 16 interleaved pixels: which of its bytes belong to a channel, and where.
using Shuffles = std::array<std::array<std::array<uint8_t, kBlock>, 3>, 3>;

constexpr Shuffles MakeShuffles() {
    Shuffles shuffles{};
    for (int channel = 0; channel < 3; ++channel)
        for (int part = 0; part < 3; ++part)
            for (int pixel = 0; pixel < kBlock; ++pixel) {
                const int at = pixel * 3 + channel - part * kBlock;
                shuffles[channel][part][pixel] =
                    at >= 0 && at < kBlock ? static_cast<uint8_t>(at) : 0x80;
            }
    return shuffles;
}

alignas(16) constexpr Shuffles kShuffles = MakeShuffles();

__m128i Load(const uint8_t* at) { return _mm_loadu_si128(reinterpret_cast<const __m128i*>(at)); }

// Rows are readable beyond their end, planes writable: the last block may be a part of one.
void Deinterleave(const uint8_t* pixels, int32_t width, uint8_t* const planes[3]) {
    for (int32_t x = 0; x < width; x += kBlock, pixels += 3 * kBlock) {
        const __m128i parts[3] = {Load(pixels), Load(pixels + kBlock), Load(pixels + 2 * kBlock)};
        for (int channel = 0; channel < 3; ++channel) {
            __m128i plane = _mm_setzero_si128();
            for (int part = 0; part < 3; ++part)
                plane = _mm_or_si128(
                    plane, _mm_shuffle_epi8(parts[part], Load(kShuffles[channel][part].data())));
            _mm_storeu_si128(reinterpret_cast<__m128i*>(planes[channel] + x), plane);
        }
    }
}

void Reverse(uint8_t* row, int32_t width) { std::reverse(row, row + width); }

uint16_t ToHalf(float value) {
    const auto bits = std::bit_cast<uint32_t>(value);
    const uint32_t sign = bits >> 16 & 0x8000;
    const uint32_t magnitude = bits & 0x7fffffff;
    if (magnitude > 0x7f800000) return static_cast<uint16_t>(sign | 0x7e00);
    if (magnitude >= 0x477ff000) return static_cast<uint16_t>(sign | 0x7c00);
    if (magnitude < 0x38800000) {
        // Below the smallest normal half: adding 0.5 leaves the rounded subnormal in the low bits.
        const float shifted = std::bit_cast<float>(magnitude) + 0.5f;
        return static_cast<uint16_t>(sign | (std::bit_cast<uint32_t>(shifted) - 0x3f000000));
    }
    const uint32_t rounded = magnitude + 0xfff + (magnitude >> 13 & 1);
    return static_cast<uint16_t>(sign | ((rounded - 0x38000000) >> 13));
}

uint16_t ToBfloat(float value) {
    const auto bits = std::bit_cast<uint32_t>(value);
    if ((bits & 0x7fffffff) > 0x7f800000) return static_cast<uint16_t>(bits >> 16 | 0x40);
    return static_cast<uint16_t>((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

// Where a side of a box ends within `size` pixels; its sum need not fit 32 bits.
int32_t EndWithin(int32_t begin, int32_t length, int32_t size) {
    return static_cast<int32_t>(std::clamp<int64_t>(int64_t{begin} + length, 0, size));
}

template <typename Value>
void EraseAs(const fl_output& output, Value* out, int32_t height, int32_t width, int32_t top,
             int32_t left, int32_t bottom, int32_t right, const Value value[3]) {
    for (int32_t channel = 0; channel < output.channels; ++channel)
        for (int32_t y = top; y < bottom; ++y)
            for (int32_t x = left; x < right; ++x) {
                const int64_t at = output.layout == FL_PLANAR
                                       ? (int64_t{channel} * height + y) * width + x
                                       : (int64_t{y} * width + x) * output.channels + channel;
                out[at] = value[channel];
            }
}

}  // namespace

void OutputWriter::Begin(const fl_output& output, void* out, int32_t height, int32_t width,
                         int32_t channels, bool flip_left_right, bool flip_top_down) {
    output_ = output;
    out_ = static_cast<uint8_t*>(out);
    height_ = height;
    width_ = width;
    channels_ = channels;
    flip_left_right_ = flip_left_right;
    flip_top_down_ = flip_top_down;
    row_ = 0;
    planes_.resize(3 * (static_cast<size_t>(width) + kBlock));
}

void OutputWriter::Rows(const uint8_t* pixels, ptrdiff_t stride, int32_t count) {
    const InStage stage(Stage::kRest);
    if (count > height_ - row_)
        throw Failure(FL_INTERNAL, "more rows were made than the image has");
    for (; count > 0; --count, pixels += stride) WriteRow(pixels);
}

void OutputWriter::WriteRow(const uint8_t* pixels) {
    const size_t pitch = static_cast<size_t>(width_) + kBlock;
    uint8_t* const rows[3] = {planes_.data(), planes_.data() + pitch, planes_.data() + 2 * pitch};
    const uint8_t* planes[3] = {rows[0], rows[1], rows[2]};
    if (channels_ == 3) {
        Deinterleave(pixels, width_, rows);
    } else {
        std::memcpy(rows[0], pixels, width_);
        planes[1] = planes[2] = rows[0];
    }
    if (flip_left_right_)
        for (int32_t channel = 0; channel < channels_; ++channel) Reverse(rows[channel], width_);

    const bool planar = output_.layout == FL_PLANAR;
    switch (output_.dtype) {
        case FL_UINT8:
            planar ? WritePlanar<uint8_t>(planes) : WriteInterleaved<uint8_t>(planes);
            break;
        case FL_FLOAT16:
        case FL_BFLOAT16:
            planar ? WritePlanar<uint16_t>(planes) : WriteInterleaved<uint16_t>(planes);
            break;
        case FL_FLOAT32:
            planar ? WritePlanar<uint32_t>(planes) : WriteInterleaved<uint32_t>(planes);
            break;
        default:
            throw Failure(FL_BAD_ARGUMENT, "output dtype is none of 0 to 3");
    }
    ++row_;
}

template <typename Value>
void OutputWriter::WritePlanar(const uint8_t* const planes[3]) {
    const int64_t y = flip_top_down_ ? height_ - 1 - row_ : row_;
    for (int32_t channel = 0; channel < output_.channels; ++channel) {
        auto* to = reinterpret_cast<Value*>(out_) + (int64_t{channel} * height_ + y) * width_;
        const uint8_t* from = planes[channel];
        if constexpr (sizeof(Value) == 1) {
            if (output_.table == 0) {
                std::memcpy(to, from, width_);
                continue;
            }
        }
        const auto* table = reinterpret_cast<const Value*>(output_.table) + channel * 256;
        for (int32_t x = 0; x < width_; ++x) to[x] = table[from[x]];
    }
}

template <typename Value>
void OutputWriter::WriteInterleaved(const uint8_t* const planes[3]) {
    const int64_t y = flip_top_down_ ? height_ - 1 - row_ : row_;
    const int32_t channels = output_.channels;
    auto* to = reinterpret_cast<Value*>(out_) + y * width_ * channels;
    const auto* table = reinterpret_cast<const Value*>(output_.table);
    for (int32_t channel = 0; channel < channels; ++channel) {
        const uint8_t* from = planes[channel];
        for (int32_t x = 0; x < width_; ++x)
            to[x * channels + channel] =
                table == nullptr ? static_cast<Value>(from[x]) : table[channel * 256 + from[x]];
    }
}

uint8_t LevelOf(float value) {
    // NaN compares as false: casting it would be undefined.
    return value > 0.0f ? static_cast<uint8_t>(std::min(value, 255.0f)) : 0;
}

void Erase(const fl_output& output, void* out, int32_t height, int32_t width, int32_t top,
           int32_t left, int32_t box_height, int32_t box_width, const float value[3]) {
    const int32_t bottom = EndWithin(top, box_height, height);
    const int32_t right = EndWithin(left, box_width, width);
    top = std::max(top, 0);
    left = std::max(left, 0);
    switch (output.dtype) {
        case FL_UINT8: {
            uint8_t levels[3];
            for (int c = 0; c < 3; ++c) levels[c] = LevelOf(value[c]);
            return EraseAs(output, static_cast<uint8_t*>(out), height, width, top, left, bottom,
                           right, levels);
        }
        case FL_FLOAT16:
        case FL_BFLOAT16: {
            uint16_t halves[3];
            for (int c = 0; c < 3; ++c)
                halves[c] = output.dtype == FL_FLOAT16 ? ToHalf(value[c]) : ToBfloat(value[c]);
            return EraseAs(output, static_cast<uint16_t*>(out), height, width, top, left, bottom,
                           right, halves);
        }
        default:
            return EraseAs(output, static_cast<float*>(out), height, width, top, left, bottom,
                           right, value);
    }
}

}  // namespace fastload
