// A growable byte buffer whose new bytes are not zeroed: std::vector would write each byte twice.
#ifndef FASTLOAD_NATIVE_BUFFER_H_
#define FASTLOAD_NATIVE_BUFFER_H_

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>

namespace fastload {

class Buffer {
  public:
    const uint8_t* data() const { return bytes_.get(); }
    size_t size() const { return size_; }

    // Makes room for `count` more bytes and returns where they begin; `Commit` says how many were
    // written.
    uint8_t* Reserve(size_t count) {
        if (capacity_ - size_ < count) Grow(size_ + count);
        return bytes_.get() + size_;
    }
    void Commit(size_t count) { size_ += count; }
    void Clear() { size_ = 0; }
    void Truncate(size_t size) { size_ = size; }

    uint8_t* At(size_t offset) { return bytes_.get() + offset; }

    void Append(const void* bytes, size_t count) {
        if (count == 0) return;  // memcpy takes no null, which an empty buffer has
        std::memcpy(Reserve(count), bytes, count);
        Commit(count);
    }

  private:
    void Grow(size_t needed);

    std::unique_ptr<uint8_t[]> bytes_;
    size_t size_ = 0;
    size_t capacity_ = 0;
};

}  // namespace fastload

#endif  // FASTLOAD_NATIVE_BUFFER_H_
