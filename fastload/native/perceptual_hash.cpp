#include "perceptual_hash.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <string>

#include "error.h"

namespace fastload {
namespace {

constexpr size_t kFrequencies = 8;

// Coefficients this near to 0 (in grey levels of the 32x32 picture's mean amplitude) are rounding,
// not picture.
constexpr double kNothing = 1e-3;

// Rec. 601 luma in 1/65536, the weights of libjpeg and Pillow.
constexpr uint32_t kRed = 19595, kGreen = 38470, kBlue = 7471;

// One part of the grid that a cell reaches into, and the share of the part that it covers.
struct Share {
    size_t part;
    double share;
};

// The shares of all cells along one side of `pixels` pixels; cell i owns shares first[i] .. first[i
// + 1] - 1.
struct Shares {
    std::vector<size_t> first;
    std::vector<Share> shares;
};

// In units of 1/32 pixel all borders are integers, so mirror images share borders exactly.
Shares SharesAlong(uint32_t pixels) {
    Shares result;
    const uint64_t part_length = pixels;
    for (uint64_t start = 0; start < pixels; start += kCellSide) {
        result.first.push_back(result.shares.size());
        const uint64_t begin = start * kHashGrid;
        const uint64_t end = std::min<uint64_t>(start + kCellSide, pixels) * kHashGrid;
        for (uint64_t part = begin / part_length; part * part_length < end; ++part) {
            const uint64_t covered =
                std::min(end, (part + 1) * part_length) - std::max(begin, part * part_length);
            result.shares.push_back(
                {part, static_cast<double>(covered) / static_cast<double>(part_length)});
        }
    }
    result.first.push_back(result.shares.size());
    return result;
}

using Basis = std::array<std::array<double, kHashGrid>, kFrequencies>;

Basis MakeBasis() {
    Basis basis;
    for (size_t u = 0; u < kFrequencies; ++u) {
        for (size_t x = 0; x < kHashGrid; ++x) {
            const double phase =
                std::numbers::pi * static_cast<double>((2 * x + 1) * u) / (2.0 * kHashGrid);
            basis[u][x] = std::cos(phase) / kHashGrid;
        }
    }
    return basis;
}

template <uint32_t kChannels>
uint32_t LumaOf(const uint8_t* pixel) {
    if constexpr (kChannels == 1) return uint32_t{pixel[0]} << 16;
    return kRed * pixel[0] + kGreen * pixel[1] + kBlue * pixel[2];
}

template <uint32_t kChannels>
void FillMeans(const uint8_t* pixels, size_t stride, CellMeans& plane) {
    const size_t columns = plane.columns();
    std::vector<uint32_t> sums(columns);
    for (size_t row = 0; row < plane.rows(); ++row) {
        std::fill(sums.begin(), sums.end(), 0);
        const uint32_t top = static_cast<uint32_t>(row) * kCellSide;
        const uint32_t bottom = std::min(top + kCellSide, plane.height);
        for (uint32_t y = top; y < bottom; ++y) {
            const uint8_t* line = pixels + y * stride;
            for (uint32_t x = 0; x < plane.width; ++x)
                sums[x / kCellSide] += LumaOf<kChannels>(line + x * kChannels);
        }
        for (size_t column = 0; column < columns; ++column) {
            const uint32_t left = static_cast<uint32_t>(column) * kCellSide;
            const uint32_t count =
                (bottom - top) * (std::min(left + kCellSide, plane.width) - left);
            plane.means[row * columns + column] =
                static_cast<float>(static_cast<double>(sums[column]) / (65536.0 * count));
        }
    }
}

}  // namespace

CellMeans::CellMeans(uint32_t width, uint32_t height)
    : width(width), height(height), means(columns() * rows()) {}

void AddAreaAverages(const CellMeans& plane, double weight, HashGrid& grid) {
    const Shares across = SharesAlong(plane.width);
    const Shares down = SharesAlong(plane.height);
    const size_t columns = plane.columns();
    for (size_t row = 0; row < plane.rows(); ++row) {
        std::array<double, kHashGrid> line{};
        const float* means = plane.means.data() + row * columns;
        for (size_t column = 0; column < columns; ++column) {
            for (size_t k = across.first[column]; k < across.first[column + 1]; ++k) {
                line[across.shares[k].part] +=
                    across.shares[k].share * static_cast<double>(means[column]);
            }
        }
        for (size_t k = down.first[row]; k < down.first[row + 1]; ++k) {
            const double share = weight * down.shares[k].share;
            double* out = grid.data() + down.shares[k].part * kHashGrid;
            for (size_t x = 0; x < kHashGrid; ++x) out[x] += share * line[x];
        }
    }
}

uint64_t HashOfGrid(const HashGrid& grid) {
    static const Basis basis = MakeBasis();
    uint64_t hash = 0;
    for (size_t v = 0; v < kFrequencies; ++v) {
        std::array<double, kHashGrid> columns{};
        for (size_t y = 0; y < kHashGrid; ++y) {
            for (size_t x = 0; x < kHashGrid; ++x)
                columns[x] += basis[v][y] * grid[y * kHashGrid + x];
        }
        for (size_t u = v == 0 ? 1 : 0; u < kFrequencies; ++u) {
            double coefficient = 0;
            for (size_t x = 0; x < kHashGrid; ++x) coefficient += basis[u][x] * columns[x];
            if (coefficient > kNothing) hash |= uint64_t{1} << (kFrequencies * v + u);
        }
    }
    return hash;
}

uint64_t PerceptualHash(const uint8_t* pixels, uint32_t width, uint32_t height, uint32_t channels,
                        size_t stride) {
    if (width == 0 || height == 0)
        throw Failure(FL_BAD_ARGUMENT, "an image without pixels has no hash");
    CellMeans plane(width, height);
    if (channels == 1) {
        FillMeans<1>(pixels, stride, plane);
    } else if (channels == 3) {
        FillMeans<3>(pixels, stride, plane);
    } else {
        throw Failure(FL_BAD_ARGUMENT, std::to_string(channels) + " channels, 1 or 3 are allowed");
    }
    HashGrid grid{};
    AddAreaAverages(plane, 1.0, grid);
    return HashOfGrid(grid);
}

}  // namespace fastload
