// The emulation against the instructions that the machine has: AVX2 does to each half of a register
// what AVX-512 does wherever bytes stay within their 16, and BMI2 expands the bytes of a word. What
// moves bytes further, or chooses among them, is held against the Operation section of Intel's
// manual, read as copies from memory to memory.
#include "avx512_emulation.h"

#include <algorithm>
#include <bit>
#include <cstdio>
#include <cstring>
#include <vector>

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
#define CONST_HALF(a, half) reinterpret_cast<const __m256i*>((a).bytes + 32 * (half))
#define CONST_QUARTER(a, quarter) reinterpret_cast<const __m128i*>((a).bytes + 16 * (quarter))

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
    CHECK_OF_TWO(add_epi16);
    CHECK_OF_TWO(add_epi32);
    CHECK_OF_TWO(add_epi8);
    CHECK_OF_TWO(avg_epu8);
    CHECK_OF_TWO(madd_epi16);
    CHECK_OF_TWO(maddubs_epi16);
    CHECK_OF_TWO(max_epi32);
    CHECK_OF_TWO(mulhrs_epi16);
    CHECK_OF_TWO(mullo_epi16);
    CHECK_OF_TWO(packs_epi16);
    CHECK_OF_TWO(packs_epi32);
    CHECK_OF_TWO(packus_epi16);
    CHECK_OF_TWO(sub_epi16);
    CHECK_OF_TWO(sub_epi32);
    CHECK_OF_TWO(sub_epi8);
    CHECK_OF_TWO(unpackhi_epi16);
    CHECK_OF_TWO(unpackhi_epi32);
    CHECK_OF_TWO(unpackhi_epi64);
    CHECK_OF_TWO(unpackhi_epi8);
    CHECK_OF_TWO(unpacklo_epi16);
    CHECK_OF_TWO(unpacklo_epi32);
    CHECK_OF_TWO(unpacklo_epi64);
    CHECK_OF_TWO(unpacklo_epi8);
    CHECK_SHIFT(slli_epi16);
    CHECK_SHIFT(slli_epi32);
    CHECK_SHIFT(srai_epi16);
    CHECK_SHIFT(srai_epi32);
}

__attribute__((target("avx2"))) void TestDotProductsOfWords(RandomSource& random) {
    const Register a = RandomRegister(random), b = RandomRegister(random);
    const Register sums = RandomRegister(random);
    Register by_avx2;
    for (int half = 0; half < 2; ++half) {
        const __m256i products = _mm256_madd_epi16(_mm256_loadu_si256(CONST_HALF(a, half)),
                                                   _mm256_loadu_si256(CONST_HALF(b, half)));
        _mm256_storeu_si256(HALF(by_avx2, half),
                            _mm256_add_epi32(_mm256_loadu_si256(CONST_HALF(sums, half)), products));
    }
    CHECK(fastload::_mm512_dpwssd_epi32(sums, a, b) == by_avx2);
}

__attribute__((target("avx2"))) void TestWidening(RandomSource& random) {
    const Register a = RandomRegister(random);
    Register by_avx2;
    for (int half = 0; half < 2; ++half)
        _mm256_storeu_si256(HALF(by_avx2, half),
                            _mm256_cvtepu8_epi16(_mm_loadu_si128(CONST_QUARTER(a, half))));
    const __m256i narrow = _mm256_loadu_si256(CONST_HALF(a, 0));
    CHECK(fastload::_mm512_cvtepu8_epi16(narrow) == by_avx2);
}

// The lanes of a register, or of two beside each other.
template <typename T>
struct Values {
    std::vector<T> lanes;

    explicit Values(const Register& a) : lanes(64 / sizeof(T)) {
        std::memcpy(lanes.data(), a.bytes, 64);
    }
    Values(const Register& a, const Register& b) : lanes(128 / sizeof(T)) {
        std::memcpy(lanes.data(), a.bytes, 64);
        std::memcpy(lanes.data() + 64 / sizeof(T), b.bytes, 64);
    }
    Register ToRegister() const {
        Register a;
        std::memcpy(a.bytes, lanes.data(), 64);
        return a;
    }
};

uint64_t RandomMask(RandomSource& random) {
    uint64_t mask = 0;
    for (int bit = 0; bit < 64; ++bit) mask |= uint64_t{random.Below(2)} << bit;
    return mask;
}

void TestOneValue(RandomSource& random) {
    const Register a = RandomRegister(random);
    const Values<int16_t> words(a);
    const auto byte = static_cast<int8_t>(a.bytes[0]);
    const int16_t word = words.lanes[0];
    for (const uint8_t got : fastload::_mm512_set1_epi8(byte).bytes) CHECK(got == a.bytes[0]);
    for (const int16_t got : Values<int16_t>(fastload::_mm512_set1_epi16(word)).lanes)
        CHECK(got == word);
    const auto mask = static_cast<__mmask32>(RandomMask(random));
    Values<int16_t> wanted = words;
    for (size_t i = 0; i < 32; ++i)
        if ((mask >> i & 1) != 0) wanted.lanes[i] = word;
    CHECK(fastload::_mm512_mask_set1_epi16(a, mask, word) == wanted.ToRegister());
    Register repeated;
    for (int i = 0; i < 4; ++i) std::memcpy(repeated.bytes + 16 * i, a.bytes, 16);
    CHECK(fastload::_mm512_broadcast_i32x4(_mm_loadu_si128(CONST_QUARTER(a, 0))) == repeated);
}

// Blocks of just as many bytes as may be touched: a sanitizer sees one more.
void TestMemory(RandomSource& random) {
    const Register a = RandomRegister(random);
    std::vector<uint8_t> stored(64);
    fastload::_mm512_storeu_si512(stored.data(), a);
    CHECK(std::equal(stored.begin(), stored.end(), a.bytes));
    const size_t count = random.Below(17);
    const std::vector<uint8_t> few(a.bytes, a.bytes + count);
    const auto mask = static_cast<__mmask16>(RandomMask(random) & ((1u << count) - 1));
    const __m128i loaded = fastload::_mm_maskz_loadu_epi8(mask, few.data());
    uint8_t got[16];
    std::memcpy(got, &loaded, sizeof(got));
    for (size_t i = 0; i < 16; ++i) CHECK(got[i] == ((mask >> i & 1) != 0 ? few[i] : 0));
}

void TestBits(RandomSource& random) {
    const Register a = RandomRegister(random), b = RandomRegister(random);
    const Register c = RandomRegister(random);
    const auto check = [&](const Register& got, auto wanted) {
        const Values<uint64_t> x(a), y(b), z(c), result(got);
        for (size_t i = 0; i < 8; ++i)
            CHECK(result.lanes[i] == wanted(x.lanes[i], y.lanes[i], z.lanes[i]));
    };
    using Word = uint64_t;
    check(fastload::_mm512_or_si512(a, b), [](Word x, Word y, Word) { return x | y; });
    check(fastload::_mm512_xor_si512(a, b), [](Word x, Word y, Word) { return x ^ y; });
    // The manual's table of truth values has a as 0xF0, b as 0xCC and c as 0xAA.
    constexpr int kA = 0xF0, kB = 0xCC, kC = 0xAA;
    const auto ternary = [&](int table) {
        return fastload::_mm512_ternarylogic_epi32(a, b, c, table & 255);
    };
    check(ternary((kA | kB) & kC), [](Word x, Word y, Word z) { return (x | y) & z; });
    check(ternary(kA ^ kB ^ kC), [](Word x, Word y, Word z) { return x ^ y ^ z; });
    check(ternary((kA & kB) | (~kA & kC)),
          [](Word x, Word y, Word z) { return (x & y) | (~x & z); });
}

// Lanes of a and then of b, counted from 0; an index has no other bits.
template <typename T, typename Permute>
void CheckPermutation(RandomSource& random, Permute permute) {
    const Register a = RandomRegister(random), b = RandomRegister(random);
    const Register index = RandomRegister(random);
    const Values<T> both(a, b);
    Values<T> wanted(index);
    for (T& lane : wanted.lanes) lane = both.lanes[static_cast<size_t>(lane % both.lanes.size())];
    CHECK(permute(a, index, b) == wanted.ToRegister());
}

void TestPermutations(RandomSource& random) {
    CheckPermutation<uint8_t>(random, fastload::_mm512_permutex2var_epi8);
    CheckPermutation<uint32_t>(random, fastload::_mm512_permutex2var_epi32);
    CheckPermutation<uint64_t>(random, fastload::_mm512_permutex2var_epi64);
    const Register a = RandomRegister(random), index = RandomRegister(random);
    const Register source = RandomRegister(random);
    const uint64_t mask = RandomMask(random);
    Register all, some = source;
    for (size_t i = 0; i < 64; ++i) {
        all.bytes[i] = a.bytes[index.bytes[i] & 63];
        if ((mask >> i & 1) != 0) some.bytes[i] = all.bytes[i];
    }
    CHECK(fastload::_mm512_permutexvar_epi8(index, a) == all);
    CHECK(fastload::_mm512_mask_permutexvar_epi8(source, mask, index, a) == some);
}

__attribute__((target("avx2"))) void TestParts(RandomSource& random) {
    const Register a = RandomRegister(random), b = RandomRegister(random);
    const auto quarter = [](const Register& of, int order, int place) {
        return of.bytes + 16 * (order >> place & 3);
    };
    const int order = static_cast<int>(random.Below(256));
    Register wanted;
    std::memcpy(wanted.bytes, quarter(a, order, 0), 16);
    std::memcpy(wanted.bytes + 16, quarter(a, order, 2), 16);
    std::memcpy(wanted.bytes + 32, quarter(b, order, 4), 16);
    std::memcpy(wanted.bytes + 48, quarter(b, order, 6), 16);
    CHECK(fastload::_mm512_shuffle_i32x4(a, b, order) == wanted);
    const __m256i low = fastload::_mm512_castsi512_si256(a);
    CHECK(std::memcmp(&low, a.bytes, 32) == 0);
    for (int half = 0; half < 2; ++half) {
        const __m256i part = fastload::_mm512_extracti64x4_epi64(a, half);
        CHECK(std::memcmp(&part, a.bytes + 32 * half, 32) == 0);
    }
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
    const uint64_t mask = RandomMask(random);
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
        TestDotProductsOfWords(random);
        TestWidening(random);
        TestOneValue(random);
        TestMemory(random);
        TestBits(random);
        TestPermutations(random);
        TestParts(random);
        TestExpansion(random);
    }
    return Verdict();
}
