#include <array>
#include <string>
#include <vector>

#include "dct_blocks.h"
#include "dct_encode.h"
#include "dct_region.h"
#include "regions.h"
#include "room.h"
#include "simd_level.h"

namespace {

using fastload::DctRecord;
using fastload::SimdLevel;

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
    const Picture whole = WholeOf(jpeg);
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

// The implementations that the run's instruction set includes.

std::vector<fastload::PackBlocks*> Packers() {
    std::vector<fastload::PackBlocks*> packers = {fastload::PackBlocksPortable};
    if (fastload::CurrentSimdLevel() >= SimdLevel::kAvx2)
        packers.push_back(fastload::PackBlocksAvx2);
    return packers;
}

std::vector<fastload::UnpackBlocks*> Unpackers() {
    const SimdLevel level = fastload::CurrentSimdLevel();
    std::vector<fastload::UnpackBlocks*> unpackers = {fastload::UnpackBlocksPortable};
    if (level >= SimdLevel::kAvx2) unpackers.push_back(fastload::UnpackBlocksAvx2);
    if (level >= SimdLevel::kAvx512) unpackers.push_back(fastload::UnpackBlocksAvx512);
    return unpackers;
}

Bytes Packed(const Group& blocks, int32_t count) {
    Bytes bytes(fastload::PackedBlocksBound(count));
    const uint8_t* const end = fastload::PackBlocksPortable(blocks.data(), count, bytes.data());
    bytes.resize(static_cast<size_t>(end - bytes.data()));
    return bytes;
}

struct Unpacked {
    bool well_formed;
    std::vector<int16_t> blocks;
};

// Within as much memory as has to be there: a sanitizer sees a step outside.
Unpacked UnpackedBy(fastload::UnpackBlocks* unpack, Bytes bytes, int32_t count,
                    fastload::Range wanted) {
    const size_t size = bytes.size();
    bytes.resize(size + fastload::kReadablePastGroup, 0xA5);
    const size_t room = size_t{64} * sizeof(int16_t) * static_cast<size_t>(wanted.count());
    Room out(room);
    auto* const blocks = reinterpret_cast<int16_t*>(out.data());
    const bool well_formed = unpack(bytes.data(), size, count, wanted, blocks);
    CHECK(out.MarginsAreUntouched());
    return {well_formed, {blocks, blocks + room / sizeof(int16_t)}};
}

void TestPacking() {
    RandomSource random(4);
    for (int round = 0; round < 3000; ++round) {
        const Group blocks = RandomGroup(random);
        const int32_t count = Between(random, 1, 16);
        const Bytes packed = Packed(blocks, count);
        for (auto* pack : Packers()) {
            Bytes out(fastload::PackedBlocksBound(count));
            const uint8_t* const end = pack(blocks.data(), count, out.data());
            CHECK(Bytes(static_cast<const uint8_t*>(out.data()), end) == packed);
        }
        const fastload::Range wanted = Wanted(random, count);
        for (auto* unpack : Unpackers()) {
            const Unpacked again = UnpackedBy(unpack, packed, count, wanted);
            CHECK(again.well_formed);
            CHECK(std::equal(again.blocks.begin(), again.blocks.end(),
                             blocks.begin() + 64 * wanted.first));
        }
    }
}

// Bytes that packing does not write: all implementations agree on what is a group and what it says.
void TestDamagedGroups() {
    RandomSource random(6);
    int well_formed = 0;
    for (int round = 0; round < 20000; ++round) {
        const int32_t count = Between(random, 1, 4);
        Bytes bytes = Packed(RandomGroup(random), count);
        const uint32_t changes = 1 + random.Below(3);
        for (uint32_t i = 0; i < changes; ++i)
            bytes[random.Below(static_cast<uint32_t>(bytes.size()))] =
                static_cast<uint8_t>(random.Below(256));
        if (random.Below(8) == 0) bytes.resize(random.Below(static_cast<uint32_t>(bytes.size())));
        const fastload::Range wanted = Wanted(random, count);
        const Unpacked plain = UnpackedBy(fastload::UnpackBlocksPortable, bytes, count, wanted);
        if (plain.well_formed) ++well_formed;
        for (auto* unpack : Unpackers()) {
            const Unpacked again = UnpackedBy(unpack, bytes, count, wanted);
            CHECK(again.well_formed == plain.well_formed);
            if (plain.well_formed) CHECK(again.blocks == plain.blocks);
        }
    }
    CHECK(well_formed > 1000 && well_formed < 19000);
}

// A block without AC coefficients may be said by no byte, or by one that names no row.
void TestEmptyBlocks() {
    const Bytes group = {1, 0, 2, 0, 3, 0, 0, 1, 0, 0};
    for (auto* unpack : Unpackers()) {
        const Unpacked got = UnpackedBy(unpack, group, 3, {0, 3});
        CHECK(got.well_formed);
        for (size_t i = 0; i < got.blocks.size(); ++i)
            CHECK(got.blocks[i] == (i % 64 == 0 ? static_cast<int16_t>(i / 64 + 1) : 0));
    }
}

// One coefficient out of a record's range: no bytes.
void TestTooLarge() {
    const auto packers = Packers();
    const auto packs = [&](size_t place, int32_t value) {
        Group blocks{};
        blocks[place] = static_cast<int16_t>(value);
        Bytes out(fastload::PackedBlocksBound(16));
        const bool plain = packers[0](blocks.data(), 16, out.data()) != nullptr;
        for (auto* pack : packers) CHECK((pack(blocks.data(), 16, out.data()) != nullptr) == plain);
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

// 16x16 pixels of grey would have as many groups with factors of 2, in another order of blocks.
void TestGreyIsSampledOnce() {
    RandomSource random(5);
    Bytes record = RecordOf(Seekable(MakeJpeg(KindOf(kSamplings[6], 16, 16), random, 60)));
    CHECK(CodeOfDecoding(record, {0, 0, 16, 16}) == FL_OK);
    record[12] = 0x22;
    CHECK(CodeOfDecoding(record, {0, 0, 16, 16}) == FL_CORRUPT);
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
    TestDamagedGroups();
    TestEmptyBlocks();
    TestTooLarge();
    TestGreyIsSampledOnce();
    TestCorruption();
    TestImpossibleHeaders();
    return Verdict();
}
