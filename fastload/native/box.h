// A rectangle of pixels.
#ifndef FASTLOAD_NATIVE_BOX_H_
#define FASTLOAD_NATIVE_BOX_H_

#include <cstdint>

namespace fastload {

struct Box {
    int32_t left, top, width, height;
};

// What of one direction; `last` is one past.
struct Range {
    int32_t first, last;
    int32_t count() const { return last - first; }
};

// Of parts of `size` each, those that a range touches.
inline Range Touched(Range range, int32_t size) {
    return {range.first / size, (range.last - 1) / size + 1};
}

}  // namespace fastload

#endif  // FASTLOAD_NATIVE_BOX_H_
