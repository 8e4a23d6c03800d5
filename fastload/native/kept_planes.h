// What a cache keeps of a JPEG that comes very often: the samples of its components, so that its
// coefficients need not be unpacked and transformed each time.
#ifndef FASTLOAD_NATIVE_KEPT_PLANES_H_
#define FASTLOAD_NATIVE_KEPT_PLANES_H_

#include <array>
#include <cstdint>
#include <memory>

#include "coefficient_source.h"
#include "jpeg_layout.h"
#include "record_cache.h"
#include "region_decoder.h"

namespace fastload {

// Does not change any more once it is made.
class KeptPlanes final : public KeptRecord {
  public:
    // Reads all blocks. Throws what the source throws.
    KeptPlanes(const JpegLayout& layout, CoefficientSource& source);

    static uint64_t BytesOf(const JpegLayout& layout);
    uint64_t bytes() const override { return BytesOf(layout_); }

    const JpegLayout& layout() const { return layout_; }
    SamplePlanes samples() const;

  private:
    JpegLayout layout_;
    std::array<size_t, 3> starts_{};
    std::array<ptrdiff_t, 3> strides_{};
    std::unique_ptr<uint8_t[]> samples_;
};

}  // namespace fastload

#endif  // FASTLOAD_NATIVE_KEPT_PLANES_H_
