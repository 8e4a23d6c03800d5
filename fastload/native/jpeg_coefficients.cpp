#include "jpeg_coefficients.h"

#include <array>
#include <string>

#include "error.h"

namespace fastload {
namespace {

// Position in natural order -> position in zigzag order (T.81 figure A.6).
constexpr std::array<uint8_t, 64> kZigzagOfNatural = {
    0,  1,  5,  6,  14, 15, 27, 28, 2,  4,  7,  13, 16, 26, 29, 42, 3,  8,  12, 17, 25, 30,
    41, 43, 9,  11, 18, 24, 31, 40, 44, 53, 10, 19, 23, 32, 39, 45, 52, 54, 20, 22, 33, 38,
    46, 51, 55, 60, 21, 34, 37, 47, 50, 56, 59, 61, 35, 36, 48, 49, 57, 58, 62, 63};

class BlockTokenizer {
  public:
    BlockTokenizer(uint32_t huffman_slot, TokenStream& tokens)
        : dc_(DcTable(huffman_slot)), ac_(AcTable(huffman_slot)), tokens_(tokens) {}

    void BeginRow() { last_dc_ = 0; }

    void Add(const JCOEF* block) {
        Token* token = tokens_.Block();
        const Token* const start = token;
        *token++ = MakeSized(dc_, block[0] - last_dc_, 0, kLargestDcSize);
        last_dc_ = block[0];
        std::array<JCOEF, 64> zigzag;
        uint64_t present = 0;
        for (size_t natural = 1; natural < 64; ++natural) {
            const size_t place = kZigzagOfNatural[natural];
            zigzag[place] = block[natural];
            present |= uint64_t{block[natural] != 0} << place;
        }
        uint32_t place = 0;
        for (; present != 0; present &= present - 1) {
            const auto next = static_cast<uint32_t>(__builtin_ctzll(present));
            uint32_t run = next - place - 1;
            for (; run > 15; run -= 16) *token++ = MakeToken(ac_, kSymbolZeroRun, 0);
            *token++ = MakeSized(ac_, zigzag[next], run, kLargestAcSize);
            place = next;
        }
        if (place < 63) *token++ = MakeToken(ac_, kSymbolEndOfBlock, 0);
        tokens_.Advance(static_cast<size_t>(token - start));
    }

    // A block that only fills up an MCU: the last one's DC again.
    void AddEmpty() {
        Token* token = tokens_.Block();
        token[0] = MakeToken(dc_, 0, 0);
        token[1] = MakeToken(ac_, kSymbolEndOfBlock, 0);
        tokens_.Advance(2);
    }

  private:
    static Token MakeSized(uint32_t table, int32_t value, uint32_t run, uint32_t largest) {
        const uint32_t size = SizeOf(value);
        if (size > largest) {
            throw Failure(FL_JPEG_NOT_BASELINE, "JPEG: coefficient difference " +
                                                    std::to_string(value) +
                                                    " is too large for baseline");
        }
        return MakeToken(table, run << 4 | size, BitsOf(value, size));
    }

    uint32_t dc_;
    uint32_t ac_;
    TokenStream& tokens_;
    int32_t last_dc_ = 0;
};

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
