// Included last. What follows in the file is compiled so that a product is never fused with its
// sum, which would round once where Pillow rounds twice.
#ifndef FASTLOAD_NATIVE_SEPARATE_ROUNDING_H_
#define FASTLOAD_NATIVE_SEPARATE_ROUNDING_H_

#if defined(__clang__)
#pragma STDC FP_CONTRACT OFF
#elif defined(__FMA__) || defined(__ARM_FEATURE_FMA)
#pragma GCC optimize("fp-contract=off")
#endif

#endif  // FASTLOAD_NATIVE_SEPARATE_ROUNDING_H_
