// Sets that grow together, from many threads at once: union-find whose roots are the least members.
#ifndef FASTLOAD_NATIVE_DISJOINT_SETS_H_
#define FASTLOAD_NATIVE_DISJOINT_SETS_H_

#include <atomic>
#include <cstdint>
#include <utility>
#include <vector>

namespace fastload {

class DisjointSets {
  public:
    explicit DisjointSets(uint32_t count) : parents_(count) {
        for (uint32_t i = 0; i < count; ++i) parents_[i].store(i, std::memory_order_relaxed);
    }

    // The least member of the set of `member`, once no other thread joins any more.
    uint32_t Root(uint32_t member) {
        for (;;) {
            uint32_t parent = Parent(member);
            const uint32_t above = Parent(parent);
            if (parent == above) return parent;
            // A parent only ever becomes one nearer to the root: losing the race costs nothing.
            parents_[member].compare_exchange_weak(parent, above, std::memory_order_relaxed);
            member = above;
        }
    }

    void Join(uint32_t a, uint32_t b) {
        for (;;) {
            a = Root(a), b = Root(b);
            if (a == b) return;
            if (a < b) std::swap(a, b);
            // Only a root may be hung below another set; another thread may have been quicker.
            uint32_t root = a;
            if (parents_[a].compare_exchange_strong(root, b, std::memory_order_relaxed)) return;
        }
    }

  private:
    uint32_t Parent(uint32_t member) const {
        return parents_[member].load(std::memory_order_relaxed);
    }

    std::vector<std::atomic<uint32_t>> parents_;
};

}  // namespace fastload

#endif  // FASTLOAD_NATIVE_DISJOINT_SETS_H_
