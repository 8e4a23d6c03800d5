#include "near_hashes.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <exception>
#include <limits>
#include <mutex>
#include <string>
#include <thread>

#include "error.h"
#include "hash_symmetry.h"

namespace fastload {
namespace {

constexpr uint32_t kBits = 63;

// Neighbouring waves of a picture depend on each other. Taken in steps of 29, each part gets bits
// from all over the square: of real photos a third fewer share a part by chance than with the
// bits in sequence.
constexpr uint32_t kStep = 29;

// Parts of 21 bits have tables of 8 MB; more than 7 parts pay for no distance that is allowed.
constexpr uint32_t kFewestParts = 3, kMostParts = 7;

// What coming to a bucket costs, in comparisons with one of its entries.
constexpr double kBucketCost = 6;

// Key ranges of one part under one symmetry, each one thread's at a time.
constexpr uint32_t kSlices = 64;

using Dealing = std::array<std::array<uint64_t, 256>, 8>;

Dealing MakeDealing() {
    Dealing dealing{};
    for (uint32_t target = 0; target < kBits; ++target) {
        const uint32_t bit = kStep * (target + 1) % 64;  // never 0: bit 0 of a hash says nothing
        for (uint32_t value = 0; value < 256; ++value) {
            if ((value >> bit % 8 & 1) != 0) dealing[bit / 8][value] |= uint64_t{1} << target;
        }
    }
    return dealing;
}

// The hash with its bits in the order in which the parts take them.
uint64_t Dealt(uint64_t hash) {
    static const Dealing dealing = MakeDealing();
    uint64_t dealt = 0;
    for (uint32_t byte = 0; byte < 8; ++byte) dealt |= dealing[byte][hash >> 8 * byte & 255];
    return dealt;
}

struct Part {
    uint32_t first, bits;
    uint32_t radius;

    uint32_t Key(uint64_t dealt) const {
        return static_cast<uint32_t>(dealt >> first & ((uint64_t{1} << bits) - 1));
    }
    bool Reaches(uint64_t difference) const {
        return static_cast<uint32_t>(std::popcount(Key(difference))) <= radius;
    }
    // The differences of keys that are within the radius, the smaller numbers of bits first.
    std::vector<uint32_t> Differences() const;
};

std::vector<uint32_t> Part::Differences() const {
    std::vector<uint32_t> all = {0};
    for (size_t begin = 0, weight = 0; weight < radius; ++weight) {
        const size_t end = all.size();
        for (; begin < end; ++begin) {
            // Bits are added from the lowest up, so each set of bits comes once.
            const uint32_t lowest = static_cast<uint32_t>(std::bit_width(all[begin]));
            for (uint32_t bit = lowest; bit < bits; ++bit)
                all.push_back(all[begin] | uint32_t{1} << bit);
        }
    }
    return all;
}

// Those of `count` parts that have a radius at all.
std::vector<Part> Divide(uint32_t distance, uint32_t count) {
    std::vector<Part> parts;
    for (uint32_t i = 0; i < count; ++i) {
        const uint32_t first = kBits * i / count, end = kBits * (i + 1) / count;
        const uint32_t reach = (distance + 1) / count + (i < (distance + 1) % count ? 1 : 0);
        if (reach > 0) parts.push_back({first, end - first, reach - 1});
    }
    return parts;
}

double CostOfAQuery(const std::vector<Part>& parts, size_t entries) {
    double cost = 0;
    for (const Part& part : parts) {
        const double in_bucket =
            std::ldexp(static_cast<double>(entries), -static_cast<int>(part.bits));
        cost += static_cast<double>(part.Differences().size()) * (in_bucket + kBucketCost);
    }
    return cost;
}

std::vector<Part> ChooseParts(uint32_t distance, size_t entries) {
    std::vector<Part> best;
    double least = std::numeric_limits<double>::infinity();
    for (uint32_t count = kFewestParts; count <= kMostParts; ++count) {
        std::vector<Part> parts = Divide(distance, count);
        const double cost = CostOfAQuery(parts, entries);
        if (cost < least) least = cost, best = std::move(parts);
    }
    return best;
}

// Hashes sorted by the bits of one part.
class Buckets {
  public:
    Buckets(const std::vector<uint64_t>& dealt, const Part& part)
        : starts_((size_t{1} << part.bits) + 1), hashes_(dealt.size()), positions_(dealt.size()) {
        for (const uint64_t hash : dealt) ++starts_[part.Key(hash) + 1];
        for (size_t key = 1; key < starts_.size(); ++key) starts_[key] += starts_[key - 1];
        std::vector<uint32_t> next(starts_.begin(), starts_.end() - 1);
        for (size_t i = 0; i < dealt.size(); ++i) {
            const uint32_t slot = next[part.Key(dealt[i])]++;
            hashes_[slot] = dealt[i];
            positions_[slot] = static_cast<uint32_t>(i);
        }
    }

    uint32_t Keys() const { return static_cast<uint32_t>(starts_.size() - 1); }
    uint32_t Begin(uint32_t key) const { return starts_[key]; }
    uint32_t End(uint32_t key) const { return starts_[key + 1]; }
    Hashes Run(uint32_t key) const {
        return Hashes(hashes_).subspan(Begin(key), End(key) - Begin(key));
    }
    uint64_t Hash(uint32_t slot) const { return hashes_[slot]; }
    uint32_t Position(uint32_t slot) const { return positions_[slot]; }

  private:
    std::vector<uint32_t> starts_;
    std::vector<uint64_t> hashes_;
    std::vector<uint32_t> positions_;
};

// Queries that go through a bucket together: a bucket has a dozen entries, too few to make a loop
// over them worth its beginning and end for one query alone.
constexpr uint32_t kTogether = 4;

struct Together {
    std::array<uint64_t, kTogether> hashes;
    std::array<uint32_t, kTogether> queries;
    uint32_t count = 0;
};

// Nearly all are far, so there is no branch for each hash: a distance minus one too large is
// negative only where it is near, and so is then the bitwise sum.
bool AnyIsNear(const std::array<uint64_t, kTogether>& hashes, Hashes run, uint32_t distance) {
    const int too_far = static_cast<int>(distance) + 1;
    int signs = 0;
    for (const uint64_t entry : run) {
        for (const uint64_t hash : hashes) signs |= std::popcount(hash ^ entry) - too_far;
    }
    return signs < 0;
}

// The first exception of several threads, which all stop early.
class FirstFailure {
  public:
    template <typename Body>
    void Watch(Body&& body) {
        try {
            body();
        } catch (...) {
            const std::lock_guard lock(mutex_);
            if (!failed_.exchange(true)) failure_ = std::current_exception();
        }
    }
    bool failed() const { return failed_; }
    void Rethrow() const {
        if (failed_) std::rethrow_exception(failure_);
    }

  private:
    std::mutex mutex_;
    std::atomic<bool> failed_{false};
    std::exception_ptr failure_;
};

// All of one part: queries (as they are and transposed) against entries.
class PartSearch {
  public:
    PartSearch(const std::vector<Part>& parts, size_t number, uint32_t distance,
               std::span<std::atomic<bool>> done, const NearVisitor& visit)
        : earlier_(parts.data(), number),
          part_(parts[number]),
          differences_(part_.Differences()),
          distance_(distance),
          done_(done),
          visit_(visit) {}

    void Run(const Buckets& plain, const Buckets& transposed, const Buckets& entries,
             uint32_t threads) {
        std::atomic<uint32_t> next{0};
        FirstFailure failure;
        const auto work = [&] {
            failure.Watch([&] {
                for (uint32_t i; (i = next++) < kSymmetries * kSlices && !failure.failed();) {
                    const uint32_t symmetry = i / kSlices;
                    const Buckets& queries = (symmetry & kTransposed) != 0 ? transposed : plain;
                    SearchSlice(queries, entries, symmetry, i % kSlices);
                }
            });
        };
        {
            std::vector<std::jthread> others;
            for (uint32_t i = 1; i < threads; ++i) others.emplace_back(work);
            work();
        }
        failure.Rethrow();
    }

  private:
    void SearchSlice(const Buckets& queries, const Buckets& entries, uint32_t symmetry,
                     uint32_t slice) const {
        const uint64_t mirrored = Dealt(MirroredBits(symmetry));
        const uint64_t keys = queries.Keys();
        const auto begin = static_cast<uint32_t>(keys * slice / kSlices);
        const auto end = static_cast<uint32_t>(keys * (slice + 1) / kSlices);
        for (uint32_t key = begin; key < end; ++key) {
            for (uint32_t slot = queries.Begin(key); slot < queries.End(key);) {
                const Together some = TakeSome(queries, key, mirrored, slot);
                if (some.count > 0) Search(some, key ^ part_.Key(mirrored), entries, symmetry);
            }
        }
    }

    void Search(const Together& some, uint32_t key, const Buckets& entries,
                uint32_t symmetry) const {
        for (const uint32_t difference : differences_) {
            const Hashes run = entries.Run(key ^ difference);
            if (!AnyIsNear(some.hashes, run, distance_)) [[likely]]
                continue;
            bool all_done = true;
            for (uint32_t i = 0; i < some.count; ++i) {
                VisitBucket(some.queries[i], some.hashes[i], entries, key ^ difference, symmetry);
                all_done = all_done && IsDone(some.queries[i]);
            }
            if (all_done) return;
        }
    }

    // The next queries of a bucket that are not done, from `slot` on, which moves behind them; the
    // first one stands in for those that lack.
    Together TakeSome(const Buckets& queries, uint32_t key, uint64_t mirrored,
                      uint32_t& slot) const {
        Together some;
        for (; slot < queries.End(key) && some.count < kTogether; ++slot) {
            const uint32_t query = queries.Position(slot);
            if (IsDone(query)) continue;
            some.queries[some.count] = query;
            some.hashes[some.count++] = queries.Hash(slot) ^ mirrored;
        }
        for (uint32_t i = some.count; i < kTogether; ++i) some.hashes[i] = some.hashes[0];
        return some;
    }

    void VisitBucket(uint32_t query, uint64_t hash, const Buckets& entries, uint32_t entry_key,
                     uint32_t symmetry) const {
        for (uint32_t i = entries.Begin(entry_key); i < entries.End(entry_key); ++i) {
            if (IsDone(query)) return;
            const uint64_t difference = hash ^ entries.Hash(i);
            if (static_cast<uint32_t>(std::popcount(difference)) > distance_) continue;
            if (!IsFoundEarlier(difference)) visit_(query, entries.Position(i), symmetry);
        }
    }

    bool IsDone(uint32_t query) const {
        return !done_.empty() && done_[query].load(std::memory_order_relaxed);
    }

    bool IsFoundEarlier(uint64_t difference) const {
        return std::any_of(earlier_.begin(), earlier_.end(),
                           [&](const Part& part) { return part.Reaches(difference); });
    }

    const std::span<const Part> earlier_;
    const Part part_;
    const std::vector<uint32_t> differences_;
    const uint32_t distance_;
    const std::span<std::atomic<bool>> done_;
    const NearVisitor& visit_;
};

std::vector<uint64_t> AllDealt(Hashes hashes, uint32_t symmetry) {
    std::vector<uint64_t> dealt(hashes.size());
    for (size_t i = 0; i < hashes.size(); ++i) dealt[i] = Dealt(HashUnder(hashes[i], symmetry));
    return dealt;
}

}  // namespace

void RequireSearchable(Hashes hashes, uint32_t distance, uint32_t threads) {
    if (distance > kMostDistance) {
        throw Failure(FL_BAD_ARGUMENT, "a distance of " + std::to_string(distance) +
                                           " bits: at most " + std::to_string(kMostDistance) +
                                           " are allowed");
    }
    if (threads < 1) throw Failure(FL_BAD_ARGUMENT, "0 threads: at least 1 is needed");
    if (hashes.size() > std::numeric_limits<uint32_t>::max())
        throw Failure(FL_BAD_ARGUMENT, "more hashes than 2^32 - 1");
}

void VisitNear(Hashes queries, Hashes entries, uint32_t distance, uint32_t threads,
               std::span<std::atomic<bool>> done, const NearVisitor& visit) {
    RequireSearchable(queries, distance, threads);
    RequireSearchable(entries, distance, threads);
    const std::vector<Part> parts = ChooseParts(distance, entries.size());
    const std::vector<uint64_t> plain = AllDealt(queries, 0);
    const std::vector<uint64_t> transposed = AllDealt(queries, kTransposed);
    const std::vector<uint64_t> dealt_entries = AllDealt(entries, 0);
    for (size_t number = 0; number < parts.size(); ++number) {
        const Part& part = parts[number];
        const Buckets sorted(plain, part), turned(transposed, part), found(dealt_entries, part);
        PartSearch(parts, number, distance, done, visit).Run(sorted, turned, found, threads);
    }
}

void MarkNear(Hashes hashes, uint32_t distance, uint32_t threads, uint8_t* near) {
    std::vector<std::atomic<bool>> found(hashes.size());
    VisitNear(hashes, hashes, distance, threads, found,
              [&](uint32_t query, uint32_t entry, uint32_t) {
                  if (query == entry) return;
                  found[query].store(true, std::memory_order_relaxed);
                  found[entry].store(true, std::memory_order_relaxed);
              });
    std::copy(found.begin(), found.end(), near);
}

std::vector<NearPair> NearPairs(Hashes queries, Hashes entries, uint32_t distance,
                                uint32_t threads) {
    std::vector<NearPair> pairs;
    std::mutex mutex;
    VisitNear(queries, entries, distance, threads, {},
              [&](uint32_t query, uint32_t entry, uint32_t) {
                  const std::lock_guard lock(mutex);
                  pairs.push_back({query, entry});
              });
    std::sort(pairs.begin(), pairs.end());
    pairs.erase(std::unique(pairs.begin(), pairs.end()), pairs.end());
    return pairs;
}

}  // namespace fastload
