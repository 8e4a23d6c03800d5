// The order of an epoch that draws each class a given number of times.
#ifndef FASTLOAD_NATIVE_CLASS_ORDER_H_
#define FASTLOAD_NATIVE_CLASS_ORDER_H_

#include <cstdint>
#include <span>

namespace fastload {

// The samples of each class: those of class c are `members[starts[c]]` up to but not
// `members[starts[c + 1]]`, or where there are no members the numbers from `starts[c]` on.
struct ClassLists {
    std::span<const uint64_t> starts;
    const uint32_t* members;

    size_t size() const { return starts.size() - 1; }
    uint32_t count(size_t c) const { return static_cast<uint32_t>(starts[c + 1] - starts[c]); }
    uint32_t sample(size_t c, uint32_t place) const {
        const uint64_t at = starts[c] + place;
        return members == nullptr ? static_cast<uint32_t>(at) : members[at];
    }
};

// How an epoch is drawn.
//
// Each class has a random cycle of its samples, one for an era of epochs, and an epoch goes on in
// it where the one before stopped: at place `begun[c]`, for `draws[c]` samples. So a sample comes
// again only when all of its class have come, and no sample more than ceil(draws / count) times an
// epoch.
//
// The samples that one round of the cycle gives to one epoch are shuffled among themselves, and the
// classes of the epoch's positions are drawn as a shuffle of all `draws`.
struct ClassEpoch {
    uint64_t seed;
    uint64_t epoch;
    uint64_t era;
    std::span<const uint64_t> draws;
    std::span<const uint64_t> begun;
};

// Writes the sum of all `draws` samples. Throws FL_BAD_ARGUMENT where lists or draws do not fit one
// another. Memory: four bytes a draw.
void ClassOrder(const ClassLists& lists, const ClassEpoch& epoch, int64_t* out);

// The same in batches of `classes` different classes, `images` samples of each in a row: `draws`
// are multiples of `images`, and none is more than `images` for each batch. Where a class has
// `images` samples or more, those of a batch differ: within an epoch its samples come in the same
// sequence in each round. Which classes share a batch is drawn from what is left of each, but a
// class that has to be in all batches that are left comes first.
void ClassBatchOrder(const ClassLists& lists, const ClassEpoch& epoch, uint32_t classes,
                     uint32_t images, int64_t* out);

}  // namespace fastload

#endif  // FASTLOAD_NATIVE_CLASS_ORDER_H_
