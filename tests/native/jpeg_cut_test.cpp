#include "jpeg_cut.h"

#include <string>
#include <vector>

#include "check.h"
#include "crc32c.h"
#include "regions.h"

using fastload::Buffer;
using fastload::JpegCut;
using fastload::Range;

namespace {

Range RandomRows(RandomSource& random, int32_t height) {
    const Box box = RandomBox(random, 1, height);
    return {box.top, box.top + box.height};
}

Bytes FileOf(const Buffer& arena, const JpegCut& cut) {
    return Bytes(arena.data() + cut.offset, arena.data() + cut.offset + cut.size);
}

// libjpeg reads from what was cut the rows it reads from the whole, and what was cut is seekable.
void CheckCuts(const Bytes& file, RandomSource& random, int count, const std::string& name) {
    const Picture whole = WholeOf(file);
    Buffer arena;
    for (int i = 0; i < count; ++i) {
        const Range rows = RandomRows(random, whole.height);
        const JpegCut cut = fastload::CutJpeg(file.data(), file.size(), rows, arena);
        if (cut.size == 0) continue;
        const Bytes part = FileOf(arena, cut);
        CHECK(part.size() < file.size());
        CHECK(fastload::ReadJpegLayout(part.data(), part.size()).seekable);
        const Picture pixels = WholeOf(part);
        CHECK(cut.top <= rows.first && rows.last <= cut.top + pixels.height);
        const Box here = {0, rows.first - cut.top, whole.width, rows.count()};
        const Box there = {0, rows.first, whole.width, rows.count()};
        if (RegionOf(pixels, here) == RegionOf(whole, there)) continue;
        std::fprintf(stderr, "%s %dx%d: rows %d to %d\n", name.c_str(), whole.width, whole.height,
                     rows.first, rows.last);
        CHECK(!"the same pixels");
    }
}

void TestSamplings() {
    RandomSource random(1);
    for (const Sampling& sampling : kSamplings) {
        for (int round = 0; round < 8; ++round) {
            const auto most = round < 4 ? 60u : 400u;
            const JpegKind kind = KindOf(sampling, 1 + random.Below(most), 1 + random.Below(most));
            CheckCuts(Seekable(MakeJpeg(kind, random, 40)), random, 60, sampling.name);
        }
    }
}

void TestOnlyNeededRows() {
    RandomSource random(2);
    const Bytes file = Seekable(MakeJpeg(KindOf(kSamplings[0], 64, 320), random, 40));
    const int32_t band = 8 * fastload::ReadJpegLayout(file.data(), file.size()).most_down;
    Buffer arena;
    const JpegCut cut =
        fastload::CutJpeg(file.data(), file.size(), {3 * band + 2, 5 * band - 2}, arena);
    CHECK(cut.top == 3 * band);
    CHECK(WholeOf(FileOf(arena, cut)).height == 2 * band);
    CHECK(fastload::CutJpeg(file.data(), file.size(), {0, 320}, arena).size == 0);
}

void TestNotSeekable() {
    RandomSource random(3);
    JpegKind kind = KindOf(kSamplings[0], 64, 320);
    kind.progressive = true;
    const Bytes file = MakeJpeg(kind, random, 40);
    Buffer arena;
    CHECK(fastload::CutJpeg(file.data(), file.size(), {8, 9}, arena).size == 0);
    CHECK(arena.size() == 0);
}

void TestRefusals() {
    RandomSource random(4);
    Bytes file = Seekable(MakeJpeg(KindOf(kSamplings[0], 64, 320), random, 40));
    Buffer arena;
    const auto code = [&](Range rows) {
        return CodeOf([&] { fastload::CutJpeg(file.data(), file.size(), rows, arena); });
    };
    CHECK(code({-1, 4}) == FL_BAD_ARGUMENT);
    CHECK(code({4, 4}) == FL_BAD_ARGUMENT);
    CHECK(code({4, 321}) == FL_BAD_ARGUMENT);
    file.resize(file.size() / 3);
    CHECK(code({300, 310}) == FL_CORRUPT);
    CHECK(arena.size() == 0);
}

fl_cut CutOf(const Bytes& file, uint8_t* verified, Range rows) {
    fl_cut cut{};
    cut.payload = reinterpret_cast<uint64_t>(file.data());
    cut.length = file.size();
    cut.verified = reinterpret_cast<uint64_t>(verified);
    cut.crc32c = fastload::Crc32c(file.data(), file.size());
    cut.first = rows.first;
    cut.last = rows.last;
    return cut;
}

// One record's failure is its own; addresses hold though the arena has grown.
void TestMany() {
    RandomSource random(5);
    std::vector<Bytes> files;
    for (int i = 0; i < 40; ++i)
        files.push_back(Seekable(MakeJpeg(KindOf(kSamplings[0], 90, 200), random, 40)));
    std::vector<uint8_t> verified(files.size());
    std::vector<fl_cut> cuts;
    for (size_t i = 0; i < files.size(); ++i)
        cuts.push_back(CutOf(files[i], &verified[i], {60, i % 2 == 0 ? 100 : 200}));
    cuts[5].crc32c ^= 1;
    cuts[6].first = -1;
    cuts[8] = CutOf(files[8], &verified[8], {0, 200});
    Buffer arena;
    fastload::CutJpegs(cuts.data(), cuts.size(), arena);
    for (size_t i = 0; i < files.size(); ++i) {
        const bool bad = i == 5 || i == 6;
        CHECK((cuts[i].status != FL_OK) == bad);
        CHECK(verified[i] == (i == 5 ? 0 : 1));
        if (bad) continue;
        CHECK((cuts[i].data == cuts[i].payload) == (i == 8));
        const auto* data = reinterpret_cast<const uint8_t*>(cuts[i].data);
        const Picture pixels = WholeOf(Bytes(data, data + cuts[i].size));
        const Picture whole = WholeOf(files[i]);
        const int32_t first = cuts[i].first, count = cuts[i].last - first;
        CHECK(RegionOf(pixels, {0, first - cuts[i].top, whole.width, count}) ==
              RegionOf(whole, {0, first, whole.width, count}));
    }
    CHECK(cuts[5].status == FL_CORRUPT);
    CHECK(cuts[6].status == FL_BAD_ARGUMENT);
}

}  // namespace

int main() {
    TestSamplings();
    TestOnlyNeededRows();
    TestNotSeekable();
    TestRefusals();
    TestMany();
    return Verdict();
}
