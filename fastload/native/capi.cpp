#include "capi.h"

#include <cstring>
#include <memory>
#include <utility>

#include "arena.h"
#include "buffer.h"
#include "class_order.h"
#include "crc32c.h"
#include "dct_encode.h"
#include "gather.h"
#include "jpeg_cut.h"
#include "jpeg_encode.h"
#include "jpeg_transcode.h"
#include "libjpeg.h"
#include "near_groups.h"
#include "near_hashes.h"
#include "next_use.h"
#include "perceptual_hash.h"
#include "philox.h"
#include "pool.h"
#include "qoi.h"
#include "record_cache.h"
#include "resize.h"
#include "simd_level.h"
#include "steps.h"

using fastload::Guard;

// ---- Codecs, checksums, draws
// ----------------------------------------------------------------------------------

struct fl_buffer {
    fastload::Buffer bytes;
};

static_assert(sizeof(fl_jpeg_facts) == sizeof(fastload::JpegFacts));

#ifdef LIBJPEG_TURBO_VERSION_NUMBER
constexpr uint32_t kLibjpegTurbo = LIBJPEG_TURBO_VERSION_NUMBER;
#else
constexpr uint32_t kLibjpegTurbo = 0;
#endif

extern "C" {

int fl_describe_library(uint32_t* simd_level, uint32_t* libjpeg_turbo, fl_error* error) {
    return Guard(error, [&] {
        *simd_level = static_cast<uint32_t>(fastload::CurrentSimdLevel());
        *libjpeg_turbo = kLibjpegTurbo;
    });
}

const uint8_t* fl_buffer_data(const fl_buffer* buffer) { return buffer->bytes.data(); }

uint64_t fl_buffer_size(const fl_buffer* buffer) { return buffer->bytes.size(); }

void fl_buffer_free(fl_buffer* buffer) { std::unique_ptr<fl_buffer>{buffer}; }

int fl_crc32c(const uint8_t* data, uint64_t size, uint32_t* out, fl_error* error) {
    return Guard(error, [&] { *out = fastload::Crc32c(data, size); });
}

int fl_jpeg_transcode(const uint8_t* source, uint64_t size, fl_buffer** jpeg, fl_jpeg_facts* facts,
                      fl_error* error) {
    fastload::JpegFacts known;
    const int code = Guard(error, [&] {
        auto made = std::make_unique<fl_buffer>();
        fastload::TranscodeJpeg(source, size, made->bytes, known);
        *jpeg = made.release();
    });
    std::memcpy(facts, &known, sizeof(known));
    return code;
}

int fl_jpeg_encode(const uint8_t* pixels, uint32_t height, uint32_t width, uint32_t channels,
                   uint64_t stride, uint32_t quality, fl_buffer** jpeg, fl_error* error) {
    return Guard(error, [&] {
        auto made = std::make_unique<fl_buffer>();
        fastload::EncodeJpeg(pixels, width, height, channels, stride, quality, made->bytes);
        *jpeg = made.release();
    });
}

int fl_dct_of_jpeg(const uint8_t* jpeg, uint64_t size, fl_buffer** dct, fl_error* error) {
    return Guard(error, [&] {
        auto made = std::make_unique<fl_buffer>();
        fastload::EncodeDct(jpeg, size, made->bytes);
        *dct = made.release();
    });
}

int fl_jpeg_of_dct(const uint8_t* dct, uint64_t size, fl_buffer** jpeg, fl_error* error) {
    return Guard(error, [&] {
        fastload::DctRecord record;
        record.Open(dct, size);
        auto made = std::make_unique<fl_buffer>();
        fastload::WriteJpegOfDct(record, made->bytes);
        *jpeg = made.release();
    });
}

int fl_qoi_encode(const uint8_t* rgb, uint32_t height, uint32_t width, uint64_t stride,
                  fl_buffer** qoi, fl_error* error) {
    return Guard(error, [&] {
        auto made = std::make_unique<fl_buffer>();
        fastload::EncodeQoi(rgb, width, height, stride, made->bytes);
        *qoi = made.release();
    });
}

int fl_qoi_size(const uint8_t* source, uint64_t size, uint32_t* height, uint32_t* width,
                fl_error* error) {
    return Guard(error, [&] {
        const fastload::QoiHeader header = fastload::ReadQoiHeader(source, size);
        *height = header.height;
        *width = header.width;
    });
}

int fl_qoi_decode(const uint8_t* source, uint64_t size, uint8_t* rgb, uint64_t stride,
                  uint32_t row0, uint32_t row1, fl_error* error) {
    return Guard(error, [&] { fastload::DecodeQoi(source, size, rgb, stride, row0, row1); });
}

int fl_perceptual_hash(const uint8_t* pixels, uint32_t height, uint32_t width, uint32_t channels,
                       uint64_t stride, uint64_t* hash, fl_error* error) {
    return Guard(
        error, [&] { *hash = fastload::PerceptualHash(pixels, width, height, channels, stride); });
}

int fl_philox(uint64_t seed, uint64_t epoch, const int64_t* positions, uint64_t count,
              uint32_t stream, uint32_t blocks, uint32_t* out, fl_error* error) {
    return Guard(
        error, [&] { fastload::PhiloxDraws(seed, epoch, positions, count, stream, blocks, out); });
}

int fl_permutation(uint64_t seed, uint64_t epoch, uint64_t count, int64_t* out, fl_error* error) {
    return Guard(error, [&] { fastload::Permutation(seed, epoch, count, out); });
}

int fl_class_order(uint64_t seed, uint64_t epoch, uint64_t era, const uint64_t* starts,
                   const uint32_t* members, uint64_t classes, const uint64_t* draws,
                   const uint64_t* begun, uint32_t batch_classes, uint32_t images, int64_t* out,
                   fl_error* error) {
    return Guard(error, [&] {
        const fastload::ClassLists lists{{starts, classes + 1}, members};
        const fastload::ClassEpoch drawn{seed, epoch, era, {draws, classes}, {begun, classes}};
        if (images == 0) {
            fastload::ClassOrder(lists, drawn, out);
        } else {
            fastload::ClassBatchOrder(lists, drawn, batch_classes, images, out);
        }
    });
}

int fl_mark_near(const uint64_t* hashes, uint64_t count, uint32_t distance, uint32_t threads,
                 uint8_t* near, fl_error* error) {
    return Guard(error, [&] { fastload::MarkNear({hashes, count}, distance, threads, near); });
}

int fl_near_pairs(const uint64_t* queries, uint64_t query_count, const uint64_t* entries,
                  uint64_t entry_count, uint32_t distance, uint32_t threads, fl_buffer** pairs,
                  fl_error* error) {
    return Guard(error, [&] {
        const auto found =
            fastload::NearPairs({queries, query_count}, {entries, entry_count}, distance, threads);
        auto made = std::make_unique<fl_buffer>();
        made->bytes.Append(found.data(), found.size() * sizeof(found[0]));
        *pairs = made.release();
    });
}

int fl_group_near(const uint64_t* hashes, const uint8_t* pictures, uint64_t count,
                  uint32_t distance, double correlation, uint32_t threads, int64_t* groups,
                  fl_error* error) {
    return Guard(error, [&] {
        fastload::GroupNear({hashes, count}, pictures, distance, correlation, threads, groups);
    });
}

int fl_image_size(const uint8_t* payload, uint64_t length, int32_t codec, uint32_t* height,
                  uint32_t* width, fl_error* error) {
    return Guard(error, [&] {
        thread_local fastload::Workspace workspace;
        const auto source = fastload::OpenRecord(payload, length, codec, workspace);
        *height = source->height();
        *width = source->width();
    });
}

int fl_decode(const uint8_t* payload, uint64_t length, int32_t codec, uint8_t* rgb, uint32_t height,
              uint32_t width, fl_error* error) {
    return Guard(error, [&] {
        thread_local fastload::Workspace workspace;
        fl_item item{};
        item.payload = reinterpret_cast<uint64_t>(payload);
        item.length = length;
        item.codec = codec;
        item.out = reinterpret_cast<uint64_t>(rgb);
        item.out_height = static_cast<int32_t>(height);
        item.out_width = static_cast<int32_t>(width);
        const fl_output output{FL_UINT8, FL_INTERLEAVED, 3, 0, 0};
        fastload::ProcessItem(item, output, false, nullptr, workspace);
    });
}

int fl_cut_jpegs(fl_cut* cuts, uint64_t count, fl_buffer** arena, fl_error* error) {
    return Guard(error, [&] {
        if (*arena == nullptr) *arena = std::make_unique<fl_buffer>().release();
        (*arena)->bytes.Clear();
        fastload::CutJpegs(cuts, count, (*arena)->bytes);
    });
}

int fl_resize(const uint8_t* rgb, uint32_t height, uint32_t width, uint32_t out_height,
              uint32_t out_width, int32_t filter, int32_t order, uint8_t* out, fl_error* error) {
    return Guard(error, [&] {
        fastload::ResizeRgb(rgb, height, width, out_height, out_width, filter,
                            static_cast<fastload::PassOrder>(order), out);
    });
}

struct fl_cache : fastload::RecordCache {
    using RecordCache::RecordCache;
};

static_assert(sizeof(fl_cache_facts) == sizeof(fastload::CacheFacts));

int fl_cache_create(uint64_t budget, fl_cache** cache, fl_error* error) {
    return Guard(error, [&] { *cache = std::make_unique<fl_cache>(budget).release(); });
}

void fl_cache_destroy(fl_cache* cache) { const std::unique_ptr<fl_cache> owned(cache); }

int fl_cache_set_budget(fl_cache* cache, uint64_t budget, fl_error* error) {
    return Guard(error, [&] { cache->SetBudget(budget); });
}

void fl_cache_get_facts(const fl_cache* cache, fl_cache_facts* facts) {
    const fastload::CacheFacts known = cache->Facts();
    std::memcpy(facts, &known, sizeof(known));
}

int fl_cache_plan(fl_cache* cache, const uint64_t* keys, const uint64_t* next_uses, uint64_t count,
                  uint64_t others_from, uint64_t others_to, uint64_t otherwise, fl_error* error) {
    return Guard(error,
                 [&] { cache->Plan(keys, next_uses, count, others_from, others_to, otherwise); });
}

int fl_first_uses(const int64_t* order, uint64_t count, uint32_t start, uint32_t* first,
                  uint64_t samples, fl_error* error) {
    return Guard(error, [&] { fastload::FirstUses(order, count, start, first, samples); });
}

int fl_next_uses(const int64_t* order, uint64_t count, uint32_t* coming, uint64_t samples,
                 uint32_t* next_uses, fl_error* error) {
    return Guard(error, [&] { fastload::NextUses(order, count, coming, samples, next_uses); });
}

int fl_has_repeats(const int64_t* order, uint64_t count, uint64_t samples, int32_t* repeats,
                   fl_error* error) {
    return Guard(error, [&] { *repeats = fastload::HasRepeats(order, count, samples) ? 1 : 0; });
}

struct fl_pool : fastload::Pool {
    using Pool::Pool;
};

struct fl_job {
    std::unique_ptr<fastload::Job> job;
};

int fl_pool_create(int32_t threads, fl_pool** pool, fl_error* error) {
    return Guard(error, [&] { *pool = std::make_unique<fl_pool>(threads).release(); });
}

void fl_pool_destroy(fl_pool* pool) { const std::unique_ptr<fl_pool> owned(pool); }

static void CheckOutput(const fl_output& output) {
    if (output.dtype != FL_UINT8 && output.table == 0)
        throw fastload::Failure(FL_BAD_ARGUMENT, "only uint8 is written without a table");
    if (output.channels != 1 && output.channels != 3)
        throw fastload::Failure(FL_BAD_ARGUMENT, "an output has 1 or 3 channels");
}

int fl_items_process(fl_item* items, uint64_t count, const fl_output* output, fl_error* error) {
    return Guard(error, [&] {
        CheckOutput(*output);
        fastload::ProcessHere(items, count, *output);
    });
}

int fl_pool_submit(fl_pool* pool, fl_item* items, uint64_t count, const fl_output* output,
                   int32_t fast, fl_cache* cache, fl_job** job, fl_error* error) {
    return Guard(error, [&] {
        CheckOutput(*output);
        fl_job submitted{pool->Submit(items, count, *output, fast != 0, cache)};
        *job = std::make_unique<fl_job>(std::move(submitted)).release();
    });
}

int fl_gather_rooms(fl_item* items, uint64_t count, const uint32_t* heights, const uint32_t* widths,
                    uint64_t* total, fl_error* error) {
    return Guard(error, [&] {
        *total = 0;
        for (uint64_t i = 0; i < count; ++i)
            *total += fastload::SetRoom(items[i], heights[i], widths[i]);
    });
}

int fl_pool_gather(fl_pool* pool, fl_item* items, uint64_t count, uint8_t* arena, uint64_t size,
                   uint64_t used, fl_cache* cache, fl_job** job, fl_error* error) {
    return Guard(error, [&] {
        auto filled = std::make_unique<fastload::Arena>(arena, size, used);
        fl_job submitted{pool->Gather(items, count, std::move(filled), cache)};
        *job = std::make_unique<fl_job>(std::move(submitted)).release();
    });
}

uint64_t fl_job_arena_used(const fl_job* job) { return job->job->arena_used(); }

int fl_job_wait(fl_job* job, int64_t milliseconds) { return job->job->Wait(milliseconds) ? 0 : 1; }

void fl_job_get_facts(fl_job* job, fl_job_facts* facts) { *facts = job->job->Facts(); }

void fl_job_free(fl_job* job) { const std::unique_ptr<fl_job> owned(job); }

}  // extern "C"
