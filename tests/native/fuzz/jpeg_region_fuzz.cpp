// What reads JPEG without libjpeg: headers, the search for MCU rows, the decoder of boxes, the
// cache, the transcoder. Any bytes end in a result or a failure that is told; pixels are libjpeg's,
// to the bit.

#include <memory>
#include <optional>

#include "cached_source.h"
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

constexpr int32_t kMostOutput = 40;

void RequireKnownEnd(const Decoded& decoded) {
    REQUIRE(IsOneOf(decoded.code, {FL_OK, FL_CORRUPT, FL_JPEG_WARNING, FL_JPEG_UNSUPPORTED}));
}

Decoded Decode(const File& file, Box box) {
    Decoded decoded = PixelsOf(box, file.layout.component_count, [&](fastload::RowSink& rows) {
        fastload::DecodeJpegRegion(file.data, file.size, file.layout, box, rows);
    });
    RequireKnownEnd(decoded);
    return decoded;
}

// A box by way of a cache, which knows no more than those before it. Empty: not kept.
std::optional<Decoded> DecodeCached(fastload::RecordCache& cache, const File& file, Box box) {
    std::unique_ptr<fastload::PixelSource> source;
    const int32_t code = CodeOf([&] {
        source = fastload::OpenCached({&cache, 1, 1, true}, file.data, file.size,
                                      static_cast<int32_t>(fastload::Codec::kJpeg));
    });
    if (code != FL_OK) return Decoded{code, {}};
    if (source == nullptr) return std::nullopt;
    return PixelsOf(box, file.layout.component_count,
                    [&](fastload::RowSink& rows) { source->Read(box, rows); });
}

// A damaged file's boxes may fail where the whole does not, and the other way round: fewer of the
// bytes are looked at.
void TryBoxes(const File& file, RandomSource& random, const Decoded& whole) {
    const Box all = WholeBox(file.layout);
    const Picture picture{all.width, all.height, file.layout.component_count, whole.pixels};
    fastload::RecordCache cache(UINT64_MAX);
    for (int i = 0; i < 3; ++i) {
        const Box box = SomeBox(random, all.width, all.height);
        const Decoded decoded = Decode(file, box);
        const auto cached = DecodeCached(cache, file, box);
        if (cached.has_value()) RequireKnownEnd(*cached);
        if (file.undamaged) REQUIRE(!cached.has_value() || cached->code == decoded.code);
        if (whole.code != FL_OK) continue;
        if (file.undamaged) REQUIRE(decoded.code == FL_OK);
        for (const Decoded& one : {decoded, cached.value_or(decoded)})
            if (one.code == FL_OK)
                REQUIRE(one.pixels == RegionOf(picture, box) || MayDiffer(file.bytes()));
    }
}

// Without the pixels in between: any size, no judge.
void TryResizing(const File& file, RandomSource& random) {
    fastload::Resizing resizing{};
    resizing.crop = SomeBox(random, file.layout.width, file.layout.height);
    resizing.width = Between(random, 1, kMostOutput);
    resizing.height = Between(random, 1, kMostOutput);
    resizing.filter = static_cast<fastload::Filter>(random.Below(6));
    resizing.window = RandomBox(random, resizing.width, resizing.height);
    bool delivered = false;
    Collector rows(static_cast<size_t>(resizing.window.width) *
                   static_cast<size_t>(file.layout.component_count));
    const int32_t code = CodeOf([&] {
        delivered = fastload::ResizeJpegRegion(file.data, file.size, file.layout, resizing, rows);
    });
    RequireKnownEnd({code, {}});
    if (code != FL_OK) return;
    const size_t expected = delivered ? static_cast<size_t>(resizing.window.height) : 0;
    REQUIRE(rows.pixels.size() == rows.row_size * expected);
}

void TryDecoding(const File& file, RandomSource& random) {
    const Box all = WholeBox(file.layout);
    Decoded whole{FL_CORRUPT, {}};
    if (IsSmall(all.width, all.height)) {
        whole = Decode(file, all);
        if (file.undamaged) REQUIRE(whole.code == FL_OK);
        if (whole.code == FL_OK) RequirePixelsOfLibjpeg(file.bytes(), file.layout, whole.pixels);
    }
    TryBoxes(file, random, whole);
    TryResizing(file, random);
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
    return 0;
}
