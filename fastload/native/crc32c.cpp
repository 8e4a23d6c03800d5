#include "crc32c.h"

#include <array>
#include <cstring>

#if defined(__SSE4_2__)
#include <nmmintrin.h>
#endif

namespace fastload {
namespace {

constexpr uint32_t kPolynomial = 0x82F63B78u;

using Table = std::array<uint32_t, 256>;

// kTables[k][b] is the register after byte b and k zero bytes.
constexpr std::array<Table, 8> MakeTables() {
    std::array<Table, 8> tables{};
    for (uint32_t byte = 0; byte < 256; ++byte) {
        uint32_t crc = byte;
        for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) ? kPolynomial : 0);
        tables[0][byte] = crc;
    }
    for (size_t k = 1; k < 8; ++k) {
        for (size_t byte = 0; byte < 256; ++byte) {
            const uint32_t crc = tables[k - 1][byte];
            tables[k][byte] = (crc >> 8) ^ tables[0][crc & 0xFF];
        }
    }
    return tables;
}

constexpr std::array<Table, 8> kTables = MakeTables();

uint64_t Load64(const uint8_t* bytes) {
    uint64_t word;
    std::memcpy(&word, bytes, sizeof(word));
    return word;
}

uint32_t UpdatePortable(uint32_t crc, const uint8_t* data, size_t size) {
    for (; size >= 8; data += 8, size -= 8) {
        const uint64_t word = Load64(data) ^ crc;
        crc = kTables[7][word & 0xFF] ^ kTables[6][(word >> 8) & 0xFF] ^
              kTables[5][(word >> 16) & 0xFF] ^ kTables[4][(word >> 24) & 0xFF] ^
              kTables[3][(word >> 32) & 0xFF] ^ kTables[2][(word >> 40) & 0xFF] ^
              kTables[1][(word >> 48) & 0xFF] ^ kTables[0][word >> 56];
    }
    for (; size > 0; ++data, --size) crc = (crc >> 8) ^ kTables[0][(crc ^ *data) & 0xFF];
    return crc;
}

#if defined(__SSE4_2__)

// The crc32 instruction takes three cycles but one may start each cycle, so three stretches run
// side by side and are joined afterwards: the register of the first is moved over the bytes of the
// next by a table.
constexpr size_t kLongStretch = 4096;
constexpr size_t kShortStretch = 256;

// A 32-bit register moved over a fixed number of zero bytes, one table for each of its four bytes.
using Shift = std::array<Table, 4>;

// Column i is the image of bit i; moving over zero bytes is linear over GF(2).
using Matrix = std::array<uint32_t, 32>;

constexpr uint32_t Multiply(const Matrix& matrix, uint32_t vector) {
    uint32_t sum = 0;
    for (size_t i = 0; i < 32; ++i) {
        if ((vector >> i) & 1) sum ^= matrix[i];
    }
    return sum;
}

constexpr Matrix Square(const Matrix& matrix) {
    Matrix square{};
    for (size_t i = 0; i < 32; ++i) square[i] = Multiply(matrix, matrix[i]);
    return square;
}

// `stretch` must be a power of two.
constexpr Shift MakeShift(size_t stretch) {
    Matrix matrix{};
    for (size_t i = 0; i < 32; ++i) {
        const uint32_t bit = 1u << i;
        matrix[i] = (bit >> 8) ^ kTables[0][bit & 0xFF];
    }
    for (size_t bytes = 1; bytes < stretch; bytes *= 2) matrix = Square(matrix);
    Shift shift{};
    for (size_t k = 0; k < 4; ++k) {
        for (uint32_t byte = 0; byte < 256; ++byte)
            shift[k][byte] = Multiply(matrix, byte << (8 * k));
    }
    return shift;
}

constexpr Shift kLongShift = MakeShift(kLongStretch);
constexpr Shift kShortShift = MakeShift(kShortStretch);

uint32_t Apply(const Shift& shift, uint32_t crc) {
    return shift[0][crc & 0xFF] ^ shift[1][(crc >> 8) & 0xFF] ^ shift[2][(crc >> 16) & 0xFF] ^
           shift[3][crc >> 24];
}

uint32_t ThreeStretches(uint32_t crc, const uint8_t* data, size_t stretch, const Shift& shift) {
    uint64_t first = crc, second = 0, third = 0;
    for (size_t i = 0; i < stretch; i += 8) {
        first = _mm_crc32_u64(first, Load64(data + i));
        second = _mm_crc32_u64(second, Load64(data + stretch + i));
        third = _mm_crc32_u64(third, Load64(data + 2 * stretch + i));
    }
    const uint32_t joined =
        Apply(shift, static_cast<uint32_t>(first)) ^ static_cast<uint32_t>(second);
    return Apply(shift, joined) ^ static_cast<uint32_t>(third);
}

uint32_t UpdateHardware(uint32_t crc, const uint8_t* data, size_t size) {
    for (; size >= 3 * kLongStretch; data += 3 * kLongStretch, size -= 3 * kLongStretch) {
        crc = ThreeStretches(crc, data, kLongStretch, kLongShift);
    }
    for (; size >= 3 * kShortStretch; data += 3 * kShortStretch, size -= 3 * kShortStretch) {
        crc = ThreeStretches(crc, data, kShortStretch, kShortShift);
    }
    uint64_t wide = crc;
    for (; size >= 8; data += 8, size -= 8) wide = _mm_crc32_u64(wide, Load64(data));
    crc = static_cast<uint32_t>(wide);
    for (; size > 0; ++data, --size) crc = _mm_crc32_u8(crc, *data);
    return crc;
}

#endif  // __SSE4_2__

}  // namespace

uint32_t Crc32cPortable(const uint8_t* data, size_t size) {
    return ~UpdatePortable(~0u, data, size);
}

uint32_t Crc32c(const uint8_t* data, size_t size) {
#if defined(__SSE4_2__)
    return ~UpdateHardware(~0u, data, size);
#else
    return Crc32cPortable(data, size);
#endif
}

}  // namespace fastload
