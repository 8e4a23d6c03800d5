// Where a thread's time goes: each moment belongs to one stage.
#ifndef FASTLOAD_NATIVE_STAGES_H_
#define FASTLOAD_NATIVE_STAGES_H_

#include <x86intrin.h>

#include <array>
#include <cstddef>
#include <cstdint>

namespace fastload {

// In the order of fl_facts in capi.h.
enum class Stage { kRead, kEntropy, kInverseDct, kColour, kResize, kRest };
inline constexpr size_t kStageCount = 6;

using StageTicks = std::array<uint64_t, kStageCount>;

// One thread's. Counts the processor's time stamps: reading a clock takes three times as long, and
// an image changes stages some hundred times.
class StageClock {
  public:
    void Start() {
        ticks_ = {};
        stage_ = Stage::kRest;
        since_ = __rdtsc();
    }

    Stage Enter(Stage stage) {
        const uint64_t now = __rdtsc();
        ticks_[static_cast<size_t>(stage_)] += now - since_;
        since_ = now;
        const Stage left = stage_;
        stage_ = stage;
        return left;
    }

    // The ticks since Start(), stage by stage.
    const StageTicks& Stop() {
        Enter(Stage::kRest);
        return ticks_;
    }

  private:
    StageTicks ticks_{};
    Stage stage_ = Stage::kRest;
    uint64_t since_ = 0;
};

inline thread_local constinit StageClock stage_clock;

// Counts its lifetime towards a stage.
class InStage {
  public:
    explicit InStage(Stage stage) : left_(stage_clock.Enter(stage)) {}
    ~InStage() { stage_clock.Enter(left_); }
    InStage(const InStage&) = delete;
    InStage& operator=(const InStage&) = delete;

  private:
    const Stage left_;
};

}  // namespace fastload

#endif  // FASTLOAD_NATIVE_STAGES_H_
