// Coefficients of a seekable JPEG that a cache keeps: read from there, and from the file where they
// are needed for the first time.
#ifndef FASTLOAD_NATIVE_KEPT_BLOCKS_H_
#define FASTLOAD_NATIVE_KEPT_BLOCKS_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "coefficient_source.h"
#include "kept_dct.h"
#include "mcu_reader.h"

namespace fastload {

class KeptBlocks final : public CoefficientSource {
  public:
    // The file that `kept` is of.
    void Open(KeptDct& kept, const uint8_t* data, size_t size);

    void Begin(Range columns, Range rows) override;
    const int16_t* Blocks(int32_t component, int32_t block_row, Range blocks) override;

    // Whether the blocks asked for so far were all kept.
    bool all_kept() const { return all_kept_; }

    // Asks for all blocks of the MCUs of the last Begin().
    void ReadMissing();

    // Whether all of them are kept by now: not before Keep(), and not where it cannot keep them.
    bool AreAllKept() const;

    // Begins with all MCUs and asks for all blocks.
    void ReadAll();

    // Adds what was read from the file to what is kept. Returns the bytes that this takes.
    size_t Keep();

  private:
    bool IsKept(int32_t row) const { return places_[row - rows_.first].column >= columns_.last; }
    void OpenFile();
    void ReadRows(int32_t row);
    void AddKeptBlocks(int32_t row, int32_t columns, CoefficientRow& coefficients) const;

    KeptDct* kept_ = nullptr;
    const uint8_t* data_ = nullptr;
    size_t size_ = 0;
    Range columns_{}, rows_{};
    std::vector<McuPlace> places_;  // of each of the rows when reading began
    bool all_kept_ = true;
    bool can_keep_ = true;

    JpegLayout file_;
    std::vector<size_t> starts_;
    McuReader reader_;
    CoefficientRow coefficients_[2];  // of rows of even and odd number
    int32_t read_[2] = {-1, -1};      // the rows that they hold
    RowParts parts_;
    std::vector<int16_t> unpacked_;
};

}  // namespace fastload

#endif  // FASTLOAD_NATIVE_KEPT_BLOCKS_H_
