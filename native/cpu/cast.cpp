// SPDX-License-Identifier: Apache-2.0
//
// From float to bfloat16 and back.
#include "kernel.h"

namespace weft {
namespace WEFT_ISA {
namespace {

// y (+)= x in another type
template <typename From, typename To>
void cast(const weft_cast& a) {
  const From* x = as<From>(a.x);
  To* y = as<To>(a.y);
  choose_flag(a.accumulate, [&](auto accumulate) {
    constexpr bool add = accumulate;
    parallel(a.n, 1, [=](int64_t begin, int64_t end) {
#pragma omp simd
      for (int64_t i = begin; i < end; i++) put<add>(y[i], float(x[i]));
    });
  });
}

}  // namespace

void f32_to_bf16(const weft_cast& a) { cast<float, bf16>(a); }
void bf16_to_f32(const weft_cast& a) { cast<bf16, float>(a); }

}  // namespace WEFT_ISA
}  // namespace weft
