#include "kept_pixels.h"

#include "error.h"
#include "resize_kernels.h"

namespace fastload {

KeptPixels::KeptPixels(const uint8_t* source, size_t size)
    : header_(ReadQoiHeader(source, size)),
      reader_(source, size),
      pixels_(std::make_unique_for_overwrite<uint8_t[]>(BytesOf(header_))) {}

uint64_t KeptPixels::BytesOf(const QoiHeader& header) {
    return uint64_t{3} * header.width * header.height + kRowPadding;
}

bool KeptPixels::Need(int32_t last, const uint8_t* source, size_t size) {
    if (decoded_.load(std::memory_order_acquire) >= last) return true;
    const std::lock_guard lock(adding_);
    const int32_t first = decoded_.load(std::memory_order_relaxed);
    if (first >= last) return true;
    if (size != reader_.size()) throw Failure(FL_CORRUPT, "it has changed since it was first read");
    // What a failure leaves half read is read again, and fails again.
    QoiReader reader = reader_;
    reader.Read(source, static_cast<uint32_t>(last - first), pixels_.get() + first * stride(),
                static_cast<size_t>(stride()));
    reader_ = reader;
    decoded_.store(last, std::memory_order_release);
    return false;
}

}  // namespace fastload
