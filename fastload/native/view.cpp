#include "view.h"

#include "error.h"
#include "resize.h"

namespace fastload {

View::View(const PixelSource& source) : crop_{0, 0, source.width(), source.height()} {}

void View::Crop(Box box) {
    whole_ = false;
    const int32_t left = flipped_left_right_ ? width() - box.left - box.width : box.left;
    const int32_t top = flipped_top_down_ ? height() - box.top - box.height : box.top;
    Box& target = resized_ ? window_ : crop_;
    target = {target.left + left, target.top + top, box.width, box.height};
}

bool View::Resize(int32_t height, int32_t width, Filter filter, PassOrder order) {
    if (height == this->height() && width == this->width()) return true;
    if (resized_ || flipped_left_right_ || flipped_top_down_) return false;
    whole_ = false;
    resized_ = true;
    resized_height_ = height;
    resized_width_ = width;
    filter_ = filter;
    pass_order_ = order;
    window_ = {0, 0, width, height};
    return true;
}

int32_t View::Denominator(const PixelSource& source, bool fast) const {
    if (!fast || !source.scales()) return 1;
    for (const int32_t denominator : {8, 4, 2}) {
        if (crop_.width >= denominator * resized_width_ &&
            crop_.height >= denominator * resized_height_)
            return denominator;
    }
    return 1;
}

void View::Render(PixelSource& source, bool fast, RowSink& sink) const {
    if (!resized_) return source.Read(crop_, 1, sink);
    const int32_t denominator = Denominator(source, fast);
    // The scaled pixels that the crop touches, and the crop's place among them.
    const int32_t left = crop_.left / denominator;
    const int32_t top = crop_.top / denominator;
    const int32_t right = (crop_.left + crop_.width + denominator - 1) / denominator;
    const int32_t bottom = (crop_.top + crop_.height + denominator - 1) / denominator;
    const double scale = 1.0 / denominator;

    thread_local ResizePlan plan;
    plan.Make(
        {filter_, right - left, crop_.left * scale - left,
         (crop_.left + crop_.width) * scale - left, resized_width_, window_.left,
         window_.left + window_.width},
        {filter_, bottom - top, crop_.top * scale - top, (crop_.top + crop_.height) * scale - top,
         resized_height_, window_.top, window_.top + window_.height},
        source.channels(), pass_order_, BestResizeKernels());

    thread_local Resampler resampler;
    resampler.Begin(plan, sink);
    const Axis &horizontal = plan.horizontal, &vertical = plan.vertical;
    source.Read({left + horizontal.begin(), top + vertical.begin(),
                 horizontal.end() - horizontal.begin(), vertical.end() - vertical.begin()},
                denominator, resampler);
    resampler.Finish();
}

}  // namespace fastload
