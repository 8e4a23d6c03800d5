// CRC-32C (Castagnoli), the checksum of RFC 3720 appendix B.4: reflected polynomial 0x82F63B78,
// initial and final value all ones.
#ifndef FASTLOAD_NATIVE_CRC32C_H_
#define FASTLOAD_NATIVE_CRC32C_H_

#include <cstddef>
#include <cstdint>

namespace fastload {

// The fastest way this build has.
uint32_t Crc32c(const uint8_t* data, size_t size);

// Eight tables, eight bytes a step: any machine.
uint32_t Crc32cPortable(const uint8_t* data, size_t size);

}  // namespace fastload

#endif  // FASTLOAD_NATIVE_CRC32C_H_
