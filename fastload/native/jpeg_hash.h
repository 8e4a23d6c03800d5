// The perceptual hash of a picture from its JPEG coefficients: the low 2x2 of a block give the
// means of its four 4x4-pixel cells (but for what the higher odd waves would add).
#ifndef FASTLOAD_NATIVE_JPEG_HASH_H_
#define FASTLOAD_NATIVE_JPEG_HASH_H_

#include <vector>

#include "jpeg_frame.h"
#include "perceptual_hash.h"

namespace fastload {

// The quantised coefficients that are used, named by their (vertical, horizontal) frequency.
struct LowCoefficients {
    int32_t c00, c01, c10, c11;
};

class JpegHash {
  public:
    // `frame` must have its quantisation tables.
    explicit JpegHash(const Frame& frame);

    // Chroma of a YCbCr image says nothing about luma; only components below this are to be added.
    uint32_t components() const { return static_cast<uint32_t>(planes_.size()); }

    void AddBlock(uint32_t component, uint32_t row, uint32_t column, const LowCoefficients& block);

    uint64_t Value() const;

  private:
    struct Plane {
        CellMeans cells;
        double weight;  // of this component in luma
        float scale00, scale01, scale10, scale11;
    };

    std::vector<Plane> planes_;
};

}  // namespace fastload

#endif  // FASTLOAD_NATIVE_JPEG_HASH_H_
