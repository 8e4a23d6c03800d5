#include "jpeg_tokens.h"

namespace fastload {

void TokenStream::Expect(size_t bytes) {
    // A token takes 5 to 6 bits in photos; 4 leave room for those of finer quantisation.
    constexpr size_t kTokensInByte = 2;
    (void)tokens_.Reserve(kTokensInByte * bytes * sizeof(Token));
}

void TokenStream::EndRow() { row_ends_.push_back(tokens_.size() / sizeof(Token)); }

std::array<std::array<uint32_t, 256>, 4> TokenStream::Frequencies() const {
    // Neighbours are often equal; counting them in different places spares the wait for the last
    // count.
    constexpr size_t kPlaces = 4;
    constexpr uint32_t kSymbols = 1024;
    std::array<std::array<uint32_t, kSymbols>, kPlaces> counts{};
    const Token* token = tokens();
    const size_t count = tokens_.size() / sizeof(Token);
    size_t i = 0;
    for (; i + kPlaces <= count; i += kPlaces) {
        for (size_t place = 0; place < kPlaces; ++place)
            ++counts[place][token[i + place] & (kSymbols - 1)];
    }
    for (; i < count; ++i) ++counts[0][token[i] & (kSymbols - 1)];
    std::array<std::array<uint32_t, 256>, 4> frequencies{};
    for (const auto& part : counts) {
        for (uint32_t symbol = 0; symbol < kSymbols; ++symbol)
            frequencies[symbol >> 8][symbol & 255] += part[symbol];
    }
    return frequencies;
}

}  // namespace fastload
