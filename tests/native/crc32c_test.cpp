#include "crc32c.h"

#include <vector>

#include "check.h"
#include "random_source.h"

namespace {

// One bit at a time, straight from the polynomial.
uint32_t BitByBit(const uint8_t* data, size_t size) {
    uint32_t crc = ~0u;
    for (size_t i = 0; i < size; ++i) {
        crc ^= data[i];
        for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) ? 0x82F63B78u : 0);
    }
    return ~crc;
}

uint32_t BothWays(const std::vector<uint8_t>& bytes) {
    const uint32_t crc = fastload::Crc32c(bytes.data(), bytes.size());
    CHECK(crc == fastload::Crc32cPortable(bytes.data(), bytes.size()));
    return crc;
}

// RFC 3720 appendix B.4.
void TestPublishedValues() {
    std::vector<uint8_t> bytes(32, 0);
    CHECK(BothWays(bytes) == 0x8A9136AA);
    bytes.assign(32, 0xFF);
    CHECK(BothWays(bytes) == 0x62A8AB43);
    for (uint8_t i = 0; i < 32; ++i) bytes[i] = i;
    CHECK(BothWays(bytes) == 0x46DD794E);
    for (uint8_t i = 0; i < 32; ++i) bytes[i] = static_cast<uint8_t>(31 - i);
    CHECK(BothWays(bytes) == 0x113FDB5C);
    CHECK(BothWays({}) == 0);
}

void TestAllLengthsAndAlignments() {
    const std::vector<uint8_t> bytes = RandomSource(1).Bytes(1700);
    for (size_t size = 0; size <= 1600; ++size) {
        const uint8_t* data = bytes.data() + size % 9;
        const uint32_t expected = BitByBit(data, size);
        CHECK(fastload::Crc32c(data, size) == expected);
        CHECK(fastload::Crc32cPortable(data, size) == expected);
    }
}

// Around multiples of the stretches that run side by side.
void TestLongStretches() {
    const std::vector<uint8_t> bytes = RandomSource(2).Bytes(40000);
    for (size_t size : {12287u, 12288u, 12289u, 13056u, 24576u, 25343u, 25344u, 40000u}) {
        const uint32_t expected = BitByBit(bytes.data(), size);
        CHECK(fastload::Crc32c(bytes.data(), size) == expected);
        CHECK(fastload::Crc32cPortable(bytes.data(), size) == expected);
    }
}

}  // namespace

int main() {
    TestPublishedValues();
    TestAllLengthsAndAlignments();
    TestLongStretches();
    return Verdict();
}
