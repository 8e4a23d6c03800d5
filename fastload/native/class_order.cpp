#include "class_order.h"

#include <algorithm>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "batch_classes.h"
#include "error.h"
#include "random_cycle.h"
#include "shuffle.h"

namespace fastload {
namespace {

void CheckClass(const ClassLists& lists, const ClassEpoch& epoch, size_t c) {
    const bool sorted = lists.starts[c] <= lists.starts[c + 1];
    const bool narrow = lists.starts[c + 1] <= std::numeric_limits<uint32_t>::max();
    if (!sorted || !narrow) {
        throw Failure(FL_BAD_ARGUMENT, "class " + std::to_string(c) +
                                           " ends before it starts, or past sample 2^32 - 1");
    }
    const uint32_t count = lists.count(c);
    if (count == 0 ? epoch.draws[c] != 0 : epoch.begun[c] >= count) {
        throw Failure(FL_BAD_ARGUMENT, "class " + std::to_string(c) + " of " +
                                           std::to_string(count) +
                                           " samples: " + std::to_string(epoch.draws[c]) +
                                           " draws from place " + std::to_string(epoch.begun[c]));
    }
}

uint64_t CheckedLength(const ClassLists& lists, const ClassEpoch& epoch) {
    uint64_t length = 0;
    for (size_t c = 0; c < lists.size(); ++c) {
        CheckClass(lists, epoch, c);
        length += epoch.draws[c];
    }
    return length;
}

// Writes `count` samples from a place of the cycle on, which ends behind the class's last sample.
void CopyOfCycle(const ClassLists& lists, const RandomCycle& cycle, size_t c, uint64_t place,
                 uint64_t count, uint32_t* out) {
    cycle.Copy(static_cast<uint32_t>(place), static_cast<uint32_t>(count), out);
    for (uint64_t i = 0; i < count; ++i) out[i] = lists.sample(c, out[i]);
}

// One class's samples of an epoch, each round of the cycle shuffled anew.
void DrawRounds(const ClassLists& lists, const ClassEpoch& epoch, size_t c, WordStream& words,
                uint32_t* out) {
    const uint64_t count = lists.count(c);
    const RandomCycle cycle(epoch.seed, epoch.era, static_cast<uint32_t>(c), lists.count(c));
    uint64_t place = epoch.begun[c];
    for (uint64_t left = epoch.draws[c]; left > 0; place = 0) {
        const uint64_t taken = std::min(left, count - place);
        CopyOfCycle(lists, cycle, c, place, taken, out);
        Shuffle(words, taken, Places<uint32_t>(out));
        out += taken;
        left -= taken;
    }
}

// One class's samples of an epoch, in the same sequence in every round. Those that come once more
// than the others are the next ones of the cycle, so that the following epoch goes on behind them.
void DrawSequence(const ClassLists& lists, const ClassEpoch& epoch, size_t c, WordStream& words,
                  uint32_t* out) {
    const uint64_t count = lists.count(c);
    const uint64_t draws = epoch.draws[c];
    const RandomCycle cycle(epoch.seed, epoch.era, static_cast<uint32_t>(c), lists.count(c));
    const uint64_t once_more = draws % count;
    const uint64_t sequence = std::min(draws, count);
    const uint64_t to_end = std::min(sequence, count - epoch.begun[c]);
    CopyOfCycle(lists, cycle, c, epoch.begun[c], to_end, out);
    CopyOfCycle(lists, cycle, c, 0, sequence - to_end, out + to_end);
    Shuffle(words, once_more, Places<uint32_t>(out));
    Shuffle(words, sequence - once_more, Places<uint32_t>(out + once_more));
    for (uint64_t i = sequence; i < draws; ++i) out[i] = out[i - sequence];
}

using Draw = void (*)(const ClassLists&, const ClassEpoch&, size_t, WordStream&, uint32_t*);

// All samples of an epoch, class after class, and where each class's next one is.
struct DrawnItems {
    DrawnItems(const ClassLists& lists, const ClassEpoch& epoch, uint64_t length, Draw draw)
        : items(length), next(lists.size()) {
        WordStream words(epoch.seed, epoch.epoch, kItemsPurpose);
        uint64_t start = 0;
        for (size_t c = 0; c < lists.size(); ++c) {
            next[c] = start;
            if (epoch.draws[c] > 0) draw(lists, epoch, c, words, items.data() + start);
            start += epoch.draws[c];
        }
    }

    uint32_t Take(uint32_t c) { return items[next[c]++]; }

    std::vector<uint32_t> items;
    std::vector<uint64_t> next;
};

}  // namespace

void ClassOrder(const ClassLists& lists, const ClassEpoch& epoch, int64_t* out) {
    const uint64_t length = CheckedLength(lists, epoch);
    DrawnItems drawn(lists, epoch, length, DrawRounds);
    Places<uint32_t> classes = UpperHalf(out, length);
    uint64_t position = 0;
    for (size_t c = 0; c < lists.size(); ++c) {
        for (uint64_t i = 0; i < epoch.draws[c]; ++i) {
            classes.Set(position++, static_cast<uint32_t>(c));
        }
    }
    WordStream words(epoch.seed, epoch.epoch, kClassesPurpose);
    Shuffle(words, length, classes);
    Places<int64_t> order(out);
    for (uint64_t i = 0; i < length; ++i) order.Set(i, drawn.Take(classes.Get(i)));
}

void ClassBatchOrder(const ClassLists& lists, const ClassEpoch& epoch, uint32_t classes,
                     uint32_t images, int64_t* out) {
    const uint64_t length = CheckedLength(lists, epoch);
    if (classes == 0 || images == 0) {
        throw Failure(FL_BAD_ARGUMENT, "a batch of no classes or no images");
    }
    std::vector<uint64_t> slots(lists.size());
    for (size_t c = 0; c < lists.size(); ++c) {
        if (epoch.draws[c] % images != 0) {
            throw Failure(FL_BAD_ARGUMENT,
                          "class " + std::to_string(c) + ": " + std::to_string(epoch.draws[c]) +
                              " draws, not a multiple of " + std::to_string(images));
        }
        slots[c] = epoch.draws[c] / images;
    }
    DrawnItems drawn(lists, epoch, length, DrawSequence);
    WordStream words(epoch.seed, epoch.epoch, kClassesPurpose);
    BatchClasses batches(std::move(slots), classes);
    while (!batches.Done()) {
        for (const uint32_t c : batches.Draw(words)) {
            for (uint32_t i = 0; i < images; ++i) *out++ = drawn.Take(c);
        }
    }
}

}  // namespace fastload
