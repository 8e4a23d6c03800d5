#include "output.h"

#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include "check.h"
#include "random_source.h"
#include "room.h"

namespace {

using Bytes = std::vector<uint8_t>;

// What row_sink.h promises of every row.
constexpr size_t kReadableBehindRow = 128;

size_t SizeOf(int32_t dtype) { return dtype == FL_UINT8 ? 1 : dtype == FL_FLOAT32 ? 4 : 2; }

struct Levels {
    int32_t height, width, channels;
    size_t stride;
    Bytes bytes;

    const uint8_t* row(int32_t y) const { return bytes.data() + y * stride; }
    uint8_t at(int32_t y, int32_t x, int32_t channel) const {
        return row(y)[x * channels + (channels == 1 ? 0 : channel)];
    }
};

Levels RandomLevels(RandomSource& random, int32_t height, int32_t width, int32_t channels) {
    const size_t row = size_t(width) * channels;
    const size_t stride = row + (random.Below(2) == 0 ? 0 : random.Below(50));
    return {height, width, channels, stride,
            random.Bytes((height - 1) * stride + row + kReadableBehindRow)};
}

struct Flips {
    bool left_right, top_down;
};

constexpr Flips kAllFlips[] = {{false, false}, {true, false}, {false, true}, {true, true}};

// Where a value of an output lies, counted in values.
size_t PlaceOf(const fl_output& output, int32_t height, int32_t width, int32_t y, int32_t x,
               int32_t channel) {
    return output.layout == FL_PLANAR ? (size_t(channel) * height + y) * width + x
                                      : (size_t(y) * width + x) * output.channels + channel;
}

// Value after value, as capi.h and output.h say.
Bytes Expected(const Levels& levels, const fl_output& output, Flips flips) {
    const size_t size = SizeOf(output.dtype);
    Bytes values(size * levels.height * levels.width * output.channels);
    for (int32_t y = 0; y < levels.height; ++y) {
        for (int32_t x = 0; x < levels.width; ++x) {
            for (int32_t channel = 0; channel < output.channels; ++channel) {
                const int32_t from_y = flips.top_down ? levels.height - 1 - y : y;
                const int32_t from_x = flips.left_right ? levels.width - 1 - x : x;
                const uint8_t level = levels.at(from_y, from_x, channel);
                const auto* table = reinterpret_cast<const uint8_t*>(output.table);
                const uint8_t* value =
                    table == nullptr ? &level : table + (256 * channel + level) * size;
                std::memcpy(
                    &values[PlaceOf(output, levels.height, levels.width, y, x, channel) * size],
                    value, size);
            }
        }
    }
    return values;
}

// In batches of rows as they come from a decoder.
Bytes Written(fastload::OutputWriter& writer, const Levels& levels, const fl_output& output,
              Flips flips, RandomSource& random) {
    Room room(SizeOf(output.dtype) * levels.height * levels.width * output.channels);
    writer.Begin(output, room.data(), levels.height, levels.width, levels.channels,
                 flips.left_right, flips.top_down);
    for (int32_t y = 0; y < levels.height;) {
        const auto count = static_cast<int32_t>(1 + random.Below(levels.height - y));
        writer.Rows(levels.row(y), static_cast<ptrdiff_t>(levels.stride), count);
        y += count;
    }
    CHECK(room.MarginsAreUntouched());
    return room.Contents();
}

fl_output OutputOf(int32_t dtype, int32_t layout, int32_t channels, const Bytes* table) {
    return {dtype, layout, channels, 0,
            table == nullptr ? 0 : reinterpret_cast<uint64_t>(table->data())};
}

// Every kind of output for a table of such values; the values are bits, moved as they are.
std::vector<fl_output> OutputsOf(int32_t dtype, const Bytes* table) {
    std::vector<fl_output> outputs;
    for (int32_t layout : {FL_PLANAR, FL_INTERLEAVED}) {
        for (int32_t channels : {1, 3}) {
            outputs.push_back(OutputOf(dtype, layout, channels, table));
        }
    }
    return outputs;
}

void TestRowsOf(int32_t dtype, bool with_table) {
    RandomSource random(1 + dtype);
    const Bytes table = random.Bytes(3 * 256 * SizeOf(dtype));
    fastload::OutputWriter writer;  // for all sizes in turn, as a thread has it
    for (int32_t width = 1; width <= 70; ++width) {
        const auto height = static_cast<int32_t>(1 + random.Below(6));
        for (int32_t channels : {1, 3}) {
            const Levels levels = RandomLevels(random, height, width, channels);
            for (const fl_output& output : OutputsOf(dtype, with_table ? &table : nullptr)) {
                for (Flips flips : kAllFlips) {
                    CHECK(Written(writer, levels, output, flips, random) ==
                          Expected(levels, output, flips));
                }
            }
        }
    }
}

void TestRows() {
    TestRowsOf(FL_UINT8, false);
    for (int32_t dtype : {FL_UINT8, FL_FLOAT16, FL_BFLOAT16, FL_FLOAT32}) TestRowsOf(dtype, true);
}

void TestRefusals() {
    RandomSource random(10);
    const Levels levels = RandomLevels(random, 4, 5, 3);
    const auto code_of = [&](int32_t dtype, int32_t room_rows) {
        Room room(SizeOf(dtype) * 3 * 4 * 5);
        fastload::OutputWriter writer;
        const int32_t code = CodeOf([&] {
            writer.Begin(OutputOf(dtype, FL_INTERLEAVED, 3, nullptr), room.data(), room_rows, 5, 3,
                         false, false);
            writer.Rows(levels.row(0), static_cast<ptrdiff_t>(levels.stride), 2);
            writer.Rows(levels.row(2), static_cast<ptrdiff_t>(levels.stride), 2);
        });
        CHECK(room.MarginsAreUntouched());
        return code;
    };
    CHECK(code_of(FL_UINT8, 4) == FL_OK);
    CHECK(code_of(FL_UINT8, 3) == FL_INTERNAL);  // more rows than the image has
    CHECK(code_of(FL_UINT8, 1) == FL_INTERNAL);
    for (int32_t dtype : {-1, 4, 99}) CHECK(code_of(dtype, 4) == FL_BAD_ARGUMENT);
}

// ---- Erasing

// A binary floating-point format: a sign, an exponent, a fraction.
struct Format {
    int exponent_bits, fraction_bits;
};

constexpr Format kHalf = {5, 10};
constexpr Format kBfloat = {8, 7};

// The number that a pattern without sign stands for. Infinity's is the power of two that would come
// after the largest number: a value rounds to it as to any other.
double ValueOf(Format format, uint32_t pattern) {
    const uint32_t field = pattern >> format.fraction_bits;
    const uint32_t fraction = pattern & ((1u << format.fraction_bits) - 1);
    const int bias = (1 << (format.exponent_bits - 1)) - 1;
    const int exponent = field == 0 ? 1 - bias : static_cast<int>(field) - bias;
    const uint32_t hidden = field == 0 ? 0 : 1u << format.fraction_bits;
    return std::ldexp(hidden + fraction, exponent - format.fraction_bits);
}

// The nearest pattern to a magnitude, the even one of two that are equally near.
uint32_t NearestTo(double magnitude, Format format) {
    const uint32_t infinity = ((1u << format.exponent_bits) - 1) << format.fraction_bits;
    uint32_t below = 0, above = infinity;
    while (above - below > 1) {
        const uint32_t middle = (below + above) / 2;
        (ValueOf(format, middle) <= magnitude ? below : above) = middle;
    }
    const double gap_below = magnitude - ValueOf(format, below);
    const double gap_above = ValueOf(format, above) - magnitude;
    if (gap_below != gap_above) return gap_below < gap_above ? below : above;
    return below % 2 == 0 ? below : above;
}

bool IsConverted(float value, Format format, uint16_t pattern) {
    const uint32_t infinity = ((1u << format.exponent_bits) - 1) << format.fraction_bits;
    const uint32_t magnitude = pattern & 0x7fff;
    if (std::signbit(value) != (pattern >> 15 != 0)) return false;
    if (std::isnan(value)) return magnitude > infinity;
    return magnitude == NearestTo(std::fabs(static_cast<double>(value)), format);
}

float FloatOf(uint32_t bits) { return std::bit_cast<float>(bits); }

// Around a positive number of a format: itself, the ties with its neighbours, and the floats on
// either side of each of these.
void AppendNeighbours(Format format, uint32_t pattern, std::vector<float>& values) {
    const double here = ValueOf(format, pattern);
    for (double point : {here, (here + ValueOf(format, pattern + 1)) / 2,
                         pattern == 0 ? here : (here + ValueOf(format, pattern - 1)) / 2}) {
        const auto middle = static_cast<float>(point);
        values.push_back(middle);
        values.push_back(std::nextafter(middle, 0.0F));
        values.push_back(std::nextafter(middle, std::numeric_limits<float>::infinity()));
    }
}

// Zeros, subnormals, the ends of the range, ties and NaNs; then floats of all kinds.
std::vector<float> ValuesToRound(Format format) {
    const uint32_t infinity = ((1u << format.exponent_bits) - 1) << format.fraction_bits;
    const uint32_t normal = 1u << format.fraction_bits;
    const uint32_t one = infinity / 2 & ~(normal - 1);
    std::vector<float> values;
    for (uint32_t pattern : {0u, 1u, 2u, 3u, normal - 2, normal - 1, normal, normal + 1, one - 1,
                             one, one + 1, one + 2, infinity - 2, infinity - 1}) {
        AppendNeighbours(format, pattern, values);
    }
    for (uint32_t bits : {0x00000001u, 0x007fffffu, 0x7f7fffffu, 0x7f800000u, 0x7f800001u,
                          0x7f80ffffu, 0x7fbfffffu, 0x7fc00000u, 0x7fffffffu}) {
        values.push_back(FloatOf(bits));
    }
    RandomSource random(20);
    for (int i = 0; i < 20000; ++i) {
        values.push_back(FloatOf(random.Below(0x10000) << 16 | random.Below(0x10000)));
    }
    // As many again where half numbers are.
    for (int i = 0; i < 20000; ++i) {
        const auto wide = static_cast<float>(random.Below(1u << 24)) - 0x1p23F;
        values.push_back(std::ldexp(wide, static_cast<int>(random.Below(42)) - 48));
    }
    const size_t positive = values.size();
    for (size_t i = 0; i < positive; ++i) values.push_back(-values[i]);
    return values;
}

void TestRounding(int32_t dtype, Format format) {
    const fl_output output = OutputOf(dtype, FL_INTERLEAVED, 3, nullptr);
    for (float value : ValuesToRound(format)) {
        std::array<uint16_t, 3> pixel{};
        const float colour[3] = {value, 1.0F, -value};
        fastload::Erase(output, pixel.data(), 1, 1, 0, 0, 1, 1, colour);
        const bool right = IsConverted(value, format, pixel[0]) &&
                           IsConverted(1.0F, format, pixel[1]) &&
                           IsConverted(-value, format, pixel[2]);
        CHECK(right);
        if (right) continue;
        std::fprintf(stderr, "%a became %04x, negated %04x\n", static_cast<double>(value), pixel[0],
                     pixel[2]);
        return;
    }
}

// Toward zero, and no further than the levels go.
void TestErasedLevels() {
    constexpr float kInfinity = std::numeric_limits<float>::infinity();
    constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
    struct Case {
        float value;
        uint8_t level;
    };
    for (const auto [value, level] :
         {Case{0.0F, 0}, Case{-0.0F, 0}, Case{0.99F, 0}, Case{1.0F, 1}, Case{127.6F, 127},
          Case{254.999F, 254}, Case{255.0F, 255}, Case{255.5F, 255}, Case{256.0F, 255},
          Case{1e30F, 255}, Case{kInfinity, 255}, Case{-0.5F, 0}, Case{-1.0F, 0}, Case{-300.0F, 0},
          Case{-kInfinity, 0}, Case{kNan, 0}}) {
        std::array<uint8_t, 3> pixel = {77, 77, 77};
        const float colour[3] = {value, 200.0F, value};
        fastload::Erase(OutputOf(FL_UINT8, FL_INTERLEAVED, 3, nullptr), pixel.data(), 1, 1, 0, 0, 1,
                        1, colour);
        CHECK(pixel == (std::array<uint8_t, 3>{level, 200, level}));
    }
}

void TestErasedFloatsKeepTheirBits() {
    for (uint32_t bits :
         {0u, 0x80000000u, 1u, 0x3f800001u, 0x7f800000u, 0x7fc12345u, 0xff7fffffu}) {
        std::array<float, 3> pixel{};
        const float colour[3] = {FloatOf(bits), 0.0F, FloatOf(bits)};
        fastload::Erase(OutputOf(FL_FLOAT32, FL_PLANAR, 3, nullptr), pixel.data(), 1, 1, 0, 0, 1, 1,
                        colour);
        CHECK(std::bit_cast<uint32_t>(pixel[0]) == bits);
        CHECK(std::bit_cast<uint32_t>(pixel[1]) == 0);
        CHECK(std::bit_cast<uint32_t>(pixel[2]) == bits);
    }
}

struct ErasedBox {
    int32_t top, left, height, width;

    bool Holds(int64_t y, int64_t x) const {
        return y >= top && y < int64_t{top} + height && x >= left && x < int64_t{left} + width;
    }
};

// 200, 100 and 50, which all dtypes hold exactly.
constexpr float kPaint[3] = {200.0F, 100.0F, 50.0F};

Bytes PaintOf(int32_t dtype, int32_t channel) {
    constexpr std::array<uint16_t, 3> kHalves = {0x5a40, 0x5640, 0x5240};
    const float value = kPaint[channel];
    const auto level = static_cast<uint8_t>(value);
    const auto bfloat = static_cast<uint16_t>(std::bit_cast<uint32_t>(value) >> 16);
    const void* bits = &value;
    if (dtype == FL_UINT8) bits = &level;
    if (dtype == FL_FLOAT16) bits = &kHalves[channel];
    if (dtype == FL_BFLOAT16) bits = &bfloat;
    const auto* bytes = static_cast<const uint8_t*>(bits);
    return {bytes, bytes + SizeOf(dtype)};
}

void CheckErased(const fl_output& output, int32_t height, int32_t width, ErasedBox box) {
    const size_t size = SizeOf(output.dtype);
    Room room(size * height * width * output.channels);
    Bytes expected = room.Contents();
    for (int32_t channel = 0; channel < output.channels; ++channel) {
        const Bytes paint = PaintOf(output.dtype, channel);
        for (int32_t y = 0; y < height; ++y) {
            for (int32_t x = 0; x < width; ++x) {
                if (!box.Holds(y, x)) continue;
                std::memcpy(&expected[PlaceOf(output, height, width, y, x, channel) * size],
                            paint.data(), size);
            }
        }
    }
    fastload::Erase(output, room.data(), height, width, box.top, box.left, box.height, box.width,
                    kPaint);
    CHECK(room.MarginsAreUntouched());
    CHECK(room.Contents() == expected);
}

void TestErasedBoxes() {
    constexpr int32_t kHeight = 9, kWidth = 13;
    constexpr int32_t kFar = std::numeric_limits<int32_t>::max();
    std::vector<ErasedBox> boxes = {{0, 0, kHeight, kWidth},
                                    {0, 0, 1, 1},
                                    {8, 12, 1, 1},
                                    {-3, -4, 5, 6},
                                    {6, 10, 50, 50},
                                    {-3, -4, 50, 50},
                                    {9, 0, 3, 3},
                                    {0, 13, 3, 3},
                                    {-3, 0, 3, 3},
                                    {2, 2, 0, 5},
                                    {2, 2, 5, 0},
                                    {2, 2, -1, 5},
                                    {2, 2, 5, -5},
                                    {3, 3, kFar, kFar},
                                    {kFar, kFar, kFar, kFar},
                                    {-kFar - 1, 0, kFar, kWidth},
                                    {0, 0, -kFar - 1, 1},
                                    {-kFar, -kFar, kFar, kFar}};
    RandomSource random(30);
    const auto between = [&](int32_t low, int32_t high) {
        return low + static_cast<int32_t>(random.Below(high - low + 1));
    };
    for (int i = 0; i < 50; ++i) {
        boxes.push_back({between(-4, kHeight), between(-4, kWidth), between(0, kHeight + 4),
                         between(0, kWidth + 4)});
    }
    for (int32_t dtype : {FL_UINT8, FL_FLOAT16, FL_BFLOAT16, FL_FLOAT32}) {
        for (const fl_output& output : OutputsOf(dtype, nullptr)) {
            for (ErasedBox box : boxes) CheckErased(output, kHeight, kWidth, box);
        }
    }
}

}  // namespace

int main() {
    TestRows();
    TestRefusals();
    TestRounding(FL_FLOAT16, kHalf);
    TestRounding(FL_BFLOAT16, kBfloat);
    TestErasedLevels();
    TestErasedFloatsKeepTheirBits();
    TestErasedBoxes();
    return Verdict();
}
