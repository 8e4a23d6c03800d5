// Tries the files of some folders, one after the other, in place of libFuzzer.

#include <algorithm>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <vector>

#include "fuzz_target.h"

namespace {

std::vector<std::filesystem::path> FilesOf(int folder_count, char** folders) {
    std::vector<std::filesystem::path> files;
    for (int i = 0; i < folder_count; ++i) {
        for (const auto& entry : std::filesystem::directory_iterator(folders[i]))
            files.push_back(entry.path());
    }
    std::sort(files.begin(), files.end());
    return files;
}

// Returns whether all that the target requires holds.
bool Holds(const std::filesystem::path& path) {
    std::ifstream stream(path, std::ios::binary);
    const Bytes bytes{std::istreambuf_iterator<char>(stream), {}};
    // In a block of its own, so that a sanitizer sees any step outside.
    const auto alone = std::make_unique<uint8_t[]>(bytes.size());
    std::copy(bytes.begin(), bytes.end(), alone.get());
    try {
        LLVMFuzzerTestOneInput(alone.get(), bytes.size());
    } catch (const std::exception& exception) {
        std::fprintf(stderr, "%s: %s\n", path.c_str(), exception.what());
        return false;
    }
    return true;
}

}  // namespace

int main(int count, char** arguments) {
    const auto files = FilesOf(count - 1, arguments + 1);
    if (files.empty()) std::fprintf(stderr, "no files to replay\n");
    const auto held = std::count_if(files.begin(), files.end(), Holds);
    return !files.empty() && held == std::ssize(files) ? 0 : 1;
}
