#include "near_hashes.h"

#include <algorithm>
#include <array>
#include <bit>
#include <set>
#include <vector>

#include "check.h"
#include "hash_symmetry.h"
#include "random_source.h"

namespace {

using fastload::HashUnder;
using fastload::NearPair;

constexpr uint64_t kHashBits = ~uint64_t{1};

uint64_t RandomHash(RandomSource& random) {
    uint64_t hash = 0;
    for (int i = 0; i < 4; ++i) hash = hash << 16 | random.Below(1 << 16);
    return hash & kHashBits;
}

// Some hashes alone, and some with others a few bits from one of their mirror images.
std::vector<uint64_t> Clustered(RandomSource& random, size_t count) {
    std::vector<uint64_t> hashes;
    while (hashes.size() < count) {
        uint64_t hash = RandomHash(random);
        for (uint32_t copies = 1 + random.Below(4); copies > 0; --copies) {
            for (uint32_t changes = random.Below(12); changes > 0; --changes)
                hash ^= uint64_t{1} << (1 + random.Below(63));
            hashes.push_back(HashUnder(hash, random.Below(8)) & kHashBits);
        }
    }
    return hashes;
}

uint32_t Distance(uint64_t a, uint64_t b) {
    return static_cast<uint32_t>(std::popcount((a ^ b) & kHashBits));
}

bool AreNear(uint64_t a, uint64_t b, uint32_t distance) {
    for (uint32_t symmetry = 0; symmetry < 8; ++symmetry) {
        if (Distance(HashUnder(a, symmetry), b) <= distance) return true;
    }
    return false;
}

void TestSymmetriesAreTheGroupOfTheSquare() {
    RandomSource random(1);
    const uint64_t hash = RandomHash(random);
    std::set<uint64_t> orbit;
    for (uint32_t symmetry = 0; symmetry < 8; ++symmetry) {
        const uint64_t moved = HashUnder(hash, symmetry);
        orbit.insert(moved);
        CHECK((HashUnder(moved, symmetry) == hash) == (symmetry != 5 && symmetry != 6));
    }
    CHECK(orbit.size() == 8);
    CHECK(HashUnder(HashUnder(hash, 5), 6) == hash);
    for (uint32_t v = 0; v < 8; ++v) {
        for (uint32_t u = 0; u < 8; ++u) {
            CHECK(fastload::TransposedBits(uint64_t{1} << (8 * v + u)) == uint64_t{1}
                                                                              << (8 * u + v));
        }
    }
}

// Few hashes are searched in many small parts, many in few large ones: both must find all.
void TestPairsAreThoseOfBruteForce() {
    RandomSource random(2);
    for (const size_t count : {1u, 60u, 3000u}) {
        const std::vector<uint64_t> queries = Clustered(random, count);
        std::vector<uint64_t> entries = Clustered(random, 200);
        for (size_t i = 0; i < queries.size(); i += 3) {
            entries.push_back(HashUnder(queries[i], random.Below(8)) ^ uint64_t{1}
                                                                           << random.Below(64));
        }
        for (const uint32_t distance : {0u, 1u, 3u, 8u, 11u, 16u}) {
            std::vector<NearPair> wanted;
            for (size_t i = 0; i < queries.size(); ++i) {
                for (size_t k = 0; k < entries.size(); ++k) {
                    if (AreNear(queries[i], entries[k], distance))
                        wanted.push_back({static_cast<int64_t>(i), static_cast<int64_t>(k)});
                }
            }
            CHECK(fastload::NearPairs(queries, entries, distance, 3) == wanted);
        }
    }
}

void TestEachTripleIsVisitedOnce() {
    RandomSource random(3);
    const std::vector<uint64_t> hashes = Clustered(random, 300);
    using Triple = std::array<uint32_t, 3>;
    std::vector<Triple> visited, wanted;
    fastload::VisitNear(hashes, hashes, 9, 1, {}, [&](uint32_t query, uint32_t entry, uint32_t by) {
        visited.push_back({query, entry, by});
    });
    for (uint32_t i = 0; i < hashes.size(); ++i) {
        for (uint32_t k = 0; k < hashes.size(); ++k) {
            for (uint32_t symmetry = 0; symmetry < 8; ++symmetry) {
                if (Distance(HashUnder(hashes[i], symmetry), hashes[k]) <= 9)
                    wanted.push_back({i, k, symmetry});
            }
        }
    }
    std::sort(visited.begin(), visited.end());
    CHECK(visited == wanted);
}

void TestMarksAreThoseOfBruteForce() {
    RandomSource random(4);
    std::vector<uint64_t> hashes = Clustered(random, 2000);
    hashes.insert(hashes.end(), 500, hashes[7]);  // of one flat colour, say
    for (const uint32_t distance : {0u, 4u, 8u}) {
        std::vector<uint8_t> near(hashes.size(), 2), wanted(hashes.size());
        fastload::MarkNear(hashes, distance, 3, near.data());
        for (size_t i = 0; i < hashes.size(); ++i) {
            for (size_t k = 0; k < hashes.size() && wanted[i] == 0; ++k)
                wanted[i] = i != k && AreNear(hashes[i], hashes[k], distance);
        }
        CHECK(near == wanted);
    }
}

void TestBitZeroSaysNothing() {
    const std::vector<uint64_t> hashes = {6, 7};
    CHECK(fastload::NearPairs({&hashes[0], 1}, {&hashes[1], 1}, 0, 1).size() == 1);
}

void TestNothing() {
    CHECK(fastload::NearPairs({}, {}, 8, 2).empty());
    fastload::MarkNear({}, 8, 2, nullptr);
}

void TestRefusals() {
    const std::vector<uint64_t> hashes = {6};
    CHECK(CodeOf([&] { fastload::NearPairs(hashes, hashes, 17, 1); }) == FL_BAD_ARGUMENT);
    CHECK(CodeOf([&] { fastload::NearPairs(hashes, hashes, 8, 0); }) == FL_BAD_ARGUMENT);
}

void TestAVisitorsFailureArrives() {
    RandomSource random(5);
    const std::vector<uint64_t> hashes = Clustered(random, 200);
    const auto fail = [](uint32_t, uint32_t, uint32_t) {
        throw fastload::Failure(FL_INTERNAL, "no more");
    };
    CHECK(MessageOf([&] { fastload::VisitNear(hashes, hashes, 2, 3, {}, fail); }) == "no more");
}

}  // namespace

int main() {
    TestSymmetriesAreTheGroupOfTheSquare();
    TestPairsAreThoseOfBruteForce();
    TestEachTripleIsVisitedOnce();
    TestMarksAreThoseOfBruteForce();
    TestBitZeroSaysNothing();
    TestNothing();
    TestRefusals();
    TestAVisitorsFailureArrives();
    return Verdict();
}
