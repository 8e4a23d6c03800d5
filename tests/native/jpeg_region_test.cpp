#include "jpeg_region.h"

#include <initializer_list>
#include <string>
#include <tuple>

#include "check.h"
#include "regions.h"

namespace {

void DecodeRegion(const Bytes& file, Box box, fastload::RowSink& sink) {
    const auto layout = fastload::ReadJpegLayout(file.data(), file.size());
    fastload::DecodeJpegRegion(file.data(), file.size(), layout, box, sink);
}

void CheckBoxes(const Bytes& file, RandomSource& random, int count, const std::string& name) {
    const fastload::JpegLayout size = fastload::ReadJpegLayout(file.data(), file.size());
    const Picture whole = WholeOf(file);
    CHECK(whole.channels == size.component_count);
    CHECK(whole.width == size.width && whole.height == size.height);
    for (int i = 0; i < count; ++i) {
        const Box box = i == 0 ? Box{0, 0, whole.width, whole.height}
                               : RandomBox(random, whole.width, whole.height);
        Collector got(static_cast<size_t>(box.width) * static_cast<size_t>(whole.channels));
        int32_t code = FL_OK;
        try {
            DecodeRegion(file, box, got);
        } catch (const fastload::Failure& failure) {
            std::fprintf(stderr, "%s\n", failure.what());
            code = failure.code();
        }
        const bool same = code == FL_OK && got.pixels == RegionOf(whole, box);
        CHECK(same);
        CHECK(got.batches <= box.height / 16 + 2);
        if (same) continue;
        std::fprintf(stderr, "%s %dx%d: box %d %d %d %d\n", name.c_str(), size.width, size.height,
                     box.left, box.top, box.width, box.height);
        return;
    }
}

// A thousand boxes of each sampling.
void TestSamplings() {
    RandomSource random(1);
    for (const Sampling& sampling : kSamplings) {
        for (int round = 0; round < 12; ++round) {
            const auto most = round < 6 ? 40u : 220u;
            const JpegKind kind = KindOf(sampling, 1 + random.Below(most), 1 + random.Below(most));
            CheckBoxes(Seekable(MakeJpeg(kind, random, 40)), random, 84, sampling.name);
        }
    }
}

void TestVerbatim() {
    RandomSource random(2);
    for (int way = 0; way < 4; ++way) {
        JpegKind kind = KindOf(kSamplings[3], 93, 71);
        kind.progressive = way == 1;
        kind.restart_interval = way == 2 ? 4 : 0;
        kind.arithmetic = way == 3;
        const Bytes file = MakeJpeg(kind, random);
        CHECK(!fastload::ReadJpegLayout(file.data(), file.size()).seekable);
        CheckBoxes(file, random, 30, "verbatim");
    }
}

int32_t CodeOfDecoding(const Bytes& file, Box box) {
    Collector got(static_cast<size_t>(box.width) * 3);
    return CodeOf([&] { DecodeRegion(file, box, got); });
}

void TestCorruption() {
    RandomSource random(4);
    const Bytes file = Seekable(MakeJpeg(KindOf(kSamplings[3], 150, 130), random, 60));
    const Box all = {0, 0, 150, 130};
    const size_t scan_at = fastload::ReadJpegLayout(file.data(), file.size()).scan_at;
    CHECK(CodeOfDecoding(file, all) == FL_OK);
    for (size_t size = 0; size < scan_at; ++size) {
        CHECK(CodeOfDecoding(Bytes(file.begin(), file.begin() + static_cast<ptrdiff_t>(size)),
                             all) != FL_OK);
    }
    for (size_t kept : {scan_at, scan_at + 1, (scan_at + file.size()) / 2, file.size() - 40}) {
        CHECK(CodeOfDecoding(Bytes(file.begin(), file.begin() + static_cast<ptrdiff_t>(kept)),
                             all) != FL_OK);
    }
    std::vector<size_t> starts;
    const auto layout = fastload::ReadJpegLayout(file.data(), file.size());
    fastload::FindMcuRows(file.data(), file.size(), layout, 0, layout.mcu_rows, starts);
    Bytes renumbered = file;
    renumbered[starts[3] - 1] ^= 1;
    CHECK(CodeOfDecoding(renumbered, all) == FL_CORRUPT);
    CHECK(CodeOfDecoding(renumbered, {0, 0, 150, 20}) == FL_OK);  // not read that far
    Bytes lengthened = file;
    lengthened.insert(lengthened.begin() + static_cast<ptrdiff_t>(starts[3] - 2), 9, 0x55);
    CHECK(CodeOfDecoding(lengthened, all) == FL_JPEG_WARNING);
    Bytes shortened = file;
    shortened.erase(shortened.begin() + static_cast<ptrdiff_t>(starts[2]),
                    shortened.begin() + static_cast<ptrdiff_t>(starts[3] - 2));
    CHECK(CodeOfDecoding(shortened, all) == FL_JPEG_WARNING);
    CHECK(CodeOfDecoding(shortened, {0, 0, 10, 130}) == FL_JPEG_WARNING);
    // Damage anywhere: failing or not, nothing is read or written out of place.
    for (int round = 0; round < 300; ++round) {
        Bytes damaged = file;
        for (int k = 0; k < 3; ++k) {
            damaged[random.Below(static_cast<uint32_t>(file.size()))] =
                static_cast<uint8_t>(random.Below(256));
        }
        CodeOfDecoding(damaged, RandomBox(random, 150, 130));
    }
    CHECK(CodeOfDecoding(file, all) == FL_OK);  // the decompressor outlived it all
}

// An image without its own tables gets none from those before it on the thread, and their warnings
// are not its own.
void TestImagesOfAThread() {
    RandomSource random(8);
    const Bytes whole = MakeJpeg(KindOf(kSamplings[3], 50, 40), random);
    const Bytes bare = Without(whole, 0xDB);
    Bytes cut = whole;
    cut.resize(whole.size() - 40);
    const Box box = {0, 0, 50, 40};
    CHECK(CodeOfDecoding(bare, box) == FL_CORRUPT);
    CHECK(CodeOfDecoding(whole, box) == FL_OK);
    CHECK(CodeOfDecoding(bare, box) == FL_CORRUPT);
    CHECK(CodeOfDecoding(cut, box) == FL_JPEG_WARNING);
    CHECK(CodeOfDecoding(bare, box) == FL_CORRUPT);
}

// A frame of Motion JPEG has no Huffman tables: all have those of T.81 K.3, which libjpeg knows.
void TestMissingHuffmanTables() {
    RandomSource random(9);
    JpegKind kind = KindOf(kSamplings[0], 60, 50);
    kind.restart_interval = 8;  // MCUs of a row
    const Bytes whole = MakeJpeg(kind, random), bare = Without(whole, 0xC4);
    CHECK(fastload::ReadJpegLayout(whole.data(), whole.size()).seekable);
    CheckBoxes(bare, random, 4, "no Huffman tables");
    CHECK(WholeOf(bare).pixels == WholeOf(whole).pixels);
}

// A few bytes that claim to be the largest image that there is must not cost its memory or time.
void TestFalseSize() {
    RandomSource random(10);
    for (const auto& [frame, progressive, arithmetic] :
         {std::tuple<uint8_t, bool, bool>{0xC2, true, false},
          {0xC9, false, true},
          {0xCA, true, true}}) {
        JpegKind kind;
        kind.progressive = progressive;
        kind.arithmetic = arithmetic;
        const Bytes file = Claiming(MakeJpeg(kind, random), frame, 65500, 65500);
        Collector got(5 * 3);
        const std::string message = MessageOf([&] { DecodeRegion(file, {0, 0, 5, 5}, got); });
        CHECK(message.find("cannot hold 65500x65500 pixels") != std::string::npos);
    }
}

// Nor must scans without end, of which each is a walk over all blocks.
void TestScansWithoutEnd() {
    RandomSource random(12);
    JpegKind kind = KindOf(kSamplings[0], 50, 40);
    kind.scans = {{1, {0, 0, 0, 0}, 0, 63, 0, 0},
                  {1, {1, 0, 0, 0}, 0, 63, 0, 0},
                  {1, {2, 0, 0, 0}, 0, 63, 0, 0}};
    const Bytes file = MakeJpeg(kind, random);
    CheckBoxes(file, random, 4, "scan by scan");
    CHECK(CodeOfDecoding(WithLastScanTwice(file), {0, 0, 50, 40}) == FL_CORRUPT);
}

// Of whatever libjpeg warns, or does not know, no pixels are made.
void TestWhatLibjpegDoesNotTake() {
    RandomSource random(11);
    const Bytes file = Seekable(MakeJpeg(KindOf(kSamplings[3], 50, 40), random));
    const Box box = {0, 0, 5, 5};
    Bytes newer = file;
    newer[FindMarker(file, 0xE0) + 8] = 2;  // JFIF's version
    CHECK(CodeOfDecoding(newer, box) == FL_JPEG_WARNING);
    const auto with_segment = [&](std::initializer_list<uint8_t> segment) {
        Bytes longer = file;
        longer.insert(longer.begin() + 2, segment);
        return longer;
    };
    CHECK(CodeOfDecoding(with_segment({0xFF, 0xFE, 0, 3, 7}), box) == FL_OK);
    CHECK(CodeOfDecoding(with_segment({0xFF, 0xF0, 0, 3, 7}), box) == FL_JPEG_UNSUPPORTED);
    CHECK(CodeOfDecoding(with_segment({0xFF, 0xCC, 0, 4, 0xFF, 7}), box) == FL_CORRUPT);
    CHECK(CodeOfDecoding(Claiming(file, 0xC0, 65501, 40), box) == FL_JPEG_UNSUPPORTED);
}

void TestRefusals() {
    RandomSource random(5);
    const Bytes file = Seekable(MakeJpeg(KindOf(kSamplings[3], 50, 40), random));
    for (const Box& box : {Box{-1, 0, 5, 5}, Box{0, -1, 5, 5}, Box{0, 0, 0, 5}, Box{0, 0, 5, 0},
                           Box{46, 0, 5, 5}, Box{0, 36, 5, 5}, Box{1, 1, INT32_MAX, 1}}) {
        CHECK(CodeOfDecoding(file, box) == FL_BAD_ARGUMENT);
    }
    JpegKind cmyk;
    cmyk.colour = JCS_CMYK;
    cmyk.across[0] = cmyk.down[0] = 1;
    const Bytes four = MakeJpeg(cmyk, random);
    CHECK(CodeOf([&] { fastload::ReadJpegLayout(four.data(), four.size()); }) ==
          FL_JPEG_UNSUPPORTED);
    Bytes deep = file;
    deep[fastload::ReadJpegLayout(file.data(), file.size()).size_at - 1] = 12;
    CHECK(CodeOf([&] { fastload::ReadJpegLayout(deep.data(), deep.size()); }) ==
          FL_JPEG_UNSUPPORTED);
}

// A sink that throws ends the image, not the decompressor.
void TestThrowingSink() {
    struct Thrower final : fastload::RowSink {
        void Rows(const uint8_t*, ptrdiff_t, int32_t) override {
            throw fastload::Failure(FL_INTERNAL, "enough");
        }
    } thrower;
    RandomSource random(7);
    const Bytes file = Seekable(MakeJpeg(KindOf(kSamplings[3], 50, 40), random));
    CHECK(CodeOf([&] { DecodeRegion(file, {0, 0, 50, 40}, thrower); }) == FL_INTERNAL);
    CHECK(CodeOfDecoding(file, {0, 0, 50, 40}) == FL_OK);
}

}  // namespace

int main() {
    TestSamplings();
    TestVerbatim();
    TestCorruption();
    TestImagesOfAThread();
    TestMissingHuffmanTables();
    TestFalseSize();
    TestScansWithoutEnd();
    TestWhatLibjpegDoesNotTake();
    TestRefusals();
    TestThrowingSink();
    return Verdict();
}
