// Records, steps and items, as an engine hands them to the pool.
#ifndef FASTLOAD_TESTS_NATIVE_ITEMS_H_
#define FASTLOAD_TESTS_NATIVE_ITEMS_H_

#include <algorithm>
#include <array>
#include <cstdint>
#include <vector>

#include "buffer.h"
#include "capi.h"
#include "crc32c.h"
#include "dct_encode.h"
#include "image.h"
#include "jpeg_encode.h"
#include "pixel_source.h"
#include "qoi.h"
#include "random_source.h"
#include "resize.h"
#include "resize_axis.h"
#include "steps.h"

using Bytes = std::vector<uint8_t>;
using Steps = std::vector<fl_step>;

struct Record {
    fastload::Codec codec;
    int32_t height;
    int32_t width;
    Bytes payload;
};

inline Record QoiRecord(const Bytes& rgb, int32_t height, int32_t width) {
    fastload::Buffer file;
    fastload::EncodeQoi(rgb.data(), width, height, size_t{3} * width, file);
    return {fastload::Codec::kQoi, height, width, Bytes(file.data(), file.data() + file.size())};
}

// `channels` is 1 (grey) or 3.
inline Record JpegRecord(const Bytes& pixels, int32_t height, int32_t width, int32_t channels) {
    fastload::Buffer file;
    fastload::EncodeJpeg(pixels.data(), width, height, channels, size_t(width) * channels, 90,
                         file);
    return {fastload::Codec::kJpeg, height, width, Bytes(file.data(), file.data() + file.size())};
}

inline Record DctRecord(const Record& jpeg) {
    fastload::Buffer file;
    fastload::EncodeDct(jpeg.payload.data(), jpeg.payload.size(), file);
    return {fastload::Codec::kDct, jpeg.height, jpeg.width,
            Bytes(file.data(), file.data() + file.size())};
}

inline Record QoiRecord(RandomSource& random, int32_t height, int32_t width) {
    return QoiRecord(random.Picture(width, height, 3, 20, true), height, width);
}

inline Record JpegRecord(RandomSource& random, int32_t height, int32_t width, int32_t channels) {
    const Bytes pixels = random.Picture(width, height, channels, 20, true);
    return JpegRecord(pixels, height, width, channels);
}

// One of each: QOI, JPEG in colour, JPEG in grey.
inline std::vector<Record> RecordsOfAllKinds(RandomSource& random, int32_t height, int32_t width) {
    return {QoiRecord(random, height, width), JpegRecord(random, height, width, 3),
            JpegRecord(random, height, width, 1)};
}

inline fl_step Step(fastload::StepKind kind, std::array<int32_t, 7> integers = {},
                    std::array<double, 6> floats = {}) {
    fl_step step{};
    step.kind = static_cast<int32_t>(kind);
    std::copy(integers.begin(), integers.end(), step.i);
    std::copy(floats.begin(), floats.end(), step.f);
    return step;
}

inline fl_step Crop(int32_t top, int32_t left, int32_t height, int32_t width) {
    return Step(fastload::StepKind::kCrop, {top, left, height, width});
}

inline fl_step Resize(int32_t height, int32_t width,
                      fastload::Filter filter = fastload::Filter::kBilinear,
                      fastload::PassOrder order = fastload::PassOrder::kPillow13) {
    return Step(fastload::StepKind::kResize,
                {height, width, static_cast<int32_t>(filter), static_cast<int32_t>(order)});
}

inline fl_step FlipLeftRight() { return Step(fastload::StepKind::kFlipLeftRight); }

inline fl_step FlipTopDown() { return Step(fastload::StepKind::kFlipTopDown); }

inline fl_step Pad(int32_t left, int32_t top, int32_t right, int32_t bottom, fastload::PadMode mode,
                   std::array<float, 3> fill = {}) {
    return Step(fastload::StepKind::kPad, {left, top, right, bottom, static_cast<int32_t>(mode)},
                {fill[0], fill[1], fill[2]});
}

inline fl_step Colour(fastload::StepKind kind, float factor) { return Step(kind, {}, {factor}); }

inline fl_step Grayscale() { return Step(fastload::StepKind::kGrayscale); }

inline fl_step Erase(int32_t top, int32_t left, int32_t height, int32_t width,
                     std::array<float, 3> value) {
    return Step(fastload::StepKind::kErase, {top, left, height, width},
                {value[0], value[1], value[2]});
}

template <typename Type>
uint64_t AddressOf(Type* pointer) {
    return reinterpret_cast<uint64_t>(pointer);
}

// Its checksum is right, but not asked for: `verified` is 0.
inline fl_item ItemOf(const Record& record, const Steps& steps, int32_t height, int32_t width,
                      void* out) {
    fl_item item{};
    item.payload = AddressOf(record.payload.data());
    item.length = record.payload.size();
    item.codec = static_cast<int32_t>(record.codec);
    item.crc32c = fastload::Crc32c(record.payload.data(), record.payload.size());
    item.steps = AddressOf(steps.data());
    item.step_count = static_cast<int32_t>(steps.size());
    item.out_height = height;
    item.out_width = width;
    item.out = AddressOf(out);
    return item;
}

#endif  // FASTLOAD_TESTS_NATIVE_ITEMS_H_
