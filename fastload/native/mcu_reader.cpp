#include "mcu_reader.h"

#include <array>

#include "error.h"
#include "jpeg_kernels.h"
#include "zigzag.h"

namespace fastload {
namespace {

constexpr uint32_t kBlock = 64;
constexpr uint32_t kLastPlace = 63;
// An end of block moves the place out of reach of all coefficients.
constexpr uint32_t kEndAdvance = 128;
constexpr uint32_t kFarthestPlace = 255;
constexpr uint32_t kNonsense = kEndAdvance + kBlock;

constexpr uint32_t AdvanceOf(uint32_t symbol) {
    return symbol == kSymbolEndOfBlock ? kEndAdvance : (symbol >> 4) + 1;
}

// Places behind the block share one spare coefficient behind it.
constexpr std::array<uint8_t, kFarthestPlace + 1> MakeTargets() {
    std::array<uint8_t, kFarthestPlace + 1> targets{};
    targets.fill(kBlock);
    for (uint32_t place = 0; place < kBlock; ++place) targets[place] = kNaturalOrder[place];
    return targets;
}

constexpr auto kTargets = MakeTargets();

}  // namespace

bool CoefficientDecoding::Build(const HuffmanTable& source) {
    if (!single_.Build(source, AcTable(0))) return false;
    for (uint32_t index = 0; index < (1u << kPeekBits); ++index) {
        CoefficientPair& pair = pairs_[index];
        pair.total = 0;
        const uint64_t bits = uint64_t{index} << (64 - kPeekBits);
        const Entry first = single_.Find(bits);
        if (first == 0 || TotalOf(first) > kPeekBits) continue;
        pair.values[0] = static_cast<int16_t>(ValueOf(TokenOf(first, bits)));
        pair.values[1] = pair.values[0];
        pair.total = pair.first_total = static_cast<uint8_t>(TotalOf(first));
        pair.advance = pair.first_advance = static_cast<uint8_t>(AdvanceOf(SymbolOf(first)));
        if (SymbolOf(first) == kSymbolEndOfBlock) continue;
        const uint64_t rest = bits << TotalOf(first);
        const Entry second = single_.Find(rest);
        if (second == 0 || pair.total + TotalOf(second) > kPeekBits) continue;
        pair.values[1] = static_cast<int16_t>(ValueOf(TokenOf(second, rest)));
        pair.total = static_cast<uint8_t>(pair.total + TotalOf(second));
        pair.advance = static_cast<uint8_t>(pair.advance + AdvanceOf(SymbolOf(second)));
    }
    return true;
}

void CoefficientRow::Resize(const JpegLayout& layout, int32_t columns) {
    size_t size = 0;
    for (int32_t i = 0; i < layout.component_count; ++i) {
        starts_[i] = size;
        strides_[i] = kBlock * (static_cast<size_t>(columns) * layout.across[i] + kSpareBlocks);
        size += strides_[i] * layout.down[i];
    }
    if (blocks_.size() < size) blocks_.resize(size);
}

// One row on its way: the block that is being read, and what comes behind it.
class McuReader::Stream {
  public:
    Stream(const McuReader& reader, const Segment& segment, CoefficientRow& row)
        : reader_(reader), bits_(segment), blocks_(row.blocks_.data()) {}

    // Reads the DC of the next block. Returns false behind the last one, and where the bytes say no
    // block.
    bool EnterBlock() {
        if (place_of_mcu_ == reader_.places_.size()) {
            place_of_mcu_ = 0;
            if (++column_ >= reader_.columns_.last) return false;
        }
        const Place& place = reader_.places_[place_of_mcu_++];
        // Those to the left of what is kept are read over.
        block_ = column_ < reader_.columns_.first
                     ? passed_
                     : blocks_ + place.start +
                           place.advance * static_cast<size_t>(column_ - reader_.columns_.first);
        const Component& component = reader_.components_[place.component];
        ac_ = component.ac;
        bits_.Refill();
        const Entry entry = component.dc->Find(bits_.Peek());
        int32_t& prediction = predictions_[place.component];
        prediction += ValueOf(TokenOf(entry, bits_.Peek()));
        if (entry == 0 || prediction != static_cast<int16_t>(prediction)) return Fail();
        bits_.Skip(TotalOf(entry));
        std::memset(block_, 0, kBlock * sizeof(int16_t));
        block_[0] = static_cast<int16_t>(prediction);
        place_ = 0;
        return true;
    }

    void Refill() { bits_.Refill(); }

    // Reads what the next bits say; returns whether that was the block's last, or nonsense. A
    // refill suffices for two.
    [[gnu::always_inline]] bool Step() {
        const CoefficientPair& pair = ac_->Peek(bits_.Peek());
        if (__builtin_expect(pair.total == 0, 0)) return StepSingle();
        const uint32_t first = place_ + pair.first_advance;
        place_ += pair.advance;
        block_[kTargets[place_]] = pair.values[1];
        block_[kTargets[first]] = pair.values[0];
        if (place_ < kLastPlace) {
            bits_.Skip(pair.total);
            return false;
        }
        // A first coefficient that fills the block leaves the second to the next block.
        const bool first_fills = first == kLastPlace;
        bits_.Skip(first_fills ? pair.first_total : pair.total);
        if (first_fills) place_ = kLastPlace;
        return true;
    }

    // Whether the block that ended is one.
    bool LeaveBlock() {
        const bool ended =
            place_ == kLastPlace || (place_ >= kEndAdvance && place_ < kEndAdvance + kLastPlace);
        return ended && bits_.Left() >= 0 ? true : Fail();
    }

    bool failed() const { return failed_; }
    // Bits behind the last block.
    int64_t left() const { return bits_.Left(); }

  private:
    bool Fail() {
        failed_ = true;
        return false;
    }

    [[gnu::noinline]] bool StepSingle() {
        const Entry entry = ac_->Find(bits_.Peek());
        if (entry == 0) {
            place_ = kNonsense;
            return true;
        }
        place_ += AdvanceOf(SymbolOf(entry));
        block_[kTargets[place_]] = static_cast<int16_t>(ValueOf(TokenOf(entry, bits_.Peek())));
        bits_.Skip(TotalOf(entry));
        return place_ >= kLastPlace;
    }

    const McuReader& reader_;
    Bits bits_;
    const CoefficientDecoding* ac_ = nullptr;
    int16_t* block_ = nullptr;
    uint32_t place_ = 0;
    bool failed_ = false;

    int16_t* const blocks_;
    size_t place_of_mcu_ = 0;
    int32_t column_ = 0;
    int32_t predictions_[3] = {};
    int16_t passed_[kBlock + 1];
};

void McuReader::BuildDecodings(const JpegLayout& layout) {
    for (int32_t i = 0; i < layout.component_count; ++i) {
        const auto& dc = layout.dc_tables[layout.dc_slots[i]];
        const auto& ac = layout.ac_tables[layout.ac_slots[i]];
        const bool shares = i == 2 && layout.dc_slots[2] == layout.dc_slots[1] &&
                            layout.ac_slots[2] == layout.ac_slots[1];
        if (shares) {
            components_[2] = components_[1];
            continue;
        }
        if (dc.symbols == nullptr || ac.symbols == nullptr || !dc_[i].Build(dc, DcTable(0)) ||
            !ac_[i].Build(ac))
            throw Failure(FL_CORRUPT, "JPEG: Huffman tables that are missing or break the format");
        components_[i] = {&dc_[i], &ac_[i]};
    }
}

void McuReader::Begin(const JpegLayout& layout, McuRange columns, size_t size) {
    BuildDecodings(layout);
    columns_ = columns;
    reads_whole_rows_ = columns.last == layout.mcu_columns;
    places_.clear();
    size_t start = 0;
    for (int32_t i = 0; i < layout.component_count; ++i) {
        const size_t across = layout.across[i];
        const size_t stride = kBlock * (columns.count() * across + kSpareBlocks);
        for (int32_t y = 0; y < layout.down[i]; ++y, start += stride)
            for (size_t x = 0; x < across; ++x)
                places_.push_back({i, start + kBlock * x, kBlock * across});
    }
    for (Segment& segment : segments_) segment.Expect(size);
}

void McuReader::Read(const uint8_t* const begin[2], const uint8_t* end, CoefficientRow rows[2]) {
    for (int i = 0; i < 2 && begin[i] != nullptr; ++i) {
        const uint8_t* next = begin[i];
        if (segments_[i].Read(next, end) == 0)
            throw Failure(FL_JPEG_WARNING, "JPEG: an MCU row does not end");
    }
    Stream first(*this, segments_[0], rows[0]);
    bool first_goes_on = first.EnterBlock();
    if (begin[1] != nullptr) {
        Stream second(*this, segments_[1], rows[1]);
        bool second_goes_on = second.EnterBlock();
        while (first_goes_on && second_goes_on) {
            first.Refill();
            second.Refill();
            const bool first_ends = first.Step() || first.Step();
            const bool second_ends = second.Step() || second.Step();
            if (first_ends) first_goes_on = first.LeaveBlock() && first.EnterBlock();
            if (second_ends) second_goes_on = second.LeaveBlock() && second.EnterBlock();
        }
        while (second_goes_on) {
            second.Refill();
            if (second.Step() || second.Step())
                second_goes_on = second.LeaveBlock() && second.EnterBlock();
        }
        Check(second);
    }
    while (first_goes_on) {
        first.Refill();
        if (first.Step() || first.Step()) first_goes_on = first.LeaveBlock() && first.EnterBlock();
    }
    Check(first);
}

void McuReader::Check(const Stream& stream) const {
    if (stream.failed()) throw Failure(FL_JPEG_WARNING, "JPEG: bytes that say no block");
    if (reads_whole_rows_ && stream.left() >= 8)
        throw Failure(FL_JPEG_WARNING, "JPEG: bytes too many in an MCU row");
}

}  // namespace fastload
