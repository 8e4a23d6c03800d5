// What a cache keeps of a QOI image: its pixels, as far down as they have been needed.
#ifndef FASTLOAD_NATIVE_KEPT_PIXELS_H_
#define FASTLOAD_NATIVE_KEPT_PIXELS_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>

#include "qoi.h"
#include "record_cache.h"

namespace fastload {

// Can be read by some threads while one of them adds to it.
class KeptPixels final : public KeptRecord {
  public:
    // Throws FL_CORRUPT where the bytes do not begin as a QOI file.
    KeptPixels(const uint8_t* source, size_t size);

    // All of it, decoded or not.
    static uint64_t BytesOf(const QoiHeader& header);
    uint64_t bytes() const override { return BytesOf(header_); }

    int32_t height() const { return static_cast<int32_t>(header_.height); }
    int32_t width() const { return static_cast<int32_t>(header_.width); }
    ptrdiff_t stride() const { return ptrdiff_t{3} * width(); }

    // Lets the rows before `last` be there; returns whether they were. The bytes are those of the
    // constructor's file. Throws FL_CORRUPT.
    bool Need(int32_t last, const uint8_t* source, size_t size);

    // One of the rows that are there.
    const uint8_t* row(int32_t y) const { return pixels_.get() + y * stride(); }

  private:
    const QoiHeader header_;  // read without the lock, that the reader's own is behind
    std::mutex adding_;
    QoiReader reader_;
    std::atomic<int32_t> decoded_ = 0;
    std::unique_ptr<uint8_t[]> pixels_;
};

}  // namespace fastload

#endif  // FASTLOAD_NATIVE_KEPT_PIXELS_H_
