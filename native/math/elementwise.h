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
  else if constexpr (F == WEFT_SHIFT) return x + alpha;
  else if constexpr (F == WEFT_EXP) return math::exp(x);
  else if constexpr (F == WEFT_LOG) return math::log(x);
  else if constexpr (F == WEFT_SQUARE) return x * x;
  else if constexpr (F == WEFT_SQRT) return std::sqrt(x);
  else if constexpr (F == WEFT_POW) return std::pow(x, alpha);
  else if constexpr (F == WEFT_RECIPROCAL) return T(1) / x;
  else if constexpr (F == WEFT_ABS) return std::fabs(x);
  else WEFT_NO_FORMULA(F, "native/math/elementwise.h: unary", WEFT_UNARY_FUNCTION);
}

// The one of x and y = f(x) that f' is computed from; null where it is constant.
WEFT_MATH const void* unary_source(int64_t f, const void* x, const void* y) {
  switch (f) {
    case WEFT_SCALE:
    case WEFT_SHIFT: return nullptr;
    case WEFT_EXP:
    case WEFT_SQRT:
    case WEFT_RECIPROCAL: return y;
    default: return x;
  }
}

// f'(x), from that
template <int F, typename T>
WEFT_MATH T unary_derivative(T x, T y, T alpha) {
  if constexpr (F == WEFT_SCALE) return alpha;
  else if constexpr (F == WEFT_SHIFT) return T(1);
  else if constexpr (F == WEFT_EXP) return y;
  else if constexpr (F == WEFT_LOG) return T(1) / x;
  else if constexpr (F == WEFT_SQUARE) return T(2) * x;
  else if constexpr (F == WEFT_SQRT) return T(0.5) / y;
  // x^0 has derivative 0 everywhere; without the test 0 * 0^-1 would be NaN
  else if constexpr (F == WEFT_POW) return alpha == T(0) ? T(0) : alpha * std::pow(x, alpha - T(1));
  else if constexpr (F == WEFT_RECIPROCAL) return -y * y;
  else if constexpr (F == WEFT_ABS) return x > T(0) ? T(1) : (x < T(0) ? T(-1) : T(0));
  else WEFT_NO_FORMULA(F, "native/math/elementwise.h: unary_derivative", WEFT_UNARY_FUNCTION);
}

template <int F, typename T>
WEFT_MATH T binary(T a, T b) {
  if constexpr (F == WEFT_ADD) return a + b;
  else if constexpr (F == WEFT_SUBTRACT) return a - b;
  else if constexpr (F == WEFT_MULTIPLY) return a * b;
  else if constexpr (F == WEFT_DIVIDE) return a / b;
  // NaN on either side wins, as in PyTorch
  else if constexpr (F == WEFT_MAXIMUM) return (a > b || a != a) ? a : b;
  else if constexpr (F == WEFT_MINIMUM) return (a < b || a != a) ? a : b;
  else WEFT_NO_FORMULA(F, "native/math/elementwise.h: binary", WEFT_BINARY_FUNCTION);
}

template <int F, typename T>
WEFT_MATH T binary_derivative_a(T a, T b) {
  if constexpr (F == WEFT_ADD || F == WEFT_SUBTRACT) return T(1);
  else if constexpr (F == WEFT_MULTIPLY) return b;
  else if constexpr (F == WEFT_DIVIDE) return T(1) / b;
  else if constexpr (F == WEFT_MAXIMUM) return a > b ? T(1) : (a == b ? T(0.5) : T(0));
  else if constexpr (F == WEFT_MINIMUM) return a < b ? T(1) : (a == b ? T(0.5) : T(0));
  else WEFT_NO_FORMULA(F, "native/math/elementwise.h: binary_derivative_a", WEFT_BINARY_FUNCTION);
}

template <int F, typename T>
WEFT_MATH T binary_derivative_b(T a, T b) {
  if constexpr (F == WEFT_ADD) return T(1);
  else if constexpr (F == WEFT_SUBTRACT) return T(-1);
  else if constexpr (F == WEFT_MULTIPLY) return a;
  else if constexpr (F == WEFT_DIVIDE) return -a / (b * b);
  else if constexpr (F == WEFT_MAXIMUM) return b > a ? T(1) : (a == b ? T(0.5) : T(0));
  else if constexpr (F == WEFT_MINIMUM) return b < a ? T(1) : (a == b ? T(0.5) : T(0));
  else WEFT_NO_FORMULA(F, "native/math/elementwise.h: binary_derivative_b", WEFT_BINARY_FUNCTION);
}

}  // namespace weft
#endif  // WEFT_MATH_ELEMENTWISE_H
