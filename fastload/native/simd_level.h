// Which instructions this process may use, decided once at run time.
#ifndef FASTLOAD_NATIVE_SIMD_LEVEL_H_
#define FASTLOAD_NATIVE_SIMD_LEVEL_H_

namespace fastload {

// Each level includes those before it. kAvx2 stands for AVX2, FMA, BMI1 and BMI2; kAvx512 for the
// F, BW, VL, DQ, VBMI, VBMI2 and VNNI extensions (Ice Lake and Zen 4 on).
enum class SimdLevel { kPortable, kAvx2, kAvx512 };

// What the machine has, or what the environment variable FASTLOAD_SIMD (portable, avx2, avx512)
// names if the machine has that. Any other value of the variable is ignored.
SimdLevel CurrentSimdLevel();

}  // namespace fastload

#endif  // FASTLOAD_NATIVE_SIMD_LEVEL_H_
