// Memory for an image between two margins that nobody may write to.
#ifndef FASTLOAD_TESTS_NATIVE_ROOM_H_
#define FASTLOAD_TESTS_NATIVE_ROOM_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

class Room {
  public:
    explicit Room(size_t size) : bytes_(kMargin + size + kMargin, kUntouched) {}

    uint8_t* data() { return bytes_.data() + kMargin; }
    size_t size() const { return bytes_.size() - 2 * kMargin; }
    std::vector<uint8_t> Contents() const {
        return {bytes_.begin() + kMargin, bytes_.end() - kMargin};
    }

    bool IsUntouched() const { return IsUntouched(bytes_.data(), bytes_.data() + bytes_.size()); }
    bool MarginsAreUntouched() const {
        const uint8_t* const end = bytes_.data() + bytes_.size();
        return IsUntouched(bytes_.data(), bytes_.data() + kMargin) &&
               IsUntouched(end - kMargin, end);
    }
    // Some bytes of a room.
    static bool IsUntouched(const uint8_t* begin, const uint8_t* end) {
        return std::all_of(begin, end, [](uint8_t byte) { return byte == kUntouched; });
    }

  private:
    // As wide as the widest register: one store too many stays inside.
    static constexpr size_t kMargin = 64;
    static constexpr uint8_t kUntouched = 0xA5;

    std::vector<uint8_t> bytes_;
};

#endif  // FASTLOAD_TESTS_NATIVE_ROOM_H_
