// Test data: the same numbers on every machine.
#ifndef FASTLOAD_TESTS_NATIVE_RANDOM_SOURCE_H_
#define FASTLOAD_TESTS_NATIVE_RANDOM_SOURCE_H_

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <random>
#include <vector>

class RandomSource {
  public:
    explicit RandomSource(uint32_t seed) : engine_(seed) {}

    // 0 .. bound - 1.
    uint32_t Below(uint32_t bound) { return static_cast<uint32_t>(engine_() % bound); }

    std::vector<uint8_t> Bytes(size_t count) {
        std::vector<uint8_t> bytes(count);
        for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(engine_());
        return bytes;
    }

    // Waves, noise of up to +-`noise` levels and, if `flat`, even patches: a picture with all that
    // codecs tell apart.
    std::vector<uint8_t> Picture(uint32_t width, uint32_t height, uint32_t channels, uint32_t noise,
                                 bool flat) {
        std::vector<uint8_t> pixels(size_t{width} * height * channels);
        const double fx = 0.02 + 0.001 * Below(100), fy = 0.02 + 0.001 * Below(100);
        for (uint32_t y = 0; y < height; ++y) {
            for (uint32_t x = 0; x < width; ++x) {
                for (uint32_t c = 0; c < channels; ++c) {
                    const double wave =
                        128 + 90 * std::sin(fx * x + c) * std::cos(fy * y + 0.5 * c);
                    const double dirt = static_cast<double>(Below(2 * noise + 1)) - noise;
                    const bool patch = flat && ((x / 16 + y / 16) & 1) != 0;
                    const double level = patch ? 200 : std::fmin(255, std::fmax(0, wave + dirt));
                    pixels[(size_t{y} * width + x) * channels + c] = static_cast<uint8_t>(level);
                }
            }
        }
        return pixels;
    }

  private:
    std::mt19937 engine_;
};

#endif  // FASTLOAD_TESTS_NATIVE_RANDOM_SOURCE_H_
