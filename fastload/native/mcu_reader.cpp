#include "mcu_reader.h"

#include "error.h"
#include "jpeg_kernels.h"
#include "simd_level.h"

namespace fastload {
namespace {

constexpr size_t kBlock = 64;

constexpr uint64_t LeftAligned(size_t peeked) { return uint64_t{peeked} << (64 - kPeekedBits); }

int16_t ValueAt(Entry entry, uint64_t bits) {
    return static_cast<int16_t>(ValueOf(TokenOf(entry, bits)));
}

// The first component with the tables of this one: building tables takes as long as some blocks.
int32_t TablesOf(const JpegLayout& layout, int32_t component) {
    int32_t first = 0;
    while (layout.dc_slots[first] != layout.dc_slots[component] ||
           layout.ac_slots[first] != layout.ac_slots[component])
        ++first;
    return first;
}

size_t StrideOf(const JpegLayout& layout, int32_t component, int32_t columns) {
    return kBlock * (static_cast<size_t>(columns) * layout.across[component] + kSpareBlocks);
}

}  // namespace

bool AcDecoding::Build(const HuffmanTable& source) {
    if (!single.Build(source, AcTable(0))) return false;
    for (size_t index = 0; index < kPeekedCount; ++index) {
        CoefficientPair& pair = pairs[index];
        pair = {0, 0, kMissingAdvance, kMissingAdvance, {0, 0}};
        const uint64_t bits = LeftAligned(index);
        const Entry first = single.Find(bits);
        if (first == 0 || TotalOf(first) > kPeekedBits) continue;
        pair.values[0] = pair.values[1] = ValueAt(first, bits);
        pair.total = pair.first_total = static_cast<uint8_t>(TotalOf(first));
        pair.advance = pair.first_advance = static_cast<uint8_t>(AdvanceOf(SymbolOf(first)));
        if (SymbolOf(first) == kSymbolEndOfBlock) continue;
        const uint64_t rest = bits << TotalOf(first);
        const Entry second = single.Find(rest);
        if (second == 0 || pair.total + TotalOf(second) > kPeekedBits) continue;
        pair.values[1] = ValueAt(second, rest);
        pair.total = static_cast<uint8_t>(pair.total + TotalOf(second));
        pair.advance = static_cast<uint8_t>(pair.advance + AdvanceOf(SymbolOf(second)));
    }
    return true;
}

bool DcDecoding::Build(const HuffmanTable& source) {
    if (!single.Build(source, DcTable(0))) return false;
    for (size_t index = 0; index < kPeekedCount; ++index) {
        const uint64_t bits = LeftAligned(index);
        const Entry entry = single.Find(bits);
        const bool fits = entry != 0 && TotalOf(entry) <= kPeekedBits;
        differences[index] = {static_cast<uint8_t>(fits ? TotalOf(entry) : 0),
                              static_cast<int16_t>(fits ? ValueAt(entry, bits) : 0)};
    }
    return true;
}

void CoefficientRow::Resize(const JpegLayout& layout, int32_t columns) {
    size_t size = 0;
    for (int32_t i = 0; i < layout.component_count; ++i) {
        starts_[i] = size;
        strides_[i] = StrideOf(layout, i, columns);
        size += strides_[i] * layout.down[i];
    }
    if (blocks_.size() < size) blocks_.resize(size);
}

void McuReader::BuildDecodings(const JpegLayout& layout) {
    for (int32_t i = 0; i < layout.component_count; ++i) {
        if (TablesOf(layout, i) != i) continue;
        if (!dc_[i].Build(layout.dc_tables[layout.dc_slots[i]]) ||
            !ac_[i].Build(layout.ac_tables[layout.ac_slots[i]]))
            throw Failure(FL_CORRUPT, "JPEG: Huffman tables that break the format");
    }
}

void McuReader::PlanBlocks(const JpegLayout& layout, Range columns) {
    plan_.columns = columns;
    plan_.blocks.clear();
    size_t start = 0;
    for (int32_t i = 0; i < layout.component_count; ++i) {
        const int32_t tables = TablesOf(layout, i);
        const size_t across = layout.across[i];
        for (int32_t y = 0; y < layout.down[i]; ++y) {
            for (size_t x = 0; x < across; ++x)
                plan_.blocks.push_back(
                    {i, &dc_[tables], &ac_[tables], start + kBlock * x, kBlock * across});
            start += StrideOf(layout, i, columns.count());
        }
    }
}

void McuReader::Begin(const JpegLayout& layout, Range columns, size_t size) {
    BuildDecodings(layout);
    PlanBlocks(layout, columns);
    reads_whole_rows_ = columns.last == layout.mcu_columns;
    for (Segment& segment : segments_) segment.Expect(size);
}

void McuReader::Read(const uint8_t* const* begins, int count, const uint8_t* end, McuPlace* places,
                     CoefficientRow* const* rows) {
    McuRow read[2] = {};
    McuRowEnd ends[2] = {};
    for (int i = 0; i < count; ++i) {
        const uint8_t* next = begins[i];
        if (segments_[i].Read(next, end) == 0)
            throw Failure(FL_JPEG_WARNING, "JPEG: an MCU row does not end");
        read[i] = {&segments_[i], places[i], rows[i]->blocks_.data()};
    }
    static ReadMcuRows* const read_rows =
        CurrentSimdLevel() == SimdLevel::kPortable ? ReadMcuRowsPortable : ReadMcuRowsAvx2;
    read_rows(plan_, read, count, ends);
    for (int i = 0; i < count; ++i) {
        if (ends[i].failed) throw Failure(FL_JPEG_WARNING, "JPEG: bytes that say no block");
        if (reads_whole_rows_ && ends[i].left >= 8)
            throw Failure(FL_JPEG_WARNING, "JPEG: bytes too many in an MCU row");
        places[i] = ends[i].place;
    }
}

}  // namespace fastload
