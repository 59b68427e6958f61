// SPDX-License-Identifier: Apache-2.0
//
// Functions of one operand, element by element.
#include "../math/elementwise.h"

#include "kernel.h"

namespace weft {
namespace WEFT_ISA {
namespace {

constexpr int64_t cost(int unary) {
  return unary == WEFT_EXP || unary == WEFT_LOG || unary == WEFT_ERF ? transcendental
         : unary == WEFT_POW                                         ? 8 * transcendental
                                                                     : 1;
}

// y = f(x)
template <typename S>
void unary_forward(const weft_unary_forward& a) {
  using T = compute<S>;
  const S* x = as<S>(a.x);
  S* y = as<S>(a.y);
  T alpha = T(a.alpha);
  choose<WEFT_UNARY_FUNCTIONS>("unary operation", a.operation, [&](auto kind) {
    constexpr int F = kind;
    parallel(a.n, cost(F), [=](int64_t begin, int64_t end) {
#pragma omp simd
      for (int64_t i = begin; i < end; i++) put<false>(y[i], unary<F>(T(x[i]), alpha));
    });
  });
}

// dx (+)= dy f'(x)
template <typename S>
void unary_backward(const weft_unary_backward& a) {
  using T = compute<S>;
  const S *x = as<S>(a.x), *y = as<S>(a.y), *dy = as<S>(a.dy);
  S* dx = as<S>(a.dx);
  T alpha = T(a.alpha);
  choose<WEFT_UNARY_FUNCTIONS>("unary operation", a.operation, [&](auto kind) {
    constexpr int F = kind;
    choose_flag(a.accumulate, [&](auto accumulate) {
      constexpr bool add = accumulate;
      parallel(a.n, cost(F), [=](int64_t begin, int64_t end) {
#pragma omp simd
        for (int64_t i = begin; i < end; i++) {
          put<add>(dx[i], T(dy[i]) * unary_derivative<F>(T(x[i]), T(y[i]), alpha));
        }
      });
    });
  });
}

}  // namespace

WEFT_DEFINE_TYPED(unary_forward, unary_forward)
WEFT_DEFINE_TYPED(unary_backward, unary_backward)

}  // namespace WEFT_ISA
}  // namespace weft
