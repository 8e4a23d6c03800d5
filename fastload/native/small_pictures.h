// Small grey pictures of records, and whether two of them show the same.
#ifndef FASTLOAD_NATIVE_SMALL_PICTURES_H_
#define FASTLOAD_NATIVE_SMALL_PICTURES_H_

#include <cstddef>
#include <cstdint>
#include <vector>

namespace fastload {

inline constexpr uint32_t kPictureSide = 16;
inline constexpr size_t kPictureSize = size_t{kPictureSide} * kPictureSide;

class SmallPictures {
  public:
    // `levels` holds `count` pictures of kPictureSize levels each, row by row, stretched to all 256
    // levels unless they are flat; it must outlive this.
    SmallPictures(const uint8_t* levels, uint32_t count);

    // Whether picture `a` under a symmetry (see hash_symmetry.h) is picture `b` but for brightness,
    // contrast and noise: their correlation is at least `correlation`. Two flat pictures are the
    // same where their levels are nearly so.
    bool Match(uint32_t a, uint32_t b, uint32_t symmetry, double correlation) const;

  private:
    struct Moments {
        int64_t sum;
        int64_t variance;  // times kPictureSize squared
    };

    const uint8_t* Levels(uint32_t picture) const { return levels_ + picture * kPictureSize; }

    const uint8_t* levels_;
    std::vector<Moments> moments_;
};

}  // namespace fastload

#endif  // FASTLOAD_NATIVE_SMALL_PICTURES_H_
