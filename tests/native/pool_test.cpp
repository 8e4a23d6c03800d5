// What the items become is steps_test's matter: here they are compared with one thread's work.
#include "pool.h"

#include <unistd.h>

#include <chrono>
#include <cstring>
#include <limits>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "allocation_gate.h"
#include "check.h"
#include "items.h"
#include "room.h"

namespace {

using fastload::Job;
using fastload::Pool;

constexpr int64_t kForEver = -1;
// Longer than anything here takes, in milliseconds.
constexpr int64_t kAges = 100'000;

std::vector<Record> SomeRecords(RandomSource& random) {
    std::vector<Record> records;
    for (int i = 0; i < 4; ++i) {
        for (Record& record : RecordsOfAllKinds(random, 20 + static_cast<int32_t>(random.Below(20)),
                                                20 + static_cast<int32_t>(random.Below(20)))) {
            records.push_back(std::move(record));
        }
    }
    return records;
}

// ---- Jobs and what they point to

class Batch {
  public:
    Batch(fl_output output, Bytes table) : output_(output), table_(std::move(table)) {
        if (!table_.empty()) output_.table = AddressOf(table_.data());
    }

    // The item for `record`, which must outlive the batch. What it points to stays where it is.
    fl_item& Add(const Record& record, Steps steps, int32_t height, int32_t width) {
        const size_t value = output_.dtype == FL_UINT8 ? 1 : output_.dtype == FL_FLOAT32 ? 4 : 2;
        rooms_.emplace_back(value * height * width * output_.channels);
        steps_.push_back(std::make_unique<Steps>(std::move(steps)));
        return items_.emplace_back(
            ItemOf(record, *steps_.back(), height, width, rooms_.back().data()));
    }

    std::unique_ptr<Job> SubmitTo(Pool& pool) {
        return pool.Submit(items_.data(), items_.size(), output_, false, nullptr);
    }

    std::vector<fl_item>& items() { return items_; }
    const fl_output& output() const { return output_; }
    const Room& room(size_t item) const { return rooms_[item]; }

    size_t Untouched() const {
        return std::count_if(rooms_.begin(), rooms_.end(),
                             [](const Room& room) { return room.IsUntouched(); });
    }

  private:
    fl_output output_;
    Bytes table_;
    std::vector<Room> rooms_;
    std::vector<std::unique_ptr<Steps>> steps_;
    std::vector<fl_item> items_;
};

constexpr fl_output kLevels = {FL_UINT8, FL_PLANAR, 3, 0, 0};
constexpr fl_output kOneLevel = {FL_UINT8, FL_PLANAR, 1, 0, 0};

Steps RandomSteps(RandomSource& random, const Record& record, int32_t height, int32_t width) {
    const auto top = static_cast<int32_t>(random.Below(record.height - 5));
    const auto left = static_cast<int32_t>(random.Below(record.width - 5));
    Steps steps = {Crop(top, left, record.height - top, record.width - left),
                   Resize(height, width)};
    if (random.Below(2) == 0) steps.push_back(FlipLeftRight());
    if (random.Below(3) == 0) steps.push_back(Colour(fastload::StepKind::kContrast, 1.5F));
    if (random.Below(3) == 0)
        steps.push_back(
            Step(fastload::StepKind::kWarp, {0, 9, 9, 9}, {0.8, 0.6, -2.5, -0.6, 0.8, 3}));
    if (random.Below(3) == 0) steps.push_back(Step(fastload::StepKind::kEqualize));
    if (random.Below(3) == 0) steps.push_back(Step(fastload::StepKind::kBlur, {1, 1}, {1.5}));
    return steps;
}

Batch RandomBatch(RandomSource& random, const std::vector<Record>& records, size_t count) {
    const bool levels = random.Below(2) == 0;
    const auto layout = static_cast<int32_t>(random.Below(2));
    Batch batch = levels ? Batch({FL_UINT8, layout, 3, 0, 0}, {})
                         : Batch({FL_FLOAT32, layout, 3, 0, 0}, random.Bytes(3 * 256 * 4));
    for (size_t i = 0; i < count; ++i) {
        const Record& record = records[random.Below(static_cast<uint32_t>(records.size()))];
        const auto height = static_cast<int32_t>(1 + random.Below(16));
        const auto width = static_cast<int32_t>(1 + random.Below(16));
        batch.Add(record, RandomSteps(random, record, height, width), height, width);
    }
    return batch;
}

// What an item's room holds when this thread does it.
Bytes AloneBytes(const fl_item& item, const fl_output& output, size_t size) {
    Room room(size);
    fl_item own = item;
    own.out = AddressOf(room.data());
    fastload::Workspace workspace;
    CHECK(CodeOf([&] { fastload::ProcessItem(own, output, false, nullptr, workspace); }) == FL_OK);
    return room.Contents();
}

void CheckItem(Batch& batch, size_t i) {
    const Room& room = batch.room(i);
    CHECK(batch.items()[i].status == FL_OK);
    CHECK(room.MarginsAreUntouched());
    CHECK(room.Contents() == AloneBytes(batch.items()[i], batch.output(), room.size()));
}

void CheckBatch(Batch& batch) {
    for (size_t i = 0; i < batch.items().size(); ++i) CheckItem(batch, i);
}

// ---- Any number of threads

void TestThreads() {
    RandomSource random(1);
    const std::vector<Record> records = SomeRecords(random);
    for (int32_t threads : {1, 2, 3, 8}) {
        std::vector<Batch> batches;
        for (size_t count : {1, 7, 40, 13}) {
            batches.push_back(RandomBatch(random, records, count));
        }
        Pool pool(threads);
        std::vector<std::unique_ptr<Job>> jobs;
        for (Batch& batch : batches) jobs.push_back(batch.SubmitTo(pool));
        for (const auto& job : jobs) CHECK(job->Wait(kForEver));
        for (Batch& batch : batches) CheckBatch(batch);
    }
}

// So many items are under way at once as there are threads, of one job or of several.
void TestAllThreadsWork() {
    RandomSource random(2);
    const std::vector<Record> records = SomeRecords(random);
    Batch first = RandomBatch(random, records, 2), second = RandomBatch(random, records, 3);
    Pool pool(4);
    AllocationGate gate;
    const auto first_job = first.SubmitTo(pool), second_job = second.SubmitTo(pool);
    gate.AwaitHeld(4);
    CHECK(first.Untouched() == 2 && second.Untouched() == 3);
    gate.Open();
    CHECK(first_job->Wait(kForEver) && second_job->Wait(kForEver));
    CheckBatch(first);
    CheckBatch(second);
}

// Item after item of jobs that stand in line together, for one thread. Every item's checksum is
// wrong; a byte spares it from being compared, and the item of the link before writes that byte.
size_t CountUnbroken(const std::vector<std::vector<size_t>>& jobs_of_links, size_t links) {
    const Record white = QoiRecord(Bytes(3, 1), 1, 1);
    Bytes spared(links + 1);
    spared[0] = 1;
    std::vector<Batch> batches;
    for (const std::vector<size_t>& job : jobs_of_links) {
        Batch& batch = batches.emplace_back(kOneLevel, Bytes());
        for (size_t link : job) {
            fl_item& item = batch.Add(white, {}, 1, 1);
            item.crc32c ^= 1;
            item.verified = AddressOf(&spared[link]);
            item.out = AddressOf(&spared[link + 1]);
        }
    }
    Pool pool(1);
    AllocationGate gate;
    std::vector<std::unique_ptr<Job>> jobs;
    for (Batch& batch : batches) jobs.push_back(batch.SubmitTo(pool));
    gate.Open();
    for (const auto& job : jobs) CHECK(job->Wait(kForEver));
    size_t unbroken = 0;
    for (Batch& batch : batches) {
        for (const fl_item& item : batch.items()) unbroken += item.status == FL_OK;
    }
    return unbroken;
}

void TestOrder() {
    CHECK(CountUnbroken({{0, 1, 2, 3}, {4}, {5, 6, 7}, {8, 9}}, 10) == 10);
    CHECK(CountUnbroken({{0, 1, 2, 3}, {5, 6, 7}, {4}, {8, 9}}, 10) == 5);
    CHECK(CountUnbroken({{0, 2, 1, 3}, {4}, {5, 6, 7}, {8, 9}}, 10) == 2);
    CHECK(CountUnbroken({{9, 8}, {7, 6, 5}, {4, 3, 2, 1, 0}}, 10) == 1);
}

// ---- Failures

void CheckFailure(const fl_item& item, int32_t code, const char* words) {
    CHECK(item.status == code);
    const bool ends = std::memchr(item.message, 0, sizeof(item.message)) != nullptr;
    CHECK(ends && std::string(item.message).find(words) != std::string::npos);
}

void TestFailures() {
    RandomSource random(4);
    std::vector<Record> records = SomeRecords(random);
    Batch batch = RandomBatch(random, records, 40);
    std::vector<fl_item>& items = batch.items();
    std::vector<uint8_t> verified(items.size());
    for (size_t i = 0; i < items.size(); ++i) items[i].verified = AddressOf(&verified[i]);
    items[3].crc32c ^= 0x100;
    items[7].out_width += 1;
    items[11].codec = 77;
    Record damaged = QoiRecord(random, 30, 30);
    damaged.payload[2] ^= 0x20;
    items[17].codec = static_cast<int32_t>(damaged.codec);
    items[17].payload = AddressOf(damaged.payload.data());
    items[17].length = damaged.payload.size();
    items[17].crc32c = fastload::Crc32c(damaged.payload.data(), damaged.payload.size());
    items[26].length /= 2;
    items[26].verified = 0;
    Steps impossible = {Resize(0, 0)};
    items[39].steps = AddressOf(impossible.data());
    items[39].step_count = 1;

    Pool pool(3);
    for (fl_item& item : items) item.status = 99;
    CHECK(batch.SubmitTo(pool)->Wait(kForEver));
    CheckFailure(items[3], FL_CORRUPT, "checksum mismatch");
    CheckFailure(items[7], FL_CORRUPT, "not the one in the index");
    CheckFailure(items[11], FL_BAD_ARGUMENT, "codec 77");
    CheckFailure(items[17], FL_CORRUPT, "qoif");
    CHECK(items[26].status != FL_OK && items[26].status != 99 && items[26].message[0] != '\0');
    CheckFailure(items[39], FL_BAD_ARGUMENT, "0 x 0");
    for (size_t i : {3, 7, 11, 17, 26, 39}) CHECK(batch.room(i).IsUntouched());
    for (size_t i = 0; i < items.size(); ++i) {
        if (i != 3 && i != 7 && i != 11 && i != 17 && i != 26 && i != 39) CheckItem(batch, i);
    }

    items[3].crc32c ^= 0x100;  // the same items again, mended
    CHECK(batch.SubmitTo(pool)->Wait(kForEver));
    CheckItem(batch, 3);
}

void TestChecksums() {
    RandomSource random(5);
    const Record record = QoiRecord(random, 10, 10);
    Pool pool(2);
    // Two threads on one record: both see that it is not yet known to be whole.
    uint8_t verified = 0;
    Batch twice(kLevels, {});
    for (int i = 0; i < 2; ++i) twice.Add(record, {}, 10, 10).verified = AddressOf(&verified);
    AllocationGate gate;
    const auto job = twice.SubmitTo(pool);
    gate.AwaitHeld(2);
    gate.Open();
    CHECK(job->Wait(kForEver));
    CheckBatch(twice);
    CHECK(verified == 1);

    const auto status_of = [&](uint8_t* flag, uint32_t difference) {
        Batch batch(kLevels, {});
        fl_item& item = batch.Add(record, {}, 10, 10);
        item.verified = AddressOf(flag);
        item.crc32c ^= difference;
        CHECK(batch.SubmitTo(pool)->Wait(kForEver));
        return item.status;
    };
    uint8_t flag = 0;
    CHECK(status_of(&flag, 1) == FL_CORRUPT && flag == 0);
    CHECK(status_of(&flag, 0) == FL_OK && flag == 1);
    CHECK(status_of(&flag, 1) == FL_OK && flag == 1);  // asked once
    CHECK(status_of(nullptr, 1) == FL_OK);
}

// ---- Waiting and giving up

// Items that take a while together, each one's room a single level.
Batch LongBatch(const Record& record, size_t count) {
    Batch batch(kOneLevel, {});
    const fl_step last_pixel = Crop(record.height - 1, record.width - 1, 1, 1);
    for (size_t i = 0; i < count; ++i) batch.Add(record, {last_pixel}, 1, 1);
    return batch;
}

void TestWait() {
    RandomSource random(6);
    const std::vector<Record> records = SomeRecords(random);
    for (const int64_t longest : {kAges, std::numeric_limits<int64_t>::max(), kForEver}) {
        Batch batch = RandomBatch(random, records, 9);
        Pool pool(2);
        AllocationGate gate;
        const auto job = batch.SubmitTo(pool);
        CHECK(!job->Wait(0));
        CHECK(!job->Wait(1));
        gate.AwaitHeld(2);
        CHECK(!job->Wait(15));
        std::thread opener([&] {
            std::this_thread::sleep_for(std::chrono::milliseconds(10));
            gate.Open();
        });
        CHECK(job->Wait(longest));
        CHECK(job->Wait(0));
        CHECK(job->Wait(kForEver));
        CheckBatch(batch);
        opener.join();
    }
}

void TestEmptyJob() {
    RandomSource random(7);
    const Record record = QoiRecord(random, 9, 9);
    Batch busy = LongBatch(record, 3);
    Pool pool(1);
    AllocationGate gate;
    const auto job = busy.SubmitTo(pool);
    Batch empty(kLevels, {});
    CHECK(empty.SubmitTo(pool)->Wait(0));
    gate.Open();
    CHECK(job->Wait(kForEver));
}

// Items are begun in order: what is done when the job is freed is its beginning.
size_t CheckBeginningDone(Batch& batch) {
    const size_t count = batch.items().size();
    const size_t done = count - batch.Untouched();
    for (size_t i = 0; i < done; ++i) CheckItem(batch, i);
    for (size_t i = done; i < count; ++i) CHECK(batch.room(i).IsUntouched());
    return done;
}

// The threads are held in the middle of their items when the job is freed: their items are done
// when that returns, and few others.
void TestFree() {
    RandomSource random(8);
    const Record record = QoiRecord(random, 64, 64);
    for (int32_t threads : {1, 3}) {
        Pool pool(threads);
        {
            Batch batch = LongBatch(record, 1000);
            AllocationGate gate;
            auto job = batch.SubmitTo(pool);
            gate.AwaitHeld(threads);
            std::thread opener([&] {
                std::this_thread::sleep_for(std::chrono::milliseconds(20));
                gate.Open();
            });
            job.reset();
            const size_t done = CheckBeginningDone(batch);
            CHECK(done >= static_cast<size_t>(threads));
            CHECK(done < 1000);
            opener.join();
        }
        // Its memory is no more, and the pool does not mind.
        Batch next = LongBatch(record, 5);
        CHECK(next.SubmitTo(pool)->Wait(kForEver));
        CheckBatch(next);
    }
}

void TestFreeAtAnyTime() {
    RandomSource random(9);
    const std::vector<Record> records = SomeRecords(random);
    Pool pool(3);
    for (int round = 0; round < 60; ++round) {
        Batch batch = RandomBatch(random, records, 20);
        auto job = batch.SubmitTo(pool);
        std::this_thread::sleep_for(std::chrono::microseconds(random.Below(3000)));
        job.reset();
        CheckBeginningDone(batch);
    }
}

// Of a job that waits for others nothing is begun: freeing it takes no time, nor harms its
// neighbours.
void TestFreeInLine() {
    RandomSource random(10);
    const Record record = QoiRecord(random, 9, 9);
    Batch first = LongBatch(record, 2), second = LongBatch(record, 3), third = LongBatch(record, 4);
    Pool pool(1);
    AllocationGate gate;
    const auto first_job = first.SubmitTo(pool);
    gate.AwaitHeld(1);
    auto second_job = second.SubmitTo(pool);
    const auto third_job = third.SubmitTo(pool);
    CHECK(!second_job->Wait(0));
    second_job.reset();
    gate.Open();
    CHECK(third_job->Wait(kForEver));
    CHECK(first_job->Wait(0));
    CheckBatch(first);
    CHECK(second.Untouched() == 3);
    CheckBatch(third);
}

// ---- Beginning and end

void TestIdleThreadsEnd() {
    RandomSource random(11);
    const Record record = QoiRecord(random, 9, 9);
    for (int round = 0; round < 20; ++round) {
        const Pool unused(1 + round % 4);
    }
    for (int round = 0; round < 20; ++round) {
        Pool pool(1 + round % 4);
        Batch batch = LongBatch(record, round % 3);
        CHECK(batch.SubmitTo(pool)->Wait(kForEver));
    }
}

void TestRefusals() {
    for (int32_t threads : {0, -1, std::numeric_limits<int32_t>::min()}) {
        CHECK(CodeOf([&] { const Pool pool(threads); }) == FL_BAD_ARGUMENT);
        fl_pool* pool = nullptr;
        fl_error error;
        CHECK(fl_pool_create(threads, &pool, &error) == FL_BAD_ARGUMENT);
        CHECK(pool == nullptr && std::string(error.message).find("thread") != std::string::npos);
    }
    fl_pool* pool = nullptr;
    CHECK(fl_pool_create(1, &pool, nullptr) == FL_OK);
    for (const fl_output& output :
         {fl_output{FL_FLOAT32, FL_PLANAR, 3, 0, 0}, fl_output{FL_FLOAT16, FL_PLANAR, 3, 0, 0},
          fl_output{FL_UINT8, FL_PLANAR, 2, 0, 0}, fl_output{FL_UINT8, FL_PLANAR, 4, 0, 0}}) {
        fl_job* job = nullptr;
        CHECK(fl_pool_submit(pool, nullptr, 0, &output, 0, nullptr, &job, nullptr) ==
              FL_BAD_ARGUMENT);
        CHECK(job == nullptr);
    }
    fl_job* job = nullptr;
    CHECK(fl_pool_submit(pool, nullptr, 0, &kLevels, 0, nullptr, &job, nullptr) == FL_OK);
    CHECK(fl_job_wait(job, 0) == 0);
    fl_job_free(job);
    fl_pool_destroy(pool);
}

// Wherever memory ends while a pool is made or a job submitted, no thread and no job is left.
void TestOutOfMemory() {
    RandomSource random(12);
    const std::vector<Record> records = SomeRecords(random);
    Batch batch = RandomBatch(random, records, 5);
    int allowed = 0;
    for (bool made = false; !made; ++allowed) {
        const AllocationLimit limit(allowed);
        try {
            Pool pool(3);
            const auto job = batch.SubmitTo(pool);
            CHECK(job->Wait(kForEver));
            made = true;
        } catch (const std::bad_alloc&) {
        }
    }
    CHECK(allowed > 3);
    CheckBatch(batch);

    Pool pool(2);
    {
        const AllocationGate gate(AllocationGate::Others::kFail);
        CHECK(batch.SubmitTo(pool)->Wait(kForEver));
    }
    for (const fl_item& item : batch.items()) CheckFailure(item, FL_OUT_OF_MEMORY, "memory");
    CHECK(batch.SubmitTo(pool)->Wait(kForEver));
    CheckBatch(batch);
}

// ---- Several callers

// Submits, waits in several ways or gives up, while others do the same; the checksum flags are
// everybody's.
void CallAgainAndAgain(Pool& pool, const std::vector<Record>& records, Bytes& verified,
                       uint32_t seed) {
    RandomSource random(seed);
    for (int round = 0; round < 12; ++round) {
        Batch batch(kLevels, {});
        for (uint32_t count = random.Below(12); count > 0; --count) {
            const uint32_t r = random.Below(static_cast<uint32_t>(records.size()));
            batch.Add(records[r], RandomSteps(random, records[r], 8, 9), 8, 9).verified =
                AddressOf(&verified[r]);
        }
        auto job = batch.SubmitTo(pool);
        switch (random.Below(3)) {
            case 0:
                CHECK(job->Wait(kForEver));
                CheckBatch(batch);
                break;
            case 1:
                while (!job->Wait(1)) continue;
                CheckBatch(batch);
                break;
            default:
                job.reset();
                CheckBeginningDone(batch);
        }
    }
}

void TestCallers() {
    RandomSource random(13);
    const std::vector<Record> records = SomeRecords(random);
    Bytes verified(records.size());
    Pool pool(3);
    std::vector<std::jthread> callers;
    for (uint32_t seed = 100; seed < 104; ++seed) {
        callers.emplace_back([&, seed] { CallAgainAndAgain(pool, records, verified, seed); });
    }
}

// An image that is decoded already becomes what the record of the same image becomes, without a
// pool.
void TestPixels() {
    RandomSource random(17);
    constexpr int32_t kHeight = 21, kWidth = 34;
    Bytes rgb = random.Picture(kWidth, kHeight, 3, 20, true);
    const Record record = QoiRecord(rgb, kHeight, kWidth);
    rgb.resize(rgb.size() + 128);
    fl_pixels pixels{AddressOf(rgb.data()), kHeight, kWidth};
    Batch expected(kLevels, {}), batch(kLevels, {});
    for (int i = 0; i < 8; ++i) {
        const Steps steps = RandomSteps(random, record, 8, 9);
        expected.Add(record, steps, 8, 9);
        fl_item& item = batch.Add(record, steps, 8, 9);
        item.codec = FL_PIXELS;
        item.payload = AddressOf(&pixels);
        item.length = sizeof(pixels);
    }
    Pool pool(1);
    CHECK(expected.SubmitTo(pool)->Wait(kForEver));
    const fl_output output = kLevels;
    fl_error error;
    CHECK(fl_items_process(batch.items().data(), batch.items().size(), &output, &error) == FL_OK);
    for (size_t i = 0; i < batch.items().size(); ++i) {
        CHECK(batch.items()[i].status == FL_OK);
        CHECK(batch.room(i).Contents() == expected.room(i).Contents());
    }
    pixels.width = 0;
    CHECK(fl_items_process(batch.items().data(), 1, &output, &error) == FL_OK);
    CHECK(batch.items()[0].status == FL_BAD_ARGUMENT);
    batch.items()[0].length = 3;
    CHECK(fl_items_process(batch.items().data(), 1, &output, &error) == FL_OK);
    CHECK(batch.items()[0].status == FL_BAD_ARGUMENT);
    fl_output refused = kLevels;
    refused.channels = 2;
    CHECK(fl_items_process(batch.items().data(), 1, &refused, &error) == FL_BAD_ARGUMENT);
}

}  // namespace

int main() {
    alarm(60);  // what hangs fails, too
    TestThreads();
    TestAllThreadsWork();
    TestOrder();
    TestFailures();
    TestChecksums();
    TestWait();
    TestEmptyJob();
    TestFree();
    TestFreeAtAnyTime();
    TestFreeInLine();
    TestIdleThreadsEnd();
    TestRefusals();
    TestOutOfMemory();
    TestCallers();
    TestPixels();
    return Verdict();
}
