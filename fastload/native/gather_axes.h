// A resize as a GPU is told of it: for both axes the first input pixel and the weights of each
// output pixel. Where nothing is resized an output pixel has one input pixel.
#ifndef FASTLOAD_NATIVE_GATHER_AXES_H_
#define FASTLOAD_NATIVE_GATHER_AXES_H_

#include <cstdint>

#include "box.h"
#include "capi.h"
#include "resize_axis.h"
#include "view.h"

namespace fastload {

class GatheredAxes {
  public:
    // Of the image that `view` reads.
    void Make(const View& view);

    // The pixels of the image that are read.
    Box box() const { return box_; }

    uint64_t bytes() const { return across_.bytes() + down_.bytes(); }
    // Writes so many.
    void Write(uint8_t* to) const;
    void Describe(fl_gathered& gathered) const;

    // Bytes at most.
    static uint64_t Bound(const View& view);

  private:
    struct Side {
        Axis axis;
        int32_t begin = 0, end = 0;  // of the input
        int32_t taps = 0;            // of the output pixel that has most

        void Resample(const Resampling& resampling);
        void Keep(int32_t size);
        uint64_t bytes() const;
        int32_t* Write(int32_t* to) const;
    };

    Side across_, down_;
    Box box_{};
    bool vertical_first_ = false;
};

}  // namespace fastload

#endif  // FASTLOAD_NATIVE_GATHER_AXES_H_
