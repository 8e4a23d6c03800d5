#include "dct_region.h"

#include <algorithm>
#include <vector>

#include "coefficient_source.h"
#include "jpeg_kernels.h"
#include "region_decoder.h"

namespace fastload {
namespace {

class RecordBlocks final : public CoefficientSource {
  public:
    void Open(const DctRecord& record) { record_ = &record; }

    void Begin(Range, Range) override {}

    const int16_t* Blocks(int32_t component, int32_t block_row, Range blocks) override {
        const int32_t begin = blocks.first / kBlocksOfGroup * kBlocksOfGroup;
        const int32_t groups = (blocks.last - begin + kBlocksOfGroup - 1) / kBlocksOfGroup;
        const size_t room = size_t{64} * (groups * kBlocksOfGroup + kSpareBlocks);
        if (coefficients_.size() < room) coefficients_.resize(room);
        record_->Unpack(component, block_row, blocks.first, blocks.last, coefficients_.data());
        return coefficients_.data() + size_t{64} * (blocks.first - begin);
    }

  private:
    const DctRecord* record_ = nullptr;
    std::vector<int16_t> coefficients_;
};

}  // namespace

void DecodeDctRegion(const DctRecord& record, Box box, RowSink& sink) {
    thread_local RecordBlocks blocks;
    blocks.Open(record);
    DecodeRegion(record.layout(), blocks, box, sink);
}

}  // namespace fastload
