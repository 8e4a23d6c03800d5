#include "warp.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <string>

#include "error.h"

// Last, since it is for what follows it.
#include "separate_rounding.h"

namespace fastload {
namespace {

// Fixed point of 16 bits, as Pillow has it: no further than this from the origin.
constexpr double kFixedLimit = 32768.0;
constexpr int32_t kFixedBits = 16;
// Further away than any pixel, and small enough that its cast to an integer is defined.
constexpr double kFarthest = 1 << 30;

struct Point {
    double x, y;
};

// Pillow's order of additions.
Point Lead(const double m[6], double x, double y) {
    return {m[0] * x + m[1] * y + m[2], m[3] * x + m[4] * y + m[5]};
}

bool CornersLieWithin(const double m[6], int32_t height, int32_t width, double limit) {
    for (const int32_t y : {0, height}) {
        for (const int32_t x : {0, width}) {
            const Point at = Lead(m, x, y);
            if (!(std::fabs(at.x) < limit && std::fabs(at.y) < limit)) return false;
        }
    }
    return true;
}

struct Span {
    int32_t begin, end;
};

// The x of 0..width for which 0 <= start + step * x < limit.
Span Within(int64_t start, int64_t step, int64_t limit, int32_t width) {
    if (step < 0) {
        // Read from the other end, the same values rise.
        start = limit - 1 - start;
        step = -step;
    }
    if (step == 0) return {0, start >= 0 && start < limit ? width : 0};
    const auto first_from = [=](int64_t value) {
        const int64_t gap = value - start;
        return gap <= 0 ? int64_t{0} : (gap + step - 1) / step;
    };
    const auto begin = static_cast<int32_t>(std::min<int64_t>(first_from(0), width));
    const auto end = static_cast<int32_t>(std::min<int64_t>(first_from(limit), width));
    return {begin, std::max(begin, end)};
}

class Warper {
  public:
    Warper(const MirroredImage& in, const double matrix[6], const uint8_t fill[3], Image& out)
        : in_(in), m_(matrix), fill_(fill), out_(out) {}

    void Run(Interpolation interpolation);

  private:
    template <int32_t kChannels>
    void RunWith(Interpolation interpolation);
    template <int32_t kChannels>
    void NearestFixed();
    template <int32_t kChannels>
    void CopyRow(uint8_t* row, Span span, int64_t across, int64_t down, int64_t step_across,
                 int64_t step_down);
    template <int32_t kChannels>
    void NearestFloating();
    template <int32_t kChannels, typename Sample>
    void Sampled(Sample sample);
    template <int32_t kChannels>
    void FillRow(uint8_t* row, int32_t begin, int32_t end);

    bool IsFixed() const;
    bool Holds(Point at) const {
        return at.x >= 0.0 && at.x < in_.width() && at.y >= 0.0 && at.y < in_.height();
    }

    const MirroredImage& in_;
    const double* m_;
    const uint8_t* fill_;
    Image& out_;
};

// Pillow leaves fixed point where pixels are scaled alone; moved by whole pixels, both are the
// same.
bool Warper::IsFixed() const {
    const bool moves =
        m_[0] == 1.0 && m_[4] == 1.0 && m_[2] == std::floor(m_[2]) && m_[5] == std::floor(m_[5]);
    const bool scales = m_[1] == 0.0 && m_[3] == 0.0 && !moves;
    return !scales && CornersLieWithin(m_, out_.height, out_.width, kFixedLimit);
}

template <int32_t kChannels>
void Warper::FillRow(uint8_t* row, int32_t begin, int32_t end) {
    for (int32_t x = begin; x < end; ++x) std::memcpy(row + x * kChannels, fill_, kChannels);
}

template <int32_t kChannels>
void Warper::CopyRow(uint8_t* row, Span span, int64_t across, int64_t down, int64_t step_across,
                     int64_t step_down) {
    constexpr int64_t kOne = int64_t{1} << kFixedBits;
    uint8_t* to = row + span.begin * kChannels;
    if (step_across == kOne && step_down == 0 && in_.step() > 0 && span.end > span.begin) {
        std::memcpy(to,
                    in_.pixel(static_cast<int32_t>(down >> kFixedBits),
                              static_cast<int32_t>(across >> kFixedBits)),
                    static_cast<size_t>(span.end - span.begin) * kChannels);
        return;
    }
    for (int32_t x = span.begin; x < span.end; ++x, to += kChannels) {
        const uint8_t* from = in_.pixel(static_cast<int32_t>(down >> kFixedBits),
                                        static_cast<int32_t>(across >> kFixedBits));
        // Four bytes in one go: the fourth is overwritten by what comes next, or is padding.
        std::memcpy(to, from, kChannels == 3 ? 4 : 1);
        across += step_across;
        down += step_down;
    }
}

template <int32_t kChannels>
void Warper::NearestFixed() {
    const auto fixed = [](double value) {
        return static_cast<int64_t>(std::floor(value * (1 << kFixedBits) + 0.5));
    };
    const int64_t xx = fixed(m_[0]), xy = fixed(m_[1]), yx = fixed(m_[3]), yy = fixed(m_[4]);
    int64_t across = fixed(m_[2] + m_[0] * 0.5 + m_[1] * 0.5);
    int64_t down = fixed(m_[5] + m_[3] * 0.5 + m_[4] * 0.5);
    const int64_t width = int64_t{in_.width()} << kFixedBits;
    const int64_t height = int64_t{in_.height()} << kFixedBits;
    for (int32_t y = 0; y < out_.height; ++y, across += xy, down += yy) {
        const Span columns = Within(across, xx, width, out_.width);
        const Span rows = Within(down, yx, height, out_.width);
        const int32_t begin = std::max(columns.begin, rows.begin);
        const int32_t end = std::max(begin, std::min(columns.end, rows.end));
        uint8_t* row = out_.row(y);
        FillRow<kChannels>(row, 0, begin);
        CopyRow<kChannels>(row, {begin, end}, across + xx * begin, down + yx * begin, xx, yx);
        FillRow<kChannels>(row, end, out_.width);
    }
}

template <int32_t kChannels>
void Warper::NearestFloating() {
    Point row_start = {m_[2] + m_[1] * 0.5 + m_[0] * 0.5, m_[5] + m_[4] * 0.5 + m_[3] * 0.5};
    for (int32_t y = 0; y < out_.height; ++y, row_start.x += m_[1], row_start.y += m_[4]) {
        uint8_t* to = out_.row(y);
        Point at = row_start;
        for (int32_t x = 0; x < out_.width; ++x, to += kChannels, at.x += m_[0], at.y += m_[3]) {
            const uint8_t* from =
                Holds(at) ? in_.pixel(static_cast<int32_t>(at.y), static_cast<int32_t>(at.x))
                          : fill_;
            std::memcpy(to, from, kChannels);
        }
    }
}

// The corner of the neighbourhood of a place between pixels, and how far the place is from it.
struct Neighbourhood {
    int32_t x, y;
    double right, below;
};

Neighbourhood NeighbourhoodOf(Point at) {
    const double x = std::floor(at.x - 0.5), y = std::floor(at.y - 0.5);
    return {static_cast<int32_t>(x), static_cast<int32_t>(y), at.x - 0.5 - x, at.y - 0.5 - y};
}

double Linear(double a, double b, double share) { return a + (b - a) * share; }

double Cubic(const double v[4], double share) {
    const double first = -v[0] + v[2];
    const double second = 2 * (v[0] - v[1]) + v[2] - v[3];
    const double third = -v[0] + v[1] - v[2] + v[3];
    return v[1] + share * (first + share * (second + share * third));
}

// kSide x kSide pixels around a place; those at the edge stand for what lies outside.
template <int32_t kSide>
class Patch {
  public:
    Patch(const MirroredImage& in, int32_t top, int32_t left) {
        for (int32_t i = 0; i < kSide; ++i) {
            rows_[i] = in.pixel(std::clamp(top + i, 0, in.height() - 1), 0);
            columns_[i] = std::clamp(left + i, 0, in.width() - 1) * in.step();
        }
    }
    double at(int32_t y, int32_t x, int32_t channel) const {
        return rows_[y][columns_[x] + channel];
    }

  private:
    const uint8_t* rows_[kSide];
    ptrdiff_t columns_[kSide];
};

template <int32_t kChannels>
void SampleBilinear(const MirroredImage& in, Point at, uint8_t* to) {
    const Neighbourhood near = NeighbourhoodOf(at);
    const Patch<2> patch(in, near.y, near.x);
    for (int32_t c = 0; c < kChannels; ++c) {
        const double above = Linear(patch.at(0, 0, c), patch.at(0, 1, c), near.right);
        const double below = Linear(patch.at(1, 0, c), patch.at(1, 1, c), near.right);
        to[c] = static_cast<uint8_t>(Linear(above, below, near.below));
    }
}

template <int32_t kChannels>
void SampleBicubic(const MirroredImage& in, Point at, uint8_t* to) {
    const Neighbourhood near = NeighbourhoodOf(at);
    const Patch<4> patch(in, near.y - 1, near.x - 1);
    for (int32_t c = 0; c < kChannels; ++c) {
        double rows[4];
        for (int32_t y = 0; y < 4; ++y) {
            const double row[4] = {patch.at(y, 0, c), patch.at(y, 1, c), patch.at(y, 2, c),
                                   patch.at(y, 3, c)};
            rows[y] = Cubic(row, near.right);
        }
        to[c] = static_cast<uint8_t>(std::clamp(Cubic(rows, near.below), 0.0, 255.0));
    }
}

template <int32_t kChannels, typename Sample>
void Warper::Sampled(Sample sample) {
    for (int32_t y = 0; y < out_.height; ++y) {
        uint8_t* to = out_.row(y);
        for (int32_t x = 0; x < out_.width; ++x, to += kChannels) {
            const Point at = Lead(m_, x + 0.5, y + 0.5);
            if (Holds(at))
                sample(in_, at, to);
            else
                std::memcpy(to, fill_, kChannels);
        }
    }
}

template <int32_t kChannels>
void Warper::RunWith(Interpolation interpolation) {
    switch (interpolation) {
        case Interpolation::kNearest:
            return IsFixed() ? NearestFixed<kChannels>() : NearestFloating<kChannels>();
        case Interpolation::kBilinear:
            return Sampled<kChannels>(SampleBilinear<kChannels>);
        case Interpolation::kBicubic:
            return Sampled<kChannels>(SampleBicubic<kChannels>);
    }
    throw Failure(FL_BAD_ARGUMENT, "interpolation " +
                                       std::to_string(static_cast<int32_t>(interpolation)) +
                                       " is not one that warps");
}

void Warper::Run(Interpolation interpolation) {
    if (out_.channels == 3) return RunWith<3>(interpolation);
    RunWith<1>(interpolation);
}

}  // namespace

MirroredImage::MirroredImage(const Image& image, bool left_right, bool top_down)
    : first_(image.row(top_down ? image.height - 1 : 0) +
             (left_right ? image.width - 1 : 0) * image.channels),
      stride_(top_down ? -image.stride() : image.stride()),
      step_(left_right ? -image.channels : image.channels),
      height_(image.height),
      width_(image.width) {}

void Warp(const Image& in, bool left_right, bool top_down, const double matrix[6],
          Interpolation interpolation, const uint8_t fill[3], Image& out) {
    if (!CornersLieWithin(matrix, in.height, in.width, kFarthest))
        throw Failure(FL_BAD_ARGUMENT, "a warp leads too far outside of the image");
    out.Allocate(in.height, in.width, in.channels);
    const MirroredImage mirrored(in, left_right, top_down);
    Warper(mirrored, matrix, fill, out).Run(interpolation);
}

}  // namespace fastload
