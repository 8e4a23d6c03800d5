#include "record_cache.h"

#include <iterator>

namespace fastload {

std::shared_ptr<KeptRecord> RecordCache::Find(uint64_t key, uint64_t next_use) {
    const std::lock_guard lock(mutex_);
    const auto slot = slots_.find(key);
    if (slot == slots_.end()) return nullptr;
    Move(slot, next_use);
    return slot->second.record;
}

bool RecordCache::WouldKeep(uint64_t next_use, uint64_t bytes) const {
    const std::lock_guard lock(mutex_);
    if (bytes_ + bytes <= budget_) return true;
    return bytes <= budget_ && !by_next_use_.empty() && by_next_use_.rbegin()->first > next_use;
}

std::shared_ptr<KeptRecord> RecordCache::Keep(uint64_t key, uint64_t next_use,
                                              std::shared_ptr<KeptRecord> record) {
    Released released;
    const std::lock_guard lock(mutex_);
    const uint64_t bytes = record->bytes();
    const auto [slot, is_new] = slots_.try_emplace(key, Slot{record, bytes, next_use});
    if (!is_new) return slot->second.record;
    by_next_use_.emplace(next_use, key);
    bytes_ += bytes;
    released = MakeRoom();
    return record;
}

void RecordCache::Grow(uint64_t key, const KeptRecord* record, uint64_t bytes) {
    Released released;
    const std::lock_guard lock(mutex_);
    const auto slot = slots_.find(key);
    // Evicted meanwhile, and perhaps begun anew.
    if (slot == slots_.end() || slot->second.record.get() != record) return;
    slot->second.bytes += bytes;
    bytes_ += bytes;
    released = MakeRoom();
}

void RecordCache::Plan(const uint64_t* keys, const uint64_t* next_uses, uint64_t count,
                       uint64_t others_from, uint64_t others_to, uint64_t otherwise) {
    const std::lock_guard lock(mutex_);
    for (auto slot = slots_.begin(); slot != slots_.end(); ++slot)
        if (slot->first >= others_from && slot->first < others_to) Move(slot, otherwise);
    for (uint64_t i = 0; i < count; ++i) {
        const auto slot = slots_.find(keys[i]);
        if (slot != slots_.end()) Move(slot, next_uses[i]);
    }
}

void RecordCache::SetBudget(uint64_t budget) {
    Released released;
    const std::lock_guard lock(mutex_);
    budget_ = budget;
    released = MakeRoom();
}

CacheFacts RecordCache::Facts() const {
    const std::lock_guard lock(mutex_);
    return {budget_, bytes_, slots_.size(), evictions_};
}

void RecordCache::Move(Slots::iterator slot, uint64_t next_use) {
    if (slot->second.next_use == next_use) return;
    auto node = by_next_use_.extract({slot->second.next_use, slot->first});
    node.value().first = next_use;
    by_next_use_.insert(std::move(node));
    slot->second.next_use = next_use;
}

RecordCache::Released RecordCache::MakeRoom() {
    Released released;
    while (bytes_ > budget_ && !by_next_use_.empty()) {
        const auto last = std::prev(by_next_use_.end());
        const auto slot = slots_.find(last->second);
        bytes_ -= slot->second.bytes;
        ++evictions_;
        released.push_back(std::move(slot->second.record));
        slots_.erase(slot);
        by_next_use_.erase(last);
    }
    return released;
}

}  // namespace fastload
