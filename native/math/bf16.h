// SPDX-License-Identifier: Apache-2.0
//
// bfloat16: the upper half of a float, so its range, with 8 significant bits. It is a type to store
// in; whoever computes converts to float first. float to bf16 rounds to the nearest, ties to even;
// every NaN becomes 0x7fff, as the GPU's instruction has it, so that all devices store the same
// bits.
#ifndef WEFT_MATH_BF16_H
#define WEFT_MATH_BF16_H

#include "portable.h"
#include "transcendental.h"

#if defined(__CUDACC__)
#include <cuda_bf16.h>
#endif

namespace weft {

struct bf16 {
  uint16_t bits;

  bf16() = default;

  WEFT_MATH explicit bf16(float x) {
#if defined(__CUDA_ARCH__)
    bits = __bfloat16_as_ushort(__float2bfloat16_rn(x));
#else
    // 0x7fff, and 1 more where the last bit that stays is 1, carries where the rest is over one half
    uint32_t whole = math::to_bits(x), odd = whole >> 16 & 1u;
    uint32_t rounded = (whole + 0x7fffu + odd) >> 16;
    bits = (uint16_t)(x != x ? 0x7fffu : rounded);
#endif
  }

  WEFT_MATH operator float() const { return math::from_bits<float>((uint32_t)bits << 16); }
};

// The type that kernels over S compute in.
template <typename S>
struct computed_in {
  using type = S;
};
template <>
struct computed_in<bf16> {
  using type = float;
};
template <typename S>
using compute = typename computed_in<S>::type;

}  // namespace weft
#endif  // WEFT_MATH_BF16_H
