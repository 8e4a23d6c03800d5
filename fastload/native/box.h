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

}  // namespace fastload

#endif  // FASTLOAD_NATIVE_BOX_H_
