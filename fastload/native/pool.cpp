#include "pool.h"

#include <algorithm>
#include <chrono>
#include <cstdio>

#include "error.h"
#include "steps.h"

namespace fastload {
namespace {

// A year. The clock counts nanoseconds: a wait of centuries would not fit and end at once.
constexpr int64_t kForEver = int64_t{365} * 24 * 3600 * 1000;

void Process(fl_item& item, const fl_output& output, bool fast, Workspace& workspace) {
    fl_error error;
    item.status = Guard(&error, [&] { ProcessItem(item, output, fast, workspace); });
    if (item.status != FL_OK)
        std::snprintf(item.message, sizeof(item.message), "%.*s",
                      static_cast<int>(sizeof(item.message)) - 1, error.message);
}

}  // namespace

Job::~Job() {
    std::unique_lock lock(pool_.mutex_);
    std::erase(pool_.jobs_, this);
    count_ = begun_;
    all_finished_.wait(lock, [&] { return finished_ == count_; });
}

bool Job::Wait(int64_t milliseconds) {
    std::unique_lock lock(pool_.mutex_);
    const auto done = [&] { return finished_ == count_; };
    if (milliseconds < 0 || milliseconds > kForEver) {
        all_finished_.wait(lock, done);
        return true;
    }
    return all_finished_.wait_for(lock, std::chrono::milliseconds(milliseconds), done);
}

Pool::Pool(int32_t threads) {
    if (threads < 1) throw Failure(FL_BAD_ARGUMENT, "a pool needs at least one thread");
    try {
        for (int32_t i = 0; i < threads; ++i) threads_.emplace_back([this] { Work(); });
    } catch (...) {
        {
            const std::lock_guard lock(mutex_);
            stop_ = true;
        }
        work_or_stop_.notify_all();
        threads_.clear();
        throw;
    }
}

Pool::~Pool() {
    {
        const std::lock_guard lock(mutex_);
        stop_ = true;
    }
    work_or_stop_.notify_all();
    threads_.clear();
}

std::unique_ptr<Job> Pool::Submit(fl_item* items, uint64_t count, const fl_output& output,
                                  bool fast) {
    auto job = std::make_unique<Job>(*this, items, count, output, fast);
    if (count > 0) {
        const std::lock_guard lock(mutex_);
        jobs_.push_back(job.get());
    }
    work_or_stop_.notify_all();
    return job;
}

void Pool::Work() {
    Workspace workspace;
    std::unique_lock lock(mutex_);
    while (true) {
        work_or_stop_.wait(lock, [&] { return stop_ || !jobs_.empty(); });
        if (stop_) return;
        Job& job = *jobs_.front();
        fl_item& item = job.items_[job.begun_++];
        if (job.begun_ == job.count_) jobs_.pop_front();
        lock.unlock();
        Process(item, job.output_, job.fast_, workspace);
        lock.lock();
        // Under the lock, so that the job still exists while it is told.
        if (++job.finished_ == job.count_) job.all_finished_.notify_all();
    }
}

}  // namespace fastload
