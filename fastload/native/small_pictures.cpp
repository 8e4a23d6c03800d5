#include "small_pictures.h"

#include <array>
#include <cmath>
#include <cstdlib>

#include "hash_symmetry.h"

namespace fastload {
namespace {

constexpr int64_t kCount = kPictureSize;

// Of two flat pictures: what encoding the same level twice may make of it.
constexpr int kSameLevel = 2;

int64_t Product(const uint8_t* a, const uint8_t* b) {
    uint32_t product = 0;
    for (size_t i = 0; i < kPictureSize; ++i) product += uint32_t{a[i]} * b[i];
    return product;
}

using Places = std::array<uint16_t, kPictureSize>;

// For each symmetry where the picture under it takes its pixels from.
std::array<Places, kSymmetries> MakeSources() {
    std::array<Places, kSymmetries> sources;
    for (uint32_t symmetry = 0; symmetry < kSymmetries; ++symmetry) {
        for (uint32_t i = 0; i < kPictureSize; ++i) {
            uint32_t x = i % kPictureSide, y = i / kPictureSide;
            if ((symmetry & kLeftToRight) != 0) x = kPictureSide - 1 - x;
            if ((symmetry & kUpsideDown) != 0) y = kPictureSide - 1 - y;
            const bool transposed = (symmetry & kTransposed) != 0;
            sources[symmetry][i] =
                static_cast<uint16_t>(transposed ? x * kPictureSide + y : y * kPictureSide + x);
        }
    }
    return sources;
}

int64_t ProductUnder(uint32_t symmetry, const uint8_t* a, const uint8_t* b) {
    static const std::array<Places, kSymmetries> sources = MakeSources();
    if (symmetry == 0) return Product(a, b);
    std::array<uint8_t, kPictureSize> moved;
    for (size_t i = 0; i < kPictureSize; ++i) moved[i] = a[sources[symmetry][i]];
    return Product(moved.data(), b);
}

}  // namespace

SmallPictures::SmallPictures(const uint8_t* levels, uint32_t count)
    : levels_(levels), moments_(count) {
    for (uint32_t picture = 0; picture < count; ++picture) {
        const uint8_t* own = Levels(picture);
        int64_t sum = 0;
        for (size_t i = 0; i < kPictureSize; ++i) sum += own[i];
        moments_[picture] = {sum, kCount * Product(own, own) - sum * sum};
    }
}

bool SmallPictures::Match(uint32_t a, uint32_t b, uint32_t symmetry, double correlation) const {
    const Moments &first = moments_[a], &second = moments_[b];
    if (first.variance == 0 && second.variance == 0)
        return std::abs(int{*Levels(a)} - int{*Levels(b)}) <= kSameLevel;
    const int64_t product = ProductUnder(symmetry, Levels(a), Levels(b));
    const int64_t covariance = kCount * product - first.sum * second.sum;
    return static_cast<double>(covariance) >= correlation *
                                                  std::sqrt(static_cast<double>(first.variance)) *
                                                  std::sqrt(static_cast<double>(second.variance)) &&
           covariance > 0;
}

}  // namespace fastload
