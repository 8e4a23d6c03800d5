// A 63-bit perceptual hash: what stays of a picture when only its coarsest luma waves are kept.
//
// Luma (Rec. 601) means of cells of 4x4 pixels are area-resampled to 32x32; bit 8 * v + u is set
// where the DCT-II coefficient of horizontal frequency u and vertical frequency v is positive, u, v
// < 8; bit 0 (the mean) is 0. So a picture and its mirror images need one hash only: flipping
// left-right flips the bits of odd u, flipping upside down those of odd v, and transposing
// exchanges u and v (exactly where sides are multiples of 4, otherwise up to the few coefficients
// near 0). A flat picture hashes to 0. After: Zauner, "Implementation and Benchmarking of
// Perceptual Image Hash Functions" (2010), DCT hash; signs instead of comparison with the median,
// which is what makes flips exact.
#ifndef FASTLOAD_NATIVE_PERCEPTUAL_HASH_H_
#define FASTLOAD_NATIVE_PERCEPTUAL_HASH_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace fastload {

inline constexpr uint32_t kCellSide = 4;
inline constexpr size_t kHashGrid = 32;

// kHashGrid x kHashGrid levels, row by row.
using HashGrid = std::array<double, kHashGrid * kHashGrid>;

// Means of the cells of one plane, cell rows top down; cells at the right and bottom may be cut.
struct CellMeans {
    uint32_t width;   // of the plane, in pixels
    uint32_t height;  // of the plane, in pixels
    std::vector<float> means;

    CellMeans(uint32_t width, uint32_t height);
    size_t columns() const { return (width + kCellSide - 1) / kCellSide; }
    size_t rows() const { return (height + kCellSide - 1) / kCellSide; }
};

// Adds `weight` times the plane's area average over each of 32x32 equal parts.
void AddAreaAverages(const CellMeans& plane, double weight, HashGrid& grid);

uint64_t HashOfGrid(const HashGrid& grid);

// `channels` is 1 (grey) or 3 (RGB), interleaved, `stride` bytes from row to row.
uint64_t PerceptualHash(const uint8_t* pixels, uint32_t width, uint32_t height, uint32_t channels,
                        size_t stride);

}  // namespace fastload

#endif  // FASTLOAD_NATIVE_PERCEPTUAL_HASH_H_
