// Holds back a pool's threads where a test wants them: every item allocates before it is decoded,
// and the operator new that this header puts in place waits there while a gate is closed. For
// programs of one source.
#ifndef FASTLOAD_TESTS_NATIVE_ALLOCATION_GATE_H_
#define FASTLOAD_TESTS_NATIVE_ALLOCATION_GATE_H_

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdlib>
#include <new>
#include <thread>

// The thread that closes it passes; all others wait, or fail to allocate. One gate at a time.
class AllocationGate {
  public:
    enum class Others { kWait, kFail };

    explicit AllocationGate(Others others = Others::kWait) {
        held_ = 0;
        keeper_ = std::this_thread::get_id();
        others_ = others;
        closed_ = true;
    }
    ~AllocationGate() { Open(); }

    AllocationGate(const AllocationGate&) = delete;
    AllocationGate& operator=(const AllocationGate&) = delete;

    void Open() {
        closed_ = false;
        closed_.notify_all();
    }

    // Returns when so many threads wait.
    void AwaitHeld(int threads) const {
        for (int held = held_; held < threads; held = held_) held_.wait(held);
    }

    static void Pass() {
        if (!closed_ || std::this_thread::get_id() == keeper_) return;
        if (others_ == Others::kFail) throw std::bad_alloc();
        ++held_;
        held_.notify_all();
        closed_.wait(true);
    }

  private:
    // The first is written last and read first, so that it publishes the others.
    static inline std::atomic<bool> closed_{false};
    static inline std::atomic<int> held_{0};
    static inline std::thread::id keeper_;
    static inline Others others_ = Others::kWait;
};

// As long as it lives, the thread that made it can allocate so many times.
class AllocationLimit {
  public:
    explicit AllocationLimit(int allocations) { left_ = allocations; }
    ~AllocationLimit() { left_ = kUnlimited; }

    AllocationLimit(const AllocationLimit&) = delete;
    AllocationLimit& operator=(const AllocationLimit&) = delete;

    static void Take() {
        if (left_ == kUnlimited) return;
        if (left_ == 0) {
            // Threads that were made before are idle by then.
            std::this_thread::sleep_for(std::chrono::milliseconds(5));
            throw std::bad_alloc();
        }
        --left_;
    }

  private:
    static constexpr int kUnlimited = -1;
    static inline thread_local int left_ = kUnlimited;
};

void* operator new(size_t size) {
    AllocationGate::Pass();
    AllocationLimit::Take();
    if (void* memory = std::malloc(size)) return memory;
    throw std::bad_alloc();
}

// AddressSanitizer has one of its own, whose memory must not be freed by the delete below.
void* operator new(size_t size, const std::nothrow_t&) noexcept {
    try {
        return operator new(size);
    } catch (const std::bad_alloc&) {
        return nullptr;
    }
}

void operator delete(void* memory) noexcept { std::free(memory); }

void operator delete(void* memory, size_t) noexcept { std::free(memory); }

#endif  // FASTLOAD_TESTS_NATIVE_ALLOCATION_GATE_H_
