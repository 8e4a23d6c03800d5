// Where pixels come from: a record's bytes, or an image already in memory.
#ifndef FASTLOAD_NATIVE_PIXEL_SOURCE_H_
#define FASTLOAD_NATIVE_PIXEL_SOURCE_H_

#include <cstdint>
#include <vector>

#include "block_rows.h"
#include "box.h"
#include "capi.h"
#include "dct_groups.h"
#include "dct_record.h"
#include "image.h"
#include "jpeg_layout.h"
#include "resize.h"
#include "row_sink.h"

namespace fastload {

// Codec numbers of the pack's index, and one of what is in memory alone.
enum class Codec : int32_t { kJpeg = 0, kDct = 1, kQoi = 2, kPixels = FL_PIXELS };

class PixelSource {
  public:
    virtual ~PixelSource() = default;

    int32_t height() const { return height_; }
    int32_t width() const { return width_; }
    int32_t channels() const { return channels_; }

    // Delivers the rows of `box`, which lies inside the image.
    virtual void Read(Box box, RowSink& sink) = 0;
    // Delivers the resized rows, near those that resizing what Read gives would make. Returns
    // false, with nothing delivered, where the source has no quicker way to them.
    virtual bool ReadResized(const Resizing&, RowSink&) { return false; }

    // The layout of a source that has coefficients in packed groups; else null.
    virtual const JpegLayout* packed_layout() const { return nullptr; }
    // Lets the groups of some blocks of each component, at least one, be there for FindGroups.
    // Returns false where they cannot be.
    virtual bool NeedGroups(const BlockBox[]) { return false; }
    // Appends the groups that have some blocks of a component's block row. They are valid as long
    // as the source.
    virtual void FindGroups(int32_t, int32_t, Range, std::vector<PackedGroup>&) const {}

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
    void Read(Box box, RowSink& sink) override;
    bool ReadResized(const Resizing& resizing, RowSink& sink) override;

  private:
    const uint8_t* data_;
    size_t size_;
    const JpegLayout layout_;
};

class DctPixels final : public PixelSource {
  public:
    // `record` is opened on the data.
    DctPixels(const uint8_t* data, size_t size, DctRecord& record);
    void Read(Box box, RowSink& sink) override;
    bool ReadResized(const Resizing& resizing, RowSink& sink) override;
    const JpegLayout* packed_layout() const override { return &record_.layout(); }
    bool NeedGroups(const BlockBox[]) override { return true; }
    void FindGroups(int32_t component, int32_t block_row, Range blocks,
                    std::vector<PackedGroup>& found) const override {
        record_.FindGroups(component, block_row, blocks, found);
    }

  private:
    const DctRecord& record_;
};

class QoiPixels final : public PixelSource {
  public:
    // Decoded rows are kept in `scratch`.
    QoiPixels(const uint8_t* data, size_t size, Image& scratch);
    void Read(Box box, RowSink& sink) override;

  private:
    const uint8_t* data_;
    size_t size_;
    Image& scratch_;
};

// What an fl_pixels describes.
class BarePixels final : public PixelSource {
  public:
    BarePixels(const uint8_t* data, size_t size);
    void Read(Box box, RowSink& sink) override;

  private:
    const uint8_t* rgb_;
};

class ImagePixels final : public PixelSource {
  public:
    explicit ImagePixels(const Image& image);
    void Read(Box box, RowSink& sink) override;

  private:
    const Image& image_;
};

}  // namespace fastload

#endif  // FASTLOAD_NATIVE_PIXEL_SOURCE_H_
