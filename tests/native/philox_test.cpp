#include "philox.h"

#include <algorithm>
#include <thread>
#include <vector>

#include "check.h"

namespace {

using fastload::Philox4x32;
using fastload::PhiloxCounter;
using fastload::PhiloxKey;

// The known answers that Salmon et al. publish with Random123.
void TestKnownAnswers() {
    CHECK((Philox4x32({0, 0, 0, 0}, {0, 0}) ==
           PhiloxCounter{0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8}));
    CHECK((Philox4x32({~0u, ~0u, ~0u, ~0u}, {~0u, ~0u}) ==
           PhiloxCounter{0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD}));
    CHECK((Philox4x32({0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344}, {0xA4093822, 0x299F31D0}) ==
           PhiloxCounter{0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1}));
}

void TestCounterPacking() {
    const uint64_t seed = 0x1122334455667788;
    const std::vector<int64_t> positions = {0, 1, 0x123456789ABC, (int64_t{1} << 48) - 1};
    const uint32_t blocks = 3;
    std::vector<uint32_t> words(positions.size() * blocks * 4);
    fastload::PhiloxDraws(seed, 0xFEDCBA98, positions.data(), positions.size(), 0xFFFE, blocks,
                          words.data());
    for (size_t i = 0; i < positions.size(); ++i) {
        const auto position = static_cast<uint64_t>(positions[i]);
        for (uint32_t block = 0; block < blocks; ++block) {
            const PhiloxCounter counter = {static_cast<uint32_t>(position),
                                           static_cast<uint32_t>(position >> 32) | 0xFFFE0000u,
                                           0xFEDCBA98, block};
            const PhiloxCounter expected = Philox4x32(counter, {0x55667788, 0x11223344});
            CHECK(std::equal(expected.begin(), expected.end(), &words[(i * blocks + block) * 4]));
        }
    }
}

void TestRefusals() {
    uint32_t words[4];
    const auto draw = [&](uint64_t epoch, int64_t position, uint32_t stream) {
        return CodeOf([&] { fastload::PhiloxDraws(0, epoch, &position, 1, stream, 1, words); });
    };
    CHECK(draw(0, 0, 0) == FL_OK);
    CHECK(draw(uint64_t{1} << 32, 0, 0) == FL_BAD_ARGUMENT);
    CHECK(draw(0, -1, 0) == FL_BAD_ARGUMENT);
    CHECK(draw(0, int64_t{1} << 48, 0) == FL_BAD_ARGUMENT);
    CHECK(draw(0, 0, 0xFFFF) == FL_BAD_ARGUMENT);
    const int64_t position = 0;
    CHECK(CodeOf([&] { fastload::PhiloxDraws(0, 0, &position, 0, 0, 65537, words); }) ==
          FL_BAD_ARGUMENT);
    int64_t place;
    CHECK(CodeOf([&] { fastload::Permutation(0, uint64_t{1} << 32, 1, &place); }) ==
          FL_BAD_ARGUMENT);
}

bool IsPermutation(std::vector<int64_t> places) {
    std::sort(places.begin(), places.end());
    for (size_t i = 0; i < places.size(); ++i) {
        if (places[i] != static_cast<int64_t>(i)) return false;
    }
    return true;
}

std::vector<int64_t> Permuted(uint64_t seed, uint64_t epoch, uint64_t count) {
    std::vector<int64_t> places(count);
    fastload::Permutation(seed, epoch, count, places.data());
    return places;
}

void TestPermutationsAreBijective() {
    for (uint64_t count = 0; count <= 300; ++count) CHECK(IsPermutation(Permuted(count, 1, count)));
    for (uint64_t count : {511u, 512u, 513u, 4095u, 4096u, 4097u, 65535u, 65536u, 65537u}) {
        CHECK(IsPermutation(Permuted(9, 2, count)));
    }
}

// Every order of four is as likely as any other: chi square over 24 orders, 23 degrees of freedom.
void TestPermutationsAreEven() {
    constexpr int kDraws = 24000;
    std::vector<int> seen(256, 0);
    for (int epoch = 0; epoch < kDraws; ++epoch) {
        const std::vector<int64_t> p = Permuted(5, static_cast<uint64_t>(epoch), 4);
        ++seen[static_cast<size_t>(p[0] * 64 + p[1] * 16 + p[2] * 4 + p[3])];
    }
    double chi_square = 0;
    int orders = 0;
    for (int count : seen) {
        if (count == 0) continue;
        ++orders;
        chi_square += (count - kDraws / 24.0) * (count - kDraws / 24.0) / (kDraws / 24.0);
    }
    CHECK(orders == 24);
    CHECK(chi_square < 49.7);  // the 0.1 % point
}

void TestThreadsAgree() {
    const std::vector<int64_t> expected = Permuted(3, 4, 20000);
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) {
        threads.emplace_back([&] { CHECK(Permuted(3, 4, 20000) == expected); });
    }
    for (std::thread& thread : threads) thread.join();
}

}  // namespace

int main() {
    TestKnownAnswers();
    TestCounterPacking();
    TestRefusals();
    TestPermutationsAreBijective();
    TestPermutationsAreEven();
    TestThreadsAgree();
    return Verdict();
}
