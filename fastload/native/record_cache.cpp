#include "record_cache.h"

#include <iterator>
#include <utility>

namespace fastload {

namespace {

constexpr uint64_t kNever = UINT64_MAX;
// A record comes often that comes so many times while what is wanted last waits for its turn. Of a
// JPEG, samples take 1.5 to 3 times the room of its coefficients and save a third of a hit's time,
// where a hit saves half of an image's: room is better spent on another record before that.
constexpr uint64_t kOften = 24;
// Uses before that can be said.
constexpr uint64_t kUsesKnown = 4;

}  // namespace

RecordCache::Found RecordCache::Find(uint64_t key, uint64_t next_use) {
    const std::lock_guard lock(mutex_);
    const auto slot = slots_.find(key);
    if (slot == slots_.end()) return {};
    // When it was to come is now.
    if (slot->second.uses++ == 0) slot->second.first_use = slot->second.next_use;
    const bool often = ComesOften(slot->second);
    Move(slot, next_use);
    return {slot->second.record, often};
}

bool RecordCache::ComesOften(const Slot& slot) const {
    const uint64_t now = slot.next_use;
    auto after_last = by_next_use_.lower_bound({kNever, 0});
    if (slot.uses <= kUsesKnown || after_last == by_next_use_.begin()) return false;
    const uint64_t last = std::prev(after_last)->first;
    // In the mean a use comes (now - first) / (uses - 1) after the one before.
    return last > now && now >= slot.first_use &&
           kOften * (now - slot.first_use) < (slot.uses - 1) * (last - now);
}

bool RecordCache::WouldKeep(uint64_t next_use, uint64_t bytes) const {
    const std::lock_guard lock(mutex_);
    if (bytes_ + bytes <= budget_) return true;
    return bytes <= budget_ && !by_next_use_.empty() && by_next_use_.rbegin()->first > next_use;
}

bool RecordCache::HasAmpleRoom(uint64_t bytes) const {
    const std::lock_guard lock(mutex_);
    return bytes_ + bytes <= budget_ / 2;
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

void RecordCache::Replace(uint64_t key, const KeptRecord* record,
                          std::shared_ptr<KeptRecord> other) {
    Released released;
    const std::lock_guard lock(mutex_);
    const auto slot = slots_.find(key);
    if (slot == slots_.end() || slot->second.record.get() != record) return;
    bytes_ += other->bytes() - slot->second.bytes;
    slot->second.bytes = other->bytes();
    released = MakeRoom();
    // The one that was there may have made room itself.
    const auto left = slots_.find(key);
    if (left == slots_.end()) return;
    released.push_back(std::exchange(left->second.record, std::move(other)));
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
