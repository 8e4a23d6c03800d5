#include "jpeg_transcode.h"

#include <array>
#include <string>

#include "error.h"
#include "jpeg_coefficients.h"
#include "jpeg_frame.h"
#include "jpeg_hash.h"
#include "jpeg_layout.h"
#include "jpeg_limits.h"
#include "jpeg_scan.h"
#include "jpeg_source.h"
#include "jpeg_tokens.h"
#include "jpeg_writer.h"

namespace fastload {
namespace {

// A decoder smooths the blocks of a progressive file whose coefficients never arrived in full,
// which a baseline file with the same coefficients would not show.
void CheckComplete(const jpeg_decompress_struct& info, JpegFacts& facts) {
    if (info.coef_bits == nullptr) return;
    for (int component = 0; component < info.num_components; ++component) {
        for (int place = 0; place < DCTSIZE2; ++place) {
            if (info.coef_bits[component][place] == 0) continue;
            facts.incomplete = 1;
            throw Failure(FL_JPEG_INCOMPLETE, "JPEG: progressive scans are missing at the end");
        }
    }
}

// The tables in force where a plain scan begins.
void SetQuantTablesOfScan(const jpeg_decompress_struct& info, Frame& frame) {
    std::array<const JQUANT_TBL*, kMostComponents> tables{};
    for (uint32_t i = 0; i < frame.component_count; ++i) {
        tables[i] = info.quant_tbl_ptrs[info.comp_info[i].quant_tbl_no];
    }
    SetQuantTables(tables, frame);
}

// The tables that were in force at each component's scan.
void SetQuantTablesOfScans(const jpeg_decompress_struct& info, Frame& frame) {
    std::array<const JQUANT_TBL*, kMostComponents> tables{};
    for (uint32_t i = 0; i < frame.component_count; ++i) {
        tables[i] = info.comp_info[i].quant_table;
        if (tables[i] == nullptr) {
            throw Failure(FL_JPEG_WARNING, "JPEG: component " + std::to_string(i) + " has no scan");
        }
    }
    SetQuantTables(tables, frame);
}

bool WriteFromScan(const jpeg_decompress_struct& info, Frame frame, Buffer& out, JpegFacts& facts) {
    if (!IsPlainScan(info, frame)) return false;
    SetQuantTablesOfScan(info, frame);
    TokenStream tokens;
    JpegHash hash(frame);
    if (!TokensOfScan(info, frame, tokens, hash)) return false;
    WriteJpeg(frame, tokens, out);
    facts.perceptual_hash = hash.Value();
    return true;
}

void WriteFromCoefficients(JpegSource& source, Frame frame, Buffer& out, JpegFacts& facts) {
    jvirt_barray_ptr* coefficients = source.ReadCoefficients();
    CheckComplete(source.info(), facts);
    SetQuantTablesOfScans(source.info(), frame);
    TokenStream tokens;
    JpegHash hash(frame);
    TokensOfCoefficients(source, coefficients, frame, tokens, hash);
    WriteJpeg(frame, tokens, out);
    facts.perceptual_hash = hash.Value();
}

void TranscodeFrom(JpegSource& source, const uint8_t* data, size_t size, Buffer& out,
                   JpegFacts& facts) {
    source.ReadHeader();
    const jpeg_decompress_struct& info = source.info();
    facts.width = info.image_width;
    facts.height = info.image_height;
    facts.components = static_cast<uint32_t>(info.num_components);
    const Frame frame = FrameOf(info);
    CheckSize(info, size);
    // Whoever decodes the file itself, not what is written here, reads its headers without libjpeg.
    (void)ReadJpegLayout(data, size);
    if (!WriteFromScan(info, frame, out, facts)) WriteFromCoefficients(source, frame, out, facts);
}

}  // namespace

void TranscodeJpeg(const uint8_t* data, size_t size, Buffer& out, JpegFacts& facts) {
    JpegSource source(data, size);
    try {
        TranscodeFrom(source, data, size, out, facts);
    } catch (...) {
        facts.warnings = source.warned() ? 1 : 0;
        throw;
    }
}

bool RewriteSeekable(const uint8_t* data, size_t size, Buffer& out) {
    try {
        JpegFacts facts;
        TranscodeJpeg(data, size, out, facts);
    } catch (const Failure&) {
        return false;
    }
    // It is not where sampling factors are no multiples of one another.
    return ReadJpegLayout(out.data(), out.size()).seekable;
}

}  // namespace fastload
