// What holds for every seekable JPEG that the library has written, and what libjpeg makes of a
// JPEG: the judge of all pixels.
#ifndef FASTLOAD_TESTS_NATIVE_FUZZ_JPEG_CHECKS_H_
#define FASTLOAD_TESTS_NATIVE_FUZZ_JPEG_CHECKS_H_

#include "dct_encode.h"
#include "dct_record.h"
#include "fuzz_target.h"
#include "jpeg_by_libjpeg.h"
#include "jpeg_region.h"

inline Bytes BytesOf(const fastload::Buffer& buffer) {
    return {buffer.data(), buffer.data() + buffer.size()};
}

inline Box WholeBox(const fastload::JpegLayout& layout) {
    return {0, 0, layout.width, layout.height};
}

inline Decoded WholeByLibjpeg(const uint8_t* data, size_t size,
                              const fastload::JpegLayout& layout) {
    const Box box = WholeBox(layout);
    return PixelsOf(box, layout.component_count, [&](fastload::RowSink& rows) {
        fastload::DecodeByLibjpeg(data, size, box, rows);
    });
}

inline Decoded WholeByRegion(const Bytes& jpeg, const fastload::JpegLayout& layout) {
    const Box box = WholeBox(layout);
    return PixelsOf(box, layout.component_count, [&](fastload::RowSink& rows) {
        fastload::DecodeJpegRegion(jpeg.data(), jpeg.size(), layout, box, rows);
    });
}

// Where all but the first row of a block is zero, libjpeg's vector code leaves the first pass out
// and keeps 16 bits of what that would have capped. No picture comes near: eight times its whitest.
inline bool IsCappedByLibjpeg(const JpegContent& content) {
    for (const JpegContent::Component& component : content.components) {
        for (size_t i = 0; i < component.coefficients.size(); ++i) {
            const int32_t level = component.coefficients[i] * component.quant[i % 64];
            if (i % 64 < 8 && std::abs(static_cast<int16_t>(level)) > 8191) return true;
        }
    }
    return false;
}

// Whether two decoders may differ: by what libjpeg caps, or where the coefficients cannot be had.
inline bool MayDiffer(const Bytes& jpeg) {
    bool capped = false;
    const int32_t code = CodeOf([&] { capped = IsCappedByLibjpeg(ContentOf(jpeg)); });
    return capped || code != FL_OK;
}

// The pixels that a seekable JPEG was decoded to are those of libjpeg, which must not even warn.
inline void RequirePixelsOfLibjpeg(const Bytes& jpeg, const fastload::JpegLayout& layout,
                                   const Bytes& pixels) {
    const Decoded judge = WholeByLibjpeg(jpeg.data(), jpeg.size(), layout);
    REQUIRE(judge.code == FL_OK);
    REQUIRE(judge.pixels == pixels || MayDiffer(jpeg));
}

// The JPEG of a seekable JPEG's record has the same coefficients, and comes back to the byte. What
// a record cannot hold are coefficients of more than 12 bits.
inline void RequireRecordAndBack(const Bytes& jpeg) {
    const auto there_and_back = [](const Bytes& from) {
        fastload::Buffer encoded, written;
        fastload::EncodeDct(from.data(), from.size(), encoded);
        fastload::DctRecord record;
        record.Open(encoded.data(), encoded.size());
        fastload::WriteJpegOfDct(record, written);
        return BytesOf(written);
    };
    Bytes again;
    const int32_t code = CodeOf([&] { again = there_and_back(jpeg); });
    REQUIRE(IsOneOf(code, {FL_OK, FL_JPEG_NOT_BASELINE}));
    if (code != FL_OK) return;
    REQUIRE(there_and_back(again) == again);
    if (again != jpeg) REQUIRE(ContentOf(again) == ContentOf(jpeg));
}

#endif  // FASTLOAD_TESTS_NATIVE_FUZZ_JPEG_CHECKS_H_
