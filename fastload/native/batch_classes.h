// Which classes share a batch.
#ifndef FASTLOAD_NATIVE_BATCH_CLASSES_H_
#define FASTLOAD_NATIVE_BATCH_CLASSES_H_

#include <cstdint>
#include <span>
#include <vector>

#include "shuffle.h"

namespace fastload {

// Numbers with a weight each, drawn in proportion to it in O(log n): a Fenwick tree of the weights.
class WeightTree {
  public:
    explicit WeightTree(const std::vector<uint64_t>& weights);

    uint64_t total() const { return total_; }
    void Add(size_t number, uint64_t weight);
    void Subtract(size_t number, uint64_t weight);
    // The number in whose share `weight`, below the total, lies.
    size_t Find(uint64_t weight) const;

  private:
    std::vector<uint64_t> sums_;
    uint64_t total_ = 0;
    size_t highest_step_ = 1;
};

// Deals `slots[c]` places of class c to batches of `classes` places, no class twice in a batch.
//
// A class that has as many slots as there are batches left has to be in each of them and comes
// first; the others are drawn in proportion to their slots. That never runs into a dead end: with b
// batches left, no class has more than b slots and all have b * classes together, so at most
// `classes` classes have b, and at least `classes` have any.
class BatchClasses {
  public:
    // Throws FL_BAD_ARGUMENT where the slots do not fill whole batches, or one class has more slots
    // than there are batches.
    BatchClasses(std::vector<uint64_t> slots, uint32_t classes);

    bool Done() const { return batch_ == batches_; }
    // The classes of the next batch; valid until the next call.
    std::span<const uint32_t> Draw(WordStream& words);

  private:
    void TakeUrgent();
    void Take(uint32_t c);
    void Return(uint32_t c);

    std::vector<uint64_t> slots_;
    uint32_t classes_;
    uint64_t batches_ = 0;
    uint64_t batch_ = 0;
    WeightTree tree_;
    // By batch: classes that were seen to have a slot for each batch from that one on. Classes that
    // were drawn since are put off when their batch comes.
    std::vector<std::vector<uint32_t>> urgent_;
    std::vector<uint32_t> taken_;
};

}  // namespace fastload

#endif  // FASTLOAD_NATIVE_BATCH_CLASSES_H_
