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

    bool IsUntouched() const { return AllUntouched(bytes_.begin(), bytes_.end()); }
    bool MarginsAreUntouched() const {
        return AllUntouched(bytes_.begin(), bytes_.begin() + kMargin) &&
               AllUntouched(bytes_.end() - kMargin, bytes_.end());
    }

  private:
    using Place = std::vector<uint8_t>::const_iterator;

    // As wide as the widest register: one store too many stays inside.
    static constexpr size_t kMargin = 64;
    static constexpr uint8_t kUntouched = 0xA5;

    static bool AllUntouched(Place begin, Place end) {
        return std::all_of(begin, end, [](uint8_t byte) { return byte == kUntouched; });
    }

    std::vector<uint8_t> bytes_;
};

#endif  // FASTLOAD_TESTS_NATIVE_ROOM_H_
