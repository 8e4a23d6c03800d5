// The C interface of libfastload, its only door. Every function returns 0, or the code that it also
// left, with a message, in *error; none throws, none keeps a pointer beyond the call unless it says
// so. Sizes are in bytes.
#ifndef FASTLOAD_NATIVE_CAPI_H_
#define FASTLOAD_NATIVE_CAPI_H_

#include <stdint.h>

#include "error.h"

#define FL_EXPORT __attribute__((visibility("default")))

#ifdef __cplusplus
extern "C" {
#endif

// ---- The library itself
// ----------------------------------------------------------------------------------

// The instructions in use, as SimdLevel (simd_level.h) counts them, and the libjpeg-turbo that is
// in the library: a million times its major version, a thousand times the minor one and the
// revision; 0 where it is another libjpeg.
FL_EXPORT int fl_describe_library(uint32_t* simd_level, uint32_t* libjpeg_turbo, fl_error* error);

// ---- Codecs, checksums, draws
// ----------------------------------------------------------------------------------

// Bytes that a call made. The caller frees them.
typedef struct fl_buffer fl_buffer;
FL_EXPORT const uint8_t* fl_buffer_data(const fl_buffer* buffer);
FL_EXPORT uint64_t fl_buffer_size(const fl_buffer* buffer);
FL_EXPORT void fl_buffer_free(fl_buffer* buffer);

// See crc32c.h.
FL_EXPORT int fl_crc32c(const uint8_t* data, uint64_t size, uint32_t* out, fl_error* error);

// See JpegFacts in jpeg_transcode.h.
typedef struct fl_jpeg_facts {
    uint32_t width;
    uint32_t height;
    uint32_t components;
    uint32_t warnings;
    uint32_t incomplete;
    uint32_t reserved;
    uint64_t perceptual_hash;
} fl_jpeg_facts;

// Lossless: see jpeg_transcode.h. *facts is filled as far as known also where the call fails.
FL_EXPORT int fl_jpeg_transcode(const uint8_t* source, uint64_t size, fl_buffer** jpeg,
                                fl_jpeg_facts* facts, fl_error* error);

// See jpeg_encode.h.
FL_EXPORT int fl_jpeg_encode(const uint8_t* pixels, uint32_t height, uint32_t width,
                             uint32_t channels, uint64_t stride, uint32_t quality, fl_buffer** jpeg,
                             fl_error* error);

// See dct_encode.h. The JPEG must be one that fl_jpeg_transcode or fl_jpeg_encode made.
FL_EXPORT int fl_dct_of_jpeg(const uint8_t* jpeg, uint64_t size, fl_buffer** dct, fl_error* error);
FL_EXPORT int fl_jpeg_of_dct(const uint8_t* dct, uint64_t size, fl_buffer** jpeg, fl_error* error);

// See qoi.h; `rgb` has 3 channels.
FL_EXPORT int fl_qoi_encode(const uint8_t* rgb, uint32_t height, uint32_t width, uint64_t stride,
                            fl_buffer** qoi, fl_error* error);
FL_EXPORT int fl_qoi_size(const uint8_t* source, uint64_t size, uint32_t* height, uint32_t* width,
                          fl_error* error);
FL_EXPORT int fl_qoi_decode(const uint8_t* source, uint64_t size, uint8_t* rgb, uint64_t stride,
                            uint32_t row0, uint32_t row1, fl_error* error);

// See perceptual_hash.h; `channels` is 1 or 3.
FL_EXPORT int fl_perceptual_hash(const uint8_t* pixels, uint32_t height, uint32_t width,
                                 uint32_t channels, uint64_t stride, uint64_t* hash,
                                 fl_error* error);

// See philox.h. fl_philox writes out[count][blocks][4].
FL_EXPORT int fl_philox(uint64_t seed, uint64_t epoch, const int64_t* positions, uint64_t count,
                        uint32_t stream, uint32_t blocks, uint32_t* out, fl_error* error);
FL_EXPORT int fl_permutation(uint64_t seed, uint64_t epoch, uint64_t count, int64_t* out,
                             fl_error* error);

// See class_order.h. `starts` has classes + 1 elements, `draws` and `begun` one for each class;
// `members` may be null. With `images` of 0 the classes are shuffled, else they come in batches of
// `batch_classes` classes with `images` samples each.
FL_EXPORT int fl_class_order(uint64_t seed, uint64_t epoch, uint64_t era, const uint64_t* starts,
                             const uint32_t* members, uint64_t classes, const uint64_t* draws,
                             const uint64_t* begun, uint32_t batch_classes, uint32_t images,
                             int64_t* out, fl_error* error);

// ---- Duplicates
// ----------------------------------------------------------------------------------

// See near_hashes.h. fl_mark_near writes near[count]; pairs are (query, entry) as int64.
FL_EXPORT int fl_mark_near(const uint64_t* hashes, uint64_t count, uint32_t distance,
                           uint32_t threads, uint8_t* near, fl_error* error);
FL_EXPORT int fl_near_pairs(const uint64_t* queries, uint64_t query_count, const uint64_t* entries,
                            uint64_t entry_count, uint32_t distance, uint32_t threads,
                            fl_buffer** pairs, fl_error* error);
// See near_groups.h; pictures[count][16][16], groups[count].
FL_EXPORT int fl_group_near(const uint64_t* hashes, const uint8_t* pictures, uint64_t count,
                            uint32_t distance, double correlation, uint32_t threads,
                            int64_t* groups, fl_error* error);

// ---- Decoding
// ----------------------------------------------------------------------------------

// A whole record (codec as in the index) as interleaved RGB; grey becomes three equal channels.
FL_EXPORT int fl_image_size(const uint8_t* payload, uint64_t length, int32_t codec,
                            uint32_t* height, uint32_t* width, fl_error* error);
FL_EXPORT int fl_decode(const uint8_t* payload, uint64_t length, int32_t codec, uint8_t* rgb,
                        uint32_t height, uint32_t width, fl_error* error);

// One record of JPEG of which some pixel rows are wanted. Pointers are addresses, so that NumPy can
// hold them.
typedef struct fl_cut {
    uint64_t payload;
    uint64_t length;
    uint64_t verified;  // as in fl_item
    uint32_t crc32c;
    int32_t status;  // out: 0, or an fl_code
    int32_t first;   // the pixel rows first .. last - 1
    int32_t last;
    uint64_t data;  // out: a file that holds them, in the arena or the very payload
    uint64_t size;  // out: its bytes
    int32_t top;    // out: the pixel row that its first row is
    int32_t reserved;
} fl_cut;

// See jpeg_cut.h. What fails costs its own record alone. *arena is null, or an arena whose files
// nobody needs any more, to be filled anew: fresh memory takes longer than the copying. The caller
// frees it.
FL_EXPORT int fl_cut_jpegs(fl_cut* cuts, uint64_t count, fl_buffer** arena, fl_error* error);

// Resamples RGB pixels as Pillow does, bit for bit; `filter` by Pillow's numbers, `order` is
// PassOrder's in resize.h.
FL_EXPORT int fl_resize(const uint8_t* rgb, uint32_t height, uint32_t width, uint32_t out_height,
                        uint32_t out_width, int32_t filter, int32_t order, uint8_t* out,
                        fl_error* error);

// One operation on an image; the kinds and their numbers are StepKind's in steps.h.
typedef struct fl_step {
    int32_t kind;
    int32_t i[7];
    double f[6];
} fl_step;

// What of records is kept in memory; see record_cache.h.
typedef struct fl_cache fl_cache;
typedef struct fl_cache_facts {
    uint64_t budget;
    uint64_t bytes;
    uint64_t records;
    uint64_t evictions;
} fl_cache_facts;
FL_EXPORT int fl_cache_create(uint64_t budget, fl_cache** cache, fl_error* error);
// No job with the cache may be open.
FL_EXPORT void fl_cache_destroy(fl_cache* cache);
FL_EXPORT int fl_cache_set_budget(fl_cache* cache, uint64_t budget, fl_error* error);
FL_EXPORT void fl_cache_get_facts(const fl_cache* cache, fl_cache_facts* facts);
FL_EXPORT int fl_cache_plan(fl_cache* cache, const uint64_t* keys, const uint64_t* next_uses,
                            uint64_t count, uint64_t others_from, uint64_t others_to,
                            uint64_t otherwise, fl_error* error);
// See next_use.h.
FL_EXPORT int fl_first_uses(const int64_t* order, uint64_t count, uint32_t start, uint32_t* first,
                            uint64_t samples, fl_error* error);
FL_EXPORT int fl_next_uses(const int64_t* order, uint64_t count, uint32_t* coming, uint64_t samples,
                           uint32_t* next_uses, fl_error* error);
FL_EXPORT int fl_has_repeats(const int64_t* order, uint64_t count, uint64_t samples,
                             int32_t* repeats, fl_error* error);

// One image of a job. Pointers are addresses, so that NumPy can hold them.
typedef struct fl_item {
    uint64_t payload;
    uint64_t length;
    int32_t codec;
    uint32_t crc32c;
    uint64_t steps;
    int32_t step_count;
    int32_t out_height;
    int32_t out_width;
    int32_t status;     // out: 0, or an fl_code
    uint64_t verified;  // one byte: 0 = compare the checksum and set it to 1; address 0 = do not
    uint64_t out;
    uint64_t key;       // the record's in the cache
    uint64_t next_use;  // when it is wanted again
    char message[160];  // out, where status is not 0
} fl_item;

// A codec that no index has: the payload is an fl_pixels, an image that is decoded already.
enum { FL_PIXELS = 256 };
typedef struct fl_pixels {
    uint64_t rgb;  // rows without gaps; 128 bytes behind the last one are readable
    uint32_t height;
    uint32_t width;
} fl_pixels;

// Where a component's samples lie, and which of its blocks are there.
typedef struct fl_plane {
    int32_t first_block, last_block;  // of each block row; `last` is one past
    int32_t first_row, last_row;      // block rows
    int32_t step_across, step_down;   // pixels of a sample
    int32_t smooth_across, smooth_down;
    int32_t width, height;  // samples of the whole image
    int32_t pieces;         // how many; see fl_gathered.pieces
    int32_t reserved;
} fl_plane;

enum { FL_GATHERED_PIXELS = 1, FL_GATHERED_BLOCKS = 2 };

// What was put into an arena for an item whose `out` is the address of this. Offsets are in bytes
// from the arena's beginning.
typedef struct fl_gathered {
    uint64_t room;  // in: bytes that it may take, as fl_gather_rooms says
    // FL_GATHERED_PIXELS: rows of the box, interleaved, nothing between them. FL_GATHERED_BLOCKS:
    // packed blocks.
    uint64_t data;
    // Of the horizontal axis, then of the vertical one: int32 first[size], weights[size][taps];
    // the first input pixel is counted from the box.
    uint64_t axes;
    // FL_GATHERED_BLOCKS: two int32 for each piece, component after component: the offset of its
    // bytes from `data`; its block row << 18 | its first block << 5 | its blocks, 1 to 16. A piece
    // is what docs/format.md calls a group, of some of its blocks.
    uint64_t pieces;
    uint64_t quant;         // FL_GATHERED_BLOCKS: uint16 [component][64]
    int32_t kind;           // 0 where the item has failed
    int32_t channels;       // 1 or 3
    int32_t colour;         // FL_GATHERED_BLOCKS: 0 grey, 1 YCbCr, 2 RGB
    int32_t finished;       // all steps but erasing are done: there is nothing left but to write it
    int32_t left, top;      // of the box in the image
    int32_t width, height;  // of the box
    int32_t taps_across, taps_down;
    int32_t vertical_first;
    int32_t flip_left_right, flip_top_down;
    int32_t reserved;
    fl_plane planes[3];
} fl_gathered;

// Sets the room of each item's fl_gathered; sizes are those of the stored images. *total is that of
// all.
FL_EXPORT int fl_gather_rooms(fl_item* items, uint64_t count, const uint32_t* heights,
                              const uint32_t* widths, uint64_t* total, fl_error* error);

enum { FL_UINT8 = 0, FL_FLOAT16 = 1, FL_BFLOAT16 = 2, FL_FLOAT32 = 3 };
enum { FL_PLANAR = 0, FL_INTERLEAVED = 1 };

typedef struct fl_output {
    int32_t dtype;
    int32_t layout;
    int32_t channels;  // 3, or 1 to write the first channel alone
    int32_t reserved;
    uint64_t table;  // [channels][256] values; 0 writes levels, for FL_UINT8 alone
} fl_output;

// ---- Threads
// ----------------------------------------------------------------------------------

typedef struct fl_pool fl_pool;
typedef struct fl_job fl_job;
FL_EXPORT int fl_pool_create(int32_t threads, fl_pool** pool, fl_error* error);
// No job of the pool may be open.
FL_EXPORT void fl_pool_destroy(fl_pool* pool);
// Returns at once. The items, and all they point to, and the cache (null: none) must live until
// the job is freed.
FL_EXPORT int fl_pool_submit(fl_pool* pool, fl_item* items, uint64_t count, const fl_output* output,
                             int32_t fast, fl_cache* cache, fl_job** job, fl_error* error);
// Works on the items in the calling thread, without a pool; only their own status tells of
// failures.
FL_EXPORT int fl_items_process(fl_item* items, uint64_t count, const fl_output* output,
                               fl_error* error);
// As fl_pool_submit, but each item's `out` is the address of its fl_gathered, and what that tells
// of is put into `arena` behind its first `used` bytes, for a GPU to make the images of.
FL_EXPORT int fl_pool_gather(fl_pool* pool, fl_item* items, uint64_t count, uint8_t* arena,
                             uint64_t size, uint64_t used, fl_cache* cache, fl_job** job,
                             fl_error* error);
// Bytes of its arena that are in use once every item is done.
FL_EXPORT uint64_t fl_job_arena_used(const fl_job* job);
// 0 when every item is done, 1 when that takes longer; a negative time waits for ever.
FL_EXPORT int fl_job_wait(fl_job* job, int64_t milliseconds);
// What the finished items took: each stage's time in nanoseconds, summed over threads.
typedef struct fl_job_facts {
    uint64_t read;     // from the pack, checksums included
    uint64_t entropy;  // from bytes to coefficients, or to QOI's pixels
    uint64_t inverse_dct;
    uint64_t colour;  // from coefficients' planes to pixels: upsampling, colour conversion
    uint64_t resize;
    uint64_t rest;   // colour operations, the last write
    uint64_t kept;   // items whose pixels the cache had
    uint64_t bytes;  // of the other items' records
} fl_job_facts;
FL_EXPORT void fl_job_get_facts(fl_job* job, fl_job_facts* facts);
// Drops items not begun and waits for the others.
FL_EXPORT void fl_job_free(fl_job* job);

#ifdef __cplusplus
}
#endif

#endif  // FASTLOAD_NATIVE_CAPI_H_
