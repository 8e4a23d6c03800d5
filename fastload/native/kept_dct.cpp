#include "kept_dct.h"

#include <algorithm>
#include <cstring>
#include <new>
#include <utility>

#include "dct_blocks.h"

namespace fastload {
namespace {

constexpr size_t kCoefficients = 64;
constexpr size_t kAlignment = 8;

size_t Aligned(size_t size) { return (size + kAlignment - 1) / kAlignment * kAlignment; }

// Calls for each group of columns, cut at both ends.
template <typename Visit>
void ForEachGroup(const DctGroups& groups, Range columns, Visit visit) {
    for (int32_t first = columns.first; first < columns.last;) {
        const int32_t last = groups.McusOf(first / groups.mcus()).last;
        visit(Range{first, std::min(last, columns.last)});
        first = last;
    }
}

int32_t CountGroups(const DctGroups& groups, Range columns) {
    return (columns.last - 1) / groups.mcus() - columns.first / groups.mcus() + 1;
}

}  // namespace

void RowParts::Clear() {
    parts_.clear();
    bytes_.Clear();
}

bool RowParts::Add(const JpegLayout& layout, const DctGroups& groups, int32_t mcu_row,
                   const CoefficientRow& row, int32_t first_column, const McuPlace& end) {
    const Range columns = {first_column, end.column};
    const size_t offset = bytes_.size(), count = CountGroups(groups, columns);
    const size_t front = sizeof(KeptDct::Strip) + sizeof(uint16_t) * count * groups.block_rows();
    const KeptDct::Strip strip = {nullptr, first_column, end};
    std::memcpy(bytes_.Reserve(front), &strip, sizeof(strip));
    bytes_.Commit(front);
    size_t lengths_at = offset + sizeof(strip);
    bool fit = true;
    ForEachGroup(groups, columns, [&](Range mcus) {
        uint16_t lengths[kMostBlockRows];
        fit = fit && PackGroups(layout, groups, mcu_row, row, 0, mcus, bytes_, lengths);
        const size_t size = sizeof(uint16_t) * groups.block_rows();
        std::memcpy(bytes_.At(lengths_at), lengths, size);
        lengths_at += size;
    });
    (void)bytes_.Reserve(kAlignment);
    bytes_.Commit(Aligned(bytes_.size()) - bytes_.size());
    parts_.push_back({mcu_row, offset});
    return fit;
}

KeptDct::KeptDct(const JpegLayout& layout)
    : layout_(layout), groups_(layout), rows_(std::make_unique<Row[]>(layout.mcu_rows)) {
    // They lie in bytes that may be gone tomorrow.
    layout_.dc_tables = layout_.ac_tables = {};
}

uint64_t KeptDct::bytes() const {
    return sizeof(*this) + sizeof(Row) * static_cast<uint64_t>(layout_.mcu_rows);
}

McuPlace KeptDct::PlaceOf(int32_t mcu_row) const {
    const Strip* const last = rows_[mcu_row].load(std::memory_order_acquire);
    return last == nullptr ? McuPlace{} : last->end;
}

void KeptDct::FindGroups(int32_t component, int32_t block_row, Range blocks,
                         std::vector<PackedGroup>& found) const {
    const int32_t down = layout_.down[component];
    const int32_t first_column = blocks.first / layout_.across[component];
    const Strip* strip = rows_[block_row / down].load(std::memory_order_acquire);
    for (;; strip = strip->before) {
        FindGroups(*strip, component, block_row % down, blocks, found);
        if (strip->first_column <= first_column) return;
    }
}

void KeptDct::FindGroups(const Strip& strip, int32_t component, int32_t row, Range blocks,
                         std::vector<PackedGroup>& found) const {
    const Range columns = {strip.first_column, strip.end.column};
    const int32_t wanted_row = groups_.first_block_row(component) + row;
    const uint16_t* lengths = strip.lengths();
    const auto* bytes = reinterpret_cast<const uint8_t*>(lengths + CountGroups(groups_, columns) *
                                                                       groups_.block_rows());
    ForEachGroup(groups_, columns, [&](Range mcus) {
        const Range here = groups_.Blocks(component, mcus);
        const bool has_some = std::max(blocks.first, here.first) < std::min(blocks.last, here.last);
        for (int32_t i = 0; i < groups_.block_rows(); ++i, ++lengths) {
            if (i == wanted_row && has_some) found.push_back({bytes, *lengths, here});
            bytes += *lengths;
        }
    });
}

void KeptDct::Unpack(int32_t component, int32_t block_row, Range blocks, int16_t* out) const {
    thread_local std::vector<PackedGroup> found;
    found.clear();
    FindGroups(component, block_row, blocks, found);
    for (const PackedGroup& group : found) {
        const Range all = group.blocks;
        const Range here = {std::max(blocks.first, all.first), std::min(blocks.last, all.last)};
        UnpackGroup(group.bytes, group.size, all.count(),
                    {here.first - all.first, here.last - all.first},
                    out + kCoefficients * (here.first - blocks.first));
    }
}

size_t KeptDct::Add(const RowParts& parts) {
    const size_t size = parts.bytes_.size() + kReadablePastGroup;
    auto memory = std::make_unique_for_overwrite<uint8_t[]>(size);
    std::memcpy(memory.get(), parts.bytes_.data(), parts.bytes_.size());
    const std::lock_guard lock(adding_);
    std::vector<std::pair<Row*, const Strip*>> added;
    for (const RowParts::Part& part : parts.parts_) {
        auto* const strip = std::launder(reinterpret_cast<Strip*>(memory.get() + part.offset));
        Row& row = rows_[part.mcu_row];
        strip->before = row.load(std::memory_order_relaxed);
        // Otherwise another thread has added the same.
        if (strip->first_column == (strip->before == nullptr ? 0 : strip->before->end.column))
            added.emplace_back(&row, strip);
    }
    if (added.empty()) return 0;
    // Seen from here on: all strips have been set before, as reading one goes on into the next.
    for (const auto& [row, strip] : added) row->store(strip, std::memory_order_release);
    memory_.push_back(std::move(memory));
    return size;
}

}  // namespace fastload
