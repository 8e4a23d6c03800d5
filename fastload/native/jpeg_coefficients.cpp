#include "jpeg_coefficients.h"

#include <array>
#include <vector>

#include "block_tokens.h"

namespace fastload {
namespace {

// The block rows of one component that belong to one MCU row; null below the picture.
using BlockRows = std::array<JBLOCKROW, MAX_SAMP_FACTOR>;

class CoefficientWalk {
  public:
    CoefficientWalk(const Frame& frame, TokenStream& tokens, JpegHash& hash)
        : frame_(frame), hash_(hash) {
        for (uint32_t i = 0; i < frame.component_count; ++i) {
            tokenizers_.emplace_back(frame.components[i].huffman_slot, tokens);
        }
    }

    void McuRow(JpegSource& source, jvirt_barray_ptr* coefficients, uint32_t mcu_row) {
        std::array<BlockRows, kMostComponents> rows{};
        for (uint32_t i = 0; i < frame_.component_count; ++i) {
            const FrameComponent& component = frame_.components[i];
            tokenizers_[i].BeginRow();
            for (uint32_t v = 0; v < component.vertical; ++v) {
                const uint32_t row = mcu_row * component.vertical + v;
                if (row < component.blocks_down) rows[i][v] = source.BlockRow(coefficients[i], row);
            }
        }
        for (uint32_t mcu = 0; mcu < frame_.mcus_across; ++mcu) {
            for (uint32_t i = 0; i < frame_.component_count; ++i) Blocks(i, rows[i], mcu_row, mcu);
        }
    }

  private:
    void Blocks(uint32_t i, const BlockRows& rows, uint32_t mcu_row, uint32_t mcu) {
        const FrameComponent& component = frame_.components[i];
        for (uint32_t v = 0; v < component.vertical; ++v) {
            for (uint32_t h = 0; h < component.horizontal; ++h) {
                const uint32_t column = mcu * component.horizontal + h;
                if (rows[v] == nullptr || column >= component.blocks_across) {
                    tokenizers_[i].AddEmpty();
                    continue;
                }
                const JCOEF* block = rows[v][column];
                tokenizers_[i].Add(block);
                if (i < hash_.components()) {
                    hash_.AddBlock(i, mcu_row * component.vertical + v, column,
                                   {block[0], block[1], block[8], block[9]});
                }
            }
        }
    }

    const Frame& frame_;
    JpegHash& hash_;
    std::vector<BlockTokenizer> tokenizers_;
};

}  // namespace

void TokensOfCoefficients(JpegSource& source, jvirt_barray_ptr* coefficients, const Frame& frame,
                          TokenStream& tokens, JpegHash& hash) {
    CoefficientWalk walk(frame, tokens, hash);
    for (uint32_t row = 0; row < frame.mcus_down; ++row) {
        walk.McuRow(source, coefficients, row);
        tokens.EndRow();
    }
}

}  // namespace fastload
