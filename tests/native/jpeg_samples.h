// JPEG files of every kind that libjpeg can write, and their coefficients as libjpeg reads them.
#ifndef FASTLOAD_TESTS_NATIVE_JPEG_SAMPLES_H_
#define FASTLOAD_TESTS_NATIVE_JPEG_SAMPLES_H_

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <vector>

#include "jpeg_source.h"
#include "random_source.h"

using Bytes = std::vector<uint8_t>;

struct JpegKind {
    uint32_t width = 64;
    uint32_t height = 64;
    J_COLOR_SPACE colour = JCS_YCbCr;  // of the file
    std::array<int, 3> across = {2, 1, 1};
    std::array<int, 3> down = {2, 1, 1};
    int quality = 90;
    bool small_tables = true;  // quantisation in 8 bits
    bool optimised = false;
    bool progressive = false;
    bool arithmetic = false;
    unsigned restart_interval = 0;
    std::vector<jpeg_scan_info> scans;  // libjpeg's own if empty
};

inline int ChannelsOf(J_COLOR_SPACE colour) {
    return colour == JCS_GRAYSCALE ? 1 : colour == JCS_CMYK || colour == JCS_YCCK ? 4 : 3;
}

inline void SetUp(jpeg_compress_struct& info, const JpegKind& kind) {
    info.image_width = kind.width;
    info.image_height = kind.height;
    info.input_components = ChannelsOf(kind.colour);
    info.in_color_space = kind.colour == JCS_GRAYSCALE   ? JCS_GRAYSCALE
                          : ChannelsOf(kind.colour) == 4 ? JCS_CMYK
                                                         : JCS_RGB;
    jpeg_set_defaults(&info);
    jpeg_set_colorspace(&info, kind.colour);
    jpeg_set_quality(&info, kind.quality, kind.small_tables ? TRUE : FALSE);
    for (int i = 0; i < info.num_components && i < 3; ++i) {
        info.comp_info[i].h_samp_factor = kind.across[static_cast<size_t>(i)];
        info.comp_info[i].v_samp_factor = kind.down[static_cast<size_t>(i)];
    }
    info.optimize_coding = kind.optimised ? TRUE : FALSE;
    info.arith_code = kind.arithmetic ? TRUE : FALSE;
    info.restart_interval = kind.restart_interval;
    if (kind.progressive) jpeg_simple_progression(&info);
    if (!kind.scans.empty()) {
        info.scan_info = kind.scans.data();
        info.num_scans = static_cast<int>(kind.scans.size());
    }
}

// libjpeg's own error handling, which ends the program: these files are meant to be writable. Its
// warnings (of coarse tables) are meant too, and silent.
inline Bytes MakeJpeg(const JpegKind& kind, const Bytes& pixels) {
    jpeg_compress_struct info{};
    jpeg_error_mgr errors;
    info.err = jpeg_std_error(&errors);
    errors.output_message = [](j_common_ptr) {};
    jpeg_create_compress(&info);
    unsigned char* made = nullptr;
    unsigned long size = 0;
    jpeg_mem_dest(&info, &made, &size);
    SetUp(info, kind);
    jpeg_start_compress(&info, TRUE);
    const size_t stride = size_t{kind.width} * static_cast<size_t>(info.input_components);
    while (info.next_scanline < info.image_height) {
        auto* row = const_cast<JSAMPROW>(&pixels[info.next_scanline * stride]);
        jpeg_write_scanlines(&info, &row, 1);
    }
    jpeg_finish_compress(&info);
    jpeg_destroy_compress(&info);
    Bytes bytes(made, made + size);
    std::free(made);
    return bytes;
}

inline Bytes MakeJpeg(const JpegKind& kind, RandomSource& random, uint32_t noise = 12) {
    const auto channels = static_cast<uint32_t>(ChannelsOf(kind.colour));
    return MakeJpeg(kind, random.Picture(kind.width, kind.height, channels, noise, true));
}

// Where a marker's code is; the first one's where there are several, `bytes.size()` for none.
inline size_t FindMarker(const Bytes& bytes, uint8_t code) {
    const std::array<uint8_t, 2> marker = {0xFF, code};
    const auto found = std::search(bytes.begin(), bytes.end(), marker.begin(), marker.end());
    return found == bytes.end() ? bytes.size() : static_cast<size_t>(found - bytes.begin()) + 1;
}

// Without the segments of this marker.
inline Bytes Without(Bytes bytes, uint8_t code) {
    for (size_t at; (at = FindMarker(bytes, code)) < bytes.size();) {
        const auto first = bytes.begin() + static_cast<std::ptrdiff_t>(at) - 1;
        bytes.erase(first, first + 2 + (bytes[at + 1] << 8 | bytes[at + 2]));
    }
    return bytes;
}

// With a frame header, whose code is `frame`, that claims this size.
inline Bytes Claiming(Bytes bytes, uint8_t frame, uint32_t width, uint32_t height) {
    uint8_t* size = &bytes[FindMarker(bytes, frame) + 4];
    for (const uint32_t byte : {height >> 8, height, width >> 8, width})
        *size++ = static_cast<uint8_t>(byte);
    return bytes;
}

inline Bytes WithLastScanTwice(Bytes bytes) {
    const std::array<uint8_t, 2> start = {0xFF, 0xDA};
    const auto end = bytes.end() - 2;  // where the end of image is
    const Bytes scan(std::find_end(bytes.begin(), end, start.begin(), start.end()), end);
    bytes.insert(end, scan.begin(), scan.end());
    return bytes;
}

// What makes the pixels of a JPEG: two that agree in all of it decode alike.
struct JpegContent {
    uint32_t width, height;
    J_COLOR_SPACE colour;
    struct Component {
        uint32_t blocks_across, blocks_down;
        std::array<uint16_t, 64> quant;
        std::vector<int16_t> coefficients;
        bool operator==(const Component&) const = default;
    };
    std::vector<Component> components;
    std::vector<std::array<int, 2>>
        sampling;  // relative to the largest, in twelfths: 2x2 of 2x2 is 1x1
    bool operator==(const JpegContent&) const = default;
};

// Throws where libjpeg fails or warns.
inline JpegContent ContentOf(const Bytes& bytes) {
    fastload::JpegSource source(bytes.data(), bytes.size());
    source.ReadHeader();
    jvirt_barray_ptr* arrays = source.ReadCoefficients();
    const jpeg_decompress_struct& info = source.info();
    JpegContent content = {info.image_width, info.image_height, info.jpeg_color_space, {}, {}};
    for (int i = 0; i < info.num_components; ++i) {
        const jpeg_component_info& layout = info.comp_info[i];
        JpegContent::Component component = {
            layout.width_in_blocks, layout.height_in_blocks, {}, {}};
        for (size_t k = 0; k < 64; ++k) {
            component.quant[k] =
                layout.quant_table == nullptr ? 0 : layout.quant_table->quantval[k];
        }
        for (JDIMENSION row = 0; row < layout.height_in_blocks; ++row) {
            const JCOEF* blocks = source.BlockRow(arrays[i], row)[0];
            component.coefficients.insert(component.coefficients.end(), blocks,
                                          blocks + size_t{64} * layout.width_in_blocks);
        }
        content.components.push_back(std::move(component));
        content.sampling.push_back({12 * layout.h_samp_factor / info.max_h_samp_factor,
                                    12 * layout.v_samp_factor / info.max_v_samp_factor});
    }
    return content;
}

#endif  // FASTLOAD_TESTS_NATIVE_JPEG_SAMPLES_H_
