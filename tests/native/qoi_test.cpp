#include "qoi.h"

#include <algorithm>
#include <array>
#include <memory>
#include <vector>

#include "check.h"
#include "random_source.h"

namespace {

using fastload::Buffer;

std::vector<uint8_t> Encoded(const std::vector<uint8_t>& rgb, uint32_t width, uint32_t height) {
    Buffer out;
    fastload::EncodeQoi(rgb.data(), width, height, size_t{3} * width, out);
    return {out.data(), out.data() + out.size()};
}

// In a block of its own, so that a sanitizer sees any step outside.
std::unique_ptr<uint8_t[]> Alone(const std::vector<uint8_t>& bytes) {
    auto copy = std::make_unique<uint8_t[]>(bytes.size());
    std::copy(bytes.begin(), bytes.end(), copy.get());
    return copy;
}

int32_t DecodeCode(const std::vector<uint8_t>& bytes, std::vector<uint8_t>& out, size_t stride,
                   uint32_t row0, uint32_t row1) {
    const auto file = Alone(bytes);
    return CodeOf(
        [&] { fastload::DecodeQoi(file.get(), bytes.size(), out.data(), stride, row0, row1); });
}

void TestRoundTrips() {
    RandomSource random(1);
    for (uint32_t noise : {0u, 1u, 3u, 20u, 255u}) {
        for (const auto [width, height] : std::array<std::array<uint32_t, 2>, 6>{
                 {{1, 1}, {1, 70}, {70, 1}, {63, 5}, {64, 64}, {97, 41}}}) {
            for (bool flat : {false, true}) {
                const auto rgb = random.Picture(width, height, 3, noise, flat);
                const auto file = Encoded(rgb, width, height);
                std::vector<uint8_t> back(rgb.size());
                CHECK(DecodeCode(file, back, size_t{3} * width, 0, height) == FL_OK);
                CHECK(back == rgb);
            }
        }
    }
}

void TestHeader() {
    const auto file = Encoded(std::vector<uint8_t>(3 * 7 * 5, 9), 7, 5);
    const fastload::QoiHeader header = fastload::ReadQoiHeader(file.data(), file.size());
    CHECK(header.width == 7 && header.height == 5 && header.channels == 3 &&
          header.colorspace == 0);
    CHECK(std::equal(file.end() - 8, file.end(),
                     std::array<uint8_t, 8>{0, 0, 0, 0, 0, 0, 0, 1}.begin()));
    const auto code_with = [&](size_t place, uint8_t byte) {
        auto damaged = file;
        damaged[place] = byte;
        return CodeOf([&] { (void)fastload::ReadQoiHeader(damaged.data(), damaged.size()); });
    };
    CHECK(code_with(0, 'Q') == FL_CORRUPT);
    CHECK(code_with(7, 0) == FL_CORRUPT);     // no width
    CHECK(code_with(11, 0) == FL_CORRUPT);    // no height
    CHECK(code_with(4, 0xFF) == FL_CORRUPT);  // more pixels than the bytes can hold
    CHECK(code_with(12, 5) == FL_CORRUPT);
    CHECK(code_with(13, 2) == FL_CORRUPT);
    CHECK(CodeOf([&] { (void)fastload::ReadQoiHeader(file.data(), 21); }) == FL_CORRUPT);
}

// Only the rows asked for are written, wherever runs cross them, and nothing between two rows of a
// wide stride.
void TestRowRanges() {
    RandomSource random(2);
    const uint32_t width = 50, height = 40;
    const size_t stride = 3 * width + 7;
    const auto rgb = random.Picture(width, height, 3, 2, true);
    const auto file = Encoded(rgb, width, height);
    for (int trial = 0; trial < 200; ++trial) {
        const uint32_t row0 = random.Below(height + 1),
                       row1 = row0 + random.Below(height - row0 + 1);
        const uint32_t rows = row1 - row0;
        std::vector<uint8_t> expected(rows * stride + 5, 0xA5), out = expected;
        for (uint32_t row = 0; row < rows; ++row) {
            std::copy_n(&rgb[size_t{3} * width * (row0 + row)], size_t{3} * width,
                        &expected[row * stride]);
        }
        CHECK(DecodeCode(file, out, stride, row0, row1) == FL_OK);
        CHECK(out == expected);
    }
    std::vector<uint8_t> out(height * stride);
    CHECK(DecodeCode(file, out, stride, 3, 2) == FL_BAD_ARGUMENT);
    CHECK(DecodeCode(file, out, stride, 0, height + 1) == FL_BAD_ARGUMENT);
}

// A run that ends with the chunk stream's last pixel, chunks after it, and a stream that is too
// short.
void TestStrictEnds() {
    const std::vector<uint8_t> header = {'q', 'o', 'i', 'f', 0, 0, 0, 4, 0, 0, 0, 1, 3, 0};
    const std::vector<uint8_t> end_mark = {0, 0, 0, 0, 0, 0, 0, 1};
    const auto code_of = [&](std::vector<uint8_t> chunks, std::vector<uint8_t> mark) {
        std::vector<uint8_t> file = header, out(12);
        file.insert(file.end(), chunks.begin(), chunks.end());
        file.insert(file.end(), mark.begin(), mark.end());
        return DecodeCode(file, out, 12, 0, 1);
    };
    CHECK(code_of({0xC3}, end_mark) == FL_OK);
    CHECK(code_of({0xC2}, end_mark) == FL_CORRUPT);
    CHECK(code_of({0xC4}, end_mark) == FL_CORRUPT);
    CHECK(code_of({0xC3, 0xC0}, end_mark) == FL_CORRUPT);
    CHECK(code_of({0xC2, 0xFE, 1, 2, 3}, end_mark) == FL_OK);
    CHECK(code_of({0xC2, 0xFE, 1, 2}, end_mark) == FL_CORRUPT);
    CHECK(code_of({0xC3}, {0, 0, 0, 0, 0, 0, 0, 2}) == FL_CORRUPT);
}

// Any bytes end in a result or in FL_CORRUPT; sanitizers watch the rest.
void TestDamage() {
    RandomSource random(3);
    const uint32_t width = 33, height = 21;
    for (int trial = 0; trial < 3000; ++trial) {
        auto file =
            Encoded(random.Picture(width, height, 3, random.Below(30), true), width, height);
        const uint32_t hits = 1 + random.Below(8);
        for (uint32_t i = 0; i < hits; ++i) {
            file[14 + random.Below(static_cast<uint32_t>(file.size()) - 14)] =
                static_cast<uint8_t>(random.Below(256));
        }
        if (random.Below(2) == 0)
            file.resize(14 + random.Below(static_cast<uint32_t>(file.size()) - 13));
        std::vector<uint8_t> out(size_t{3} * width * height);
        const int32_t code = DecodeCode(file, out, size_t{3} * width, random.Below(height), height);
        CHECK(code == FL_OK || code == FL_CORRUPT);
    }
}

// Files as other encoders may write them: 4 channels, INDEX before any pixel.
void TestForeignChunks() {
    const std::vector<uint8_t> file = {'q', 'o', 'i',  'f',  0,  0,  0,  4,  0,    0,    0,
                                       1,   4,   0,    0xFF, 10, 20, 30, 40, 0x05, 0xFE, 7,
                                       8,   9,   0x6A, 0,    0,  0,  0,  0,  0,    0,    1};
    std::vector<uint8_t> out(12);
    CHECK(DecodeCode(file, out, 12, 0, 1) == FL_OK);
    CHECK((out == std::vector<uint8_t>{10, 20, 30, 0, 0, 0, 7, 8, 9, 7, 8, 9}));
}

void TestEncoderRefusals() {
    Buffer out;
    const uint8_t pixel[3] = {};
    CHECK(CodeOf([&] { fastload::EncodeQoi(pixel, 0, 1, 3, out); }) == FL_BAD_ARGUMENT);
    CHECK(CodeOf([&] { fastload::EncodeQoi(pixel, ~0u, ~0u, 3, out); }) == FL_BAD_ARGUMENT);
}

}  // namespace

int main() {
    TestRoundTrips();
    TestHeader();
    TestRowRanges();
    TestStrictEnds();
    TestDamage();
    TestForeignChunks();
    TestEncoderRefusals();
    return Verdict();
}
