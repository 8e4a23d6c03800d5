// Where an image's quantised coefficients come from: entropy-coded bytes, or a record without them.
#ifndef FASTLOAD_NATIVE_COEFFICIENT_SOURCE_H_
#define FASTLOAD_NATIVE_COEFFICIENT_SOURCE_H_

#include <cstdint>

#include "box.h"

namespace fastload {

class CoefficientSource {
  public:
    // The MCUs of which blocks will be asked for.
    virtual void Begin(Range columns, Range rows) = 0;

    // The first of some blocks beside each other, 64 coefficients each in natural order, with
    // kSpareBlocks readable behind them; valid until the next call. Block rows are asked for MCU
    // row by MCU row.
    virtual const int16_t* Blocks(int32_t component, int32_t block_row, Range blocks) = 0;

  protected:
    ~CoefficientSource() = default;
};

}  // namespace fastload

#endif  // FASTLOAD_NATIVE_COEFFICIENT_SOURCE_H_
