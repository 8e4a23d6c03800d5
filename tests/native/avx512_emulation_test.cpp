// The emulation against the instructions that the machine has: AVX2 does to each half of a register
// what AVX-512 does wherever bytes stay within their 16, and BMI2 expands the bytes of a word. What
// moves bytes further the kernels' own tests pin.
#include "avx512_emulation.h"

#include <algorithm>
#include <bit>
#include <cstdio>
#include <cstring>

#include "check.h"
#include "random_source.h"
#include "simd_level.h"

namespace {

using Register = fastload::__m512i;

// Lanes near both ends of their range and near 0, too: there saturation and signs show.
Register RandomRegister(RandomSource& random) {
    Register a;
    for (uint8_t& byte : a.bytes) {
        const uint32_t kind = random.Below(4);
        const auto any = static_cast<uint8_t>(random.Below(256));
        byte = kind == 0 ? 0 : kind == 1 ? 0xff : kind == 2 ? any & 0x80 : any;
    }
    return a;
}

bool operator==(const Register& a, const Register& b) {
    return std::memcmp(a.bytes, b.bytes, sizeof(a.bytes)) == 0;
}

#define HALF(a, half) reinterpret_cast<__m256i*>((a).bytes + 32 * (half))

#define CHECK_OF_TWO(operation)                                                         \
    do {                                                                                \
        Register a = RandomRegister(random), b = RandomRegister(random), by_avx2;       \
        for (int half = 0; half < 2; ++half)                                            \
            _mm256_storeu_si256(HALF(by_avx2, half),                                    \
                                _mm256_##operation(_mm256_loadu_si256(HALF(a, half)),   \
                                                   _mm256_loadu_si256(HALF(b, half)))); \
        CHECK(fastload::_mm512_##operation(a, b) == by_avx2);                           \
    } while (false)

#define CHECK_SHIFT(operation)                                                                 \
    do {                                                                                       \
        const int count = static_cast<int>(random.Below(40));                                  \
        Register a = RandomRegister(random), by_avx2;                                          \
        for (int half = 0; half < 2; ++half)                                                   \
            _mm256_storeu_si256(HALF(by_avx2, half),                                           \
                                _mm256_##operation(_mm256_loadu_si256(HALF(a, half)), count)); \
        CHECK(fastload::_mm512_##operation(a, static_cast<unsigned>(count)) == by_avx2);       \
    } while (false)

__attribute__((target("avx2"))) void TestHalves(RandomSource& random) {
    CHECK_OF_TWO(add_epi32);
    CHECK_OF_TWO(madd_epi16);
    CHECK_OF_TWO(max_epi32);
    CHECK_OF_TWO(packs_epi32);
    CHECK_OF_TWO(packus_epi16);
    CHECK_OF_TWO(unpackhi_epi16);
    CHECK_OF_TWO(unpackhi_epi8);
    CHECK_OF_TWO(unpacklo_epi16);
    CHECK_OF_TWO(unpacklo_epi8);
    CHECK_SHIFT(slli_epi32);
    CHECK_SHIFT(srai_epi32);
}

// Bits of the mask, each as often as a lane has bits.
uint64_t Spread(uint64_t mask, int lanes) {
    uint64_t bits = 0;
    for (int lane = 0; lane < lanes; ++lane)
        if (mask >> lane & 1) bits |= (~0ull >> (64 - 64 / lanes)) << (64 / lanes * lane);
    return bits;
}

// Each word of the result takes up where the one before it has left off.
__attribute__((target("bmi2"))) void CheckExpansion(const Register& a, const Register& expanded,
                                                    uint64_t mask, int lanes_of_word) {
    size_t taken = 0;
    for (int word = 0; word < 8; ++word, mask >>= lanes_of_word) {
        uint64_t next = 0, got;
        std::memcpy(&next, a.bytes + taken, std::min<size_t>(sizeof(next), 64 - taken));
        std::memcpy(&got, expanded.bytes + 8 * word, sizeof(got));
        const uint64_t bits = Spread(mask, lanes_of_word);
        CHECK(got == _pdep_u64(next, bits));
        taken += std::popcount(bits) / 8;
    }
}

void TestExpansion(RandomSource& random) {
    const Register a = RandomRegister(random);
    uint64_t mask = 0;
    for (int bit = 0; bit < 64; ++bit) mask |= uint64_t{random.Below(2)} << bit;
    CheckExpansion(a, fastload::_mm512_maskz_expand_epi8(mask, a), mask, 8);
    CheckExpansion(a, fastload::_mm512_maskz_expand_epi16(static_cast<__mmask32>(mask), a), mask,
                   4);
}

}  // namespace

int main() {
    if (fastload::CurrentSimdLevel() < fastload::SimdLevel::kAvx2) {
        std::puts("skipped: the machine has no AVX2, or FASTLOAD_SIMD forbids it");
        return 0;
    }
    RandomSource random(1);
    for (int trial = 0; trial < 2000; ++trial) {
        TestHalves(random);
        TestExpansion(random);
    }
    return Verdict();
}
