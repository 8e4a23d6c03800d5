#include "near_groups.h"

#include <bit>
#include <cmath>
#include <numeric>
#include <thread>
#include <vector>

#include "check.h"
#include "disjoint_sets.h"
#include "hash_symmetry.h"
#include "random_source.h"
#include "small_pictures.h"

namespace {

constexpr size_t kSize = fastload::kPictureSize;
constexpr uint32_t kSide = fastload::kPictureSide;
constexpr double kCorrelation = 0.975;

struct Records {
    std::vector<uint64_t> hashes;
    std::vector<uint8_t> pictures;

    void Add(uint64_t hash, const std::vector<uint8_t>& picture) {
        hashes.push_back(hash & ~uint64_t{1});
        pictures.insert(pictures.end(), picture.begin(), picture.end());
    }
    std::vector<int64_t> Groups(uint32_t distance, uint32_t threads) const {
        std::vector<int64_t> groups(hashes.size());
        fastload::GroupNear(hashes, pictures.data(), distance, kCorrelation, threads,
                            groups.data());
        return groups;
    }
};

std::vector<uint8_t> Under(const std::vector<uint8_t>& picture, uint32_t symmetry) {
    std::vector<uint8_t> moved(kSize);
    for (uint32_t y = 0; y < kSide; ++y) {
        for (uint32_t x = 0; x < kSide; ++x) {
            // First transposed, then mirrored.
            uint32_t to_x = x, to_y = y;
            if ((symmetry & fastload::kTransposed) != 0) std::swap(to_x, to_y);
            if ((symmetry & fastload::kLeftToRight) != 0) to_x = kSide - 1 - to_x;
            if ((symmetry & fastload::kUpsideDown) != 0) to_y = kSide - 1 - to_y;
            moved[to_y * kSide + to_x] = picture[y * kSide + x];
        }
    }
    return moved;
}

double Correlation(const uint8_t* a, const uint8_t* b) {
    const double mean_a = std::accumulate(a, a + kSize, 0.0) / kSize;
    const double mean_b = std::accumulate(b, b + kSize, 0.0) / kSize;
    double ab = 0, aa = 0, bb = 0;
    for (size_t i = 0; i < kSize; ++i) {
        const double x = a[i] - mean_a, y = b[i] - mean_b;
        ab += x * y, aa += x * x, bb += y * y;
    }
    return ab / std::sqrt(aa * bb);
}

Records Families(RandomSource& random, size_t count) {
    Records records;
    while (records.hashes.size() < count) {
        uint64_t hash = 0;
        for (int i = 0; i < 4; ++i) hash = hash << 16 | random.Below(1 << 16);
        std::vector<uint8_t> picture = random.Bytes(kSize);
        for (uint32_t copies = 1 + random.Below(5); copies > 0; --copies) {
            for (uint32_t changes = random.Below(6); changes > 0; --changes)
                hash ^= uint64_t{1} << (1 + random.Below(63));
            // Some levels change: by enough, now and then, to make it another picture.
            for (uint32_t changes = random.Below(60); changes > 0; --changes)
                picture[random.Below(kSize)] = static_cast<uint8_t>(random.Below(256));
            const uint32_t symmetry = random.Below(8);
            records.Add(fastload::HashUnder(hash, symmetry), Under(picture, symmetry));
        }
    }
    return records;
}

std::vector<int64_t> BruteForce(const Records& records, uint32_t distance) {
    const auto count = static_cast<uint32_t>(records.hashes.size());
    fastload::DisjointSets sets(count);
    for (uint32_t a = 0; a < count; ++a) {
        const auto* begin = records.pictures.data() + a * kSize;
        const std::vector<uint8_t> picture(begin, begin + kSize);
        for (uint32_t symmetry = 0; symmetry < 8; ++symmetry) {
            const uint64_t hash = fastload::HashUnder(records.hashes[a], symmetry) & ~uint64_t{1};
            const std::vector<uint8_t> moved = Under(picture, symmetry);
            for (uint32_t b = 0; b < count; ++b) {
                if (static_cast<uint32_t>(std::popcount(hash ^ records.hashes[b])) <= distance &&
                    Correlation(moved.data(), records.pictures.data() + b * kSize) >= kCorrelation)
                    sets.Join(a, b);
            }
        }
    }
    std::vector<int64_t> groups(count);
    for (uint32_t i = 0; i < count; ++i) groups[i] = sets.Root(i);
    return groups;
}

void TestGroupsAreThoseOfBruteForce() {
    RandomSource random(1);
    const Records records = Families(random, 400);
    for (const uint32_t distance : {0u, 4u, 8u}) {
        const std::vector<int64_t> wanted = BruteForce(records, distance);
        CHECK(records.Groups(distance, 1) == wanted);
        CHECK(records.Groups(distance, 3) == wanted);
    }
}

void TestPicturesDecide() {
    RandomSource random(2);
    const std::vector<uint8_t> one = random.Bytes(kSize), another = random.Bytes(kSize);
    Records records;
    for (const auto& picture : {one, another, one, Under(one, 5)}) records.Add(0xF0F0, picture);
    records.Add(fastload::HashUnder(0xF0F0, 5), Under(another, 5));
    // The fourth is the first turned, but its hash is not: nobody looked for a turned picture.
    CHECK(records.Groups(8, 1) == (std::vector<int64_t>{0, 1, 0, 3, 1}));
}

void TestFlatPicturesAreToldApartByTheirLevel() {
    Records records;
    for (const int level : {0, 128, 2, 126, 255, 131})
        records.Add(0, std::vector<uint8_t>(kSize, static_cast<uint8_t>(level)));
    std::vector<uint8_t> dot(kSize, 128);
    dot[40] = 255;
    records.Add(0, dot);
    CHECK(records.Groups(8, 2) == (std::vector<int64_t>{0, 1, 0, 1, 4, 5, 6}));
}

// Quadratic work would take minutes.
void TestManyOfOneFlatColour() {
    const size_t count = 100'000;
    Records records;
    records.hashes.assign(count, 0);
    records.pictures.assign(count * kSize, 128);
    CHECK(records.Groups(8, 2) == std::vector<int64_t>(count, 0));
}

void TestSetsJoinedByManyThreads() {
    constexpr uint32_t kMembers = 2000, kThreads = 4, kSets = 7;
    fastload::DisjointSets sets(kMembers);
    {
        std::vector<std::jthread> threads;
        for (uint32_t thread = 0; thread < kThreads; ++thread) {
            threads.emplace_back([&sets, thread] {
                RandomSource random(thread);
                for (uint32_t i = 0; i < 20 * kMembers; ++i) {
                    const uint32_t a = random.Below(kMembers - kSets);
                    sets.Join(a, a + kSets);
                }
                for (uint32_t a = thread; a + kSets < kMembers; a += kThreads)
                    sets.Join(a, a + kSets);
            });
        }
    }
    for (uint32_t i = 0; i < kMembers; ++i) CHECK(sets.Root(i) == i % kSets);
}

void TestRefusals() {
    const Records none;
    CHECK(none.Groups(8, 1).empty());
    CHECK(CodeOf([&] { none.Groups(17, 1); }) == FL_BAD_ARGUMENT);
    CHECK(CodeOf([&] { none.Groups(8, 0); }) == FL_BAD_ARGUMENT);
}

}  // namespace

int main() {
    TestGroupsAreThoseOfBruteForce();
    TestPicturesDecide();
    TestFlatPicturesAreToldApartByTheirLevel();
    TestManyOfOneFlatColour();
    TestSetsJoinedByManyThreads();
    TestRefusals();
    return Verdict();
}
