#include "jpeg_encode.h"

#include <cstdlib>
#include <string>

#include "error.h"
#include "jpeg_source.h"
#include "jpeg_transcode.h"

namespace fastload {
namespace {

struct Picture {
    const uint8_t* pixels;
    uint32_t width;
    uint32_t height;
    uint32_t channels;
    size_t stride;
    uint32_t quality;
};

class JpegSink {
  public:
    JpegSink() : info_{} {
        info_.err = errors_.manager();
        errors_.Attempt([](void* info) { jpeg_create_compress(static_cast<j_compress_ptr>(info)); },
                        &info_);
    }
    ~JpegSink() {
        jpeg_destroy_compress(&info_);
        std::free(bytes_);  // jpeg_mem_dest allocates with malloc and leaves the rest to its caller
    }
    JpegSink(const JpegSink&) = delete;
    JpegSink& operator=(const JpegSink&) = delete;

    void Encode(const Picture& picture) {
        picture_ = &picture;
        errors_.Attempt([](void* self) { static_cast<JpegSink*>(self)->Compress(); }, this);
    }

    const uint8_t* data() const { return bytes_; }
    size_t size() const { return size_; }

  private:
    // Left by longjmp on errors: no object with a destructor may live here.
    void Compress() {
        const Picture& picture = *picture_;
        jpeg_mem_dest(&info_, &bytes_, &size_);
        info_.image_width = picture.width;
        info_.image_height = picture.height;
        info_.input_components = static_cast<int>(picture.channels);
        info_.in_color_space = picture.channels == 1 ? JCS_GRAYSCALE : JCS_RGB;
        jpeg_set_defaults(&info_);
        jpeg_set_quality(&info_, static_cast<int>(picture.quality), TRUE);
        jpeg_start_compress(&info_, TRUE);
        while (info_.next_scanline < info_.image_height) {
            // libjpeg never writes to its input rows.
            JSAMPROW row =
                const_cast<JSAMPROW>(picture.pixels + info_.next_scanline * picture.stride);
            (void)jpeg_write_scanlines(&info_, &row,
                                       1);  // the sink never suspends: one row is taken each time
        }
        jpeg_finish_compress(&info_);
    }

    JpegErrors errors_;
    jpeg_compress_struct info_;
    const Picture* picture_ = nullptr;
    unsigned char* bytes_ = nullptr;
    unsigned long size_ = 0;
};

}  // namespace

void EncodeJpeg(const uint8_t* pixels, uint32_t width, uint32_t height, uint32_t channels,
                size_t stride, uint32_t quality, Buffer& out) {
    if (channels != 1 && channels != 3) {
        throw Failure(FL_BAD_ARGUMENT, std::to_string(channels) + " channels, 1 or 3 are allowed");
    }
    if (quality < 1 || quality > 100) {
        throw Failure(FL_BAD_ARGUMENT,
                      "quality " + std::to_string(quality) + " is not in 1 .. 100");
    }
    if (width == 0 || height == 0 || width > JPEG_MAX_DIMENSION || height > JPEG_MAX_DIMENSION) {
        throw Failure(FL_BAD_ARGUMENT, std::to_string(width) + "x" + std::to_string(height) +
                                           " pixels: JPEG sides are 1 .. 65500");
    }
    JpegSink sink;
    sink.Encode({pixels, width, height, channels, stride, quality});
    JpegFacts facts;
    TranscodeJpeg(sink.data(), sink.size(), out, facts);
}

}  // namespace fastload
