#include "histogram.h"

#include <algorithm>
#include <array>
#include <cstdint>

// Last, since it is for what follows it.
#include "separate_rounding.h"

namespace fastload {
namespace {

using LevelTable = std::array<uint8_t, 256>;
using Histogram = std::array<uint32_t, 256>;

constexpr LevelTable MakeIdentity() {
    LevelTable table{};
    for (size_t level = 0; level < table.size(); ++level)
        table[level] = static_cast<uint8_t>(level);
    return table;
}

constexpr LevelTable kIdentity = MakeIdentity();

// One table for each channel.
void LookUp(const std::array<LevelTable, 3>& tables, Image& image) {
    uint8_t* levels = image.bytes.data();
    const size_t pixels = image.pixels();
    if (image.channels == 1) {
        for (size_t i = 0; i < pixels; ++i) levels[i] = tables[0][levels[i]];
        return;
    }
    for (size_t i = 0; i < pixels; ++i) {
        levels[3 * i] = tables[0][levels[3 * i]];
        levels[3 * i + 1] = tables[1][levels[3 * i + 1]];
        levels[3 * i + 2] = tables[2][levels[3 * i + 2]];
    }
}

struct Extremes {
    uint8_t low[3];
    uint8_t high[3];
};

// By value: through the references of std::min GCC sees branches and does not vectorise.
inline uint8_t Lower(uint8_t a, uint8_t b) { return a < b ? a : b; }
inline uint8_t Higher(uint8_t a, uint8_t b) { return a > b ? a : b; }

Extremes FindExtremes(const Image& image) {
    // Whole pixels, grey or RGB, and whole vectors.
    constexpr size_t kLanes = 48;
    std::array<uint8_t, kLanes> low, high;
    low.fill(255);
    high.fill(0);
    const uint8_t* levels = image.bytes.data();
    const size_t count = image.pixels() * static_cast<size_t>(image.channels);
    size_t start = 0;
    for (; start + kLanes <= count; start += kLanes) {
        for (size_t lane = 0; lane < kLanes; ++lane) {
            low[lane] = Lower(low[lane], levels[start + lane]);
            high[lane] = Higher(high[lane], levels[start + lane]);
        }
    }
    for (size_t lane = 0; start + lane < count; ++lane) {
        low[lane] = Lower(low[lane], levels[start + lane]);
        high[lane] = Higher(high[lane], levels[start + lane]);
    }
    Extremes extremes = {{255, 255, 255}, {0, 0, 0}};
    const auto channels = static_cast<size_t>(image.channels);
    for (size_t lane = 0; lane < kLanes; ++lane) {
        uint8_t &lowest = extremes.low[lane % channels], &highest = extremes.high[lane % channels];
        lowest = Lower(lowest, low[lane]);
        highest = Higher(highest, high[lane]);
    }
    return extremes;
}

LevelTable StretchedLevels(int low, int high) {
    if (high <= low) return kIdentity;
    const double scale = 255.0 / (high - low);
    const double offset = -low * scale;
    LevelTable table;
    for (int level = 0; level < 256; ++level) {
        const double stretched = level * scale + offset;
        table[static_cast<size_t>(level)] =
            static_cast<uint8_t>(static_cast<int>(std::clamp(stretched, 0.0, 255.0)));
    }
    return table;
}

// Neighbouring pixels are often equal, and counting into the place just counted into waits for it:
// two histograms take turns.
std::array<Histogram, 3> CountLevels(const Image& image) {
    const auto channels = static_cast<size_t>(image.channels);
    std::array<Histogram, 3> even{}, odd{};
    const uint8_t* pixel = image.bytes.data();
    size_t left = image.pixels();
    for (; left >= 2; left -= 2, pixel += 2 * channels) {
        for (size_t channel = 0; channel < channels; ++channel) {
            ++even[channel][pixel[channel]];
            ++odd[channel][pixel[channels + channel]];
        }
    }
    for (size_t channel = 0; left > 0 && channel < channels; ++channel)
        ++even[channel][pixel[channel]];
    for (size_t channel = 0; channel < channels; ++channel)
        for (size_t level = 0; level < 256; ++level) even[channel][level] += odd[channel][level];
    return even;
}

LevelTable EqualizedLevels(const Histogram& counts) {
    uint64_t sum = 0, last = 0;
    for (const uint32_t count : counts) {
        sum += count;
        if (count > 0) last = count;
    }
    const uint64_t step = (sum - last) / 255;
    if (step == 0) return kIdentity;
    LevelTable table;
    uint64_t below = step / 2;
    for (size_t level = 0; level < table.size(); ++level) {
        table[level] = static_cast<uint8_t>(std::min<uint64_t>(below / step, 255));
        below += counts[level];
    }
    return table;
}

}  // namespace

void Autocontrast(Image& image) {
    const Extremes extremes = FindExtremes(image);
    std::array<LevelTable, 3> tables;
    for (size_t channel = 0; channel < tables.size(); ++channel)
        tables[channel] = StretchedLevels(extremes.low[channel], extremes.high[channel]);
    LookUp(tables, image);
}

void Equalize(Image& image) {
    const std::array<Histogram, 3> histograms = CountLevels(image);
    std::array<LevelTable, 3> tables;
    for (size_t channel = 0; channel < tables.size(); ++channel)
        tables[channel] = EqualizedLevels(histograms[channel]);
    LookUp(tables, image);
}

}  // namespace fastload
