#include "jpeg_layout.h"

#include <algorithm>
#include <cstring>
#include <string>

#include "error.h"
#include "zigzag.h"

namespace fastload {
namespace {

constexpr int32_t kBlock = 8;
constexpr int32_t kMostBlocksOfMcu = 10;  // T.81 B.2.3

[[noreturn]] void Corrupt(const char* what) {
    throw Failure(FL_CORRUPT, std::string("JPEG: ") + what);
}

[[noreturn]] void Unsupported(const std::string& what) {
    throw Failure(FL_JPEG_UNSUPPORTED, "JPEG: " + what);
}

int32_t WordAt(const uint8_t* bytes) { return bytes[0] << 8 | bytes[1]; }

int32_t DivideUp(int32_t value, int32_t divisor) { return (value + divisor - 1) / divisor; }

// Reads the marker segments in front of the first scan.
class HeaderReader {
  public:
    HeaderReader(const uint8_t* data, size_t size) : data_(data), size_(size) {}

    JpegLayout Read() {
        if (size_ < 2 || data_[0] != 0xFF || data_[1] != 0xD8) {
            Corrupt("does not begin with a start of image");
        }
        at_ = 2;
        for (;;) {
            const uint8_t marker = NextMarker();
            const size_t body = at_ + 2;
            const int32_t length = EnterSegment();
            if (IsFrame(marker)) {
                ReadFrame(marker, body, length);
            } else if (marker == 0xDD) {
                ReadInterval(body, length);
            } else if (marker == 0xDB) {
                ReadQuantTables(data_ + body, length);
            } else if (marker == 0xC4) {
                ReadHuffmanTables(data_ + body, length);
            } else if (marker == 0xE0 || marker == 0xEE) {
                ReadColourMark(marker, data_ + body, length);
            } else if (marker == 0xDA) {
                ReadScan(body, length);
                return layout_;
            } else if (marker == 0xCC) {
                foreign_ = true;  // of arithmetic coding
            } else if (marker != 0xDC && marker != 0xFE && (marker & 0xF0) != 0xE0) {
                Unsupported("a marker of code " + std::to_string(marker));
            }
        }
    }

  private:
    uint8_t NextMarker() {
        if (at_ >= size_ || data_[at_] != 0xFF) Corrupt("no marker where one must be");
        while (at_ < size_ && data_[at_] == 0xFF) ++at_;
        if (at_ >= size_) Corrupt("ends within its headers");
        const uint8_t marker = data_[at_++];
        if (marker < 0xC0 || (marker >= 0xD0 && marker <= 0xD9)) Corrupt("a misplaced marker");
        return marker;
    }

    // Steps behind the segment; returns the length of its body.
    int32_t EnterSegment() {
        if (size_ - at_ < 2) Corrupt("ends within its headers");
        const int32_t length = WordAt(data_ + at_);
        if (length < 2) Corrupt("a segment of impossible length");
        if (size_ - at_ < static_cast<size_t>(length)) Corrupt("ends within its headers");
        at_ += static_cast<size_t>(length);
        return length - 2;
    }

    static bool IsFrame(uint8_t marker) {
        return marker >= 0xC0 && marker <= 0xCF && marker != 0xC4 && marker != 0xC8 &&
               marker != 0xCC;
    }

    void ReadFrame(uint8_t marker, size_t body, int32_t length) {
        if (layout_.size_at != 0) Corrupt("two frame headers");
        if (marker > 0xC2 && marker != 0xC9 && marker != 0xCA) {
            Unsupported("a lossless or hierarchical mode");
        }
        if (length < 6) Corrupt("a frame header that is too short");
        const uint8_t* bytes = data_ + body;
        if (bytes[0] != 8) Unsupported(std::to_string(bytes[0]) + " bits a sample");
        layout_.size_at = body + 1;
        layout_.height = WordAt(bytes + 1);
        layout_.width = WordAt(bytes + 3);
        layout_.component_count = bytes[5];
        if (layout_.width == 0) Corrupt("a width of 0");
        if (layout_.height == 0) Unsupported("a height that only the scan's end tells");
        if (std::max(layout_.width, layout_.height) > kLongestSide)
            Unsupported("a side of more than " + std::to_string(kLongestSide) + " pixels");
        if (length != 6 + 3 * layout_.component_count) Corrupt("a frame header of wrong length");
        if (layout_.component_count != 1 && layout_.component_count != 3) {
            Unsupported(std::to_string(layout_.component_count) + " components");
        }
        for (size_t i = 0; i < static_cast<size_t>(layout_.component_count); ++i) {
            ids_[i] = bytes[6 + 3 * i];
            layout_.quant_slots[i] = bytes[8 + 3 * i];
        }
        ReadSampling(bytes + 6);
        sequential_huffman_ = marker <= 0xC1;
    }

    void ReadSampling(const uint8_t* bytes) {
        for (size_t i = 0; i < static_cast<size_t>(layout_.component_count); ++i) {
            layout_.across[i] = bytes[3 * i + 1] >> 4;
            layout_.down[i] = bytes[3 * i + 1] & 15;
            if (layout_.across[i] < 1 || layout_.across[i] > 4 || layout_.down[i] < 1 ||
                layout_.down[i] > 4) {
                Corrupt("sampling factors outside 1 to 4");
            }
            layout_.most_across = std::max(layout_.most_across, layout_.across[i]);
            layout_.most_down = std::max(layout_.most_down, layout_.down[i]);
        }
        layout_.mcu_columns = DivideUp(layout_.width, kBlock * layout_.most_across);
        layout_.mcu_rows = DivideUp(layout_.height, kBlock * layout_.most_down);
    }

    void ReadInterval(size_t body, int32_t length) {
        if (length != 2) Corrupt("a restart interval of wrong length");
        layout_.interval_at = body;
        ++interval_count_;
    }

    void ReadScan(size_t body, int32_t length) {
        if (layout_.size_at == 0) Corrupt("a scan before the frame header");
        const uint8_t* bytes = data_ + body;
        const int32_t count = length < 1 ? 0 : bytes[0];
        if (count < 1 || length != 4 + 2 * count) Corrupt("a scan header of wrong length");
        layout_.scan_at = at_;
        const uint8_t* spectrum = bytes + 1 + 2 * count;
        layout_.seekable = sequential_huffman_ && !foreign_ && count == layout_.component_count &&
                           spectrum[0] == 0 && spectrum[1] == 63 && spectrum[2] == 0 &&
                           interval_count_ == 1 && HasPlainSampling() &&
                           WordAt(data_ + layout_.interval_at) == layout_.mcu_columns &&
                           HasPlainColour() && HasTables(bytes + 1);
    }

    // T.81 B.2.4.1. A table that does not fit its segment is none.
    void ReadQuantTables(const uint8_t* bytes, int32_t length) {
        while (length > 0) {
            const int32_t slot = bytes[0] & 15, words = bytes[0] >> 4;
            const int32_t size = words != 0 ? 128 : 64;
            if (slot > 3 || words > 1 || length < 1 + size) Corrupt("a quantisation table amiss");
            for (int32_t place = 0; place < 64; ++place)
                layout_.quant_tables[slot][kNaturalOrder[place]] = static_cast<uint16_t>(
                    words != 0 ? WordAt(bytes + 1 + 2 * place) : bytes[1 + place]);
            has_quant_table_[slot] = true;
            bytes += 1 + size;
            length -= 1 + size;
        }
    }

    void ReadHuffmanTables(const uint8_t* bytes, int32_t length) {
        while (length > 0) {
            const int32_t slot = bytes[0] & 15, kind = bytes[0] >> 4;
            int32_t symbols = 0;
            if (length < 17) Corrupt("a Huffman table amiss");
            for (int32_t i = 1; i <= 16; ++i) symbols += bytes[i];
            if (slot > 3 || kind > 1 || symbols > 256 || length < 17 + symbols)
                Corrupt("a Huffman table amiss");
            (kind == 0 ? layout_.dc_tables : layout_.ac_tables)[slot] = {bytes + 1, bytes + 17};
            bytes += 17 + symbols;
            length -= 17 + symbols;
        }
    }

    // JFIF (ITU-T T.871) and Adobe (T.872) each have a mark that tells the colours.
    void ReadColourMark(uint8_t marker, const uint8_t* bytes, int32_t length) {
        if (marker == 0xE0 && length >= 14 && std::memcmp(bytes, "JFIF", 5) == 0) {
            jfif_ = true;
            foreign_ |= bytes[5] != 1;
        }
        if (marker == 0xEE && length >= 12 && std::memcmp(bytes, "Adobe", 5) == 0)
            adobe_transform_ = bytes[11];
    }

    // Three components are taken for what libjpeg takes them for: JFIF's mark comes before
    // Adobe's, and component ids speak where both are missing. Returns false for a transform that
    // Adobe does not define, of which libjpeg warns.
    bool HasPlainColour() {
        if (layout_.component_count == 1) return true;
        const bool says_rgb = ids_[0] == 'R' && ids_[1] == 'G' && ids_[2] == 'B';
        const bool is_rgb = !jfif_ && (adobe_transform_ < 0 ? says_rgb : adobe_transform_ == 0);
        layout_.colour = is_rgb ? JpegColour::kRgb : JpegColour::kYcc;
        return jfif_ || adobe_transform_ <= 1;
    }

    // The scan's components and tables: those of the frame in its order, all there. For Huffman
    // tables that are not, libjpeg has others.
    bool HasTables(const uint8_t* bytes) {
        for (size_t i = 0; i < static_cast<size_t>(layout_.component_count); ++i, bytes += 2) {
            layout_.dc_slots[i] = bytes[1] >> 4;
            layout_.ac_slots[i] = bytes[1] & 15;
            if (bytes[0] != ids_[i] || layout_.dc_slots[i] > 3 || layout_.ac_slots[i] > 3 ||
                layout_.quant_slots[i] > 3 || !has_quant_table_[layout_.quant_slots[i]] ||
                layout_.dc_tables[layout_.dc_slots[i]].symbols == nullptr ||
                layout_.ac_tables[layout_.ac_slots[i]].symbols == nullptr)
                return false;
        }
        return true;
    }

    // One block is the MCU of a lone component, whatever its factors say; and libjpeg knows whole
    // ratios only.
    bool HasPlainSampling() const {
        if (layout_.component_count == 1) return layout_.most_across * layout_.most_down == 1;
        int32_t blocks = 0;
        for (size_t i = 0; i < 3; ++i) {
            if (layout_.most_across % layout_.across[i] != 0) return false;
            if (layout_.most_down % layout_.down[i] != 0) return false;
            blocks += layout_.across[i] * layout_.down[i];
        }
        return blocks <= kMostBlocksOfMcu;
    }

    const uint8_t* data_;
    size_t size_;
    size_t at_ = 0;
    JpegLayout layout_;
    bool sequential_huffman_ = false;
    bool foreign_ = false;  // what libjpeg may warn of or refuse is there
    int32_t interval_count_ = 0;
    std::array<int32_t, 3> ids_{};
    std::array<bool, 4> has_quant_table_{};
    bool jfif_ = false;
    int32_t adobe_transform_ = -1;
};

// Offset of the code of the first marker at or behind `at`; `size` where there is none.
size_t NextMarkerCode(const uint8_t* data, size_t size, size_t at) {
    while (at < size) {
        const void* found = std::memchr(data + at, 0xFF, size - at);
        if (found == nullptr) return size;
        at = static_cast<size_t>(static_cast<const uint8_t*>(found) - data) + 1;
        while (at < size && data[at] == 0xFF) ++at;
        if (at < size && data[at] != 0) return at;
    }
    return size;
}

}  // namespace

JpegLayout ReadJpegLayout(const uint8_t* data, size_t size) {
    return HeaderReader(data, size).Read();
}

void FindMcuRows(const uint8_t* data, size_t size, const JpegLayout& layout, int32_t first,
                 int32_t last, std::vector<size_t>& starts) {
    starts.clear();
    size_t at = layout.scan_at;
    for (int32_t row = 0;; ++row) {
        if (row >= first) starts.push_back(at);
        if (row + 1 >= last) return;
        const size_t code = NextMarkerCode(data, size, at);
        if (code >= size || data[code] != (0xD0 | (row & 7))) {
            Corrupt("a restart marker is missing or out of turn");
        }
        at = code + 1;
    }
}

}  // namespace fastload
