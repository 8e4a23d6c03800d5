#include "pool.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <numeric>

#include "error.h"
#include "gather.h"
#include "stages.h"
#include "steps.h"

namespace fastload {
namespace {

// A year. The clock counts nanoseconds: a wait of centuries would not fit and end at once.
constexpr int64_t kForEver = int64_t{365} * 24 * 3600 * 1000;

using Clock = std::chrono::steady_clock;

// A stage's ticks to nanoseconds, where all ticks are so long.
fl_job_facts FactsOf(const StageTicks& ticks, std::chrono::nanoseconds time, bool kept,
                     uint64_t bytes) {
    const uint64_t all = std::accumulate(ticks.begin(), ticks.end(), uint64_t{1});
    const double scale = static_cast<double>(time.count()) / static_cast<double>(all);
    const auto of = [&](Stage stage) {
        return static_cast<uint64_t>(scale *
                                     static_cast<double>(ticks[static_cast<size_t>(stage)]));
    };
    return {of(Stage::kRead),   of(Stage::kEntropy), of(Stage::kInverseDct), of(Stage::kColour),
            of(Stage::kResize), of(Stage::kRest),    kept ? uint64_t{1} : 0, kept ? 0 : bytes};
}

void Add(const fl_job_facts& some, fl_job_facts& all) {
    all.read += some.read;
    all.entropy += some.entropy;
    all.inverse_dct += some.inverse_dct;
    all.colour += some.colour;
    all.resize += some.resize;
    all.rest += some.rest;
    all.kept += some.kept;
    all.bytes += some.bytes;
}

// Does an item by `make`, which returns whether the cache had it.
template <typename Make>
fl_job_facts Process(fl_item& item, Make make) {
    const Clock::time_point start = Clock::now();
    stage_clock.Start();
    fl_error error;
    bool kept = false;
    item.status = Guard(&error, [&] { kept = make(); });
    if (item.status != FL_OK)
        std::snprintf(item.message, sizeof(item.message), "%.*s",
                      static_cast<int>(sizeof(item.message)) - 1, error.message);
    return FactsOf(stage_clock.Stop(), Clock::now() - start, kept, item.length);
}

}  // namespace

void ProcessHere(fl_item* items, uint64_t count, const fl_output& output) {
    thread_local Workspace workspace;
    for (fl_item* item = items; item != items + count; ++item)
        Process(*item, [&] { return ProcessItem(*item, output, false, nullptr, workspace); });
}

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

fl_job_facts Job::Facts() const {
    const std::lock_guard lock(pool_.mutex_);
    return facts_;
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
                                  bool fast, RecordCache* cache) {
    return Begin(std::make_unique<Job>(*this, items, count, output, fast, cache, nullptr));
}

std::unique_ptr<Job> Pool::Gather(fl_item* items, uint64_t count, std::unique_ptr<Arena> arena,
                                  RecordCache* cache) {
    return Begin(
        std::make_unique<Job>(*this, items, count, fl_output{}, false, cache, std::move(arena)));
}

std::unique_ptr<Job> Pool::Begin(std::unique_ptr<Job> job) {
    if (job->count_ > 0) {
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
        const fl_job_facts facts = Process(item, [&] {
            return job.arena_ != nullptr
                       ? GatherItem(item, *job.arena_, job.cache_, workspace)
                       : ProcessItem(item, job.output_, job.fast_, job.cache_, workspace);
        });
        lock.lock();
        Add(facts, job.facts_);
        // Under the lock, so that the job still exists while it is told.
        if (++job.finished_ == job.count_) job.all_finished_.notify_all();
    }
}

}  // namespace fastload
