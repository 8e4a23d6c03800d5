#include "kept_blocks.h"

#include <algorithm>

#include "error.h"
#include "jpeg_kernels.h"
#include "paging.h"
#include "stages.h"

namespace fastload {
namespace {

constexpr size_t kCoefficients = 64;

// Whether rows of the one are rows of the other.
bool IsLike(const JpegLayout& a, const JpegLayout& b) {
    return a.seekable && a.width == b.width && a.height == b.height &&
           a.component_count == b.component_count && a.across == b.across && a.down == b.down;
}

}  // namespace

void KeptBlocks::Open(KeptDct& kept, const uint8_t* data, size_t size) {
    kept_ = &kept;
    data_ = data;
    size_ = size;
    can_keep_ = true;
    parts_.Clear();
}

void KeptBlocks::Begin(Range columns, Range rows) {
    columns_ = columns;
    rows_ = rows;
    const InStage stage(Stage::kEntropy);
    places_.resize(static_cast<size_t>(rows.count()));
    all_kept_ = true;
    for (int32_t row = rows.first; row < rows.last; ++row) {
        places_[row - rows.first] = kept_->PlaceOf(row);
        all_kept_ &= IsKept(row);
    }
    if (!all_kept_) OpenFile();
}

void KeptBlocks::OpenFile() {
    BringIn(data_, size_);
    file_ = ReadJpegLayout(data_, size_);
    if (!IsLike(file_, kept_->layout()))
        throw Failure(FL_CORRUPT, "it has changed since it was first read");
    FindMcuRows(data_, size_, file_, rows_.first, rows_.last, starts_);
    reader_.Begin(file_, {0, columns_.last}, size_);
    for (CoefficientRow& row : coefficients_) row.Resize(file_, columns_.last);
    read_[0] = read_[1] = -1;
}

const int16_t* KeptBlocks::Blocks(int32_t component, int32_t block_row, Range blocks) {
    const InStage stage(Stage::kEntropy);
    const int32_t down = kept_->layout().down[component], row = block_row / down;
    if (IsKept(row)) {
        const size_t room = kCoefficients * (blocks.count() + kSpareBlocks);
        unpacked_.resize(std::max(unpacked_.size(), room));
        kept_->Unpack(component, block_row, blocks, unpacked_.data());
        return unpacked_.data();
    }
    if (read_[row % 2] != row) ReadRows(row);
    return coefficients_[row % 2].Blocks(component, block_row % down) +
           kCoefficients * blocks.first;
}

// The row and, as two at a time take less, the next one.
void KeptBlocks::ReadRows(int32_t row) {
    const int count = row + 1 < rows_.last && !IsKept(row + 1) ? 2 : 1;
    const uint8_t* begins[2];
    McuPlace places[2];
    CoefficientRow* rows[2];
    for (int i = 0; i < count; ++i) {
        const int32_t here = row + i;
        begins[i] = data_ + starts_[here - rows_.first];
        places[i] = places_[here - rows_.first];
        rows[i] = &coefficients_[here % 2];
        read_[here % 2] = here;
    }
    reader_.Read(begins, count, data_ + size_, places, rows);
    for (int i = 0; i < count; ++i) {
        const int32_t first = places_[row + i - rows_.first].column;
        can_keep_ =
            can_keep_ && parts_.Add(file_, kept_->groups(), row + i, *rows[i], first, places[i]);
        if (first > columns_.first) AddKeptBlocks(row + i, first, *rows[i]);
    }
}

// What is kept of a row that is not kept as far as it is needed.
void KeptBlocks::AddKeptBlocks(int32_t row, int32_t columns, CoefficientRow& coefficients) const {
    for (int32_t i = 0; i < file_.component_count; ++i) {
        const Range blocks = kept_->groups().Blocks(i, {columns_.first, columns});
        for (int32_t down = 0; down < file_.down[i]; ++down)
            if (kept_->groups().HasRow(i, row, down) && blocks.count() > 0)
                kept_->Unpack(i, row * file_.down[i] + down, blocks,
                              coefficients.Blocks(i, down) + kCoefficients * blocks.first);
    }
}

void KeptBlocks::ReadMissing() {
    const InStage stage(Stage::kEntropy);
    for (int32_t row = rows_.first; row < rows_.last; ++row)
        if (!IsKept(row) && read_[row % 2] != row) ReadRows(row);
}

bool KeptBlocks::AreAllKept() const {
    for (int32_t row = rows_.first; row < rows_.last; ++row)
        if (kept_->PlaceOf(row).column < columns_.last) return false;
    return true;
}

void KeptBlocks::ReadAll() {
    const JpegLayout& layout = kept_->layout();
    Begin({0, layout.mcu_columns}, {0, layout.mcu_rows});
    ReadMissing();
}

size_t KeptBlocks::Keep() {
    const InStage stage(Stage::kEntropy);
    if (all_kept_ || !can_keep_) return 0;
    return kept_->Add(parts_);
}

}  // namespace fastload
