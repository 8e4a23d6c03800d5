// The reader of QOI files: any bytes end in pixels or in FL_CORRUPT.

#include <vector>

#include "../room.h"
#include "fuzz_target.h"
#include "qoi.h"

namespace {

using fastload::QoiHeader;

struct Rows {
    int32_t code;
    Bytes pixels;
};

// The room is as large as the rows, and nothing beside it may be touched.
Rows Decode(const uint8_t* data, size_t size, const QoiHeader& header, uint32_t row0,
            uint32_t row1) {
    const size_t stride = size_t{3} * header.width;
    Room room(stride * (row1 - row0));
    const int32_t code =
        CodeOf([&] { fastload::DecodeQoi(data, size, room.data(), stride, row0, row1); });
    REQUIRE(IsOneOf(code, {FL_OK, FL_CORRUPT}));
    REQUIRE(room.MarginsAreUntouched());
    return {code, room.Contents()};
}

// Rows from the top down to any are those of the whole, also where the whole breaks off below.
void TryRows(const uint8_t* data, size_t size, const QoiHeader& header, const Rows& whole) {
    RandomSource random = ChoiceOf(data, size);
    const uint32_t row0 = random.Below(header.height);
    const uint32_t row1 = row0 + random.Below(header.height - row0 + 1);
    const Rows rows = Decode(data, size, header, row0, row1);
    if (whole.code == FL_OK) REQUIRE(rows.code == FL_OK);
    if (rows.code != FL_OK) return;
    const auto first = whole.pixels.begin() + std::ptrdiff_t{3} * header.width * row0;
    REQUIRE(std::equal(rows.pixels.begin(), rows.pixels.end(), first));
}

void TryEncoding(const QoiHeader& header, const Bytes& pixels) {
    fastload::Buffer file;
    fastload::EncodeQoi(pixels.data(), header.width, header.height, size_t{3} * header.width, file);
    const Rows again = Decode(file.data(), file.size(), header, 0, header.height);
    REQUIRE(again.code == FL_OK && again.pixels == pixels);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    QoiHeader header{};
    const int32_t code = CodeOf([&] { header = fastload::ReadQoiHeader(data, size); });
    REQUIRE(IsOneOf(code, {FL_OK, FL_CORRUPT}));
    if (code != FL_OK) return 0;
    // What bounds the memory that a reader makes room for: no byte makes more than 62 pixels.
    const uint64_t pixels = uint64_t{header.width} * header.height;
    REQUIRE(pixels <= 62 * uint64_t{size});
    const Rows whole = Decode(data, size, header, 0, header.height);
    TryRows(data, size, header, whole);
    if (whole.code == FL_OK) TryEncoding(header, whole.pixels);
    return 0;
}
