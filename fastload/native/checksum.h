// The checksum of a record, compared once in the life of whoever keeps `verified`.
#ifndef FASTLOAD_NATIVE_CHECKSUM_H_
#define FASTLOAD_NATIVE_CHECKSUM_H_

#include <cstdint>

#include "crc32c.h"
#include "error.h"

namespace fastload {

// `verified` is the address of a byte: 0 = compare and set it to 1; address 0 = do not compare.
// Throws FL_CORRUPT.
inline void CheckOnce(const uint8_t* payload, uint64_t length, uint32_t crc32c, uint64_t verified) {
    // Written by one thread, perhaps by two with the same value.
    auto* const byte = reinterpret_cast<uint8_t*>(verified);
    if (verified == 0 || __atomic_load_n(byte, __ATOMIC_RELAXED) != 0) return;
    if (Crc32c(payload, length) != crc32c)
        throw Failure(FL_CORRUPT, "its bytes are not those that were packed (checksum mismatch)");
    __atomic_store_n(byte, uint8_t{1}, __ATOMIC_RELAXED);
}

}  // namespace fastload

#endif  // FASTLOAD_NATIVE_CHECKSUM_H_
