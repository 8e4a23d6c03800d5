#include "jpeg_hash.h"

#include <array>

namespace fastload {
namespace {

// A block's mean is its DC / 8. Half a block's mean departs from it by sqrt(2) * m / 8 times the
// first AC coefficient, m = (cos pi/16 + cos 3pi/16 + cos 5pi/16 + cos 7pi/16) / 4 being the mean
// of the first cosine over four samples.
constexpr float kMean = 0.125f;
constexpr float kHalf = 0.90612746f;

constexpr std::array<double, 3> kRgbWeights = {0.299, 0.587, 0.114};

}  // namespace

JpegHash::JpegHash(const Frame& frame) {
    const uint32_t count = frame.colour == JpegColour::kRgb ? 3 : 1;
    for (uint32_t i = 0; i < count; ++i) {
        const FrameComponent& component = frame.components[i];
        const QuantTable& quant = frame.quant_tables[component.quant_slot];
        planes_.push_back({CellMeans(component.plane_width, component.plane_height),
                           count == 1 ? 1.0 : kRgbWeights[i], kMean * static_cast<float>(quant[0]),
                           kMean * kHalf * static_cast<float>(quant[1]),
                           kMean * kHalf * static_cast<float>(quant[8]),
                           kMean * kHalf * kHalf * static_cast<float>(quant[9])});
    }
}

void JpegHash::AddBlock(uint32_t component, uint32_t row, uint32_t column,
                        const LowCoefficients& block) {
    Plane& plane = planes_[component];
    const float mean = plane.scale00 * static_cast<float>(block.c00);
    const float across = plane.scale01 * static_cast<float>(block.c01);
    const float down = plane.scale10 * static_cast<float>(block.c10);
    const float twist = plane.scale11 * static_cast<float>(block.c11);
    const size_t columns = plane.cells.columns();
    const size_t x = size_t{2} * column, y = size_t{2} * row;
    const bool has_right = x + 1 < columns;
    float* means = plane.cells.means.data() + y * columns + x;
    means[0] = mean + across + down + twist;
    if (has_right) means[1] = mean - across + down - twist;
    if (y + 1 >= plane.cells.rows()) return;
    means += columns;
    means[0] = mean + across - down - twist;
    if (has_right) means[1] = mean - across - down + twist;
}

uint64_t JpegHash::Value() const {
    HashGrid grid{};
    for (const Plane& plane : planes_) AddAreaAverages(plane.cells, plane.weight, grid);
    return HashOfGrid(grid);
}

}  // namespace fastload
