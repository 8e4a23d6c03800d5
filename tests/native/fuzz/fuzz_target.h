// What the fuzz targets have in common: how they say that something must hold, and what they decode
// of an image.
#ifndef FASTLOAD_TESTS_NATIVE_FUZZ_FUZZ_TARGET_H_
#define FASTLOAD_TESTS_NATIVE_FUZZ_FUZZ_TARGET_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <stdexcept>
#include <string>

#include "../regions.h"
#include "crc32c.h"

// Tries one input; libFuzzer's name for it. Throws std::logic_error where something does not hold.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

#define REQUIRE(condition)                                                   \
    do {                                                                     \
        if (!(condition))                                                    \
            throw std::logic_error(__FILE__ ":" + std::to_string(__LINE__) + \
                                   ": not so: " #condition);                 \
    } while (false)

inline bool IsOneOf(int32_t code, std::initializer_list<int32_t> allowed) {
    return std::find(allowed.begin(), allowed.end(), code) != allowed.end();
}

// Larger images are decoded in small boxes only: all their pixels take too long to compare.
inline constexpr int64_t kMostPixels = int64_t{1} << 17;

inline bool IsSmall(int32_t width, int32_t height) {
    return int64_t{width} * height <= kMostPixels;
}

// A choice of boxes and the like that is the same whenever an input is tried again.
inline RandomSource ChoiceOf(const uint8_t* data, size_t size) {
    return RandomSource(fastload::Crc32c(data, size));
}

// A box of any size in a small image, else one of up to 64 x 64 pixels anywhere.
inline Box SomeBox(RandomSource& random, int32_t width, int32_t height) {
    if (IsSmall(width, height)) return RandomBox(random, width, height);
    const int32_t most_across = std::min(width, 64), most_down = std::min(height, 64);
    Box box = RandomBox(random, most_across, most_down);
    box.left += Between(random, 0, width - most_across);
    box.top += Between(random, 0, height - most_down);
    return box;
}

// What decoding a box ended with; all of its pixels where that is FL_OK.
struct Decoded {
    int32_t code;
    Bytes pixels;
};

// `decode` is given a RowSink.
template <typename Decode>
Decoded PixelsOf(Box box, int32_t channels, Decode&& decode) {
    Collector rows(static_cast<size_t>(box.width) * static_cast<size_t>(channels));
    const int32_t code = CodeOf([&] { decode(rows); });
    if (code == FL_OK)
        REQUIRE(rows.pixels.size() == rows.row_size * static_cast<size_t>(box.height));
    return {code, std::move(rows.pixels)};
}

#endif  // FASTLOAD_TESTS_NATIVE_FUZZ_FUZZ_TARGET_H_
