// One image of a batch: its record's bytes, its steps, its place in the batch.
#ifndef FASTLOAD_NATIVE_STEPS_H_
#define FASTLOAD_NATIVE_STEPS_H_

#include <memory>

#include "capi.h"
#include "image.h"
#include "output.h"
#include "pixel_source.h"
#include "record_cache.h"

namespace fastload {

enum class StepKind : int32_t {
    kNone = 0,
    kCrop = 1,
    kResize = 2,
    kFlipLeftRight = 3,
    kFlipTopDown = 4,
    kPad = 5,
    kBrightness = 6,
    kContrast = 7,
    kSaturation = 8,
    kHue = 9,
    kGrayscale = 10,
    kErase = 11,
    kWarp = 12,
    kSharpness = 13,
    kPosterize = 14,
    kSolarize = 15,
    kInvert = 16,
    kAutocontrast = 17,
    kEqualize = 18,
    kBlur = 19
};

// Memory that a thread uses again for each image.
struct Workspace {
    Image decoded;
    DctRecord record;
    Image images[2];
    OutputWriter writer;
};

// Throws Failure where a checksum is to be compared and does not hold.
void CheckBytes(const fl_item& item);

// The item's pixels, from the cache (null: none) or its record.
std::unique_ptr<PixelSource> OpenItem(const fl_item& item, bool fast, RecordCache* cache,
                                      Workspace& workspace);

// Transforms and writes an item whose pixels are opened, all but its erasing.
void RenderItem(PixelSource& source, const fl_item& item, const fl_output& output, bool fast,
                Workspace& workspace);

std::unique_ptr<PixelSource> OpenRecord(const uint8_t* payload, uint64_t length, int32_t codec,
                                        Workspace& workspace);

// Decodes, transforms and writes one image; `cache` is null for none. Returns whether the cache
// had its pixels. Throws Failure; what was written is undefined then.
bool ProcessItem(const fl_item& item, const fl_output& output, bool fast, RecordCache* cache,
                 Workspace& workspace);

}  // namespace fastload

#endif  // FASTLOAD_NATIVE_STEPS_H_
