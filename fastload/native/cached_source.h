// Records' pixels by way of a cache: what it keeps is read from it, what is decoded is added to it.
#ifndef FASTLOAD_NATIVE_CACHED_SOURCE_H_
#define FASTLOAD_NATIVE_CACHED_SOURCE_H_

#include <cstdint>
#include <memory>

#include "pixel_source.h"
#include "record_cache.h"

namespace fastload {

// A record as a cache knows it.
struct CacheTicket {
    RecordCache* cache;  // null: none
    uint64_t key;
    uint64_t next_use;
    bool exact;  // pixels as libjpeg makes them are asked for, not a quick resize
};

// Null where the cache does not keep the record, or nothing of this codec. Throws as the sources
// without a cache do.
std::unique_ptr<PixelSource> OpenCached(const CacheTicket& ticket, const uint8_t* payload,
                                        uint64_t length, int32_t codec);

}  // namespace fastload

#endif  // FASTLOAD_NATIVE_CACHED_SOURCE_H_
