// Cutting rows out of a JPEG: any bytes end in a file or a failure that is told. What is cut out of
// a file that the packer takes has the very pixels of its rows, by libjpeg.

#include "fuzz_target.h"
#include "jpeg_checks.h"
#include "jpeg_cut.h"
#include "jpeg_layout.h"
#include "jpeg_transcode.h"

namespace {

using fastload::JpegLayout;

fl_cut CutOf(const uint8_t* data, size_t size, fastload::Range rows) {
    fl_cut cut{};
    cut.payload = reinterpret_cast<uint64_t>(data);
    cut.length = size;
    cut.first = rows.first;
    cut.last = rows.last;
    return cut;
}

Bytes BytesOf(const fl_cut& cut) {
    const auto* data = reinterpret_cast<const uint8_t*>(cut.data);
    return {data, data + cut.size};
}

// What is cut is a file in its own right, of the rows asked for.
void RequireFile(const fl_cut& cut, const JpegLayout& whole) {
    const Bytes file = BytesOf(cut);
    const JpegLayout layout = fastload::ReadJpegLayout(file.data(), file.size());
    REQUIRE(layout.width == whole.width && layout.component_count == whole.component_count);
    REQUIRE(cut.top >= 0 && cut.top <= cut.first);
    REQUIRE(cut.last <= cut.top + layout.height && cut.top + layout.height <= whole.height);
    if (cut.data == cut.payload) return;
    REQUIRE(layout.seekable && layout.mcu_rows < whole.mcu_rows);
    std::vector<size_t> starts;
    fastload::FindMcuRows(file.data(), file.size(), layout, 0, layout.mcu_rows, starts);
}

void RequireSamePixels(const fl_cut& cut, const Picture& whole) {
    const Bytes file = BytesOf(cut);
    const JpegLayout layout = fastload::ReadJpegLayout(file.data(), file.size());
    const Decoded decoded = WholeByLibjpeg(file.data(), file.size(), layout);
    REQUIRE(decoded.code == FL_OK);
    const Picture part{layout.width, layout.height, layout.component_count, decoded.pixels};
    const int32_t count = cut.last - cut.first;
    REQUIRE(RegionOf(part, {0, cut.first - cut.top, whole.width, count}) ==
            RegionOf(whole, {0, cut.first, whole.width, count}));
}

bool IsUndamaged(const uint8_t* data, size_t size) {
    fastload::Buffer rewritten;
    fastload::JpegFacts facts;
    return CodeOf([&] { fastload::TranscodeJpeg(data, size, rewritten, facts); }) == FL_OK;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    JpegLayout layout;
    const bool has_headers =
        CodeOf([&] { layout = fastload::ReadJpegLayout(data, size); }) == FL_OK;
    RandomSource random = ChoiceOf(data, size);
    std::vector<fl_cut> cuts = {CutOf(data, size, {-1, 1}), CutOf(data, size, {0, 70'000})};
    for (int i = 0; i < 4; ++i) {
        const Box box = RandomBox(random, 1, has_headers ? layout.height : 100);
        cuts.push_back(CutOf(data, size, {box.top, box.top + box.height}));
    }
    fastload::Buffer arena;
    fastload::CutJpegs(cuts.data(), cuts.size(), arena);
    const bool comparable =
        has_headers && IsSmall(layout.width, layout.height) && IsUndamaged(data, size);
    Picture whole{layout.width, layout.height, layout.component_count, {}};
    if (comparable) whole.pixels = WholeByLibjpeg(data, size, layout).pixels;
    for (size_t i = 0; i < cuts.size(); ++i) {
        REQUIRE(IsOneOf(cuts[i].status, {FL_OK, FL_BAD_ARGUMENT, FL_CORRUPT, FL_JPEG_UNSUPPORTED}));
        if (cuts[i].status != FL_OK) {
            REQUIRE(!comparable || i < 2);
            continue;
        }
        REQUIRE(has_headers && i >= 2);
        RequireFile(cuts[i], layout);
        if (comparable) RequireSamePixels(cuts[i], whole);
    }
    return 0;
}
