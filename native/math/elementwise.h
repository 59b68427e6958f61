// SPDX-License-Identifier: Apache-2.0
//
// Unary and binary elementwise functions and their partial derivatives.
#ifndef WEFT_MATH_ELEMENTWISE_H
#define WEFT_MATH_ELEMENTWISE_H

#include "../abi/kernels.h"
#include "portable.h"
#include "transcendental.h"

namespace weft {

template <int F, typename T>
WEFT_MATH T unary(T x, T alpha) {
  if constexpr (F == WEFT_SCALE) return alpha * x;
  if constexpr (F == WEFT_SHIFT) return x + alpha;
  if constexpr (F == WEFT_EXP) return math::exp(x);
  if constexpr (F == WEFT_LOG) return math::log(x);
  if constexpr (F == WEFT_SQUARE) return x * x;
  if constexpr (F == WEFT_SQRT) return std::sqrt(x);
  if constexpr (F == WEFT_POW) return std::pow(x, alpha);
  if constexpr (F == WEFT_RECIPROCAL) return T(1) / x;
  return std::fabs(x);
}

// f'(x) with y = f(x) at hand
template <int F, typename T>
WEFT_MATH T unary_derivative(T x, T y, T alpha) {
  if constexpr (F == WEFT_SCALE) return alpha;
  if constexpr (F == WEFT_SHIFT) return T(1);
  if constexpr (F == WEFT_EXP) return y;
  if constexpr (F == WEFT_LOG) return T(1) / x;
  if constexpr (F == WEFT_SQUARE) return T(2) * x;
  if constexpr (F == WEFT_SQRT) return T(0.5) / y;
  // x^0 has derivative 0 everywhere; without the test 0 * 0^-1 would be NaN
  if constexpr (F == WEFT_POW) return alpha == T(0) ? T(0) : alpha * std::pow(x, alpha - T(1));
  if constexpr (F == WEFT_RECIPROCAL) return -y * y;
  return x > T(0) ? T(1) : (x < T(0) ? T(-1) : T(0));
}

template <int F, typename T>
WEFT_MATH T binary(T a, T b) {
  if constexpr (F == WEFT_ADD) return a + b;
  if constexpr (F == WEFT_SUBTRACT) return a - b;
  if constexpr (F == WEFT_MULTIPLY) return a * b;
  if constexpr (F == WEFT_DIVIDE) return a / b;
  // NaN on either side wins, as in PyTorch
  if constexpr (F == WEFT_MAXIMUM) return (a > b || a != a) ? a : b;
  return (a < b || a != a) ? a : b;
}

template <int F, typename T>
WEFT_MATH T binary_derivative_a(T a, T b) {
  if constexpr (F == WEFT_ADD || F == WEFT_SUBTRACT) return T(1);
  if constexpr (F == WEFT_MULTIPLY) return b;
  if constexpr (F == WEFT_DIVIDE) return T(1) / b;
  if constexpr (F == WEFT_MAXIMUM) return a > b ? T(1) : (a == b ? T(0.5) : T(0));
  return a < b ? T(1) : (a == b ? T(0.5) : T(0));
}

template <int F, typename T>
WEFT_MATH T binary_derivative_b(T a, T b) {
  if constexpr (F == WEFT_ADD) return T(1);
  if constexpr (F == WEFT_SUBTRACT) return T(-1);
  if constexpr (F == WEFT_MULTIPLY) return a;
  if constexpr (F == WEFT_DIVIDE) return -a / (b * b);
  if constexpr (F == WEFT_MAXIMUM) return b > a ? T(1) : (a == b ? T(0.5) : T(0));
  return b < a ? T(1) : (a == b ? T(0.5) : T(0));
}

}  // namespace weft
#endif  // WEFT_MATH_ELEMENTWISE_H
