#include "kept_planes.h"

#include <algorithm>
#include <cstring>
#include <vector>

#include "block_rows.h"
#include "jpeg_kernels.h"

namespace fastload {
namespace {

// Kernels write up to one block beside a row.
constexpr ptrdiff_t kBeside = 64;

size_t SamplesOf(const BlockBox& blocks) {
    return size_t{kBlockSide * kBlockSide} * blocks.across.count() * blocks.down.count();
}

size_t SamplesOf(const JpegLayout& layout) {
    size_t samples = 0;
    for (int32_t i = 0; i < layout.component_count; ++i) samples += SamplesOf(AllBlocks(layout, i));
    return samples;
}

// Transforms block rows and copies them to their places.
class PlaneFiller final : public BlockTaker {
  public:
    PlaneFiller(const JpegLayout& layout, uint8_t* const planes[3], const ptrdiff_t strides[3])
        : layout_(layout), planes_(planes), strides_(strides) {
        ptrdiff_t widest = 0;
        for (int i = 0; i < layout.component_count; ++i) widest = std::max(widest, strides[i]);
        stride_ = widest + 2 * kBeside;
        rows_.resize(kBlockSide * stride_);
    }

    void Take(int32_t component, int32_t block_row, const int16_t* blocks) override {
        const ptrdiff_t stride = strides_[component];
        uint8_t* const first = rows_.data() + kBeside;
        kernels_.inverse_dct(blocks, static_cast<int32_t>(stride / kBlockSide),
                             layout_.quant_tables[layout_.quant_slots[component]].data(), first,
                             stride_);
        uint8_t* const plane = planes_[component] + block_row * kBlockSide * stride;
        for (int32_t y = 0; y < kBlockSide; ++y)
            std::memcpy(plane + y * stride, first + y * stride_, stride);
    }
    void EndMcuRow(int32_t) override {}

  private:
    const JpegKernels& kernels_ = BestJpegKernels();
    const JpegLayout& layout_;
    uint8_t* const* const planes_;
    const ptrdiff_t* const strides_;
    ptrdiff_t stride_;
    std::vector<uint8_t> rows_;
};

}  // namespace

KeptPlanes::KeptPlanes(const JpegLayout& layout, CoefficientSource& source)
    : layout_(layout), samples_(std::make_unique_for_overwrite<uint8_t[]>(SamplesOf(layout))) {
    BlockBox all[3];
    uint8_t* planes[3] = {};
    size_t start = 0;
    for (int32_t i = 0; i < layout.component_count; ++i) {
        all[i] = AllBlocks(layout, i);
        starts_[i] = start;
        strides_[i] = all[i].across.count() * kBlockSide;
        planes[i] = samples_.get() + start;
        start += SamplesOf(all[i]);
    }
    PlaneFiller filler(layout, planes, strides_.data());
    ReadBlocks(layout, source, all, filler);
    // They lie in bytes that may be gone tomorrow.
    layout_.dc_tables = layout_.ac_tables = {};
}

uint64_t KeptPlanes::BytesOf(const JpegLayout& layout) {
    return sizeof(KeptPlanes) + SamplesOf(layout);
}

SamplePlanes KeptPlanes::samples() const {
    SamplePlanes planes{};
    for (int32_t i = 0; i < layout_.component_count; ++i) {
        planes.first[i] = samples_.get() + starts_[i];
        planes.strides[i] = strides_[i];
    }
    return planes;
}

}  // namespace fastload
