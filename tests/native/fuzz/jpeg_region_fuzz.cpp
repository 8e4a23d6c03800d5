// What reads JPEG without libjpeg: headers, the search for MCU rows, the cutter, the decoder of
// boxes, the transcoder. Any bytes end in a result or a failure that is told; results are
// libjpeg's, to the bit.

#include "fuzz_target.h"
#include "jpeg_checks.h"
#include "jpeg_layout.h"
#include "jpeg_region.h"
#include "jpeg_transcode.h"

namespace {

using fastload::JpegLayout;

struct File {
    const uint8_t* data;
    size_t size;
    JpegLayout layout;
    bool undamaged;  // the packer takes it as a JPEG

    Bytes bytes() const { return {data, data + size}; }
};

Decoded Decode(const File& file, Box box, int32_t denominator) {
    Decoded decoded = PixelsOf(box, file.layout.component_count, [&](fastload::RowSink& rows) {
        fastload::DecodeJpegRegion(file.data, file.size, file.layout, box, denominator, rows);
    });
    REQUIRE(IsOneOf(decoded.code, {FL_OK, FL_CORRUPT, FL_JPEG_WARNING, FL_JPEG_UNSUPPORTED}));
    return decoded;
}

// `whole` is the image of this size, where it can be had. A damaged file's boxes may fail where the
// whole does not: they are cut out first, which looks at more of the bytes.
void TryBoxes(const File& file, RandomSource& random, int32_t denominator, const Decoded& whole) {
    const Box all = WholeBox(file.layout, denominator);
    for (int i = 0; i < 2; ++i) {
        const Box box = SomeBox(random, all.width, all.height);
        const Decoded decoded = Decode(file, box, denominator);
        if (whole.code != FL_OK) continue;
        if (file.undamaged) REQUIRE(decoded.code == FL_OK);
        if (decoded.code != FL_OK) continue;
        const Picture picture{all.width, all.height, file.layout.component_count, whole.pixels};
        REQUIRE(decoded.pixels == RegionOf(picture, box) || MayDiffer(file.bytes()));
    }
}

void TryDecoding(const File& file, RandomSource& random) {
    for (const int32_t denominator : {2, 4, 8}) {
        const Box all = WholeBox(file.layout, denominator);
        Decoded whole{FL_CORRUPT, {}};
        if (IsSmall(all.width, all.height))
            whole = WholeByLibjpeg(file.data, file.size, file.layout, denominator);
        TryBoxes(file, random, denominator, whole);
    }
    const Box all = WholeBox(file.layout);
    Decoded whole{FL_CORRUPT, {}};
    if (IsSmall(all.width, all.height)) {
        whole = Decode(file, all, 1);
        if (file.undamaged) REQUIRE(whole.code == FL_OK);
        if (whole.code == FL_OK) RequirePixelsOfLibjpeg(file.bytes(), file.layout, whole.pixels);
    }
    TryBoxes(file, random, 1, whole);
}

void TryRows(const File& file, fastload::Range rows) {
    std::vector<size_t> all, some;
    const auto find = [&](fastload::Range wanted, std::vector<size_t>& starts) {
        const int32_t code = CodeOf([&] {
            fastload::FindMcuRows(file.data, file.size, file.layout, wanted.first, wanted.last,
                                  starts);
        });
        REQUIRE(IsOneOf(code, {FL_OK, FL_CORRUPT}));
        return code;
    };
    if (find({0, file.layout.mcu_rows}, all) != FL_OK) return;
    REQUIRE(all.size() == static_cast<size_t>(file.layout.mcu_rows) && all.back() <= file.size);
    REQUIRE(find(rows, some) == FL_OK);
    REQUIRE(std::equal(some.begin(), some.end(), all.begin() + rows.first));
}

void TryCut(const File& file, fastload::Range rows, int32_t columns) {
    fastload::Buffer out;
    const int32_t code = CodeOf(
        [&] { fastload::CutJpeg(file.data, file.size, rows.first, rows.last, columns, out); });
    REQUIRE(IsOneOf(code, {FL_OK, FL_CORRUPT}));
    if (code != FL_OK) return;
    const File cut = {out.data(), out.size(), fastload::ReadJpegLayout(out.data(), out.size()),
                      false};
    REQUIRE(cut.layout.seekable && cut.layout.mcu_columns == columns);
    REQUIRE(cut.layout.mcu_rows == rows.count());
    (void)Decode(cut, {0, 0, 1, 1}, 1);
}

// The coefficients stay, and so do the pixels, whoever decodes them.
void RequireSameImage(const Bytes& source, const Bytes& jpeg) {
    REQUIRE(ContentOf(jpeg) == ContentOf(source));
    const JpegLayout layout = fastload::ReadJpegLayout(jpeg.data(), jpeg.size());
    const Decoded decoded = WholeByRegion(jpeg, layout);
    REQUIRE(decoded.code == FL_OK);
    RequirePixelsOfLibjpeg(jpeg, layout, decoded.pixels);
    const Decoded judge = WholeByLibjpeg(source.data(), source.size(), layout);
    REQUIRE(judge.code == FL_OK);
    REQUIRE(judge.pixels == decoded.pixels || MayDiffer(source));
}

// Returns whether the packer takes the file as a JPEG.
bool TryTranscoding(const Bytes& source) {
    const auto transcode = [](const Bytes& from, Bytes& to, fastload::JpegFacts& facts) {
        fastload::Buffer out;
        const int32_t code =
            CodeOf([&] { fastload::TranscodeJpeg(from.data(), from.size(), out, facts); });
        to = BytesOf(out);
        return code;
    };
    Bytes jpeg, again;
    fastload::JpegFacts facts, facts_again;
    const int32_t code = transcode(source, jpeg, facts);
    REQUIRE(IsOneOf(code, {FL_OK, FL_CORRUPT, FL_JPEG_WARNING, FL_JPEG_INCOMPLETE,
                           FL_JPEG_UNSUPPORTED, FL_JPEG_NOT_BASELINE}));
    if (code != FL_OK) return false;
    const JpegLayout layout = fastload::ReadJpegLayout(jpeg.data(), jpeg.size());
    REQUIRE(layout.seekable);
    REQUIRE(static_cast<uint32_t>(layout.width) == facts.width);
    REQUIRE(static_cast<uint32_t>(layout.height) == facts.height);
    REQUIRE(transcode(jpeg, again, facts_again) == FL_OK && again == jpeg);
    RequireRecordAndBack(jpeg);
    if (IsSmall(layout.width, layout.height)) RequireSameImage(source, jpeg);
    return true;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    File file = {data, size, {}, TryTranscoding({data, data + size})};
    const int32_t code = CodeOf([&] { file.layout = fastload::ReadJpegLayout(data, size); });
    REQUIRE(IsOneOf(code, {FL_OK, FL_CORRUPT, FL_JPEG_UNSUPPORTED}));
    if (file.undamaged) REQUIRE(code == FL_OK);
    if (code != FL_OK) return 0;
    RandomSource random = ChoiceOf(data, size);
    TryDecoding(file, random);
    if (!file.layout.seekable) return 0;
    const int32_t first = Between(random, 0, file.layout.mcu_rows - 1);
    const fastload::Range rows = {first, Between(random, first + 1, file.layout.mcu_rows)};
    TryRows(file, rows);
    TryCut(file, rows, Between(random, 1, file.layout.mcu_columns));
    return 0;
}
