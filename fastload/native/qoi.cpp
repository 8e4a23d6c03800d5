#include "qoi.h"

#include <array>
#include <cstring>
#include <memory>
#include <string>

#include "error.h"

namespace fastload {
namespace {

constexpr size_t kHeaderBytes = 14;
constexpr std::array<uint8_t, 8> kEndMark = {0, 0, 0, 0, 0, 0, 0, 1};
constexpr uint8_t kOpIndex = 0x00;
constexpr uint8_t kOpDiff = 0x40;
constexpr uint8_t kOpLuma = 0x80;
constexpr uint8_t kOpRun = 0xC0;
constexpr uint8_t kOpRgb = 0xFE;
constexpr uint8_t kOpRgba = 0xFF;
constexpr uint32_t kLongestRun = 62;
constexpr uint64_t kMostPixels = uint64_t{1} << 40;

// A pixel is one word of four 16-bit lanes, red lowest, so that one addition moves all channels and
// a mask wraps each of them at 256.
using Pixel = uint64_t;
constexpr Pixel kLanes = 0x00FF00FF00FF00FF;
constexpr Pixel kOpaqueBlack = Pixel{255} << 48;

constexpr Pixel Lanes(uint32_t red, uint32_t green, uint32_t blue) {
    return Pixel{red & 0xFF} | Pixel{green & 0xFF} << 16 | Pixel{blue & 0xFF} << 32;
}

// The format's (3 red + 5 green + 7 blue + 11 alpha) mod 64: the products meet in the top lane, and
// no lower lane reaches 2^16.
constexpr uint32_t HashOf(Pixel pixel) {
    constexpr uint64_t kWeights = uint64_t{3} << 48 | uint64_t{5} << 32 | uint64_t{7} << 16 | 11;
    return static_cast<uint32_t>((pixel * kWeights) >> 48) & 63;
}

uint32_t LoadBig32(const uint8_t* bytes) {
    uint32_t word;
    std::memcpy(&word, bytes, sizeof(word));
    return __builtin_bswap32(word);
}

void StoreBig32(uint8_t* bytes, uint32_t word) {
    word = __builtin_bswap32(word);
    std::memcpy(bytes, &word, sizeof(word));
}

void StoreRgb(uint8_t* out, Pixel pixel) {
    out[0] = static_cast<uint8_t>(pixel);
    out[1] = static_cast<uint8_t>(pixel >> 16);
    out[2] = static_cast<uint8_t>(pixel >> 32);
}

// What the first byte of a DIFF or LUMA chunk adds; LUMA's green difference moves all three
// channels.
constexpr std::array<Pixel, 256> MakeFirstByteDeltas() {
    std::array<Pixel, 256> deltas{};
    for (uint32_t byte = kOpDiff; byte < kOpLuma; ++byte) {
        deltas[byte] = Lanes(((byte >> 4) & 3) - 2, ((byte >> 2) & 3) - 2, (byte & 3) - 2);
    }
    for (uint32_t byte = kOpLuma; byte < kOpRun; ++byte) {
        const uint32_t green = (byte & 63) - 32;
        deltas[byte] = Lanes(green, green, green);
    }
    return deltas;
}

constexpr std::array<Pixel, 256> MakeSecondByteDeltas() {
    std::array<Pixel, 256> deltas{};
    for (uint32_t byte = 0; byte < 256; ++byte)
        deltas[byte] = Lanes((byte >> 4) - 8, 0, (byte & 15) - 8);
    return deltas;
}

constexpr std::array<Pixel, 256> kFirstByteDeltas = MakeFirstByteDeltas();
constexpr std::array<Pixel, 256> kSecondByteDeltas = MakeSecondByteDeltas();

[[noreturn]] void Corrupt(const std::string& what) {
    throw Failure(FL_CORRUPT, "damaged QOI image: " + what);
}

// Walks the chunks of one image. The end mark's eight bytes lie behind the last chunk, so any chunk
// that begins before them may be read whole (five bytes at most) without leaving the file.
class Walk {
  public:
    Walk(const QoiPlace& place, std::array<Pixel, 64>& seen, const uint8_t* source,
         const uint8_t* end)
        : next_(source + place.offset),
          end_(end),
          pixel_(place.pixel),
          run_(place.run),
          seen_(seen) {}

    void DecodeRow(uint8_t* out, uint32_t width) {
        uint8_t* const row_end = out + size_t{3} * width;
        while (out < row_end) {
            if (run_ > 0) {
                --run_;
            } else {
                ReadChunk();
            }
            StoreRgb(out, pixel_);
            out += 3;
        }
    }

    void CheckEnd() const {
        if (run_ > 0) Corrupt("a run goes on behind the last pixel");
        if (next_ > end_) Corrupt("the last chunk runs into the end mark");
        if (next_ != end_)
            Corrupt(std::to_string(end_ - next_) + " bytes of chunks behind the last pixel");
        if (std::memcmp(end_, kEndMark.data(), kEndMark.size()) != 0)
            Corrupt("the end mark is missing");
    }

    QoiPlace Place(const uint8_t* source) const {
        return {static_cast<size_t>(next_ - source), pixel_, run_};
    }

  private:
    void ReadChunk() {
        if (next_ >= end_) Corrupt("the chunks end before the last pixel");
        const uint8_t first = *next_++;
        if (first < kOpDiff) {
            pixel_ = seen_[first];
            // Every pixel is put at its hash, which is where this one came from, unless it is the
            // transparent black that a place holds before its first pixel.
            if (pixel_ == 0) seen_[HashOf(0)] = 0;
            return;
        }
        if (first < kOpRun) {
            pixel_ += kFirstByteDeltas[first];
            if (first >= kOpLuma) pixel_ += kSecondByteDeltas[*next_++];
            pixel_ &= kLanes;
        } else if (first == kOpRgb) {
            pixel_ = Lanes(next_[0], next_[1], next_[2]) | (pixel_ & kOpaqueBlack);
            next_ += 3;
        } else if (first == kOpRgba) {
            pixel_ = Lanes(next_[0], next_[1], next_[2]) | Pixel{next_[3]} << 48;
            next_ += 4;
        } else {
            run_ = first & 63;
        }
        seen_[HashOf(pixel_)] = pixel_;
    }

    const uint8_t* next_;
    const uint8_t* end_;
    Pixel pixel_;
    uint32_t run_;
    std::array<Pixel, 64>& seen_;
};

class Encoder {
  public:
    explicit Encoder(uint8_t* out) : out_(out) {}

    void Row(const uint8_t* rgb, uint32_t width) {
        for (uint32_t i = 0; i < width; ++i, rgb += 3) Put(rgb[0], rgb[1], rgb[2]);
    }

    uint8_t* Finish() {
        EndRun();
        std::memcpy(out_, kEndMark.data(), kEndMark.size());
        return out_ + kEndMark.size();
    }

  private:
    void EndRun() {
        if (run_ == 0) return;
        *out_++ = static_cast<uint8_t>(kOpRun | (run_ - 1));
        run_ = 0;
    }

    void Put(uint32_t red, uint32_t green, uint32_t blue) {
        const Pixel pixel = Lanes(red, green, blue) | kOpaqueBlack;
        if (pixel == last_) {
            if (++run_ == kLongestRun) EndRun();
            return;
        }
        EndRun();
        const uint32_t hash = HashOf(pixel);
        if (seen_[hash] == pixel) {
            *out_++ = static_cast<uint8_t>(kOpIndex | hash);
        } else {
            seen_[hash] = pixel;
            PutDifference(pixel, red, green, blue);
        }
        last_ = pixel;
    }

    void PutDifference(Pixel pixel, uint32_t red, uint32_t green, uint32_t blue) {
        const Pixel delta = ((pixel | 0x0100010001000100) - last_) & kLanes;
        const auto dr = static_cast<int8_t>(delta);
        const auto dg = static_cast<int8_t>(delta >> 16);
        const auto db = static_cast<int8_t>(delta >> 32);
        const uint32_t r = static_cast<uint8_t>(dr + 2), g = static_cast<uint8_t>(dg + 2),
                       b = static_cast<uint8_t>(db + 2);
        if ((r | g | b) < 4) {
            *out_++ = static_cast<uint8_t>(kOpDiff | r << 4 | g << 2 | b);
            return;
        }
        const uint32_t luma = static_cast<uint8_t>(dg + 32),
                       luma_r = static_cast<uint8_t>(dr - dg + 8),
                       luma_b = static_cast<uint8_t>(db - dg + 8);
        if (luma < 64 && (luma_r | luma_b) < 16) {
            *out_++ = static_cast<uint8_t>(kOpLuma | luma);
            *out_++ = static_cast<uint8_t>(luma_r << 4 | luma_b);
            return;
        }
        *out_++ = kOpRgb;
        *out_++ = static_cast<uint8_t>(red);
        *out_++ = static_cast<uint8_t>(green);
        *out_++ = static_cast<uint8_t>(blue);
    }

    uint8_t* out_;
    Pixel last_ = kOpaqueBlack;
    uint32_t run_ = 0;
    std::array<Pixel, 64> seen_{};
};

}  // namespace

QoiHeader ReadQoiHeader(const uint8_t* source, size_t size) {
    if (size < kHeaderBytes + kEndMark.size()) Corrupt("only " + std::to_string(size) + " bytes");
    if (std::memcmp(source, "qoif", 4) != 0) Corrupt("it does not begin with \"qoif\"");
    const QoiHeader header = {LoadBig32(source + 4), LoadBig32(source + 8), source[12], source[13]};
    if (header.width == 0 || header.height == 0) Corrupt("its width or height is 0");
    if (header.channels != 3 && header.channels != 4) {
        Corrupt(std::to_string(header.channels) + " channels, 3 or 4 are allowed");
    }
    // A chunk of one byte makes 62 pixels at most: a size that the bytes cannot hold is refused
    // before anyone makes room for it.
    const uint64_t pixels = uint64_t{header.width} * header.height;
    if (pixels > kLongestRun * uint64_t{size - kHeaderBytes - kEndMark.size()}) {
        Corrupt(std::to_string(size) + " bytes cannot hold " + std::to_string(header.width) + "x" +
                std::to_string(header.height) + " pixels");
    }
    if (header.colorspace > 1) Corrupt("unknown colour space " + std::to_string(header.colorspace));
    return header;
}

void EncodeQoi(const uint8_t* rgb, uint32_t width, uint32_t height, size_t stride, Buffer& out) {
    if (width == 0 || height == 0)
        throw Failure(FL_BAD_ARGUMENT, "an image without pixels cannot be a QOI file");
    if (uint64_t{width} * height > kMostPixels) {
        throw Failure(FL_BAD_ARGUMENT, "an image of more than 2^40 pixels");
    }
    uint8_t* const start = out.Reserve(kHeaderBytes + kEndMark.size());
    std::memcpy(start, "qoif", 4);
    StoreBig32(start + 4, width);
    StoreBig32(start + 8, height);
    start[12] = 3;
    start[13] = 0;
    out.Commit(kHeaderBytes);
    // A pixel takes four bytes at most.
    uint8_t* chunks = out.Reserve(size_t{4} * width * height + kEndMark.size());
    Encoder encoder(chunks);
    for (uint32_t row = 0; row < height; ++row) encoder.Row(rgb + row * stride, width);
    out.Commit(static_cast<size_t>(encoder.Finish() - chunks));
}

QoiReader::QoiReader(const uint8_t* source, size_t size)
    : header_(ReadQoiHeader(source, size)), size_(size), place_{kHeaderBytes, kOpaqueBlack, 0} {}

void QoiReader::Read(const uint8_t* source, uint32_t count, uint8_t* out, size_t stride) {
    Walk walk(place_, seen_, source, source + size_ - kEndMark.size());
    for (const uint32_t last = row_ + count; row_ < last; ++row_, out += stride)
        walk.DecodeRow(out, header_.width);
    if (row_ == header_.height) walk.CheckEnd();
    place_ = walk.Place(source);
}

void DecodeQoi(const uint8_t* source, size_t size, uint8_t* out, size_t stride, uint32_t row0,
               uint32_t row1) {
    QoiReader reader(source, size);
    const QoiHeader& header = reader.header();
    if (row0 > row1 || row1 > header.height) {
        throw Failure(FL_BAD_ARGUMENT, "rows " + std::to_string(row0) + " .. " +
                                           std::to_string(row1) + " of an image of " +
                                           std::to_string(header.height) + " rows");
    }
    if (row0 > 0) {
        auto skipped = std::make_unique_for_overwrite<uint8_t[]>(size_t{3} * header.width);
        reader.Read(source, row0, skipped.get(), 0);
    }
    reader.Read(source, row1 - row0, out, stride);
}

}  // namespace fastload
