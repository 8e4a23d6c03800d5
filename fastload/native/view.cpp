#include "view.h"

namespace fastload {

View::View(int32_t height, int32_t width) : resizing_{{0, 0, width, height}, 0, 0, {}, {}, {}} {}

void View::Crop(Box box) {
    whole_ = false;
    const int32_t left = flipped_left_right_ ? width() - box.left - box.width : box.left;
    const int32_t top = flipped_top_down_ ? height() - box.top - box.height : box.top;
    Box& target = resized_ ? resizing_.window : resizing_.crop;
    target = {target.left + left, target.top + top, box.width, box.height};
}

bool View::Resize(int32_t height, int32_t width, Filter filter, PassOrder order) {
    if (height == this->height() && width == this->width()) return true;
    if (resized_ || flipped_left_right_ || flipped_top_down_) return false;
    whole_ = false;
    resized_ = true;
    resizing_ = {resizing_.crop, height, width, {0, 0, width, height}, filter, order};
    return true;
}

bool View::Shrinks() const {
    const Box& crop = resizing_.crop;
    return int64_t{crop.width} * crop.height > int64_t{resizing_.width} * resizing_.height;
}

void View::Render(PixelSource& source, bool fast, RowSink& sink) const {
    const Box& crop = resizing_.crop;
    if (!resized_) return source.Read(crop, sink);
    // Colours are converted behind a fast resize: more of them, where that enlarges.
    if (fast && Shrinks() && source.ReadResized(resizing_, sink)) return;

    thread_local ResizePlan plan;
    thread_local Resampler resampler;
    plan.Make(AcrossOf(resizing_), DownOf(resizing_), source.channels(), resizing_.order,
              BestResizeKernels());
    resampler.Begin(plan, sink);
    const Axis &across = plan.horizontal, &down = plan.vertical;
    source.Read({crop.left + across.begin(), crop.top + down.begin(), across.end() - across.begin(),
                 down.end() - down.begin()},
                resampler);
    resampler.Finish();
}

}  // namespace fastload
