#include "gather.h"

#include <algorithm>
#include <cstring>

#include "error.h"
#include "gather_axes.h"
#include "gather_blocks.h"
#include "view.h"

namespace fastload {
namespace {

// Blocks and the samples beside a box reach so many pixels beyond it, both sides together.
constexpr uint64_t kBeside = 96;
constexpr int32_t kMostSide = 1 << 20;

fl_gathered& GatheredOf(const fl_item& item) { return *reinterpret_cast<fl_gathered*>(item.out); }

bool Holds(const View& view, const int32_t box[4]) {
    const int64_t top = box[0], left = box[1], height = box[2], width = box[3];
    return top >= 0 && left >= 0 && height > 0 && width > 0 && top + height <= view.height() &&
           left + width <= view.width();
}

bool IsColour(StepKind kind) {
    return kind >= StepKind::kBrightness && kind <= StepKind::kGrayscale;
}

// Applies a step of geometry. Returns false where the kernels cannot follow it: they have one
// resize and read nothing beyond the image.
bool Follow(const fl_step& step, View& view) {
    switch (static_cast<StepKind>(step.kind)) {
        case StepKind::kFlipLeftRight:
            view.FlipLeftRight();
            return true;
        case StepKind::kFlipTopDown:
            view.FlipTopDown();
            return true;
        case StepKind::kCrop:
            if (!Holds(view, step.i)) return false;
            view.Crop({step.i[1], step.i[0], step.i[3], step.i[2]});
            return true;
        case StepKind::kResize:
            return std::min(step.i[0], step.i[1]) > 0 &&
                   std::max(step.i[0], step.i[1]) <= kMostSide &&
                   view.Resize(step.i[0], step.i[1], static_cast<Filter>(step.i[2]),
                               static_cast<PassOrder>(step.i[3]));
        default:
            return false;
    }
}

// Applies an item's geometry; returns whether the kernels can do all its steps. They have geometry
// first and colours after it, flips anywhere.
bool FollowAll(const fl_item& item, View& view) {
    const auto* steps = reinterpret_cast<const fl_step*>(item.steps);
    bool coloured = false;
    for (int32_t s = 0; s < item.step_count; ++s) {
        const auto kind = static_cast<StepKind>(steps[s].kind);
        if (kind == StepKind::kNone || kind == StepKind::kErase) continue;
        const bool flips = kind == StepKind::kFlipLeftRight || kind == StepKind::kFlipTopDown;
        if (IsColour(kind)) {
            coloured = true;
        } else if ((coloured && !flips) || !Follow(steps[s], view)) {
            return false;
        }
    }
    return view.height() == item.out_height && view.width() == item.out_width;
}

uint64_t BytesOfPixels(Box box, int32_t channels) {
    return static_cast<uint64_t>(box.width) * static_cast<uint64_t>(box.height) *
           static_cast<uint64_t>(channels);
}

class PixelsSink final : public RowSink {
  public:
    PixelsSink(uint8_t* out, size_t row_bytes) : out_(out), row_bytes_(row_bytes) {}
    void Rows(const uint8_t* pixels, ptrdiff_t stride, int32_t count) override {
        for (; count > 0; --count, pixels += stride, out_ += row_bytes_)
            std::memcpy(out_, pixels, row_bytes_);
    }

  private:
    uint8_t* out_;
    size_t row_bytes_;
};

// Keeps what the last image's were, as far as these are the same.
GatheredAxes& AxesOfThread() {
    thread_local GatheredAxes axes;
    return axes;
}

void CheckRoom(const fl_gathered& gathered, uint64_t size) {
    if (size > gathered.room)
        throw Failure(FL_CORRUPT, "the image's size is not the one in the index");
}

class Gathering {
  public:
    Gathering(PixelSource& source, const fl_item& item, Arena& arena)
        : source_(source),
          item_(item),
          arena_(arena),
          gathered_(GatheredOf(item)),
          axes_(AxesOfThread()) {}

    void Run(Workspace& workspace) {
        View view(source_);
        if (!FollowAll(item_, view)) return Finish(workspace);
        axes_.Make(view);
        PutAxes();
        gathered_.flip_left_right = view.flipped_left_right() ? 1 : 0;
        gathered_.flip_top_down = view.flipped_top_down() ? 1 : 0;
        thread_local GatheredBlocks blocks;
        // Of coefficients that take more than the pixels, pixels are the shorter way.
        if (blocks.Find(source_, axes_.box()) &&
            Arena::Aligned(axes_.bytes()) + blocks.bytes() <= gathered_.room)
            return blocks.Write(arena_, gathered_);
        PutPixels();
    }

  private:
    void PutAxes() {
        CheckRoom(gathered_, axes_.bytes());
        gathered_.axes = arena_.Reserve(axes_.bytes());
        axes_.Write(arena_.At(gathered_.axes));
        axes_.Describe(gathered_);
    }

    void PutPixels() {
        const Box box = axes_.box();
        const uint64_t size = BytesOfPixels(box, source_.channels());
        CheckRoom(gathered_, Arena::Aligned(axes_.bytes()) + size);
        gathered_.kind = FL_GATHERED_PIXELS;
        gathered_.channels = source_.channels();
        gathered_.data = arena_.Reserve(size);
        PixelsSink sink(arena_.At(gathered_.data),
                        BytesOfPixels({0, 0, box.width, 1}, source_.channels()));
        source_.Read(box, sink);
    }

    // Does all steps but erasing.
    void Finish(Workspace& workspace) {
        constexpr int32_t kChannels = 3;
        const Box box = {0, 0, item_.out_width, item_.out_height};
        axes_.Make(View(box.height, box.width));
        PutAxes();
        const uint64_t size = BytesOfPixels(box, kChannels);
        CheckRoom(gathered_, Arena::Aligned(axes_.bytes()) + size);
        gathered_.data = arena_.Reserve(size);
        fl_item finished = item_;
        finished.out = reinterpret_cast<uint64_t>(arena_.At(gathered_.data));
        RenderItem(source_, finished, {FL_UINT8, FL_INTERLEAVED, kChannels, 0, 0}, false,
                   workspace);
        gathered_.kind = FL_GATHERED_PIXELS;
        gathered_.channels = kChannels;
        gathered_.finished = 1;
    }

    PixelSource& source_;
    const fl_item& item_;
    Arena& arena_;
    fl_gathered& gathered_;
    GatheredAxes& axes_;
};

}  // namespace

uint64_t SetRoom(const fl_item& item, uint32_t height, uint32_t width) {
    const Box out = {0, 0, item.out_width, item.out_height};
    View view(static_cast<int32_t>(height), static_cast<int32_t>(width));
    uint64_t room = BytesOfPixels(out, 3) + GatheredAxes::Bound(View(out.height, out.width));
    if (FollowAll(item, view)) {
        const Box& crop = view.resizing().crop;
        room = 3 * (static_cast<uint64_t>(crop.width) + kBeside) *
                   (static_cast<uint64_t>(crop.height) + kBeside) +
               GatheredAxes::Bound(view);
    }
    GatheredOf(item).room = Arena::Aligned(room) + 4 * Arena::kAlignment;
    return GatheredOf(item).room;
}

bool GatherItem(const fl_item& item, Arena& arena, RecordCache* cache, Workspace& workspace) {
    fl_gathered& gathered = GatheredOf(item);
    const uint64_t room = gathered.room;
    gathered = {};
    gathered.room = room;
    try {
        CheckBytes(item);
        const std::unique_ptr<PixelSource> source = OpenItem(item, false, cache, workspace);
        Gathering(*source, item, arena).Run(workspace);
        return source->was_kept();
    } catch (...) {
        gathered.kind = 0;
        throw;
    }
}

}  // namespace fastload
