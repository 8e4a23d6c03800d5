// The mixture of two levels, as Pillow's blend rounds it. Included last: see separate_rounding.h.
#ifndef FASTLOAD_NATIVE_BLEND_H_
#define FASTLOAD_NATIVE_BLEND_H_

#include <cstdint>

#include "separate_rounding.h"

namespace fastload {

// `from` at factor 0, `to` at 1; factors outside [0, 1] extrapolate and clip. Truncates. Within
// [0, 1] the clipping never acts.
inline uint8_t Blend(int from, int to, float factor) {
    const float moved = static_cast<float>(to - from) * factor;
    const float mixed = static_cast<float>(from) + moved;
    const float raised = mixed > 0.0F ? mixed : 0.0F;
    return static_cast<uint8_t>(static_cast<int>(raised < 255.0F ? raised : 255.0F));
}

}  // namespace fastload

#endif  // FASTLOAD_NATIVE_BLEND_H_
