// Real photos: whole and in boxes, as seekable JPEG and as `.dct` record, against libjpeg's pixels
// of the source. Some of them; all with FASTLOAD_TEST_EVERY_PHOTO=1.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "check.h"
#include "dct_encode.h"
#include "dct_region.h"
#include "jpeg_region.h"
#include "regions.h"

namespace {

using Paths = std::vector<std::filesystem::path>;

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr size_t kPhotosOfSet = 20;
#else
constexpr size_t kPhotosOfSet = 500;
#endif
constexpr int kBoxesOfPhoto = 2;

bool ReadsEveryPhoto() {
    const char* const wanted = std::getenv("FASTLOAD_TEST_EVERY_PHOTO");
    return wanted != nullptr && std::string(wanted) == "1";
}

std::filesystem::path DataFolder() {
    const char* const named = std::getenv("FASTLOAD_TEST_DATA");
    return named == nullptr ? "../shared/data" : named;
}

// In an order that no file system decides.
Paths FilesOf(const std::filesystem::path& folder) {
    Paths files;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder))
        if (entry.is_regular_file()) files.push_back(entry.path());
    std::sort(files.begin(), files.end());
    return files;
}

// So many of them, from all over.
Paths Some(const Paths& files, size_t count) {
    if (files.size() <= count) return files;
    Paths some;
    for (size_t i = 0; i < count; ++i) some.push_back(files[i * files.size() / count]);
    return some;
}

Bytes Contents(const std::filesystem::path& path) {
    std::ifstream stream(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(stream), {}};
}

// The same photo in both codecs that decode without libjpeg.
class Photo {
  public:
    explicit Photo(const Bytes& source) : jpeg_(Seekable(source)) {
        layout_ = fastload::ReadJpegLayout(jpeg_.data(), jpeg_.size());
        fastload::EncodeDct(jpeg_.data(), jpeg_.size(), dct_);
        record_.Open(dct_.data(), dct_.size());
    }

    void DecodeJpeg(Box box, fastload::RowSink& sink) const {
        fastload::DecodeJpegRegion(jpeg_.data(), jpeg_.size(), layout_, box, sink);
    }
    void DecodeDct(Box box, fastload::RowSink& sink) const {
        fastload::DecodeDctRegion(record_, box, sink);
    }

  private:
    const Bytes jpeg_;
    fastload::JpegLayout layout_;
    fastload::Buffer dct_;
    fastload::DctRecord record_;
};

void CheckBox(const Photo& photo, const Picture& whole, Box box, const std::string& name) {
    const Bytes wanted = RegionOf(whole, box);
    const auto bytes_of_row = static_cast<size_t>(box.width) * static_cast<size_t>(whole.channels);
    const auto check = [&](const char* codec, auto decode) {
        Collector got(bytes_of_row);
        const int32_t code = CodeOf([&] { decode(got); });
        if (code == FL_OK && got.pixels == wanted) return;
        std::fprintf(stderr, "%s, %s: code %d, box %d %d %d %d of %d x %d\n", name.c_str(), codec,
                     code, box.left, box.top, box.width, box.height, whole.width, whole.height);
        ++failed_checks;
    };
    check("jpeg", [&](fastload::RowSink& sink) { photo.DecodeJpeg(box, sink); });
    check("dct", [&](fastload::RowSink& sink) { photo.DecodeDct(box, sink); });
}

void CheckPhoto(const std::filesystem::path& path, RandomSource& random) {
    const Bytes source = Contents(path);
    const Photo photo(source);
    const Picture whole = WholeOf(source);
    CheckBox(photo, whole, {0, 0, whole.width, whole.height}, path.string());
    for (int i = 0; i < kBoxesOfPhoto; ++i)
        CheckBox(photo, whole, RandomBox(random, whole.width, whole.height), path.string());
}

void TestSet(const std::string& name) {
    const std::filesystem::path folder = DataFolder() / name;
    if (!std::filesystem::is_directory(folder)) {
        std::printf("skipped: no photos in %s (set FASTLOAD_TEST_DATA)\n", folder.c_str());
        return;
    }
    const Paths files = FilesOf(folder);
    RandomSource random(1);
    for (const auto& path : ReadsEveryPhoto() ? files : Some(files, kPhotosOfSet)) {
        const int32_t code = CodeOf([&] { CheckPhoto(path, random); });
        if (code == FL_OK) continue;
        std::fprintf(stderr, "%s: cannot be packed, code %d\n", path.c_str(), code);
        ++failed_checks;
    }
}

}  // namespace

int main() {
    TestSet("imagenet-lt20");
    TestSet("magnetic-tile");
    return Verdict();
}
