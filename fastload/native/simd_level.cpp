#include "simd_level.h"

#include <algorithm>
#include <cstdlib>
#include <string_view>

namespace fastload {
namespace {

// Tests may run plain C++ in place of the instructions (setup.py).
#ifdef FASTLOAD_EMULATES_AVX512
constexpr bool kEmulatesAvx512 = true;
#else
constexpr bool kEmulatesAvx512 = false;
#endif

SimdLevel LevelOfMachine() {
#if defined(__x86_64__)
    __builtin_cpu_init();
    const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
                      __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2");
    const bool avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                        __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq") &&
                        __builtin_cpu_supports("avx512vbmi") &&
                        __builtin_cpu_supports("avx512vbmi2") &&
                        __builtin_cpu_supports("avx512vnni");
    if (avx2 && (avx512 || kEmulatesAvx512)) return SimdLevel::kAvx512;
    if (avx2) return SimdLevel::kAvx2;
#endif
    return SimdLevel::kPortable;
}

SimdLevel LevelAllowed() {
    const char* const value = std::getenv("FASTLOAD_SIMD");
    const std::string_view name = value == nullptr ? "" : value;
    if (name == "portable") return SimdLevel::kPortable;
    if (name == "avx2") return SimdLevel::kAvx2;
    return SimdLevel::kAvx512;
}

}  // namespace

SimdLevel CurrentSimdLevel() {
    static const SimdLevel level = std::min(LevelOfMachine(), LevelAllowed());
    return level;
}

}  // namespace fastload
