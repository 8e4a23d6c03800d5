#include "gather_blocks.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "dct_blocks.h"
#include "error.h"
#include "stages.h"
#include "upsampling.h"

namespace fastload {
namespace {

constexpr size_t kTable = 64 * sizeof(uint16_t);
constexpr uint64_t kBytesOfPiece = 2 * sizeof(int32_t);
// fl_gathered.pieces has 5 bits for the blocks and 13 for each place: no JPEG has more blocks.
constexpr int32_t kFirstShift = 5, kRowShift = 18;
static_assert((kLongestSide + kBlockSide - 1) / kBlockSide < 1 << 13);

[[noreturn]] void Corrupt() {
    throw Failure(FL_CORRUPT, "DCT record: bytes that say other blocks");
}

uint64_t LowBits(uint64_t bits, int count) {
    return count >= 64 ? bits : bits & ((uint64_t{1} << count) - 1);
}

uint64_t Load64(const uint8_t* at) {
    uint64_t bits;
    std::memcpy(&bits, at, sizeof(bits));
    return bits;
}

// Bytes of the AC coefficients that begin here; kReadablePastGroup bytes are readable.
size_t SizeOfAc(const uint8_t* at) {
    const int rows = std::popcount(*at);
    const int count = std::popcount(LowBits(Load64(at + 1), 8 * rows));
    const uint8_t* const wide = at + 1 + rows + (count + 1) / 2;
    const int wide_count = std::popcount(LowBits(Load64(wide), count));
    return static_cast<size_t>(1 + rows + (count + 1) / 2 + (count + 7) / 8 + wide_count);
}

bool AreBlocks(const uint8_t* lengths, int32_t count, const uint8_t* ac) {
    bool are = true;
    for (int32_t i = 0; i < count; ac += lengths[i++])
        are &= lengths[i] == 0 || SizeOfAc(ac) == lengths[i];
    return are;
}

}  // namespace

bool GatheredBlocks::Find(PixelSource& source, Box box) {
    layout_ = source.packed_layout();
    if (layout_ == nullptr) return false;
    for (int32_t i = 0; i < layout_->component_count; ++i)
        needed_[i] = NeededBlocks(SampleGridOf(*layout_, i), box);
    if (!source.NeedGroups(needed_)) return false;
    const InStage stage(Stage::kEntropy);
    pieces_.clear();
    packed_bytes_ = 0;
    for (int32_t i = 0; i < layout_->component_count; ++i) {
        const size_t before = pieces_.size();
        for (int32_t row = needed_[i].down.first; row < needed_[i].down.last; ++row) {
            groups_.clear();
            source.FindGroups(i, row, needed_[i].across, groups_);
            for (const PackedGroup& group : groups_) Cut(group, row, needed_[i].across);
        }
        piece_counts_[i] = static_cast<int32_t>(pieces_.size() - before);
    }
    // Where a piece lies is told in 32 bits.
    return packed_bytes_ <= INT32_MAX;
}

void GatheredBlocks::Cut(const PackedGroup& group, int32_t block_row, Range wanted) {
    const Range all = group.blocks;
    const int32_t count = all.count();
    const Range cut = {std::max(wanted.first, all.first) - all.first,
                       std::min(wanted.last, all.last) - all.first};
    size_t size = kFrontOfBlock * static_cast<size_t>(count);
    if (group.size < size) Corrupt();
    const uint8_t* const lengths = group.bytes + 2 * count;
    const uint8_t* ac = group.bytes + size;
    uint32_t ac_size = 0;
    for (int32_t i = 0; i < count; ++i) {
        size += lengths[i];
        if (i < cut.first) ac += lengths[i];
        if (i >= cut.first && i < cut.last) ac_size += lengths[i];
    }
    if (size != group.size) Corrupt();
    pieces_.push_back({group.bytes + 2 * cut.first, lengths + cut.first, ac, ac_size, block_row,
                       all.first + cut.first, cut.count()});
    packed_bytes_ += kFrontOfBlock * static_cast<size_t>(cut.count()) + ac_size;
}

uint64_t GatheredBlocks::bytes() const {
    return kBytesOfPiece * pieces_.size() +
           kTable * static_cast<uint64_t>(layout_->component_count) + packed_bytes_ +
           kReadablePastGroup;
}

void GatheredBlocks::Write(Arena& arena, fl_gathered& gathered) const {
    const InStage stage(Stage::kRest);
    gathered.kind = FL_GATHERED_BLOCKS;
    gathered.channels = layout_->component_count;
    gathered.colour = static_cast<int32_t>(layout_->colour);
    gathered.pieces = arena.Reserve(bytes());
    gathered.quant = gathered.pieces + kBytesOfPiece * pieces_.size();
    gathered.data = gathered.quant + kTable * static_cast<uint64_t>(layout_->component_count);
    for (int32_t i = 0; i < layout_->component_count; ++i) {
        const SampleGrid grid = SampleGridOf(*layout_, i);
        const bool smooth = UpsamplingOf(grid) != Upsampling::kRepeat;
        const BlockBox& blocks = needed_[i];
        gathered.planes[i] = {blocks.across.first,
                              blocks.across.last,
                              blocks.down.first,
                              blocks.down.last,
                              grid.step_across,
                              grid.step_down,
                              smooth && grid.step_across == 2,
                              smooth && grid.step_down == 2,
                              grid.width,
                              grid.height,
                              piece_counts_[i],
                              0};
        std::memcpy(arena.At(gathered.quant + kTable * static_cast<uint64_t>(i)),
                    layout_->quant_tables[layout_->quant_slots[i]].data(), kTable);
    }
    auto* piece_out = reinterpret_cast<int32_t*>(arena.At(gathered.pieces));
    uint8_t* const data = arena.At(gathered.data);
    uint8_t* out = data;
    for (const Piece& piece : pieces_) {
        *piece_out++ = static_cast<int32_t>(out - data);
        *piece_out++ = piece.block_row << kRowShift | piece.first << kFirstShift | piece.count;
        const auto count = static_cast<size_t>(piece.count);
        std::memcpy(out, piece.dc, 2 * count);
        std::memcpy(out + 2 * count, piece.lengths, count);
        out += kFrontOfBlock * count;
        std::memcpy(out, piece.ac, piece.ac_size);
        out += piece.ac_size;
    }
    // Not before all is there: a check reads a little behind a block.
    const uint8_t* at = data;
    for (const Piece& piece : pieces_) {
        const auto count = static_cast<size_t>(piece.count);
        at += kFrontOfBlock * count;
        if (!AreBlocks(at - count, piece.count, at)) Corrupt();
        at += piece.ac_size;
    }
}

}  // namespace fastload
