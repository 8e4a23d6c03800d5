#include "huffman_code.h"

#include <algorithm>
#include <queue>
#include <vector>

#include "check.h"
#include "random_source.h"

namespace {

using fastload::HuffmanCode;
using Frequencies = std::array<uint32_t, 256>;

uint64_t CostOf(const HuffmanCode& code, const Frequencies& frequencies) {
    uint64_t bits = 0;
    for (size_t symbol = 0; symbol < 256; ++symbol)
        bits += uint64_t{frequencies[symbol]} * code.lengths[symbol];
    return bits;
}

// Huffman's own algorithm without a limit, one reserved leaf of frequency `reserved` included.
uint64_t CostWithoutLimit(const Frequencies& frequencies, uint64_t reserved) {
    std::priority_queue<uint64_t, std::vector<uint64_t>, std::greater<>> nodes;
    for (uint32_t frequency : frequencies) {
        if (frequency > 0) nodes.push(frequency);
    }
    if (reserved > 0) nodes.push(reserved);
    uint64_t bits = 0;
    while (nodes.size() > 1) {
        uint64_t joined = nodes.top();
        nodes.pop();
        joined += nodes.top();
        nodes.pop();
        bits += joined;
        nodes.push(joined);
    }
    return bits;
}

// As T.81 annex C says it: lengths from `counts`, symbols in order, codes counting up; none all
// ones.
void CheckWellFormed(const HuffmanCode& code, const Frequencies& frequencies) {
    uint32_t next = 0;
    size_t place = 0;
    for (uint32_t length = 1; length <= 16; ++length, next <<= 1) {
        for (uint32_t i = 0; i < code.counts[length]; ++i, ++next, ++place) {
            const uint8_t symbol = code.symbols[place];
            CHECK(code.lengths[symbol] == length);
            CHECK(code.codes[symbol] == next);
            CHECK(next < (1u << length) - 1);
        }
    }
    CHECK(place == code.symbol_count());
    for (size_t symbol = 0; symbol < 256; ++symbol)
        CHECK((code.lengths[symbol] > 0) == (frequencies[symbol] > 0));
}

void TestRandomFrequencies() {
    RandomSource random(1);
    for (int trial = 0; trial < 300; ++trial) {
        Frequencies frequencies{};
        const uint32_t symbols = 1 + random.Below(256);
        for (uint32_t i = 0; i < symbols; ++i)
            frequencies[random.Below(256)] = 1 + random.Below(1u << random.Below(12));
        const HuffmanCode code = fastload::OptimalCode(frequencies);
        CheckWellFormed(code, frequencies);
        const auto [least, most] = std::minmax_element(code.lengths.begin(), code.lengths.end());
        CHECK(*least <= *most);
        // Where no code met the limit of 16 bits the code is Huffman's, whose cost counts the
        // reserved leaf too: it lies at least as deep as the deepest symbol.
        if (*most < 16) {
            const uint64_t best = CostWithoutLimit(frequencies, 1);
            CHECK(CostOf(code, frequencies) + *most <= best &&
                  best <= CostOf(code, frequencies) + *most + 1);
        }
        CHECK(CostOf(code, frequencies) >= CostWithoutLimit(frequencies, 0) ||
              code.symbol_count() == 1);
    }
}

// Fibonacci numbers make the deepest tree that there is: the limit must hold and cost little.
void TestLimit() {
    Frequencies frequencies{};
    uint32_t a = 1, b = 1;
    for (size_t symbol = 0; symbol < 40; ++symbol) {
        frequencies[symbol] = a;
        b += a;
        std::swap(a, b);
    }
    const HuffmanCode code = fastload::OptimalCode(frequencies);
    CheckWellFormed(code, frequencies);
    CHECK(*std::max_element(code.lengths.begin(), code.lengths.end()) == 16);
    const uint64_t unlimited = CostWithoutLimit(frequencies, 0);
    CHECK(CostOf(code, frequencies) < unlimited + unlimited / 100);
}

void TestFewSymbols() {
    Frequencies frequencies{};
    CHECK(fastload::OptimalCode(frequencies).symbol_count() == 0);
    frequencies[7] = 1000;
    HuffmanCode code = fastload::OptimalCode(frequencies);
    CheckWellFormed(code, frequencies);
    CHECK(code.lengths[7] == 1 && code.codes[7] == 0);
    frequencies.fill(1);
    code = fastload::OptimalCode(frequencies);
    CheckWellFormed(code, frequencies);
    CHECK(code.symbol_count() == 256);
}

}  // namespace

int main() {
    TestRandomFrequencies();
    TestLimit();
    TestFewSymbols();
    return Verdict();
}
