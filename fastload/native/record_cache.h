// Keeps decoded parts of records in memory. Which ones is decided by when each is wanted next: an
// epoch's order is known before it starts, so that of all that is kept, what is wanted last can
// make room (L. A. Belady, "A study of replacement algorithms for a virtual-storage computer", IBM
// Systems Journal 5(2), 1966).
#ifndef FASTLOAD_NATIVE_RECORD_CACHE_H_
#define FASTLOAD_NATIVE_RECORD_CACHE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <set>
#include <unordered_map>
#include <utility>
#include <vector>

namespace fastload {

// What is kept of one record. It grows as more of it is needed; whoever holds it can go on reading
// it after the cache has let it go.
class KeptRecord {
  public:
    virtual ~KeptRecord() = default;

    // Bytes that it takes before anything is added.
    virtual uint64_t bytes() const = 0;
};

struct CacheFacts {
    uint64_t budget;  // bytes
    uint64_t bytes;
    uint64_t records;
    uint64_t evictions;
};

// Safe to use from several threads. Times count visits of the whole process: only their order
// matters.
class RecordCache {
  public:
    explicit RecordCache(uint64_t budget) : budget_(budget) {}

    struct Found {
        std::shared_ptr<KeptRecord> record;  // null where nothing is kept
        // It comes so often that a larger form which is quicker to read is worth its room.
        bool often = false;
    };
    // What is kept of a record, which will be wanted again at `next_use`.
    Found Find(uint64_t key, uint64_t next_use);

    // Whether a record that may grow to `bytes` is to be kept: not where all that is kept instead
    // of it is wanted sooner.
    bool WouldKeep(uint64_t next_use, uint64_t bytes) const;

    // Whether `bytes` more leave half of the budget free.
    bool HasAmpleRoom(uint64_t bytes) const;

    // Begins to keep a record. Where another thread has been quicker, that one's is returned.
    std::shared_ptr<KeptRecord> Keep(uint64_t key, uint64_t next_use,
                                     std::shared_ptr<KeptRecord> record);

    // A kept record has grown: what is wanted last makes room, be it that record.
    void Grow(uint64_t key, const KeptRecord* record, uint64_t bytes);

    // Keeps another form of a record in the place of one that is kept.
    void Replace(uint64_t key, const KeptRecord* record, std::shared_ptr<KeptRecord> other);

    // Says anew when records are wanted next. `others_from` .. `others_to` - 1 are keys of which
    // those that are not named are wanted at `otherwise`.
    void Plan(const uint64_t* keys, const uint64_t* next_uses, uint64_t count, uint64_t others_from,
              uint64_t others_to, uint64_t otherwise);

    void SetBudget(uint64_t budget);

    CacheFacts Facts() const;

  private:
    struct Slot {
        std::shared_ptr<KeptRecord> record;
        uint64_t bytes = 0;
        uint64_t next_use = 0;
        uint64_t uses = 0;
        uint64_t first_use = 0;
    };
    using Slots = std::unordered_map<uint64_t, Slot>;
    using Released = std::vector<std::shared_ptr<KeptRecord>>;

    bool ComesOften(const Slot& slot) const;
    void Move(Slots::iterator slot, uint64_t next_use);
    // What has made room is freed by the caller, when the mutex is free again.
    Released MakeRoom();

    mutable std::mutex mutex_;
    uint64_t budget_;
    uint64_t bytes_ = 0;
    uint64_t evictions_ = 0;
    Slots slots_;
    std::set<std::pair<uint64_t, uint64_t>> by_next_use_;  // (next use, key)
};

}  // namespace fastload

#endif  // FASTLOAD_NATIVE_RECORD_CACHE_H_
