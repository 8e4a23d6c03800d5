// Threads that work on the items of jobs, oldest job first, until the pool is destroyed.
#ifndef FASTLOAD_NATIVE_POOL_H_
#define FASTLOAD_NATIVE_POOL_H_

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "arena.h"
#include "capi.h"

namespace fastload {

class Pool;
class RecordCache;

// Works on the items in the calling thread.
void ProcessHere(fl_item* items, uint64_t count, const fl_output& output);

class Job {
  public:
    Job(Pool& pool, fl_item* items, uint64_t count, const fl_output& output, bool fast,
        RecordCache* cache, std::unique_ptr<Arena> arena)
        : pool_(pool),
          items_(items),
          count_(count),
          output_(output),
          fast_(fast),
          cache_(cache),
          arena_(std::move(arena)) {}
    ~Job();

    Job(const Job&) = delete;
    Job& operator=(const Job&) = delete;

    bool Wait(int64_t milliseconds);
    fl_job_facts Facts() const;
    uint64_t arena_used() const { return arena_->used(); }

  private:
    friend class Pool;

    Pool& pool_;
    fl_item* const items_;
    uint64_t count_;  // lowered to what has begun when the job is given up
    const fl_output output_;
    const bool fast_;
    RecordCache* const cache_;
    const std::unique_ptr<Arena> arena_;  // where the items are gathered; null: they are processed
    uint64_t begun_ = 0;                  // from here on under the pool's mutex
    uint64_t finished_ = 0;
    fl_job_facts facts_{};
    std::condition_variable all_finished_;
};

class Pool {
  public:
    explicit Pool(int32_t threads);
    ~Pool();

    std::unique_ptr<Job> Submit(fl_item* items, uint64_t count, const fl_output& output, bool fast,
                                RecordCache* cache);
    // See gather.h.
    std::unique_ptr<Job> Gather(fl_item* items, uint64_t count, std::unique_ptr<Arena> arena,
                                RecordCache* cache);

  private:
    friend class Job;

    std::unique_ptr<Job> Begin(std::unique_ptr<Job> job);
    void Work();

    std::mutex mutex_;
    std::condition_variable work_or_stop_;
    std::deque<Job*> jobs_;  // those with items not begun
    bool stop_ = false;
    std::vector<std::jthread> threads_;
};

}  // namespace fastload

#endif  // FASTLOAD_NATIVE_POOL_H_
