#include <array>
#include <atomic>
#include <memory>
#include <string>
#include <thread>

#include "cached_source.h"
#include "kept_blocks.h"
#include "kept_pixels.h"
#include "kept_planes.h"
#include "next_use.h"
#include "qoi.h"
#include "record_cache.h"
#include "regions.h"

namespace {

using fastload::CacheTicket;
using fastload::Codec;
using fastload::RecordCache;

// ---- What is kept

struct Stone final : fastload::KeptRecord {
    uint64_t bytes() const override { return 0; }
};

// One visit of a record of 10 bytes. Returns whether the cache had it.
bool Visit(RecordCache& cache, uint64_t key, uint64_t next_use) {
    if (cache.Find(key, next_use).record != nullptr) return true;
    if (!cache.WouldKeep(next_use, 10)) return false;
    const auto kept = cache.Keep(key, next_use, std::make_shared<Stone>());
    cache.Grow(key, kept.get(), 10);
    return false;
}

using Order = std::vector<int64_t>;

int Hits(const Order& order, uint64_t records_kept) {
    std::vector<uint32_t> next_uses(order.size());
    // Nothing comes after the end.
    std::vector<uint32_t> coming(6, fastload::kNever);
    fastload::NextUses(order.data(), order.size(), coming.data(), coming.size(), next_uses.data());
    RecordCache cache(10 * records_kept);
    int hits = 0;
    for (size_t i = 0; i < order.size(); ++i) {
        hits += Visit(cache, static_cast<uint64_t>(order[i]), next_uses[i]);
        CHECK(cache.Facts().bytes <= 10 * records_kept);
    }
    return hits;
}

// The most hits that any choice of what to keep can give, by trying all.
int MostHits(const Order& order, size_t at, uint32_t kept, int room,
             std::vector<std::array<int, 64>>& known) {
    if (at == order.size()) return 0;
    int& best = known[at][kept];
    if (best >= 0) return best;
    const uint32_t here = 1u << order[at];
    if ((kept & here) != 0) return best = 1 + MostHits(order, at + 1, kept, room, known);
    best = MostHits(order, at + 1, kept, room, known);
    if (__builtin_popcount(kept) < room)
        return best = std::max(best, MostHits(order, at + 1, kept | here, room, known));
    for (uint32_t i = 0; i < 6; ++i)
        if ((kept >> i & 1) != 0)
            best = std::max(best, MostHits(order, at + 1, (kept & ~(1u << i)) | here, room, known));
    return best;
}

void TestNoChoiceIsBetter() {
    RandomSource random(1);
    for (int round = 0; round < 300; ++round) {
        Order order(1 + random.Below(24));
        for (int64_t& sample : order) sample = random.Below(6);
        const int room = static_cast<int>(1 + random.Below(4));
        std::vector<std::array<int, 64>> known(order.size());
        for (auto& row : known) row.fill(-1);
        CHECK(Hits(order, static_cast<uint64_t>(room)) == MostHits(order, 0, 0, room, known));
    }
}

void TestNextUses() {
    constexpr uint32_t never = fastload::kNever;
    using Times = std::vector<uint32_t>;
    const auto first_uses = [](const Order& order, uint32_t start) {
        Times first(8, 77);
        fastload::FirstUses(order.data(), order.size(), start, first.data(), first.size());
        return first;
    };
    Times coming = first_uses({2, 7, 2}, 4);
    CHECK((coming == Times{never, never, 4, never, never, never, never, 5}));
    const auto next_uses = [&](const Order& order) {
        Times out(order.size());
        fastload::NextUses(order.data(), order.size(), coming.data(), coming.size(), out.data());
        return out;
    };
    CHECK((next_uses({5, 2, 5, 7}) == Times{2, 4, never, 5}));
    CHECK((coming == first_uses({5, 2, 5, 7}, 0)));
    CHECK(next_uses({}).empty());
    const auto has_repeats = [](const Order& order) {
        return fastload::HasRepeats(order.data(), order.size(), 8);
    };
    CHECK(!has_repeats({}) && !has_repeats({7, 0, 3}) && has_repeats({7, 0, 3, 7}));
    for (const int64_t outside : {-1, 8}) {
        CHECK(CodeOf([&] { next_uses({outside}); }) == FL_BAD_ARGUMENT);
        CHECK(CodeOf([&] { first_uses({outside}, 0); }) == FL_BAD_ARGUMENT);
        CHECK(CodeOf([&] { has_repeats({outside}); }) == FL_BAD_ARGUMENT);
    }
}

void TestPlanAndBudget() {
    RecordCache cache(30);
    for (uint64_t key : {1, 2, 3}) CHECK(!Visit(cache, key, 100 + key));
    CHECK(!Visit(cache, 9, 500));  // wanted later than all that is kept
    CHECK(cache.Facts().records == 3 && cache.Facts().bytes == 30);
    const uint64_t keys[] = {2, 77}, times[] = {900, 1};
    cache.Plan(keys, times, 2, 0, 3, 200);  // 1 now at 200, 2 at 900, 3 as it was
    CHECK(!Visit(cache, 9, 500));           // in the place of 2
    CHECK(cache.Find(2, 0).record == nullptr && cache.Find(1, 200).record != nullptr);
    const auto held = cache.Find(9, 500).record;
    cache.SetBudget(10);
    CHECK(cache.Facts().records == 1 && cache.Facts().evictions == 3);
    CHECK(cache.Find(3, 103).record != nullptr);
    // What is gone meanwhile does not grow.
    cache.Grow(9, held.get(), 10);
    CHECK(cache.Facts().bytes == 10);
    // What is larger than the budget never comes in.
    CHECK(!cache.WouldKeep(0, 11));
}

// A record that comes often is told from others that wait for their turn.
void TestOften() {
    RecordCache cache(1000);
    cache.Keep(1, 10, std::make_shared<Stone>());
    cache.Keep(2, 2000, std::make_shared<Stone>());
    cache.Keep(3, UINT64_MAX, std::make_shared<Stone>());
    // Of what never comes again nothing is said.
    for (uint64_t now = 10; now <= 90; now += 10) {
        CHECK(cache.Find(1, now + 10).often == (now > 40));
    }
    CHECK(!cache.Find(2, 2100).often);
    // Where all come about as often as it does, it does not come often.
    RecordCache even(1000);
    for (uint64_t key = 0; key < 10; ++key) even.Keep(key, key, std::make_shared<Stone>());
    for (uint64_t now = 0; now < 200; ++now) CHECK(!even.Find(now % 10, now + 10).often);
    CHECK(even.HasAmpleRoom(500) && !even.HasAmpleRoom(501));
}

// ---- Pixels by way of a cache

Bytes Pixels(fastload::PixelSource& source, Box box) {
    Collector got(static_cast<size_t>(box.width) * static_cast<size_t>(source.channels()));
    source.Read(box, got);
    return got.pixels;
}

// `was_kept` becomes whether the cache had all of it. Samples are kept only where `exact`.
Bytes CachedPixels(RecordCache& cache, uint64_t key, const Bytes& payload, Codec codec, Box box,
                   bool* was_kept = nullptr, bool exact = false) {
    const auto source = fastload::OpenCached({&cache, key, 1, exact}, payload.data(),
                                             payload.size(), static_cast<int32_t>(codec));
    CHECK(source != nullptr);
    if (source == nullptr) return {};
    Bytes pixels = Pixels(*source, box);
    if (was_kept != nullptr) *was_kept = source->was_kept();
    return pixels;
}

// In a cache with room, the samples of a JPEG of which all is kept take the coefficients' place.
void CheckPlanes(RecordCache& cache, const Bytes& jpeg, const Picture& whole,
                 RandomSource& random) {
    const uint64_t bytes =
        fastload::KeptPlanes::BytesOf(fastload::ReadJpegLayout(jpeg.data(), jpeg.size()));
    for (int i = 0; i < 6; ++i) {
        const Box box = RandomBox(random, whole.width, whole.height);
        bool was_kept = false;
        CHECK(CachedPixels(cache, 1, jpeg, Codec::kJpeg, box, &was_kept, true) ==
              RegionOf(whole, box));
        CHECK(was_kept && cache.Facts().bytes == bytes && cache.Facts().records == 1);
    }
    // They are of no use to who makes the image smaller on the way.
    CHECK(fastload::OpenCached({&cache, 1, 1, false}, jpeg.data(), jpeg.size(),
                               static_cast<int32_t>(Codec::kJpeg)) == nullptr);
}

// Boxes in any order, each seen with all that was needed before kept.
void CheckJpeg(const Bytes& jpeg, RandomSource& random, int boxes) {
    const Picture whole = WholeOf(jpeg);
    RecordCache cache(UINT64_MAX);
    for (int i = 0; i < boxes; ++i) {
        const Box box = RandomBox(random, whole.width, whole.height);
        CHECK(CachedPixels(cache, 1, jpeg, Codec::kJpeg, box) == RegionOf(whole, box));
    }
    const Box all = {0, 0, whole.width, whole.height};
    bool was_kept = false;
    CachedPixels(cache, 1, jpeg, Codec::kJpeg, all);
    const uint64_t bytes = cache.Facts().bytes;
    const Box box = RandomBox(random, whole.width, whole.height);
    CHECK(CachedPixels(cache, 1, jpeg, Codec::kJpeg, box, &was_kept) == RegionOf(whole, box));
    CHECK(was_kept && cache.Facts().bytes == bytes);
    CheckPlanes(cache, jpeg, whole, random);
}

void TestJpegs() {
    RandomSource random(2);
    for (const Sampling& sampling : kSamplings) {
        for (int round = 0; round < 8; ++round) {
            const auto most = round < 4 ? 40u : 600u;
            JpegKind kind = KindOf(sampling, 1 + random.Below(most), 1 + random.Below(most));
            kind.quality = 50 + static_cast<int>(random.Below(51));
            const Bytes file = MakeJpeg(kind, random, random.Below(90));
            CheckJpeg(Seekable(file), random, 12);
            // One that is not seekable is kept whole at once.
            if (round == 5) CheckJpeg(file, random, 3);
        }
    }
}

void TestQoi() {
    RandomSource random(3);
    const int32_t width = 83, height = 61;
    const Bytes rgb = random.Picture(width, height, 3, 20, true);
    fastload::Buffer file;
    fastload::EncodeQoi(rgb.data(), width, height, size_t{3} * width, file);
    const Bytes qoi(file.data(), file.data() + file.size());
    const Picture whole = {width, height, 3, rgb};
    RecordCache cache(UINT64_MAX);
    int32_t deepest = 0;
    for (int i = 0; i < 40; ++i) {
        const Box box = RandomBox(random, width, height);
        bool was_kept = false;
        CHECK(CachedPixels(cache, 4, qoi, Codec::kQoi, box, &was_kept) == RegionOf(whole, box));
        CHECK(was_kept == (box.top + box.height <= deepest));
        deepest = std::max(deepest, box.top + box.height);
        CHECK(cache.Facts().bytes == fastload::KeptPixels::BytesOf({width, height, 3, 0}));
    }
}

// Rows in a file that is not the one they were first read from.
void TestChangedFiles() {
    RandomSource random(4);
    const Bytes first = Seekable(MakeJpeg(KindOf(kSamplings[3], 200, 150), random, 50));
    const Bytes other = Seekable(MakeJpeg(KindOf(kSamplings[0], 90, 300), random, 50));
    RecordCache cache(UINT64_MAX);
    CachedPixels(cache, 1, first, Codec::kJpeg, {0, 0, 100, 100});
    CHECK(CodeOf([&] { CachedPixels(cache, 1, other, Codec::kJpeg, {0, 0, 200, 150}); }) ==
          FL_CORRUPT);
    // Of another codec: not what is kept.
    const auto source = fastload::OpenCached({&cache, 1, 1, true}, other.data(), other.size(),
                                             static_cast<int32_t>(Codec::kDct));
    CHECK(source == nullptr);
}

// A failure leaves what is kept as it was.
void TestDamage() {
    RandomSource random(5);
    const Bytes jpeg = Seekable(MakeJpeg(KindOf(kSamplings[3], 300, 200), random, 60));
    const Picture whole = WholeOf(jpeg);
    for (int round = 0; round < 300; ++round) {
        RecordCache cache(UINT64_MAX);
        const Box before = RandomBox(random, 300, 200);
        CachedPixels(cache, 1, jpeg, Codec::kJpeg, before);
        Bytes damaged = jpeg;
        for (int k = 0; k < 20; ++k)
            damaged[random.Below(static_cast<uint32_t>(jpeg.size()))] ^= 0x55;
        const int32_t code =
            CodeOf([&] { CachedPixels(cache, 1, damaged, Codec::kJpeg, {0, 0, 300, 200}); });
        if (code == FL_OK) continue;
        CHECK(CachedPixels(cache, 1, jpeg, Codec::kJpeg, {0, 0, 300, 200}) == whole.pixels);
    }
}

// Threads that read and fill the same records, in a cache too small for all.
void TestThreads() {
    RandomSource random(6);
    std::vector<Bytes> files;
    std::vector<Picture> wholes;
    for (uint32_t i = 0; i < 6; ++i) {
        files.push_back(Seekable(MakeJpeg(KindOf(kSamplings[i], 160 + 40 * i, 170), random, 40)));
        wholes.push_back(WholeOf(files.back()));
    }
    for (const uint64_t budget : {UINT64_MAX, uint64_t{4} * files[0].size()}) {
        RecordCache cache(budget);
        std::vector<std::jthread> threads;
        for (uint32_t t = 0; t < 4; ++t) {
            threads.emplace_back([&, t] {
                RandomSource own(100 + t);
                for (uint64_t i = 0; i < 60; ++i) {
                    const uint32_t file = own.Below(6);
                    const Box box = RandomBox(own, wholes[file].width, wholes[file].height);
                    const auto source = fastload::OpenCached({&cache, file, own.Below(1000), true},
                                                             files[file].data(), files[file].size(),
                                                             static_cast<int32_t>(Codec::kJpeg));
                    if (source != nullptr)
                        CHECK(Pixels(*source, box) == RegionOf(wholes[file], box));
                }
            });
        }
        threads.clear();
        CHECK(cache.Facts().bytes <= budget);
    }
}

}  // namespace

int main() {
    TestNoChoiceIsBetter();
    TestNextUses();
    TestPlanAndBudget();
    TestOften();
    TestJpegs();
    TestQoi();
    TestChangedFiles();
    TestDamage();
    TestThreads();
    return Verdict();
}
