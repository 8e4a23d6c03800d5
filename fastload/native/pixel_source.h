// Where pixels come from: a record's bytes, or an image already in memory.
#ifndef FASTLOAD_NATIVE_PIXEL_SOURCE_H_
#define FASTLOAD_NATIVE_PIXEL_SOURCE_H_

#include <cstdint>

#include "box.h"
#include "dct_record.h"
#include "image.h"
#include "jpeg_layout.h"
#include "row_sink.h"

namespace fastload {

// Codec numbers of the pack's index.
enum class Codec : int32_t { kJpeg = 0, kDct = 1, kQoi = 2 };

class PixelSource {
  public:
    virtual ~PixelSource() = default;

    int32_t height() const { return height_; }
    int32_t width() const { return width_; }
    int32_t channels() const { return channels_; }

    // Whether Read takes denominators above 1.
    virtual bool scales() const { return false; }
    // Delivers the rows of `box`, which lies inside the image; at a denominator above 1, inside the
    // image of ceil(side / denominator) pixels.
    virtual void Read(Box box, int32_t denominator, RowSink& sink) = 0;

    // Whether a cache kept all that was read so far.
    virtual bool was_kept() const { return false; }

  protected:
    int32_t height_ = 0;
    int32_t width_ = 0;
    int32_t channels_ = 0;
};

class JpegPixels final : public PixelSource {
  public:
    JpegPixels(const uint8_t* data, size_t size);
    bool scales() const override { return true; }
    void Read(Box box, int32_t denominator, RowSink& sink) override;

  private:
    const uint8_t* data_;
    size_t size_;
    const JpegLayout layout_;
};

class DctPixels final : public PixelSource {
  public:
    // `record` is opened on the data.
    DctPixels(const uint8_t* data, size_t size, DctRecord& record);
    void Read(Box box, int32_t denominator, RowSink& sink) override;

  private:
    const DctRecord& record_;
};

class QoiPixels final : public PixelSource {
  public:
    // Decoded rows are kept in `scratch`.
    QoiPixels(const uint8_t* data, size_t size, Image& scratch);
    void Read(Box box, int32_t denominator, RowSink& sink) override;

  private:
    const uint8_t* data_;
    size_t size_;
    Image& scratch_;
};

class ImagePixels final : public PixelSource {
  public:
    explicit ImagePixels(const Image& image);
    void Read(Box box, int32_t denominator, RowSink& sink) override;

  private:
    const Image& image_;
};

}  // namespace fastload

#endif  // FASTLOAD_NATIVE_PIXEL_SOURCE_H_
