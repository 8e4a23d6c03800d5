// Reads MCU rows, whatever the instruction set. Local to the source that includes it.
#ifndef FASTLOAD_NATIVE_MCU_READER_ANY_H_
#define FASTLOAD_NATIVE_MCU_READER_ANY_H_

#include <array>
#include <cstring>

#include "mcu_reader.h"
#include "simd_register.h"
#include "zigzag.h"

namespace fastload {
namespace {

constexpr uint32_t kBlock = 64;
constexpr uint32_t kLastPlace = 63;
constexpr uint32_t kPlaces = 256;

// Where in a block a coefficient goes. Places behind the block share one spare coefficient there.
constexpr std::array<uint8_t, kPlaces> MakeTargets() {
    std::array<uint8_t, kPlaces> targets{};
    targets.fill(kBlock);
    for (uint32_t place = 0; place < kBlock; ++place) targets[place] = kNaturalOrder[place];
    return targets;
}

alignas(64) constexpr auto kTargets = MakeTargets();

// What is read at each step of a row: kept apart and small, so that it stays in registers.
struct Hot {
    uint64_t bits;  // left-aligned, `count` of them
    uint32_t count;
    uint32_t place;  // of the last coefficient in its block
    const uint8_t* next;
    int16_t* block;
    const CoefficientPair* pairs;
};

inline void Refill(Hot& hot) {
    uint64_t word;
    std::memcpy(&word, hot.next, sizeof(word));
    hot.bits |= __builtin_bswap64(word) >> hot.count;
    hot.next += (63 - hot.count) >> 3;
    hot.count |= 56;
}

inline void Skip(Hot& hot, uint32_t bits) {
    hot.bits <<= bits;
    hot.count -= bits;
}

inline uint32_t Peek(const Hot& hot) {
    return static_cast<uint32_t>(hot.bits >> (64 - kPeekedBits));
}

// Reads what the next bits say, unless that ends the block; returns whether it would.
[[gnu::always_inline]] inline bool IsEnding(Hot& hot) {
    uint64_t pair;
    std::memcpy(&pair, &hot.pairs[Peek(hot)], sizeof(pair));
    const uint32_t first = hot.place + (pair >> 24 & 255);
    const uint32_t last = hot.place + (pair >> 16 & 255);
    hot.block[kTargets[last]] = static_cast<int16_t>(pair >> 48);
    hot.block[kTargets[first]] = static_cast<int16_t>(pair >> 32);
    if (last >= kLastPlace) return true;
    hot.place = last;
    Skip(hot, pair & 63);
    return false;
}

// What of a row is looked at once a block.
class Cold {
  public:
    Cold(const McuPlan& plan, const McuRow& row)
        : plan_(plan),
          coefficients_(row.coefficients),
          begin_(row.bytes->begin()),
          end_(row.bytes->end()),
          column_(row.start.column),
          predictions_(row.start.predictions) {}

    // Goes on to the next block and reads its DC. Returns false behind the last one, and where the
    // bytes say no block.
    [[gnu::always_inline]] bool EnterBlock(Hot& hot) {
        if (block_ == plan_.blocks.size()) {
            block_ = 0;
            if (++column_ >= plan_.columns.last) return false;
        }
        const McuBlock& block = plan_.blocks[block_++];
        const int32_t kept = column_ - plan_.columns.first;
        hot.block = kept < 0 ? passed_ : coefficients_ + block.start + block.advance * kept;
        hot.pairs = block.ac->pairs;
        ac_ = &block.ac->single;
        Refill(hot);
        const DcDifference& difference = block.dc->differences[Peek(hot)];
        int32_t value = difference.value;
        uint32_t total = difference.total;
        if (__builtin_expect(total == 0, 0)) {
            const Entry entry = block.dc->single.Find(hot.bits);
            if (entry == 0) return Fail();
            value = ValueOf(TokenOf(entry, hot.bits));
            total = TotalOf(entry);
        }
        Skip(hot, total);
        int32_t& prediction = predictions_[block.component];
        prediction += value;
        if (prediction != static_cast<int16_t>(prediction)) return Fail();
        Clear(hot.block);
        hot.block[0] = static_cast<int16_t>(prediction);
        hot.place = 0;
        return true;
    }

    // Reads what IsEnding() has left. Returns false where no block follows.
    [[gnu::always_inline]] bool End(Hot& hot) {
        const CoefficientPair& pair = hot.pairs[Peek(hot)];
        if (pair.total == 0) return EndBySingle(hot);
        // A first coefficient that fills the block leaves the second to the next block.
        const bool first_fills = hot.place + pair.first_advance == kLastPlace;
        Skip(hot, first_fills ? pair.first_total : pair.total);
        return LeaveBlock(hot, first_fills ? kLastPlace : hot.place + pair.advance);
    }

    McuRowEnd EndOfRow(const Hot& hot) const {
        const auto bit = static_cast<uint32_t>(8 * (hot.next - begin_) - hot.count);
        return {failed_, Left(hot), {column_, bit, predictions_}};
    }

  private:
    // Store by store: of a loop g++ makes a `rep stos`, which takes longer to begin.
    static void Clear(int16_t* block) {
        const auto clear_row = [&](int row) {
            Register128::Store(block + 8 * row, Register128::Zero());
        };
        clear_row(0), clear_row(1), clear_row(2), clear_row(3);
        clear_row(4), clear_row(5), clear_row(6), clear_row(7);
    }

    [[gnu::always_inline]] bool EndBySingle(Hot& hot) {
        const Entry entry = ac_->Find(hot.bits);
        if (entry == 0) return Fail();
        const uint32_t place = hot.place + AdvanceOf(SymbolOf(entry));
        hot.block[kTargets[place]] = static_cast<int16_t>(ValueOf(TokenOf(entry, hot.bits)));
        Skip(hot, TotalOf(entry));
        if (place >= kLastPlace) return LeaveBlock(hot, place);
        hot.place = place;
        return true;
    }

    [[gnu::always_inline]] bool LeaveBlock(Hot& hot, uint32_t place) {
        const bool ended =
            place == kLastPlace || (place >= kEndAdvance && place < kEndAdvance + kLastPlace);
        return ended && Left(hot) >= 0 ? EnterBlock(hot) : Fail();
    }

    // Bits that are left; negative where more were taken than there were.
    int64_t Left(const Hot& hot) const {
        return 8 * (end_ - hot.next) + static_cast<int64_t>(hot.count);
    }

    bool Fail() {
        failed_ = true;
        return false;
    }

    const McuPlan& plan_;
    int16_t* const coefficients_;
    const uint8_t* const begin_;
    const uint8_t* const end_;
    const Decoding* ac_ = nullptr;
    size_t block_ = 0;
    int32_t column_;
    std::array<int32_t, 3> predictions_;
    bool failed_ = false;
    int16_t passed_[kBlock + 1];
};

inline void ReadAlone(Cold& cold, Hot hot, bool goes_on, McuRowEnd& end) {
    while (goes_on) {
        Refill(hot);
        // A refill's 56 bits suffice for two pairs and a single one.
        if (IsEnding(hot) || IsEnding(hot)) goes_on = cold.End(hot);
    }
    end = cold.EndOfRow(hot);
}

void ReadRows(const McuPlan& plan, const McuRow* rows, int count, McuRowEnd* ends) {
    const auto start = [](const McuRow& row) {
        Hot hot = {0, 0, 0, row.bytes->begin() + row.start.bit / 8, nullptr, nullptr};
        Refill(hot);
        Skip(hot, row.start.bit % 8);
        return hot;
    };
    Cold cold_first(plan, rows[0]);
    Hot first = start(rows[0]);
    bool first_goes_on = cold_first.EnterBlock(first);
    if (count == 1) return ReadAlone(cold_first, first, first_goes_on, ends[0]);

    Cold cold_second(plan, rows[1]);
    Hot second = start(rows[1]);
    bool second_goes_on = cold_second.EnterBlock(second);
    while (first_goes_on && second_goes_on) {
        Refill(first);
        Refill(second);
        if (IsEnding(first) || IsEnding(first)) first_goes_on = cold_first.End(first);
        if (IsEnding(second) || IsEnding(second)) second_goes_on = cold_second.End(second);
    }
    ReadAlone(cold_first, first, first_goes_on, ends[0]);
    ReadAlone(cold_second, second, second_goes_on, ends[1]);
}

}  // namespace
}  // namespace fastload

#endif  // FASTLOAD_NATIVE_MCU_READER_ANY_H_
