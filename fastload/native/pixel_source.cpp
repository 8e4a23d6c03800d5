#include "pixel_source.h"

#include <algorithm>
#include <cstring>

#include "dct_region.h"
#include "error.h"
#include "jpeg_region.h"
#include "qoi.h"
#include "stages.h"

namespace fastload {
namespace {

// Runs let a file of some megabytes claim more pixels on a side than 32 bits with a sign hold.
constexpr uint32_t kMostSide = 1u << 30;

}  // namespace

JpegPixels::JpegPixels(const uint8_t* data, size_t size)
    : data_(data), size_(size), layout_(ReadJpegLayout(data, size)) {
    height_ = layout_.height;
    width_ = layout_.width;
    channels_ = layout_.component_count;
}

void JpegPixels::Read(Box box, RowSink& sink) {
    DecodeJpegRegion(data_, size_, layout_, box, sink);
}

bool JpegPixels::ReadResized(const Resizing& resizing, RowSink& sink) {
    return ResizeJpegRegion(data_, size_, layout_, resizing, sink);
}

DctPixels::DctPixels(const uint8_t* data, size_t size, DctRecord& record) : record_(record) {
    record.Open(data, size);
    height_ = record.layout().height;
    width_ = record.layout().width;
    channels_ = record.layout().component_count;
}

void DctPixels::Read(Box box, RowSink& sink) { DecodeDctRegion(record_, box, sink); }

bool DctPixels::ReadResized(const Resizing& resizing, RowSink& sink) {
    ResizeDctRegion(record_, resizing, sink);
    return true;
}

QoiPixels::QoiPixels(const uint8_t* data, size_t size, Image& scratch)
    : data_(data), size_(size), scratch_(scratch) {
    const QoiHeader header = ReadQoiHeader(data, size);
    if (std::max(header.width, header.height) > kMostSide)
        throw Failure(FL_CORRUPT, "a side of more than 2^30 pixels");
    height_ = static_cast<int32_t>(header.height);
    width_ = static_cast<int32_t>(header.width);
    channels_ = 3;
}

void QoiPixels::Read(Box box, RowSink& sink) {
    {
        const InStage stage(Stage::kEntropy);
        scratch_.Allocate(box.height, width_, channels_);
        DecodeQoi(data_, size_, scratch_.row(0), scratch_.stride(), box.top, box.top + box.height);
    }
    sink.Rows(scratch_.row(0) + box.left * channels_, scratch_.stride(), box.height);
}

BarePixels::BarePixels(const uint8_t* data, size_t size) {
    fl_pixels pixels;
    if (size != sizeof(pixels)) throw Failure(FL_BAD_ARGUMENT, "no description of pixels");
    std::memcpy(&pixels, data, sizeof(pixels));
    if (std::min(pixels.height, pixels.width) < 1 ||
        std::max(pixels.height, pixels.width) > kMostSide)
        throw Failure(FL_BAD_ARGUMENT, "pixels without a possible height and width");
    height_ = static_cast<int32_t>(pixels.height);
    width_ = static_cast<int32_t>(pixels.width);
    channels_ = 3;
    rgb_ = reinterpret_cast<const uint8_t*>(pixels.rgb);
}

void BarePixels::Read(Box box, RowSink& sink) {
    const ptrdiff_t stride = ptrdiff_t{channels_} * width_;
    sink.Rows(rgb_ + box.top * stride + ptrdiff_t{channels_} * box.left, stride, box.height);
}

ImagePixels::ImagePixels(const Image& image) : image_(image) {
    height_ = image.height;
    width_ = image.width;
    channels_ = image.channels;
}

void ImagePixels::Read(Box box, RowSink& sink) {
    sink.Rows(image_.row(box.top) + box.left * channels_, image_.stride(), box.height);
}

}  // namespace fastload
