// The reader of `.dct` records: any bytes end in pixels or in FL_CORRUPT, a box in those of the
// whole image, and the JPEG of a record in the same pixels.

#include "dct_encode.h"
#include "dct_record.h"
#include "dct_region.h"
#include "fuzz_target.h"
#include "jpeg_checks.h"

namespace {

using fastload::DctRecord;
using fastload::JpegLayout;

Decoded Decode(const DctRecord& record, Box box) {
    Decoded decoded = PixelsOf(box, record.layout().component_count, [&](fastload::RowSink& rows) {
        fastload::DecodeDctRegion(record, box, rows);
    });
    REQUIRE(IsOneOf(decoded.code, {FL_OK, FL_CORRUPT}));
    return decoded;
}

// `whole` is the whole image, or null where that is too large.
void TryBoxes(const DctRecord& record, RandomSource random, const Decoded* whole) {
    const JpegLayout& layout = record.layout();
    for (int i = 0; i < 3; ++i) {
        const Box box = SomeBox(random, layout.width, layout.height);
        const Decoded decoded = Decode(record, box);
        if (whole == nullptr || whole->code != FL_OK) continue;
        const Picture picture{layout.width, layout.height, layout.component_count, whole->pixels};
        REQUIRE(decoded.code == FL_OK && decoded.pixels == RegionOf(picture, box));
    }
}

// Without the pixels in between: no judge but the bounds of memory.
void TryResizing(const DctRecord& record, RandomSource random) {
    fastload::Resizing resizing{};
    resizing.crop = SomeBox(random, record.layout().width, record.layout().height);
    resizing.width = Between(random, 1, 40);
    resizing.height = Between(random, 1, 40);
    resizing.filter = static_cast<fastload::Filter>(random.Below(6));
    resizing.window = {0, 0, resizing.width, resizing.height};
    const Decoded decoded = PixelsOf(
        resizing.window, record.layout().component_count,
        [&](fastload::RowSink& rows) { fastload::ResizeDctRegion(record, resizing, rows); });
    REQUIRE(IsOneOf(decoded.code, {FL_OK, FL_CORRUPT}));
}

void TryJpeg(const DctRecord& record, const Decoded* whole) {
    fastload::Buffer written;
    const int32_t code = CodeOf([&] { fastload::WriteJpegOfDct(record, written); });
    REQUIRE(IsOneOf(code, {FL_OK, FL_CORRUPT, FL_JPEG_NOT_BASELINE}));
    if (whole != nullptr && whole->code == FL_OK) REQUIRE(code != FL_CORRUPT);
    if (code != FL_OK) return;
    if (whole != nullptr) REQUIRE(whole->code == FL_OK);
    const Bytes jpeg = BytesOf(written);
    const JpegLayout layout = fastload::ReadJpegLayout(jpeg.data(), jpeg.size());
    REQUIRE(layout.seekable);
    RequireRecordAndBack(jpeg);
    if (whole == nullptr) return;
    const Decoded again = WholeByRegion(jpeg, layout);
    REQUIRE(again.code == FL_OK && again.pixels == whole->pixels);
    RequirePixelsOfLibjpeg(jpeg, layout, whole->pixels);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    DctRecord record;
    const int32_t code = CodeOf([&] { record.Open(data, size); });
    REQUIRE(IsOneOf(code, {FL_OK, FL_CORRUPT}));
    if (code != FL_OK) return 0;
    const int32_t width = record.layout().width, height = record.layout().height;
    // What bounds memory and time: each two bytes of the directory stand for 1024 pixels at most.
    REQUIRE(int64_t{width} * height <= int64_t{512} * static_cast<int64_t>(size));
    Decoded whole;
    const bool small = IsSmall(width, height);
    if (small) whole = Decode(record, WholeBox(record.layout()));
    TryBoxes(record, ChoiceOf(data, size), small ? &whole : nullptr);
    TryResizing(record, ChoiceOf(data, size));
    TryJpeg(record, small ? &whole : nullptr);
    return 0;
}
