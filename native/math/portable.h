// SPDX-License-Identifier: Apache-2.0
//
// WEFT_MATH marks a formula that host and device share: written once, compiled into both.
#ifndef WEFT_MATH_PORTABLE_H
#define WEFT_MATH_PORTABLE_H

#if defined(__CUDACC__)
#define WEFT_MATH __host__ __device__ __forceinline__
#else
#define WEFT_MATH inline __attribute__((always_inline))
#endif

// Ends a function's chain of formulas, one for each entry of a list of the contract.
#define WEFT_NO_FORMULA(number, function, list) \
  static_assert(number < 0, function " has no formula for this entry of " #list)

#include <stdint.h>

#include <cmath>

#endif  // WEFT_MATH_PORTABLE_H
