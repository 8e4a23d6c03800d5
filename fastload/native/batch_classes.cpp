#include "batch_classes.h"

#include <bit>
#include <string>
#include <utility>

#include "error.h"

namespace fastload {

WeightTree::WeightTree(const std::vector<uint64_t>& weights) : sums_(weights.size() + 1) {
    for (size_t i = 0; i < weights.size(); ++i) Add(i, weights[i]);
    highest_step_ = std::bit_floor(sums_.size() - 1);
}

void WeightTree::Add(size_t number, uint64_t weight) {
    total_ += weight;
    for (size_t i = number + 1; i < sums_.size(); i += i & -i) sums_[i] += weight;
}

void WeightTree::Subtract(size_t number, uint64_t weight) {
    total_ -= weight;
    for (size_t i = number + 1; i < sums_.size(); i += i & -i) sums_[i] -= weight;
}

size_t WeightTree::Find(uint64_t weight) const {
    size_t before = 0;
    for (size_t step = highest_step_; step > 0; step /= 2) {
        if (before + step < sums_.size() && sums_[before + step] <= weight) {
            before += step;
            weight -= sums_[before];
        }
    }
    return before;
}

BatchClasses::BatchClasses(std::vector<uint64_t> slots, uint32_t classes)
    : slots_(std::move(slots)), classes_(classes), tree_(slots_) {
    if (tree_.total() % classes != 0) {
        throw Failure(FL_BAD_ARGUMENT, std::to_string(tree_.total()) +
                                           " slots do not fill batches of " +
                                           std::to_string(classes));
    }
    batches_ = tree_.total() / classes;
    urgent_.resize(batches_);
    for (size_t c = 0; c < slots_.size(); ++c) {
        if (slots_[c] > batches_) {
            throw Failure(FL_BAD_ARGUMENT, "class " + std::to_string(c) + " has " +
                                               std::to_string(slots_[c]) + " slots in " +
                                               std::to_string(batches_) + " batches");
        }
        if (slots_[c] > 0) urgent_[batches_ - slots_[c]].push_back(static_cast<uint32_t>(c));
    }
}

std::span<const uint32_t> BatchClasses::Draw(WordStream& words) {
    taken_.clear();
    TakeUrgent();
    while (taken_.size() < classes_) {
        Take(static_cast<uint32_t>(tree_.Find(words.Below(tree_.total()))));
    }
    ++batch_;
    for (const uint32_t c : taken_) Return(c);
    // The urgent ones came first.
    Shuffle(words, taken_.size(), Places<uint32_t>(taken_.data()));
    return taken_;
}

void BatchClasses::TakeUrgent() {
    for (const uint32_t c : urgent_[batch_]) {
        if (slots_[c] == batches_ - batch_) {
            Take(c);
        } else if (slots_[c] > 0) {
            urgent_[batches_ - slots_[c]].push_back(c);
        }
    }
    urgent_[batch_] = {};
}

void BatchClasses::Take(uint32_t c) {
    taken_.push_back(c);
    tree_.Subtract(c, slots_[c]);
}

void BatchClasses::Return(uint32_t c) {
    const bool was_urgent = slots_[c] == batches_ - (batch_ - 1);
    --slots_[c];
    tree_.Add(c, slots_[c]);
    if (was_urgent && slots_[c] > 0) urgent_[batch_].push_back(c);
}

}  // namespace fastload
