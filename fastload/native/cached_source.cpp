#include "cached_source.h"

#include <utility>
#include <vector>

#include "block_rows.h"
#include "error.h"
#include "jpeg_region.h"
#include "jpeg_transcode.h"
#include "kept_blocks.h"
#include "kept_dct.h"
#include "kept_pixels.h"
#include "kept_planes.h"
#include "plane_resize.h"
#include "stages.h"

namespace fastload {
namespace {

// A `.dct` record of a photo has about so many times the bytes of its JPEG.
constexpr double kBytesOfJpeg = 1.7;

template <typename Kept>
std::shared_ptr<Kept> Keep(const CacheTicket& ticket, std::shared_ptr<Kept> kept) {
    return std::dynamic_pointer_cast<Kept>(
        ticket.cache->Keep(ticket.key, ticket.next_use, std::move(kept)));
}

// Where rows cannot be read one by one, all are kept at once. Returns null where the file is not
// one that can be rewritten.
std::shared_ptr<KeptDct> KeepWhole(const CacheTicket& ticket, const uint8_t* payload,
                                   uint64_t length) {
    Buffer rewritten;
    if (!RewriteSeekable(payload, length, rewritten)) return nullptr;
    const JpegLayout layout = ReadJpegLayout(rewritten.data(), rewritten.size());
    const auto made = std::make_shared<KeptDct>(layout);
    KeptBlocks blocks;
    blocks.Open(*made, rewritten.data(), rewritten.size());
    blocks.ReadAll();
    const uint64_t bytes = blocks.Keep();
    if (bytes == 0) return nullptr;
    const auto kept = Keep(ticket, made);
    ticket.cache->Grow(ticket.key, made.get(), bytes);
    return kept;
}

class CachedJpeg final : public PixelSource {
  public:
    // `often`: as the cache has found.
    CachedJpeg(const CacheTicket& ticket, std::shared_ptr<KeptDct> kept, bool often,
               const uint8_t* data, size_t size)
        : ticket_(ticket), kept_(std::move(kept)), often_(often), data_(data), size_(size) {
        height_ = kept_->layout().height;
        width_ = kept_->layout().width;
        channels_ = kept_->layout().component_count;
    }

    void Read(Box box, RowSink& sink) override {
        KeptBlocks& blocks = OpenBlocks();
        DecodeOrAskLibjpeg(kept_->layout(), blocks, data_, size_, box, sink);
        Keep(blocks);
    }

    bool ReadResized(const Resizing& resizing, RowSink& sink) override {
        KeptBlocks& blocks = OpenBlocks();
        ResizePlanes(kept_->layout(), blocks, resizing, sink);
        Keep(blocks);
        return true;
    }

    const JpegLayout* packed_layout() const override { return &kept_->layout(); }

    bool NeedGroups(const BlockBox needed[]) override {
        KeptBlocks& blocks = OpenBlocks();
        const BlockBox mcus = McusOf(kept_->layout(), needed);
        try {
            blocks.Begin(mcus.across, mcus.down);
            blocks.ReadMissing();
        } catch (const Failure& failure) {
            if (failure.code() != FL_JPEG_WARNING) throw;
            return false;  // Read() asks libjpeg
        }
        was_kept_ = blocks.all_kept();
        if (!was_kept_) ticket_.cache->Grow(ticket_.key, kept_.get(), blocks.Keep());
        return blocks.AreAllKept();
    }

    void FindGroups(int32_t component, int32_t block_row, Range blocks,
                    std::vector<PackedGroup>& found) const override {
        kept_->FindGroups(component, block_row, blocks, found);
    }

    bool was_kept() const override { return was_kept_; }

  private:
    KeptBlocks& OpenBlocks() const {
        thread_local KeptBlocks blocks;
        blocks.Open(*kept_, data_, size_);
        return blocks;
    }

    void Keep(KeptBlocks& blocks) {
        was_kept_ = blocks.all_kept();
        if (ticket_.exact && ArePlanesWorthIt() && KeepPlanes(blocks)) return;
        if (!was_kept_) ticket_.cache->Grow(ticket_.key, kept_.get(), blocks.Keep());
    }

    // Where there is room, from the first hit on.
    bool ArePlanesWorthIt() const {
        const uint64_t bytes = KeptPlanes::BytesOf(kept_->layout());
        return often_ || (was_kept_ && ticket_.cache->HasAmpleRoom(bytes));
    }

    // Returns false where the file has a fault somewhere: the box that was asked for has none.
    bool KeepPlanes(KeptBlocks& blocks) {
        try {
            auto planes = std::make_shared<KeptPlanes>(kept_->layout(), blocks);
            ticket_.cache->Replace(ticket_.key, kept_.get(), std::move(planes));
            return true;
        } catch (const Failure&) {
            return false;
        }
    }

    const CacheTicket ticket_;
    const std::shared_ptr<KeptDct> kept_;
    const bool often_;
    const uint8_t* const data_;
    const size_t size_;
    bool was_kept_ = false;
};

class CachedPlanes final : public PixelSource {
  public:
    explicit CachedPlanes(std::shared_ptr<KeptPlanes> kept) : kept_(std::move(kept)) {
        height_ = kept_->layout().height;
        width_ = kept_->layout().width;
        channels_ = kept_->layout().component_count;
    }

    void Read(Box box, RowSink& sink) override {
        DecodeRegion(kept_->layout(), kept_->samples(), box, sink);
    }

    bool was_kept() const override { return true; }

  private:
    const std::shared_ptr<KeptPlanes> kept_;
};

class CachedQoi final : public PixelSource {
  public:
    CachedQoi(std::shared_ptr<KeptPixels> kept, const uint8_t* data, size_t size)
        : kept_(std::move(kept)), data_(data), size_(size) {
        height_ = kept_->height();
        width_ = kept_->width();
        channels_ = 3;
    }

    void Read(Box box, RowSink& sink) override {
        {
            const InStage stage(Stage::kEntropy);
            was_kept_ = kept_->Need(box.top + box.height, data_, size_);
        }
        sink.Rows(kept_->row(box.top) + 3 * box.left, kept_->stride(), box.height);
    }

    bool was_kept() const override { return was_kept_; }

  private:
    const std::shared_ptr<KeptPixels> kept_;
    const uint8_t* const data_;
    const size_t size_;
    bool was_kept_ = false;
};

std::shared_ptr<KeptDct> KeepJpeg(const CacheTicket& ticket, const uint8_t* payload,
                                  uint64_t length) {
    const auto bytes = static_cast<uint64_t>(kBytesOfJpeg * static_cast<double>(length));
    if (!ticket.cache->WouldKeep(ticket.next_use, bytes)) return nullptr;
    const JpegLayout layout = ReadJpegLayout(payload, length);
    return layout.seekable ? Keep(ticket, std::make_shared<KeptDct>(layout))
                           : KeepWhole(ticket, payload, length);
}

std::shared_ptr<KeptPixels> KeepQoi(const CacheTicket& ticket, const uint8_t* payload,
                                    uint64_t length) {
    const uint64_t bytes = KeptPixels::BytesOf(ReadQoiHeader(payload, length));
    if (!ticket.cache->WouldKeep(ticket.next_use, bytes)) return nullptr;
    return Keep(ticket, std::make_shared<KeptPixels>(payload, length));
}

std::unique_ptr<PixelSource> OpenCachedJpeg(const CacheTicket& ticket, const uint8_t* payload,
                                            uint64_t length) {
    auto [found, often] = ticket.cache->Find(ticket.key, ticket.next_use);
    if (auto planes = std::dynamic_pointer_cast<KeptPlanes>(found); planes != nullptr) {
        if (!ticket.exact) return nullptr;
        return std::make_unique<CachedPlanes>(std::move(planes));
    }
    auto kept = std::dynamic_pointer_cast<KeptDct>(std::move(found));
    if (kept == nullptr) kept = KeepJpeg(ticket, payload, length);
    if (kept == nullptr) return nullptr;
    return std::make_unique<CachedJpeg>(ticket, std::move(kept), often, payload, length);
}

std::unique_ptr<PixelSource> OpenCachedQoi(const CacheTicket& ticket, const uint8_t* payload,
                                           uint64_t length) {
    auto kept = std::dynamic_pointer_cast<KeptPixels>(
        ticket.cache->Find(ticket.key, ticket.next_use).record);
    if (kept == nullptr) kept = KeepQoi(ticket, payload, length);
    if (kept == nullptr) return nullptr;
    return std::make_unique<CachedQoi>(std::move(kept), payload, length);
}

}  // namespace

std::unique_ptr<PixelSource> OpenCached(const CacheTicket& ticket, const uint8_t* payload,
                                        uint64_t length, int32_t codec) {
    switch (static_cast<Codec>(codec)) {
        case Codec::kJpeg:
            return OpenCachedJpeg(ticket, payload, length);
        case Codec::kQoi:
            return OpenCachedQoi(ticket, payload, length);
        default:
            return nullptr;
    }
}

}  // namespace fastload
