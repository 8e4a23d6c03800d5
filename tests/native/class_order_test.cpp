#include "class_order.h"

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <vector>

#include "batch_classes.h"
#include "check.h"
#include "random_cycle.h"

namespace {

using fastload::ClassEpoch;
using fastload::ClassLists;
using fastload::RandomCycle;

std::vector<uint32_t> Elements(uint32_t size, uint64_t seed, uint32_t number) {
    std::vector<uint32_t> elements(size);
    RandomCycle(seed, 3, number, size).Copy(0, size, elements.data());
    return elements;
}

void TestCyclesAreBijections() {
    std::vector<uint32_t> sizes = {1, 2, 3, 4, 5, 6, 7};
    for (uint32_t bits = 3; bits <= 20; ++bits) {
        const uint32_t power = 1u << bits;
        sizes.insert(sizes.end(), {power - 1, power, power + 1});
    }
    for (const uint32_t size : sizes) {
        std::vector<uint32_t> elements = Elements(size, size, size);
        std::sort(elements.begin(), elements.end());
        for (uint32_t i = 0; i < size; ++i) CHECK(elements[i] == i);
    }
}

// Each element is as likely in each place: of 8 x 8 cells, 4000 cycles each fill 500 in the mean,
// with a standard deviation of 21.
void TestCyclesAreEven() {
    std::vector<int> cells(64);
    for (uint32_t number = 0; number < 4000; ++number) {
        const auto elements = Elements(8, 1, number);
        for (uint32_t place = 0; place < 8; ++place) ++cells[8 * place + elements[place]];
    }
    for (const int cell : cells) CHECK(cell > 390 && cell < 610);
}

void TestPartsOfACycle() {
    const auto whole = Elements(1000, 5, 6);
    std::vector<uint32_t> part(130);
    RandomCycle(5, 3, 6, 1000).Copy(777, 130, part.data());
    CHECK(std::equal(part.begin(), part.end(), whole.begin() + 777));
}

void TestBatchesHoldDifferentClasses() {
    // The first class is in every batch; the last ones have to hurry.
    const std::vector<uint64_t> slots = {40, 1, 0, 40, 19, 3, 17};
    fastload::BatchClasses batches(slots, 3);
    fastload::WordStream words(1, 2, 3);
    std::vector<uint64_t> dealt(slots.size());
    for (int batch = 0; batch < 40; ++batch) {
        CHECK(!batches.Done());
        auto classes = batches.Draw(words);
        CHECK(classes.size() == 3);
        std::vector<uint32_t> sorted(classes.begin(), classes.end());
        std::sort(sorted.begin(), sorted.end());
        CHECK(std::adjacent_find(sorted.begin(), sorted.end()) == sorted.end());
        for (const uint32_t c : sorted) ++dealt[c];
    }
    CHECK(batches.Done());
    CHECK(dealt == slots);
}

void TestRefusals() {
    CHECK(CodeOf([] { fastload::BatchClasses({2, 2, 1}, 2); }) == FL_BAD_ARGUMENT);
    CHECK(CodeOf([] { fastload::BatchClasses({3, 1}, 2); }) == FL_BAD_ARGUMENT);
    int64_t out[8];
    const auto order = [&](std::vector<uint64_t> starts, std::vector<uint64_t> draws,
                           std::vector<uint64_t> begun, uint32_t images) {
        return CodeOf([&] {
            const ClassLists lists{starts, nullptr};
            const ClassEpoch epoch{1, 0, 0, draws, begun};
            if (images == 0) {
                fastload::ClassOrder(lists, epoch, out);
            } else {
                fastload::ClassBatchOrder(lists, epoch, 2, images, out);
            }
        });
    };
    CHECK(order({0, 2, 4}, {3, 3}, {1, 0}, 0) == FL_OK);
    CHECK(order({0, 2, 1}, {3, 3}, {1, 0}, 0) == FL_BAD_ARGUMENT);
    CHECK(order({0, 2, 2}, {3, 1}, {1, 0}, 0) == FL_BAD_ARGUMENT);
    CHECK(order({0, 2, 4}, {3, 3}, {2, 0}, 0) == FL_BAD_ARGUMENT);
    CHECK(order({0, 2, uint64_t{1} << 32}, {3, 3}, {0, 0}, 0) == FL_BAD_ARGUMENT);
    CHECK(order({0, 2, 4}, {4, 4}, {1, 0}, 2) == FL_OK);
    CHECK(order({0, 2, 4}, {3, 3}, {1, 0}, 2) == FL_BAD_ARGUMENT);
}

}  // namespace

int main() {
    TestCyclesAreBijections();
    TestCyclesAreEven();
    TestPartsOfACycle();
    TestBatchesHoldDifferentClasses();
    TestRefusals();
    return Verdict();
}
