#include "jpeg_transcode.h"

#include <algorithm>
#include <bit>
#include <optional>
#include <string>
#include <thread>
#include <tuple>

#include "buffer.h"
#include "check.h"
#include "jpeg_coefficients.h"
#include "jpeg_samples.h"
#include "jpeg_scan.h"
#include "jpeg_writer.h"
#include "perceptual_hash.h"

namespace {

using fastload::Buffer;
using fastload::JpegFacts;

Bytes BytesOf(const Buffer& buffer) { return {buffer.data(), buffer.data() + buffer.size()}; }

Bytes Transcoded(const Bytes& source, JpegFacts* facts = nullptr) {
    Buffer out;
    JpegFacts known;
    fastload::TranscodeJpeg(source.data(), source.size(), out, known);
    if (facts != nullptr) *facts = known;
    return BytesOf(out);
}

int32_t TranscodeCode(const Bytes& source, JpegFacts& facts) {
    Buffer out;
    return CodeOf([&] { fastload::TranscodeJpeg(source.data(), source.size(), out, facts); });
}

int32_t TranscodeCode(const Bytes& source) {
    JpegFacts facts;
    return TranscodeCode(source, facts);
}

// A whole walk over the file: the markers that the pack's layout has, in their order, and no
// others.
void CheckLayout(const Bytes& jpeg) {
    fastload::JpegSource source(jpeg.data(), jpeg.size());
    source.ReadHeader();
    const jpeg_decompress_struct& info = source.info();
    const fastload::Frame frame = fastload::FrameOf(info);
    CHECK(!info.progressive_mode && !info.arith_code && info.comps_in_scan == info.num_components);
    CHECK(info.restart_interval == frame.mcus_across);
    const auto scan = static_cast<size_t>(info.src->next_input_byte - jpeg.data());
    uint32_t restarts = 0;
    for (size_t i = scan; i + 1 < jpeg.size(); ++i) {
        if (jpeg[i] != 0xFF || jpeg[i + 1] == 0) continue;
        const bool last = i + 2 == jpeg.size();
        CHECK(jpeg[i + 1] == (last ? 0xD9 : 0xD0 + restarts % 8));
        restarts += last ? 0 : 1;
    }
    CHECK(restarts + 1 == frame.mcus_down);
    std::string markers;
    for (size_t i = 2; i < scan; i += 2 + (size_t{jpeg[i + 2]} << 8 | jpeg[i + 3])) {
        CHECK(jpeg[i] == 0xFF);
        markers += static_cast<char>(jpeg[i + 1]);
    }
    CHECK(markers.front() == (info.jpeg_color_space == JCS_RGB ? '\xEE' : '\xE0'));
    markers.erase(0, 1);
    markers.erase(std::unique(markers.begin(), markers.end()), markers.end());
    CHECK(markers == "\xDB\xC0\xC4\xDD\xDA" || markers == "\xDB\xC1\xC4\xDD\xDA");
}

void CheckLossless(const Bytes& source) {
    JpegFacts facts;
    const Bytes made = Transcoded(source, &facts);
    const JpegContent content = ContentOf(source);
    CHECK(ContentOf(made) == content);
    CHECK(facts.width == content.width && facts.height == content.height);
    CHECK(facts.components == content.components.size());
    CHECK(facts.warnings == 0 && facts.incomplete == 0);
    CheckLayout(made);
    CHECK(Transcoded(made) == made);
}

const std::array<std::array<std::array<int, 3>, 2>, 9> kSamplings = {{
    {{{1, 1, 1}, {1, 1, 1}}},  // 4:4:4
    {{{2, 1, 1}, {1, 1, 1}}},  // 4:2:2
    {{{1, 1, 1}, {2, 1, 1}}},  // 4:4:0
    {{{2, 1, 1}, {2, 1, 1}}},  // 4:2:0
    {{{4, 1, 1}, {1, 1, 1}}},  // 4:1:1
    {{{4, 1, 1}, {2, 1, 1}}},  // 4:1:0
    {{{2, 2, 2}, {1, 1, 1}}},  // 4:4:4 written in pairs
    {{{2, 2, 1}, {2, 1, 1}}},  // chroma of two sizes
    {{{1, 2, 2}, {2, 1, 1}}},  // luma coarser than chroma
}};

void TestSamplingsSizesAndModes() {
    RandomSource random(1);
    for (const auto& sampling : kSamplings) {
        for (const auto [width, height] : std::array<std::array<uint32_t, 2>, 5>{
                 {{1, 1}, {8, 9}, {33, 17}, {64, 64}, {131, 75}}}) {
            for (int mode = 0; mode < 7; ++mode) {
                JpegKind kind;
                kind.width = width;
                kind.height = height;
                kind.across = sampling[0];
                kind.down = sampling[1];
                kind.optimised = mode == 1;
                kind.progressive = mode == 2 || mode == 3;
                kind.arithmetic = mode == 3 || mode == 4;
                kind.restart_interval = mode == 5 ? 1 : mode == 6 ? 5 : 0;
                kind.quality = mode == 1 ? 100 : 85;
                CheckLossless(MakeJpeg(kind, random));
            }
        }
    }
}

void TestGreyAndRgb() {
    RandomSource random(2);
    JpegKind grey;
    grey.colour = JCS_GRAYSCALE;
    grey.width = 77;
    grey.height = 50;
    for (int factor : {1, 2, 4}) {
        grey.across[0] = grey.down[0] = factor;
        CheckLossless(MakeJpeg(grey, random));
    }
    JpegKind rgb;
    rgb.colour = JCS_RGB;
    rgb.width = 50;
    rgb.across = rgb.down = {1, 1, 1};
    CheckLossless(MakeJpeg(rgb, random));
    rgb.across = {2, 2, 1};
    CheckLossless(MakeJpeg(rgb, random));
}

void TestWideTablesAndWideImages() {
    RandomSource random(3);
    JpegKind coarse;
    coarse.quality = 1;
    coarse.small_tables = false;
    const Bytes made = Transcoded(MakeJpeg(coarse, random));
    const std::string text(made.begin(), made.end());
    CHECK(text.find("\xFF\xC1") != std::string::npos);
    CheckLossless(MakeJpeg(coarse, random));
    JpegKind wide;
    wide.colour = JCS_GRAYSCALE;
    wide.across[0] = wide.down[0] = 1;
    wide.width = 65500;
    wide.height = 9;
    CheckLossless(MakeJpeg(wide, random));
    std::swap(wide.width, wide.height);
    CheckLossless(MakeJpeg(wide, random));
}

void TestScansOneByOne() {
    RandomSource random(4);
    JpegKind kind;
    kind.width = 75;
    kind.scans = {{1, {0, 0, 0, 0}, 0, 63, 0, 0},
                  {1, {2, 0, 0, 0}, 0, 63, 0, 0},
                  {1, {1, 0, 0, 0}, 0, 63, 0, 0}};
    CheckLossless(MakeJpeg(kind, random));
}

// The way past the coefficients writes the very bytes that the way through them does.
void TestBothWaysAgree() {
    RandomSource random(5);
    for (const auto& sampling : kSamplings) {
        JpegKind kind;
        kind.width = 120;
        kind.height = 70;
        kind.across = sampling[0];
        kind.down = sampling[1];
        kind.quality = 60 + static_cast<int>(random.Below(41));
        const Bytes bytes = MakeJpeg(kind, random);
        fastload::JpegSource source(bytes.data(), bytes.size());
        source.ReadHeader();
        fastload::Frame frame = fastload::FrameOf(source.info());
        if (!fastload::IsPlainScan(source.info(), frame)) {
            CHECK(kind.across[2] == 2 && kind.across[0] == 2);  // whose MCUs are two of the frame's
            continue;
        }
        std::array<const JQUANT_TBL*, 3> tables;
        for (size_t i = 0; i < 3; ++i) {
            tables[i] = source.info().quant_tbl_ptrs[source.info().comp_info[i].quant_tbl_no];
        }
        fastload::SetQuantTables(tables, frame);
        fastload::TokenStream from_scan, from_coefficients;
        fastload::JpegHash scan_hash(frame), coefficient_hash(frame);
        CHECK(fastload::TokensOfScan(source.info(), frame, from_scan, scan_hash));
        fastload::TokensOfCoefficients(source, source.ReadCoefficients(), frame, from_coefficients,
                                       coefficient_hash);
        Buffer a, b;
        fastload::WriteJpeg(frame, from_scan, a);
        fastload::WriteJpeg(frame, from_coefficients, b);
        CHECK(BytesOf(a) == BytesOf(b));
        CHECK(scan_hash.Value() == coefficient_hash.Value());
    }
}

void TestTrailingBytes() {
    RandomSource random(6);
    Bytes bytes = MakeJpeg(JpegKind(), random);
    const Bytes expected = Transcoded(bytes);
    bytes.insert(bytes.end(), 1000, 0xFF);
    CHECK(Transcoded(bytes) == expected);
}

void TestRefusals() {
    RandomSource random(7);
    JpegKind cmyk;
    cmyk.across = cmyk.down = {1, 1, 1};
    for (J_COLOR_SPACE colour : {JCS_CMYK, JCS_YCCK}) {
        cmyk.colour = colour;
        CHECK(TranscodeCode(MakeJpeg(cmyk, random)) == FL_JPEG_UNSUPPORTED);
    }

    JpegKind unrefined;  // as a progressive file that was cut between two scans
    unrefined.scans = {{3, {0, 1, 2, 0}, 0, 0, 0, 0},
                       {1, {0, 0, 0, 0}, 1, 63, 0, 1},
                       {1, {1, 0, 0, 0}, 1, 63, 0, 0},
                       {1, {2, 0, 0, 0}, 1, 63, 0, 0}};
    JpegFacts facts;
    CHECK(TranscodeCode(MakeJpeg(unrefined, random), facts) == FL_JPEG_INCOMPLETE);
    CHECK(facts.incomplete == 1 && facts.width == 64);

    const Bytes good = MakeJpeg(JpegKind(), random);
    for (size_t size = good.size() - 1; size > 800; size -= 97) {
        facts = {};
        CHECK(TranscodeCode(Bytes(good.begin(), good.begin() + static_cast<ptrdiff_t>(size)),
                            facts) == FL_JPEG_WARNING);
        CHECK(facts.warnings == 1);
    }
    // libjpeg reads ahead and does not miss a few bytes; more of them it mentions.
    Bytes extra = good;
    extra.insert(extra.end() - 2, 3, 0x55);
    CheckLossless(extra);
    extra.insert(extra.end() - 2, 40, 0x55);
    CHECK(TranscodeCode(extra) == FL_JPEG_WARNING);
    CHECK(TranscodeCode({}) == FL_CORRUPT);
    CHECK(TranscodeCode({0xFF, 0xD8}) != FL_OK);
    CHECK(TranscodeCode(random.Bytes(5000)) == FL_CORRUPT);
}

// A few bytes that claim to be the largest image that there is must not cost its memory.
void TestFalseSize() {
    RandomSource random(12);
    for (const auto& [frame, progressive, arithmetic] :
         {std::tuple<uint8_t, bool, bool>{0xC0, false, false},
          {0xC2, true, false},
          {0xC9, false, true},
          {0xCA, true, true}}) {
        JpegKind kind;
        kind.progressive = progressive;
        kind.arithmetic = arithmetic;
        const Bytes bytes = Claiming(MakeJpeg(kind, random), frame, 65500, 65500);
        CHECK(TranscodeCode(bytes) == FL_JPEG_WARNING);
        const std::string message = MessageOf([&] { Transcoded(bytes); });
        CHECK(message.find("cannot hold 65500x65500 pixels") != std::string::npos);
    }
}

// Nor must each of many scans, which may be short, cost a walk over all blocks.
void TestScansWithoutEnd() {
    RandomSource random(15);
    JpegKind kind;
    kind.scans = {{1, {0, 0, 0, 0}, 0, 63, 0, 0},
                  {1, {1, 0, 0, 0}, 0, 63, 0, 0},
                  {1, {2, 0, 0, 0}, 0, 63, 0, 0}};
    const Bytes bytes = MakeJpeg(kind, random);
    CheckLossless(bytes);
    CHECK(TranscodeCode(WithLastScanTwice(bytes)) == FL_CORRUPT);
}

// Every coefficient alone, bit after bit.
Bytes ScanByScan(RandomSource& random, int bits) {
    JpegKind kind;
    kind.across = kind.down = {1, 1, 1};
    for (int i = 0; i < 3; ++i) {
        kind.scans.push_back({1, {i, 0, 0, 0}, 0, 0, 0, 0});
        for (int place = 1; place < 64; ++place) {
            kind.scans.push_back({1, {i, 0, 0, 0}, place, place, 0, bits});
            for (int bit = bits; bit > 0; --bit)
                kind.scans.push_back({1, {i, 0, 0, 0}, place, place, bit, bit - 1});
        }
    }
    return MakeJpeg(kind, random);
}

void TestProgressiveScansWithoutEnd() {
    RandomSource random(16);
    CheckLossless(ScanByScan(random, 1));                       // 381 scans
    CHECK(TranscodeCode(ScanByScan(random, 2)) == FL_CORRUPT);  // 570
}

// Arithmetic coding makes next to nothing of an even image, which is believed up to some size.
void TestEvenImage() {
    JpegKind kind;
    kind.colour = JCS_GRAYSCALE;
    kind.width = kind.height = 2048;
    kind.across[0] = kind.down[0] = 1;
    kind.arithmetic = true;
    const Bytes even = MakeJpeg(kind, Bytes(size_t{2048} * 2048, 200));
    CHECK(even.size() < 1000);
    CheckLossless(even);
}

// libjpeg makes no pixels of factors like 3 to 2, though it reads the coefficients. Nor does it
// write any: here the blocks of one MCU, 4 + 1 + 1, are said to be 3 + 2 + 1.
void TestFactorsThatNobodyDecodes() {
    RandomSource random(13);
    for (const bool across : {true, false}) {
        JpegKind kind;
        kind.width = kind.height = 8;
        kind.colour = JCS_RGB;  // the tables are the same for all components
        kind.across = kind.down = {1, 1, 1};
        (across ? kind.across : kind.down)[0] = 4;
        Bytes bytes = MakeJpeg(kind, random);
        CheckLossless(bytes);
        uint8_t* const components = &bytes[FindMarker(bytes, 0xC0) + 9];
        components[1] = across ? 0x31 : 0x13;
        components[4] = across ? 0x21 : 0x12;
        CHECK(ContentOf(bytes).components[1].blocks_across == 1);
        CHECK(TranscodeCode(bytes) == FL_JPEG_UNSUPPORTED);
    }
}

// What libjpeg reads and jpeg_layout.h does not: as it is, nobody could decode it.
void TestHeadersThatAreReadOnce() {
    RandomSource random(14);
    Bytes bytes = MakeJpeg(JpegKind(), random);
    CheckLossless(bytes);
    bytes.insert(bytes.begin() + 2, {0xFF, 0xFE, 0, 0});  // a comment shorter than its length
    CHECK(ContentOf(bytes).width == 64);
    CHECK(TranscodeCode(bytes) == FL_CORRUPT);
}

// A file whose coefficients are `source`'s, but for one that is `value`; arithmetic coding takes
// any size.
Bytes WithCoefficient(const Bytes& source, size_t place, JCOEF value) {
    jpeg_decompress_struct in{};
    jpeg_compress_struct out{};
    jpeg_error_mgr errors;
    in.err = out.err = jpeg_std_error(&errors);
    jpeg_create_decompress(&in);
    jpeg_create_compress(&out);
    jpeg_mem_src(&in, source.data(), source.size());
    jpeg_read_header(&in, TRUE);
    jvirt_barray_ptr* arrays = jpeg_read_coefficients(&in);
    auto* common = reinterpret_cast<j_common_ptr>(&in);
    in.mem->access_virt_barray(common, arrays[0], 0, 1, TRUE)[0][0][place] = value;
    unsigned char* made = nullptr;
    unsigned long size = 0;
    jpeg_mem_dest(&out, &made, &size);
    jpeg_copy_critical_parameters(&in, &out);
    out.arith_code = TRUE;
    jpeg_write_coefficients(&out, arrays);
    jpeg_finish_compress(&out);
    jpeg_destroy_compress(&out);
    jpeg_destroy_decompress(&in);
    Bytes bytes(made, made + size);
    std::free(made);
    return bytes;
}

void TestLargeCoefficients() {
    RandomSource random(8);
    const Bytes source = MakeJpeg(JpegKind(), random);
    for (JCOEF value : {1023, -1023}) CheckLossless(WithCoefficient(source, 9, value));
    for (JCOEF value : {1024, -1024, 20000}) {
        CHECK(TranscodeCode(WithCoefficient(source, 9, value)) == FL_JPEG_NOT_BASELINE);
    }
    for (JCOEF value : {2047, -2047})
        CHECK(ContentOf(WithCoefficient(source, 0, value)).width == 64);
    CHECK(TranscodeCode(WithCoefficient(source, 0, 2048)) == FL_JPEG_NOT_BASELINE);
}

// Whatever happens to the bytes: a code, or the very coefficients that libjpeg reads without a
// warning.
void TestDamage() {
    RandomSource random(9);
    int passed = 0;
    for (int trial = 0; trial < 1500; ++trial) {
        JpegKind kind;
        kind.width = 24 + random.Below(40);
        kind.height = 24 + random.Below(40);
        kind.across = kSamplings[random.Below(kSamplings.size())][0];
        kind.restart_interval = random.Below(3) == 0 ? 1 + random.Below(6) : 0;
        kind.progressive = random.Below(4) == 0;
        kind.arithmetic = random.Below(8) == 0;
        Bytes bytes = MakeJpeg(kind, random, 40);
        const uint32_t hits = 1 + random.Below(3);
        for (uint32_t i = 0; i < hits; ++i) {
            bytes[random.Below(static_cast<uint32_t>(bytes.size()))] ^=
                static_cast<uint8_t>(1 + random.Below(255));
        }
        if (random.Below(4) == 0)
            bytes.resize(random.Below(static_cast<uint32_t>(bytes.size())) + 1);
        bytes.shrink_to_fit();
        std::optional<Bytes> made;
        const int32_t code = CodeOf([&] { made = Transcoded(bytes); });
        CHECK(code == FL_OK || code == FL_CORRUPT || code >= FL_JPEG_WARNING);
        if (!made) continue;
        ++passed;
        CHECK(ContentOf(*made) == ContentOf(bytes));
    }
    CHECK(passed > 50);
}

void TestHashOfCoefficients() {
    RandomSource random(10);
    for (uint32_t channels : {1u, 3u}) {
        for (int trial = 0; trial < 20; ++trial) {
            JpegKind kind;
            kind.colour = channels == 1 ? JCS_GRAYSCALE : JCS_YCbCr;
            kind.width = 64 + random.Below(200);
            kind.height = 64 + random.Below(200);
            const Bytes pixels = random.Picture(kind.width, kind.height, channels, 20, false);
            JpegFacts facts;
            Transcoded(MakeJpeg(kind, pixels), &facts);
            const uint64_t hash = fastload::PerceptualHash(pixels.data(), kind.width, kind.height,
                                                           channels, size_t{kind.width} * channels);
            CHECK(std::popcount(hash ^ facts.perceptual_hash) <= 4);
        }
    }
}

void TestThreadsAgree() {
    RandomSource random(11);
    const Bytes source = MakeJpeg(JpegKind(), random), expected = Transcoded(source);
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) {
        threads.emplace_back([&] {
            for (int k = 0; k < 20; ++k) CHECK(Transcoded(source) == expected);
        });
    }
    for (std::thread& thread : threads) thread.join();
}

}  // namespace

int main() {
    TestSamplingsSizesAndModes();
    TestGreyAndRgb();
    TestWideTablesAndWideImages();
    TestScansOneByOne();
    TestBothWaysAgree();
    TestTrailingBytes();
    TestRefusals();
    TestFalseSize();
    TestScansWithoutEnd();
    TestProgressiveScansWithoutEnd();
    TestEvenImage();
    TestFactorsThatNobodyDecodes();
    TestHeadersThatAreReadOnce();
    TestLargeCoefficients();
    TestDamage();
    TestHashOfCoefficients();
    TestThreadsAgree();
    return Verdict();
}
