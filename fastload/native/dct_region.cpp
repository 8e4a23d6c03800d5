#include "dct_region.h"

#include <algorithm>
#include <vector>

#include "coefficient_source.h"
#include "jpeg_kernels.h"
#include "plane_resize.h"
#include "region_decoder.h"
#include "stages.h"

namespace fastload {
namespace {

class RecordBlocks final : public CoefficientSource {
  public:
    void Open(const DctRecord& record) { record_ = &record; }

    void Begin(Range, Range) override {}

    const int16_t* Blocks(int32_t component, int32_t block_row, Range blocks) override {
        const InStage stage(Stage::kEntropy);
        const size_t room = size_t{64} * (blocks.count() + kSpareBlocks);
        coefficients_.resize(std::max(coefficients_.size(), room));
        record_->Unpack(component, block_row, blocks, coefficients_.data());
        return coefficients_.data();
    }

  private:
    const DctRecord* record_ = nullptr;
    std::vector<int16_t> coefficients_;
};

RecordBlocks& BlocksOf(const DctRecord& record) {
    thread_local RecordBlocks blocks;
    blocks.Open(record);
    return blocks;
}

}  // namespace

void DecodeDctRegion(const DctRecord& record, Box box, RowSink& sink) {
    DecodeRegion(record.layout(), BlocksOf(record), box, sink);
}

void ResizeDctRegion(const DctRecord& record, const Resizing& resizing, RowSink& sink) {
    ResizePlanes(record.layout(), BlocksOf(record), resizing, sink);
}

}  // namespace fastload
