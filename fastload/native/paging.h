// Brings mapped bytes into memory now, so that waiting for a disk is seen as such.
#ifndef FASTLOAD_NATIVE_PAGING_H_
#define FASTLOAD_NATIVE_PAGING_H_

#include <cstddef>
#include <cstdint>

#include "stages.h"

namespace fastload {

inline void BringIn(const uint8_t* bytes, size_t size) {
    constexpr size_t kPage = 4096;
    const InStage stage(Stage::kRead);
    const volatile uint8_t* const touched = bytes;
    for (size_t at = 0; at < size; at += kPage) (void)touched[at];
}

}  // namespace fastload

#endif  // FASTLOAD_NATIVE_PAGING_H_
