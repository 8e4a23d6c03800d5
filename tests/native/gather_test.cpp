// What lies in an arena, against libjpeg's coefficients and pixels; and what a plain resize makes
// of it by the axes beside it, against the image that ProcessItem makes.
#include "gather.h"

#include <unistd.h>

#include <memory>
#include <optional>
#include <set>
#include <thread>
#include <utility>
#include <vector>

#include "dct_blocks.h"
#include "dct_record.h"
#include "items.h"
#include "pool.h"
#include "regions.h"

namespace {

using fastload::Arena;
using fastload::Codec;
using fastload::Filter;
using fastload::PassOrder;
using fastload::RecordCache;
using fastload::StepKind;

// ---- Records and what is asked of them

struct Source {
    Record record;
    Picture whole;
    std::optional<JpegContent> content;  // none of QOI
};

Source SourceOf(const Bytes& jpeg) {
    const Picture whole = WholeOf(jpeg);
    return {{Codec::kJpeg, whole.height, whole.width, jpeg}, whole, ContentOf(jpeg)};
}

Source DctOf(const Source& seekable) {
    return {DctRecord(seekable.record), seekable.whole, seekable.content};
}

Source QoiOf(RandomSource& random, int32_t height, int32_t width) {
    const Bytes rgb = random.Picture(width, height, 3, 20, true);
    return {QoiRecord(rgb, height, width), {width, height, 3, rgb}, std::nullopt};
}

JpegKind SomeKind(RandomSource& random, const Sampling& sampling, uint32_t most) {
    JpegKind kind = KindOf(sampling, 1 + random.Below(most), 1 + random.Below(most));
    kind.quality = 40 + static_cast<int>(random.Below(60));
    return kind;
}

struct Asked {
    Steps steps;
    Steps geometry;         // those that an arena tells of unless all is done
    int32_t height, width;  // of the result
};

void CropAnywhere(RandomSource& random, Asked& asked) {
    const Box box = RandomBox(random, asked.width, asked.height);
    asked.geometry.push_back(Crop(box.top, box.left, box.height, box.width));
    asked.height = box.height;
    asked.width = box.width;
}

Asked SomeSteps(RandomSource& random, const Record& record) {
    Asked asked{{}, {}, record.height, record.width};
    if (random.Below(4) > 0) CropAnywhere(random, asked);
    if (random.Below(6) == 0) asked.geometry.push_back(FlipLeftRight());
    if (random.Below(3) > 0) {
        asked.height = Between(random, 1, 40);
        asked.width = Between(random, 1, 40);
        asked.geometry.push_back(Resize(asked.height, asked.width,
                                        static_cast<Filter>(random.Below(6)),
                                        static_cast<PassOrder>(random.Below(3))));
    }
    if (random.Below(3) == 0) CropAnywhere(random, asked);
    if (random.Below(2) == 0) asked.geometry.push_back(FlipLeftRight());
    if (random.Below(4) == 0) asked.geometry.push_back(FlipTopDown());
    if (random.Below(8) == 0) {
        asked.geometry.push_back(Pad(1, 2, 3, 0, fastload::PadMode::kEdge));
        asked.height += 2;
        asked.width += 4;
    }
    asked.steps = asked.geometry;
    if (random.Below(4) == 0) {
        asked.steps.push_back(Colour(StepKind::kBrightness, 0.5f));
        asked.steps.push_back(Grayscale());
    }
    return asked;
}

// ---- Gathering one

struct Gathered {
    fl_gathered told{};
    Bytes arena;
    int32_t code = FL_OK;
    bool was_kept = false;
};

struct Cached {
    RecordCache* cache = nullptr;
    uint64_t key = 0;
};

// `size` is that of the arena; without one it is as large as what is said to be needed.
Gathered Gather(const Record& record, const Asked& asked, Cached cached = {},
                std::optional<uint64_t> size = std::nullopt) {
    Gathered got;
    fl_item item = ItemOf(record, asked.steps, asked.height, asked.width, &got.told);
    item.key = cached.key;
    item.next_use = 1;
    const auto height = static_cast<uint32_t>(record.height);
    const auto width = static_cast<uint32_t>(record.width);
    const uint64_t room = fastload::SetRoom(item, height, width);
    got.arena.resize(size.value_or(room));
    Arena arena(got.arena.data(), got.arena.size(), 0);
    fastload::Workspace workspace;
    got.code =
        CodeOf([&] { got.was_kept = fastload::GatherItem(item, arena, cached.cache, workspace); });
    CHECK(arena.used() <= got.arena.size());
    CHECK((got.code == FL_OK) == (got.told.kind != 0));
    got.arena.resize(arena.used());
    return got;
}

// ---- Judging one

Box BoxOf(const fl_gathered& told) { return {told.left, told.top, told.width, told.height}; }

template <typename Number>
std::vector<Number> NumbersAt(const Bytes& arena, uint64_t offset, size_t count) {
    std::vector<Number> numbers(count);
    CHECK(offset % sizeof(Number) == 0 && offset + sizeof(Number) * count <= arena.size());
    if (offset + sizeof(Number) * count <= arena.size())
        std::memcpy(numbers.data(), arena.data() + offset, sizeof(Number) * count);
    return numbers;
}

// The samples that pixels from .. to - 1 are made of.
fastload::Range Samples(int32_t from, int32_t to, int32_t step, bool smooth, int32_t count) {
    return {std::max(from / step - (smooth ? 1 : 0), 0),
            std::min((to - 1) / step + (smooth ? 1 : 0), count - 1) + 1};
}

void CheckPlane(const fl_gathered& told, int32_t component, const JpegContent& content) {
    const fl_plane& plane = told.planes[component];
    const auto& [across, down] = content.sampling[static_cast<size_t>(component)];
    const int32_t step_across = 12 / across, step_down = 12 / down;
    const auto samples = [](uint32_t pixels, int32_t step) {
        return (static_cast<int32_t>(pixels) + step - 1) / step;
    };
    CHECK(plane.step_across == step_across && plane.step_down == step_down);
    CHECK(plane.width == samples(content.width, step_across));
    CHECK(plane.height == samples(content.height, step_down));
    const bool wide = plane.width > 2;
    const bool smooth_across = step_across == 2 && step_down <= 2 && wide;
    const bool smooth_down = step_down == 2 && (step_across == 1 || smooth_across);
    CHECK((plane.smooth_across != 0) == smooth_across);
    CHECK((plane.smooth_down != 0) == smooth_down);
    const auto columns = fastload::Touched(
        Samples(told.left, told.left + told.width, step_across, smooth_across, plane.width), 8);
    const auto rows = fastload::Touched(
        Samples(told.top, told.top + told.height, step_down, smooth_down, plane.height), 8);
    CHECK(plane.first_block == columns.first && plane.last_block == columns.last);
    CHECK(plane.first_row == rows.first && plane.last_row == rows.last);
}

// Where a piece says that it lies, and which blocks it says to have.
struct Piece {
    int32_t block_row, first, count;
    std::vector<int16_t> coefficients;
};

std::vector<Piece> PiecesOf(const Gathered& got, int32_t component) {
    size_t before = 0;
    for (int32_t i = 0; i < component; ++i)
        before += static_cast<size_t>(got.told.planes[i].pieces);
    const auto count = static_cast<size_t>(got.told.planes[component].pieces);
    const auto words = NumbersAt<int32_t>(got.arena, got.told.pieces + 8 * before, 2 * count);
    std::vector<Piece> pieces;
    for (size_t i = 0; i < count; ++i) {
        const uint64_t at = got.told.data + static_cast<uint64_t>(words[2 * i]);
        const int32_t where = words[2 * i + 1];
        Piece piece = {where >> 18, where >> 5 & 8191, where & 31, {}};
        const auto blocks = static_cast<size_t>(piece.count);
        const auto lengths = NumbersAt<uint8_t>(got.arena, at + 2 * blocks, blocks);
        size_t size = fastload::kFrontOfBlock * blocks;
        for (const uint8_t length : lengths) size += length;
        // Of just its size: nothing behind it belongs to it.
        Bytes bytes = NumbersAt<uint8_t>(got.arena, at, size);
        bytes.resize(size + fastload::kReadablePastGroup);
        piece.coefficients.resize(64 * blocks);
        CHECK(fastload::UnpackBlocksPortable(bytes.data(), size, piece.count, {0, piece.count},
                                             piece.coefficients.data()));
        pieces.push_back(std::move(piece));
    }
    return pieces;
}

// Each block of the planes is there once. `of(component, row, block)` are its coefficients.
template <typename CoefficientsOf>
void CheckCoefficients(const Gathered& got, CoefficientsOf of) {
    for (int32_t i = 0; i < got.told.channels; ++i) {
        const fl_plane& plane = got.told.planes[i];
        std::set<std::pair<int32_t, int32_t>> missing;
        for (int32_t row = plane.first_row; row < plane.last_row; ++row)
            for (int32_t b = plane.first_block; b < plane.last_block; ++b) missing.emplace(row, b);
        bool same = true;
        for (const Piece& piece : PiecesOf(got, i)) {
            CHECK(piece.count >= 1 && piece.count <= 16);
            for (int32_t b = 0; b < piece.count; ++b) {
                CHECK(missing.erase({piece.block_row, piece.first + b}) == 1);
                const int16_t* const here = piece.coefficients.data() + size_t{64} * b;
                const std::vector<int16_t> expected = of(i, piece.block_row, piece.first + b);
                same = same && std::equal(expected.begin(), expected.end(), here);
            }
        }
        CHECK(missing.empty() && same);
    }
}

void CheckBlocks(const Gathered& got, const JpegContent& content) {
    CHECK(got.told.channels == static_cast<int32_t>(content.components.size()));
    CHECK(got.told.colour == (got.told.channels == 1 ? 0 : content.colour == JCS_RGB ? 2 : 1));
    for (int32_t i = 0; i < got.told.channels; ++i) {
        CheckPlane(got.told, i, content);
        const auto quant =
            NumbersAt<uint16_t>(got.arena, got.told.quant + 128 * static_cast<uint64_t>(i), 64);
        const auto& expected = content.components[static_cast<size_t>(i)].quant;
        CHECK(std::equal(expected.begin(), expected.end(), quant.begin()));
    }
    CheckCoefficients(got, [&](int32_t component, int32_t row, int32_t block) {
        const auto& of = content.components[static_cast<size_t>(component)];
        const size_t at = 64 * (size_t(row) * of.blocks_across + size_t(block));
        return std::vector<int16_t>(&of.coefficients[at], &of.coefficients[at] + 64);
    });
}

struct AxisInArena {
    std::vector<int32_t> first, weights;
    int32_t taps;
};

// Pillow's arithmetic: 22 bits behind the point, rounded, cut to a level.
Picture Resampled(const Picture& in, const AxisInArena& axis, bool across) {
    const auto size = static_cast<int32_t>(axis.first.size());
    Picture out = {across ? size : in.width, across ? in.height : size, in.channels, {}};
    const int32_t last = (across ? in.width : in.height) - 1;
    for (int32_t y = 0; y < out.height; ++y) {
        for (int32_t x = 0; x < out.width; ++x) {
            const int32_t place = across ? x : y, first = axis.first[static_cast<size_t>(place)];
            CHECK(first >= 0 && first <= last);
            for (int32_t channel = 0; channel < in.channels; ++channel) {
                int64_t sum = 1 << 21;
                for (int32_t tap = 0; tap < axis.taps; ++tap) {
                    const int32_t at = std::min(first + tap, last);
                    const int32_t pixel = across ? y * in.width + at : at * in.width + x;
                    sum += int64_t{axis.weights[static_cast<size_t>(place * axis.taps + tap)]} *
                           in.pixels[static_cast<size_t>(pixel * in.channels + channel)];
                }
                out.pixels.push_back(static_cast<uint8_t>(std::clamp<int64_t>(sum >> 22, 0, 255)));
            }
        }
    }
    return out;
}

// As a GPU makes it of the box's pixels: RGB.
Bytes Made(const Gathered& got, Picture box, int32_t height, int32_t width) {
    const fl_gathered& told = got.told;
    uint64_t at = told.axes;
    const auto axis = [&](int32_t size, int32_t taps) {
        const auto pixels = static_cast<size_t>(size), each = static_cast<size_t>(taps);
        AxisInArena found = {NumbersAt<int32_t>(got.arena, at, pixels),
                             NumbersAt<int32_t>(got.arena, at + 4 * pixels, pixels * each), taps};
        at += 4 * pixels * (1 + each);
        return found;
    };
    const AxisInArena across = axis(width, told.taps_across), down = axis(height, told.taps_down);
    const bool across_first = told.vertical_first == 0;
    box = Resampled(box, across_first ? across : down, across_first);
    box = Resampled(box, across_first ? down : across, !across_first);
    Bytes rgb;
    for (int32_t y = 0; y < height; ++y) {
        for (int32_t x = 0; x < width; ++x) {
            const int32_t row = told.flip_top_down != 0 ? height - 1 - y : y;
            const int32_t column = told.flip_left_right != 0 ? width - 1 - x : x;
            for (int32_t channel = 0; channel < 3; ++channel)
                rgb.push_back(box.pixels[static_cast<size_t>((row * width + column) * box.channels +
                                                             (box.channels == 3 ? channel : 0))]);
        }
    }
    return rgb;
}

Bytes Processed(const Record& record, const Steps& steps, int32_t height, int32_t width) {
    Bytes rgb(size_t{3} * static_cast<size_t>(height) * static_cast<size_t>(width));
    const fl_item item = ItemOf(record, steps, height, width, rgb.data());
    fastload::Workspace workspace;
    const int32_t code = CodeOf([&] {
        fastload::ProcessItem(item, {FL_UINT8, FL_INTERLEAVED, 3, 0, 0}, false, nullptr, workspace);
    });
    CHECK(code == FL_OK);
    return rgb;
}

void CheckGathered(const Gathered& got, const Source& source, const Asked& asked) {
    CHECK(got.code == FL_OK);
    if (got.code != FL_OK) return;
    const fl_gathered& told = got.told;
    const bool finished = told.finished != 0;
    Picture box = {told.width, told.height, finished ? 3 : source.whole.channels, {}};
    CHECK(told.channels == box.channels);
    if (!finished) box.pixels = RegionOf(source.whole, BoxOf(told));
    if (told.kind == FL_GATHERED_BLOCKS) {
        CHECK(source.content.has_value() && !finished);
        CheckBlocks(got, *source.content);
    } else {
        CHECK(told.kind == FL_GATHERED_PIXELS);
        const auto count = static_cast<size_t>(box.width * box.height * box.channels);
        const Bytes pixels = NumbersAt<uint8_t>(got.arena, told.data, count);
        CHECK(finished || pixels == box.pixels);
        box.pixels = pixels;
    }
    CHECK(Made(got, box, asked.height, asked.width) ==
          Processed(source.record, finished ? asked.steps : asked.geometry, asked.height,
                    asked.width));
}

bool HasBlocks(const Gathered& got) { return got.told.kind == FL_GATHERED_BLOCKS; }

// ---- What is right

struct Seen {
    int blocks = 0, pixels = 0, finished = 0;

    void Count(const Gathered& got) {
        ++(HasBlocks(got) ? blocks : got.told.finished != 0 ? finished : pixels);
    }
};

void TestDct() {
    RandomSource random(1);
    for (const Sampling& sampling : kSamplings) {
        Seen seen;
        for (int round = 0; round < 8; ++round) {
            const JpegKind kind = SomeKind(random, sampling, round < 4 ? 40 : 300);
            const Source source = DctOf(SourceOf(Seekable(MakeJpeg(kind, random, 30))));
            for (int i = 0; i < 24; ++i) {
                const Asked asked = SomeSteps(random, source.record);
                const Gathered got = Gather(source.record, asked);
                CheckGathered(got, source, asked);
                seen.Count(got);
            }
        }
        CHECK(seen.blocks > 100 && seen.finished > 0);
    }
}

// Boxes of one image after another, each seen with all that was needed before kept.
void TestJpeg() {
    RandomSource random(2);
    for (const Sampling& sampling : kSamplings) {
        Seen cold, cached;
        for (int round = 0; round < 6; ++round) {
            const JpegKind kind = SomeKind(random, sampling, round < 3 ? 40 : 300);
            const Bytes file = MakeJpeg(kind, random, 30);
            // One that is not seekable is kept whole at once.
            const Source source = SourceOf(round == 4 ? file : Seekable(file));
            RecordCache cache(UINT64_MAX);
            for (int i = 0; i < 12; ++i) {
                const Asked asked = SomeSteps(random, source.record);
                const Gathered alone = Gather(source.record, asked);
                CheckGathered(alone, source, asked);
                cold.Count(alone);
                const Gathered got = Gather(source.record, asked, {&cache, 7});
                CheckGathered(got, source, asked);
                cached.Count(got);
                const Gathered again = Gather(source.record, asked, {&cache, 7});
                CheckGathered(again, source, asked);
                CHECK(again.was_kept);
            }
        }
        CHECK(cold.blocks == 0 && cold.pixels > 30);
        CHECK(cached.blocks > 0);
    }
}

void TestQoi() {
    RandomSource random(3);
    for (int round = 0; round < 12; ++round) {
        const Source source = QoiOf(random, Between(random, 1, 120), Between(random, 1, 120));
        RecordCache cache(UINT64_MAX);
        for (int i = 0; i < 8; ++i) {
            const Asked asked = SomeSteps(random, source.record);
            for (RecordCache* const kept : {static_cast<RecordCache*>(nullptr), &cache}) {
                const Gathered got = Gather(source.record, asked, {kept, 1});
                CheckGathered(got, source, asked);
                CHECK(!HasBlocks(got));
            }
            CHECK(Gather(source.record, asked, {&cache, 1}).was_kept);
        }
    }
}

// Coefficients that take more than the pixels stay where they are.
void TestCoefficientsLargerThanPixels() {
    RandomSource random(4);
    JpegKind kind = KindOf(kSamplings[7], 640, 640);
    kind.quality = 100;
    const Source jpeg = SourceOf(Seekable(MakeJpeg(kind, random.Bytes(size_t{3} * 640 * 640))));
    RecordCache cache(UINT64_MAX);
    const Asked asked = {{}, {}, 640, 640};
    for (const Source& source : {jpeg, DctOf(jpeg)}) {
        const Gathered got = Gather(source.record, asked, {&cache, 1});
        CHECK(!HasBlocks(got));
        CheckGathered(got, source, asked);
    }
}

// What the kernels cannot follow is done here.
void TestFinished() {
    RandomSource random(5);
    const Source source =
        DctOf(SourceOf(Seekable(MakeJpeg(KindOf(kSamplings[3], 90, 70), random))));
    const auto finished = [&](const Steps& steps, int32_t height, int32_t width) {
        const Asked asked = {steps, steps, height, width};
        const Gathered got = Gather(source.record, asked);
        CheckGathered(got, source, asked);
        return got.told.finished != 0;
    };
    CHECK(!finished({Crop(1, 2, 60, 50), Resize(30, 20), FlipLeftRight(), Crop(1, 1, 9, 9)}, 9, 9));
    CHECK(finished({FlipLeftRight(), Resize(30, 20)}, 30, 20));
    CHECK(finished({Resize(30, 20), Resize(20, 30)}, 20, 30));
    CHECK(finished({Crop(-1, 2, 60, 50)}, 60, 50));
    CHECK(finished({Crop(30, 2, 60, 50)}, 60, 50));
    CHECK(finished({Grayscale(), Crop(1, 1, 5, 6)}, 5, 6));
    CHECK(finished({Step(StepKind::kInvert)}, 70, 90));
}

// ---- The cache

void ProcessBy(RecordCache& cache, const Record& record, uint64_t key, bool fast) {
    Bytes rgb(size_t{3} * 40 * 40);
    const Steps steps = {Resize(40, 40)};
    fl_item item = ItemOf(record, steps, 40, 40, rgb.data());
    item.key = key;
    item.next_use = 1;
    fastload::Workspace workspace;
    CHECK(CodeOf([&] {
              fastload::ProcessItem(item, {FL_UINT8, FL_PLANAR, 3, 0, 0}, fast, &cache, workspace);
          }) == FL_OK);
}

// Jobs that made pixels have left coefficients there, or samples.
void TestCacheFilledByOthers() {
    RandomSource random(6);
    const Source source = SourceOf(Seekable(MakeJpeg(KindOf(kSamplings[3], 200, 150), random)));
    const Asked asked = SomeSteps(random, source.record);
    for (const bool fast : {true, false}) {
        RecordCache cache(UINT64_MAX);
        for (int i = 0; i < 3; ++i) ProcessBy(cache, source.record, 5, fast);
        const Gathered got = Gather(source.record, asked, {&cache, 5});
        CheckGathered(got, source, asked);
        CHECK(got.was_kept && HasBlocks(got) == fast);
    }
    // And a job that makes pixels has use of what gathering left.
    RecordCache cache(UINT64_MAX);
    const Asked all = {{}, {}, 150, 200};
    CHECK(!Gather(source.record, all, {&cache, 5}).was_kept);
    const uint64_t bytes = cache.Facts().bytes;
    ProcessBy(cache, source.record, 5, true);
    CHECK(cache.Facts().bytes == bytes && cache.Facts().records == 1);
}

void TestSmallCache() {
    RandomSource random(7);
    std::vector<Source> sources;
    for (const Sampling& sampling : kSamplings)
        sources.push_back(SourceOf(Seekable(MakeJpeg(KindOf(sampling, 150, 120), random))));
    sources.push_back(QoiOf(random, 60, 80));
    for (const uint64_t budget : {0u, 1u, 900u, 9000u, 20'000u, 60'000u}) {
        RecordCache cache(budget);
        for (int i = 0; i < 60; ++i) {
            const uint32_t chosen = random.Below(static_cast<uint32_t>(sources.size()));
            const Source& source = sources[chosen];
            const Asked asked = SomeSteps(random, source.record);
            CheckGathered(Gather(source.record, asked, {&cache, chosen}), source, asked);
            CHECK(cache.Facts().bytes <= budget);
        }
    }
}

// ---- What is refused

// Offsets stay within, whatever was asked for before.
void TestArena() {
    Bytes bytes(100);
    Arena arena(bytes.data(), bytes.size(), 8);
    const auto fits = [&](uint64_t size) { return CodeOf([&] { arena.Reserve(size); }) == FL_OK; };
    CHECK(arena.Reserve(20) == 8 && arena.used() == 40);
    for (const uint64_t size : {uint64_t{61}, uint64_t{1} << 63, uint64_t{1} << 63, UINT64_MAX,
                                UINT64_MAX - 40, UINT64_MAX - 15})
        CHECK(!fits(size) && arena.used() == 40);
    CHECK(arena.Reserve(60) == 40 && arena.used() == 100);
    CHECK(arena.Reserve(0) == 100 && !fits(1));
    Arena behind(bytes.data(), bytes.size(), 300);
    CHECK(CodeOf([&] { behind.Reserve(0); }) == FL_BAD_ARGUMENT);
}

void TestArenaTooSmall() {
    RandomSource random(8);
    const Source jpeg = SourceOf(Seekable(MakeJpeg(KindOf(kSamplings[3], 60, 50), random)));
    const Steps pad = {Pad(1, 1, 1, 1, fastload::PadMode::kEdge)};
    const Asked whole = {{}, {}, 50, 60}, padded = {pad, pad, 52, 62};
    for (const Source& source : {jpeg, DctOf(jpeg)}) {
        for (const Asked& asked : {whole, padded}) {
            const uint64_t used = Gather(source.record, asked).arena.size();
            int refused = 0;
            for (uint64_t size = 0; size <= used; size += 13) {
                const Gathered got = Gather(source.record, asked, {}, size);
                if (got.code == FL_OK) continue;
                CHECK(got.code == FL_BAD_ARGUMENT);
                ++refused;
            }
            CHECK(refused > static_cast<int>(used / 13) - 3);
            CheckGathered(Gather(source.record, asked, {}, used), source, asked);
        }
    }
}

// Records larger or smaller than their index says.
void TestOtherSizes() {
    RandomSource random(9);
    const Source jpeg = SourceOf(Seekable(MakeJpeg(KindOf(kSamplings[3], 400, 300), random)));
    for (Source source : {jpeg, DctOf(jpeg), QoiOf(random, 300, 400)}) {
        const Asked whole = {{Resize(7, 7)}, {Resize(7, 7)}, 7, 7};
        source.record.height = source.record.width = 8;
        CHECK(Gather(source.record, whole).code == FL_CORRUPT);
        const Asked same = {{}, {}, 8, 8};
        CHECK(Gather(source.record, same).code == FL_CORRUPT);
        source.record.height = source.record.width = 9000;
        const Steps crop = {Crop(0, 350, 100, 100)};
        const Asked beyond = {crop, crop, 100, 100};
        CheckGathered(Gather(source.record, beyond), source, beyond);
    }
}

void TestRefusedSteps() {
    RandomSource random(10);
    const Source source =
        DctOf(SourceOf(Seekable(MakeJpeg(KindOf(kSamplings[3], 60, 50), random))));
    const auto code = [&](const fl_step& step, int32_t height, int32_t width) {
        return Gather(source.record, {{step}, {step}, height, width}).code;
    };
    CHECK(code(Resize(20, 20), 20, 21) == FL_CORRUPT);
    CHECK(code(Resize(0, 20), 0, 20) == FL_BAD_ARGUMENT);
    CHECK(code(Resize(20, 20, static_cast<Filter>(9)), 20, 20) == FL_BAD_ARGUMENT);
    CHECK(code(Resize(20, 20, Filter::kBox, static_cast<PassOrder>(9)), 20, 20) == FL_BAD_ARGUMENT);
    CHECK(code(Crop(0, 0, 1 << 30, 1 << 30), 50, 60) == FL_BAD_ARGUMENT);
    CHECK(code(Step(static_cast<StepKind>(77)), 50, 60) == FL_BAD_ARGUMENT);
    Record unknown = source.record;
    unknown.codec = static_cast<Codec>(99);
    CHECK(Gather(unknown, {{}, {}, 50, 60}).code == FL_BAD_ARGUMENT);
}

bool IsRefusal(int32_t code) {
    return code == FL_CORRUPT || code == FL_JPEG_WARNING || code == FL_JPEG_UNSUPPORTED;
}

void TestTruncated() {
    RandomSource random(11);
    const Source jpeg = SourceOf(Seekable(MakeJpeg(KindOf(kSamplings[3], 70, 50), random)));
    const Asked whole = {{}, {}, 50, 70};
    for (const Source& source : {jpeg, DctOf(jpeg), QoiOf(random, 50, 70)}) {
        // Without its end mark libjpeg has all of a JPEG's rows.
        const size_t most = source.record.payload.size() - 8;
        for (size_t size = 0; size < most; size += 1 + random.Below(20)) {
            Record cut = source.record;
            cut.payload = Bytes(cut.payload.begin(), cut.payload.begin() + ptrdiff_t(size));
            RecordCache cache(UINT64_MAX);
            CHECK(IsRefusal(Gather(cut, whole).code));
            CHECK(IsRefusal(Gather(cut, whole, {&cache, 1}).code));
        }
    }
}

Record Mutated(RandomSource& random, Record record) {
    const auto size = static_cast<uint32_t>(record.payload.size());
    for (uint32_t k = 1 + random.Below(4); k > 0; --k) {
        // Headers and directories as often as all that is behind them.
        const uint32_t at = random.Below(random.Below(2) == 0 ? std::min(size, 600u) : size);
        record.payload[at] ^= static_cast<uint8_t>(1 + random.Below(255));
    }
    return record;
}

// What is not refused is what the record says by its own reader.
void TestMutatedDct() {
    RandomSource random(12);
    int gathered = 0, refused = 0;
    for (const Sampling& sampling : kSamplings) {
        const Source source =
            DctOf(SourceOf(Seekable(MakeJpeg(KindOf(sampling, 150, 90), random, 40))));
        for (int round = 0; round < 400; ++round) {
            const Record record = Mutated(random, source.record);
            const Gathered got = Gather(record, SomeSteps(random, record));
            refused += got.code == FL_CORRUPT ? 1 : 0;
            CHECK(got.code == FL_OK || got.code == FL_CORRUPT);
            if (!HasBlocks(got)) continue;
            ++gathered;
            fastload::DctRecord judge;
            judge.Open(record.payload.data(), record.payload.size());
            CheckCoefficients(got, [&](int32_t component, int32_t row, int32_t block) {
                std::vector<int16_t> coefficients(64);
                judge.Unpack(component, row, {block, block + 1}, coefficients.data());
                return coefficients;
            });
        }
    }
    CHECK(gathered > 300 && refused > 300);
}

// A cache that was filled by the record as it was, or is filled by what is left of it.
void TestMutatedJpeg() {
    RandomSource random(13);
    for (const Sampling& sampling : kSamplings) {
        const Source source = SourceOf(Seekable(MakeJpeg(KindOf(sampling, 150, 90), random, 40)));
        for (int round = 0; round < 150; ++round) {
            RecordCache cache(UINT64_MAX);
            const Asked before = SomeSteps(random, source.record);
            if (round % 2 == 0)
                CheckGathered(Gather(source.record, before, {&cache, 1}), source, before);
            const Record record = Mutated(random, source.record);
            for (int i = 0; i < 3; ++i) {
                const Gathered got = Gather(record, SomeSteps(random, record), {&cache, 1});
                CHECK(got.code == FL_OK || IsRefusal(got.code));
                // Whatever they are: as many as there must be, each well-formed.
                if (HasBlocks(got))
                    CheckCoefficients(
                        got, [](int32_t, int32_t, int32_t) { return std::vector<int16_t>{}; });
            }
        }
    }
}

void TestMutatedQoi() {
    RandomSource random(14);
    const Source source = QoiOf(random, 40, 50);
    for (int round = 0; round < 600; ++round) {
        const Record record = Mutated(random, source.record);
        RecordCache cache(UINT64_MAX);
        for (RecordCache* const kept : {static_cast<RecordCache*>(nullptr), &cache}) {
            const int32_t code = Gather(record, SomeSteps(random, record), {kept, 1}).code;
            CHECK(code == FL_OK || code == FL_CORRUPT || code == FL_OUT_OF_MEMORY);
        }
    }
}

// ---- Jobs

constexpr uint64_t kHead = 48;

// A batch of random records that one pool gathers into one arena.
class Batch {
  public:
    Batch(RandomSource& random, const std::vector<Source>& sources, size_t count)
        : told_(count), asked_(count), chosen_(count) {
        uint64_t room = kHead;
        for (size_t i = 0; i < count; ++i) {
            chosen_[i] = random.Below(static_cast<uint32_t>(sources.size()));
            const Record& record = sources[chosen_[i]].record;
            asked_[i] = SomeSteps(random, record);
            items_.push_back(
                ItemOf(record, asked_[i].steps, asked_[i].height, asked_[i].width, &told_[i]));
            items_[i].key = chosen_[i];
            items_[i].next_use = random.Below(1000);
            room += fastload::SetRoom(items_[i], static_cast<uint32_t>(record.height),
                                      static_cast<uint32_t>(record.width));
        }
        // Of one, of which the cache knows nothing, there is a byte. Its failure is its own.
        items_[count / 2].length = 1;
        items_[count / 2].key = sources.size();
        arena_.assign(room, 0xA5);
    }

    std::unique_ptr<fastload::Job> GatherBy(fastload::Pool& pool, RecordCache* cache) {
        auto arena = std::make_unique<Arena>(arena_.data(), arena_.size(), kHead);
        return pool.Gather(items_.data(), items_.size(), std::move(arena), cache);
    }

    void Check(const std::vector<Source>& sources, uint64_t used) const {
        CHECK(used > kHead && used <= arena_.size());
        CHECK(std::count(arena_.begin(), arena_.begin() + kHead, 0xA5) == kHead);
        CHECK(std::count(arena_.begin() + ptrdiff_t(used), arena_.end(), 0xA5) ==
              ptrdiff_t(arena_.size() - used));
        for (size_t i = 0; i < items_.size(); ++i) {
            const bool bad = i == items_.size() / 2;
            CHECK((items_[i].status != FL_OK) == bad && (told_[i].kind == 0) == bad);
            if (!bad)
                CheckGathered({told_[i], arena_, items_[i].status, false}, sources[chosen_[i]],
                              asked_[i]);
        }
    }

  private:
    std::vector<fl_gathered> told_;
    std::vector<Asked> asked_;
    std::vector<uint32_t> chosen_;
    std::vector<fl_item> items_;
    Bytes arena_;
};

std::vector<Source> SomeSources(RandomSource& random) {
    std::vector<Source> sources;
    for (const Sampling& sampling : kSamplings) {
        sources.push_back(SourceOf(Seekable(MakeJpeg(SomeKind(random, sampling, 150), random))));
        sources.push_back(DctOf(sources.back()));
    }
    sources.push_back(SourceOf(MakeJpeg(KindOf(kSamplings[3], 90, 80), random)));
    sources.push_back(QoiOf(random, 50, 70));
    return sources;
}

// Several threads' jobs, some open at once, by one pool and one cache that is too small or is not.
void TestThreads() {
    RandomSource random(15);
    const std::vector<Source> sources = SomeSources(random);
    for (const uint64_t budget : {UINT64_MAX, uint64_t{30'000}}) {
        RecordCache cache(budget);
        fastload::Pool pool(3);
        std::vector<std::jthread> callers;
        for (uint32_t caller = 0; caller < 3; ++caller) {
            callers.emplace_back([&, caller] {
                RandomSource own(100 + caller);
                for (int round = 0; round < 3; ++round) {
                    Batch first(own, sources, 20), second(own, sources, 20);
                    const auto one = first.GatherBy(pool, &cache);
                    const auto other = second.GatherBy(pool, &cache);
                    CHECK(one->Wait(-1) && other->Wait(-1));
                    first.Check(sources, one->arena_used());
                    second.Check(sources, other->arena_used());
                }
            });
        }
        callers.clear();
        CHECK(cache.Facts().bytes <= budget);
    }
}

// By the C interface.
void TestDoor() {
    RandomSource random(16);
    const Source source =
        DctOf(SourceOf(Seekable(MakeJpeg(KindOf(kSamplings[3], 90, 70), random))));
    const Asked asked = SomeSteps(random, source.record);
    Gathered got;
    fl_item item = ItemOf(source.record, asked.steps, asked.height, asked.width, &got.told);
    const uint32_t height = 70, width = 90;
    uint64_t room = 0;
    fl_error error;
    CHECK(fl_gather_rooms(&item, 1, &height, &width, &room, &error) == FL_OK);
    CHECK(room == got.told.room);
    got.arena.resize(room);
    fl_pool* pool = nullptr;
    fl_job* job = nullptr;
    CHECK(fl_pool_create(1, &pool, &error) == FL_OK);
    CHECK(fl_pool_gather(pool, &item, 1, got.arena.data(), room, 0, nullptr, &job, &error) ==
          FL_OK);
    CHECK(fl_job_wait(job, -1) == 0 && item.status == FL_OK);
    got.arena.resize(fl_job_arena_used(job));
    fl_job_free(job);
    fl_pool_destroy(pool);
    CheckGathered(got, source, asked);
}

}  // namespace

int main() {
    alarm(300);  // what hangs fails, too
    TestDct();
    TestJpeg();
    TestQoi();
    TestCoefficientsLargerThanPixels();
    TestFinished();
    TestCacheFilledByOthers();
    TestSmallCache();
    TestArena();
    TestArenaTooSmall();
    TestOtherSizes();
    TestRefusedSteps();
    TestTruncated();
    TestMutatedDct();
    TestMutatedJpeg();
    TestMutatedQoi();
    TestThreads();
    TestDoor();
    return Verdict();
}
