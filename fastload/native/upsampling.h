// How the samples of a component become as many as there are pixels, and which of them a box needs.
#ifndef FASTLOAD_NATIVE_UPSAMPLING_H_
#define FASTLOAD_NATIVE_UPSAMPLING_H_

#include <cstdint>

#include "block_rows.h"
#include "box.h"

namespace fastload {

enum class Upsampling {
    kNone,
    kAcrossTwice,
    kDownTwice,
    kBothTwice,
    kRepeat,
};

// The choice is libjpeg's: its smooth upsampling knows twice as many, and needs more than two
// samples where that is across.
Upsampling UpsamplingOf(const SampleGrid& grid);

// The columns of samples that a box is made of: smooth upsampling mixes a sample with those beside
// it.
Range NeededColumns(const SampleGrid& grid, Box box);

// The blocks that hold the samples that a box is made of.
BlockBox NeededBlocks(const SampleGrid& grid, Box box);

}  // namespace fastload

#endif  // FASTLOAD_NATIVE_UPSAMPLING_H_
