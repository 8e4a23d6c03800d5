// A rectangle of pixels.
#ifndef FASTLOAD_NATIVE_BOX_H_
#define FASTLOAD_NATIVE_BOX_H_

#include <cstdint>

namespace fastload {

struct Box {
    int32_t left, top, width, height;
};

}  // namespace fastload

#endif  // FASTLOAD_NATIVE_BOX_H_
