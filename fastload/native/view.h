// Geometry that needs no image in between: a crop, a resize, a window of the result, flips.
#ifndef FASTLOAD_NATIVE_VIEW_H_
#define FASTLOAD_NATIVE_VIEW_H_

#include <cstdint>

#include "box.h"
#include "pixel_source.h"
#include "resize.h"
#include "resize_axis.h"
#include "row_sink.h"

namespace fastload {

// Reads source pixels in a crop, resizes them where that is asked for, keeps a window of the
// result. Flips are not applied to the rows: whoever takes them does that as it writes.
class View {
  public:
    explicit View(const PixelSource& source) : View(source.height(), source.width()) {}
    View(int32_t height, int32_t width);

    int32_t height() const { return (resized_ ? resizing_.window : resizing_.crop).height; }
    int32_t width() const { return (resized_ ? resizing_.window : resizing_.crop).width; }
    bool flipped_left_right() const { return flipped_left_right_; }
    bool flipped_top_down() const { return flipped_top_down_; }

    // The crop, and where it is resized how and to which window.
    const Resizing& resizing() const { return resizing_; }
    bool resized() const { return resized_; }

    // Whether it is the source as it is, flips apart.
    bool whole() const { return whole_; }

    // The box lies inside height() x width().
    void Crop(Box box);
    void FlipLeftRight() { flipped_left_right_ = !flipped_left_right_; }
    void FlipTopDown() { flipped_top_down_ = !flipped_top_down_; }
    void Unflip() { flipped_left_right_ = flipped_top_down_ = false; }
    // False where this needs the image so far in memory first.
    bool Resize(int32_t height, int32_t width, Filter filter, PassOrder order);

    // Delivers height() rows, not flipped. `fast`: what the source makes smaller by itself is near
    // enough.
    void Render(PixelSource& source, bool fast, RowSink& sink) const;

  private:
    bool Shrinks() const;

    bool whole_ = true;
    bool resized_ = false;
    Resizing resizing_;  // all but the crop is set where it is resized
    bool flipped_left_right_ = false;
    bool flipped_top_down_ = false;
};

}  // namespace fastload

#endif  // FASTLOAD_NATIVE_VIEW_H_
