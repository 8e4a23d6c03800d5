// The order in which a JPEG sends a block's coefficients (ITU-T T.81 figure 5).
#ifndef FASTLOAD_NATIVE_ZIGZAG_H_
#define FASTLOAD_NATIVE_ZIGZAG_H_

#include <array>
#include <cstdint>

namespace fastload {

// Place in that order -> place row by row: along the diagonals, every other one upwards.
constexpr std::array<uint8_t, 64> MakeNaturalOrder() {
    std::array<uint8_t, 64> order{};
    uint32_t place = 0;
    for (int diagonal = 0; diagonal < 15; ++diagonal) {
        for (int i = 0; i <= diagonal; ++i) {
            const int row = diagonal % 2 == 0 ? diagonal - i : i;
            const int column = diagonal - row;
            if (row < 8 && column < 8) order[place++] = static_cast<uint8_t>(row * 8 + column);
        }
    }
    return order;
}

inline constexpr std::array<uint8_t, 64> kNaturalOrder = MakeNaturalOrder();

}  // namespace fastload

#endif  // FASTLOAD_NATIVE_ZIGZAG_H_
