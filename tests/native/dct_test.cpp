#include <array>
#include <string>

#include "dct_blocks.h"
#include "dct_encode.h"
#include "dct_region.h"
#include "regions.h"

namespace {

using fastload::DctRecord;

Bytes RecordOf(const Bytes& seekable) {
    fastload::Buffer out;
    fastload::EncodeDct(seekable.data(), seekable.size(), out);
    return Bytes(out.data(), out.data() + out.size());
}

void DecodeBox(const Bytes& record, Box box, fastload::RowSink& sink) {
    DctRecord opened;
    opened.Open(record.data(), record.size());
    fastload::DecodeDctRegion(opened, box, sink);
}

int32_t CodeOfDecoding(const Bytes& record, Box box) {
    Collector got(static_cast<size_t>(box.width) * 3);
    return CodeOf([&] { DecodeBox(record, box, got); });
}

// The very file comes back: headers, Huffman tables and all.
void CheckJpeg(const Bytes& jpeg, const Bytes& record) {
    DctRecord opened;
    opened.Open(record.data(), record.size());
    fastload::Buffer out;
    fastload::WriteJpegOfDct(opened, out);
    CHECK(Bytes(out.data(), out.data() + out.size()) == jpeg);
}

void CheckBoxes(const Bytes& jpeg, RandomSource& random, int count, const char* name) {
    const Bytes record = RecordOf(jpeg);
    CheckJpeg(jpeg, record);
    const Picture whole = WholeOf(jpeg, 1);
    for (int i = 0; i < count; ++i) {
        const Box box = i == 0 ? Box{0, 0, whole.width, whole.height}
                               : RandomBox(random, whole.width, whole.height);
        Collector got(static_cast<size_t>(box.width) * static_cast<size_t>(whole.channels));
        CHECK(CodeOf([&] { DecodeBox(record, box, got); }) == FL_OK);
        const bool same = got.pixels == RegionOf(whole, box);
        CHECK(same);
        if (same) continue;
        std::fprintf(stderr, "%s %dx%d: box %d %d %d %d\n", name, whole.width, whole.height,
                     box.left, box.top, box.width, box.height);
        return;
    }
}

// A thousand boxes of each sampling, from even to noisy and from coarse to fine.
void TestSamplings() {
    RandomSource random(1);
    for (const Sampling& sampling : kSamplings) {
        for (int round = 0; round < 12; ++round) {
            const auto most = round < 6 ? 40u : 300u;
            JpegKind kind = KindOf(sampling, 1 + random.Below(most), 1 + random.Below(most));
            kind.quality = round % 3 == 0 ? 100 : 50 + static_cast<int>(random.Below(50));
            const Bytes jpeg = Seekable(MakeJpeg(kind, random, random.Below(120)));
            CheckBoxes(jpeg, random, 84, sampling.name);
        }
    }
}

// From black to white and back at the finest quantisation: DC differences of 12 bits.
void TestExtremes() {
    JpegKind kind = KindOf(kSamplings[6], 64, 16);
    kind.quality = 100;
    Bytes pixels(64 * 16);
    for (size_t i = 0; i < pixels.size(); ++i) pixels[i] = i / 8 % 2 == 0 ? 0 : 255;
    RandomSource random(2);
    CheckBoxes(Seekable(MakeJpeg(kind, pixels)), random, 20, "extremes");
}

using Group = std::array<int16_t, 64 * 16>;

// From empty to full blocks, from small to the largest values.
Group RandomGroup(RandomSource& random) {
    Group blocks{};
    for (size_t block = 0; block < 16; ++block) {
        const uint32_t zeros = random.Below(64), most = 1u << (1 + random.Below(10));
        for (size_t i = 0; i < 64; ++i) {
            if (random.Below(64) < zeros) continue;
            const int32_t value = Between(random, 1 - static_cast<int32_t>(most), most - 1);
            blocks[64 * block + i] = static_cast<int16_t>(value);
        }
        blocks[64 * block] = static_cast<int16_t>(Between(random, -2048, 2047));
    }
    return blocks;
}

fastload::Range Wanted(RandomSource& random, int32_t count) {
    const int32_t first = Between(random, 0, count - 1);
    return {first, Between(random, first + 1, count)};
}

void TestPacking() {
    RandomSource random(4);
    for (int round = 0; round < 3000; ++round) {
        const Group blocks = RandomGroup(random);
        const int32_t count = Between(random, 1, 16);
        const size_t bound = fastload::PackedBlocksBound(count);
        Bytes plain(bound), fast(bound);
        const auto size =
            fastload::PackBlocksPortable(blocks.data(), count, plain.data()) - plain.data();
        CHECK(fastload::PackBlocksAvx2(blocks.data(), count, fast.data()) - fast.data() == size);
        CHECK(std::equal(plain.begin(), plain.begin() + size, fast.begin()));
        for (auto* unpack : {fastload::UnpackBlocksPortable, fastload::UnpackBlocksAvx2}) {
            Group again;
            const fastload::Range wanted = Wanted(random, count);
            CHECK(unpack(plain.data(), static_cast<size_t>(size), count, wanted, again.data()));
            CHECK(std::equal(again.begin(), again.begin() + 64 * wanted.count(),
                             blocks.begin() + 64 * wanted.first));
        }
    }
}

// One coefficient out of a record's range: no bytes.
void TestTooLarge() {
    const auto packs = [](size_t place, int32_t value) {
        Group blocks{};
        blocks[place] = static_cast<int16_t>(value);
        Bytes out(fastload::PackedBlocksBound(16));
        const bool plain = fastload::PackBlocksPortable(blocks.data(), 16, out.data()) != nullptr;
        const bool fast = fastload::PackBlocksAvx2(blocks.data(), 16, out.data()) != nullptr;
        CHECK(plain == fast);
        return plain;
    };
    for (size_t block = 0; block < 16; ++block) {
        const size_t dc = 64 * block;
        CHECK(packs(dc, -2048) && packs(dc, 2047) && !packs(dc, -2049) && !packs(dc, 2048));
        for (size_t ac = dc + 1; ac < dc + 64; ++ac)
            CHECK(packs(ac, -1023) && packs(ac, 1023) && !packs(ac, -1024) && !packs(ac, 1024) &&
                  !packs(ac, INT16_MIN));
    }
}

void TestCorruption() {
    RandomSource random(3);
    const Bytes record = RecordOf(Seekable(MakeJpeg(KindOf(kSamplings[3], 150, 130), random, 60)));
    const Box all = {0, 0, 150, 130};
    CHECK(CodeOfDecoding(record, all) == FL_OK);
    for (size_t size = 0; size < record.size(); size += 1 + size / 50) {
        const Bytes cut(record.begin(), record.begin() + static_cast<ptrdiff_t>(size));
        CHECK(CodeOfDecoding(cut, all) == FL_CORRUPT);
    }
    Bytes longer = record;
    longer.push_back(0);
    CHECK(CodeOfDecoding(longer, all) == FL_CORRUPT);
    Bytes newer = record;
    newer[4] = 2;
    CHECK(CodeOfDecoding(newer, all) == FL_CORRUPT);
    // Damage anywhere: failing or not, nothing is read or written out of place.
    for (int round = 0; round < 3000; ++round) {
        Bytes damaged = record;
        for (int k = 0; k < 3; ++k) {
            const uint32_t near = random.Below(2) == 0 ? 600 : static_cast<uint32_t>(record.size());
            damaged[random.Below(near)] = static_cast<uint8_t>(random.Below(256));
        }
        DctRecord opened;
        if (CodeOf([&] { opened.Open(damaged.data(), damaged.size()); }) != FL_OK) continue;
        const Box box = RandomBox(random, opened.layout().width, opened.layout().height);
        Collector got(static_cast<size_t>(box.width));
        const int32_t code = CodeOf([&] { fastload::DecodeDctRegion(opened, box, got); });
        CHECK(code == FL_OK || code == FL_CORRUPT);
    }
}

// Headers of what no JPEG can be, though the groups fit them.
void TestImpossibleHeaders() {
    RandomSource random(5);
    const auto code_of = [](const Bytes& record) {
        DctRecord opened;
        return CodeOf([&] { opened.Open(record.data(), record.size()); });
    };
    Bytes grey = RecordOf(Seekable(MakeJpeg(KindOf(kSamplings[6], 8, 8), random)));
    CHECK(code_of(grey) == FL_OK);
    grey[12] = 0x21;  // sampling factors
    CHECK(code_of(grey) == FL_CORRUPT);
    Bytes wide = RecordOf(Seekable(MakeJpeg(KindOf(kSamplings[6], 65500, 1), random)));
    CHECK(code_of(wide) == FL_OK);
    ++wide[8];  // the width
    CHECK(code_of(wide) == FL_CORRUPT);
}

}  // namespace

int main() {
    TestSamplings();
    TestExtremes();
    TestPacking();
    TestTooLarge();
    TestCorruption();
    TestImpossibleHeaders();
    return Verdict();
}
