// Boxes of pictures: what decoding them has to give, and by what files to try it.
#ifndef FASTLOAD_TESTS_NATIVE_REGIONS_H_
#define FASTLOAD_TESTS_NATIVE_REGIONS_H_

#include <cstring>

#include "box.h"
#include "check.h"
#include "jpeg_layout.h"
#include "jpeg_samples.h"
#include "jpeg_transcode.h"
#include "row_sink.h"

using fastload::Box;

struct Picture {
    int32_t width = 0, height = 0, channels = 0;
    Bytes pixels;
};

// By libjpeg alone, warnings counting as they come.
inline Picture WholeOf(const Bytes& file) {
    jpeg_decompress_struct info{};
    jpeg_error_mgr errors;
    info.err = jpeg_std_error(&errors);
    jpeg_create_decompress(&info);
    jpeg_mem_src(&info, file.data(), file.size());
    jpeg_read_header(&info, TRUE);
    jpeg_start_decompress(&info);
    Picture whole = {static_cast<int32_t>(info.output_width),
                     static_cast<int32_t>(info.output_height),
                     info.output_components,
                     {}};
    const size_t stride = size_t{info.output_width} * static_cast<size_t>(info.output_components);
    whole.pixels.resize(stride * info.output_height);
    while (info.output_scanline < info.output_height) {
        JSAMPROW row = &whole.pixels[stride * info.output_scanline];
        jpeg_read_scanlines(&info, &row, 1);
    }
    jpeg_destroy_decompress(&info);
    return whole;
}

struct Collector final : fastload::RowSink {
    explicit Collector(size_t bytes_of_row) : row_size(bytes_of_row) {}
    void Rows(const uint8_t* row, ptrdiff_t stride, int32_t count) override {
        for (int32_t i = 0; i < count; ++i, row += stride) {
            pixels.insert(pixels.end(), row, row + row_size);
            for (size_t k = 0; k < 128; ++k) past_rows += row[row_size + k];
        }
        ++batches;
    }
    size_t row_size;
    Bytes pixels;
    uint64_t past_rows = 0;
    int32_t batches = 0;
};

inline Bytes RegionOf(const Picture& whole, Box box) {
    Bytes pixels;
    const auto channels = static_cast<size_t>(whole.channels);
    for (int32_t y = box.top; y < box.top + box.height; ++y) {
        const uint8_t* row =
            &whole.pixels[static_cast<size_t>(y * whole.width + box.left) * channels];
        pixels.insert(pixels.end(), row, row + static_cast<size_t>(box.width) * channels);
    }
    return pixels;
}

inline int32_t Between(RandomSource& random, int32_t low, int32_t high) {
    return low + static_cast<int32_t>(random.Below(static_cast<uint32_t>(high - low + 1)));
}

// Small boxes as often as large ones; corners and edges of the image often.
inline Box RandomBox(RandomSource& random, int32_t width, int32_t height) {
    const auto span = [&](int32_t size, int32_t& start, int32_t& length) {
        length = Between(random, 1, random.Below(2) == 0 ? std::min(size, 12) : size);
        start = random.Below(4) == 0 ? size - length : Between(random, 0, size - length);
    };
    Box box{};
    span(width, box.left, box.width);
    span(height, box.top, box.height);
    return box;
}

inline Bytes Seekable(const Bytes& file) {
    fastload::Buffer out;
    fastload::JpegFacts facts;
    fastload::TranscodeJpeg(file.data(), file.size(), out, facts);
    Bytes bytes(out.data(), out.data() + out.size());
    CHECK(fastload::ReadJpegLayout(bytes.data(), bytes.size()).seekable);
    return bytes;
}

struct Sampling {
    const char* name;
    int across, down;
    J_COLOR_SPACE colour = JCS_YCbCr;
};

constexpr Sampling kSamplings[] = {{"4:4:4", 1, 1},
                                   {"4:2:2", 2, 1},
                                   {"4:4:0", 1, 2},
                                   {"4:2:0", 2, 2},
                                   {"4:1:1", 4, 1},
                                   {"1x4", 1, 4},
                                   {"grey", 1, 1, JCS_GRAYSCALE},
                                   {"RGB", 1, 1, JCS_RGB}};

inline JpegKind KindOf(const Sampling& sampling, uint32_t width, uint32_t height) {
    JpegKind kind;
    kind.width = width;
    kind.height = height;
    kind.colour = sampling.colour;
    kind.across[0] = sampling.across;
    kind.down[0] = sampling.down;
    return kind;
}

#endif  // FASTLOAD_TESTS_NATIVE_REGIONS_H_
