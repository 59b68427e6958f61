// SPDX-License-Identifier: Apache-2.0
//
// Unary and binary elementwise functions, their derivatives and gradients.
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
  // NaN passes through: its comparisons are false
  else if constexpr (F == WEFT_AT_LEAST) return x < alpha ? alpha : x;
  else if constexpr (F == WEFT_AT_MOST) return x > alpha ? alpha : x;
  else if constexpr (F == WEFT_ERF) return math::erf(x);
  else if constexpr (F == WEFT_NORM_ROOT) return std::sqrt(x);
  else WEFT_NO_FORMULA(F, "native/math/elementwise.h: unary", WEFT_UNARY_FUNCTION);
}

// The one of x and y = f(x) that f' is computed from; null where it is constant.
WEFT_MATH const void* unary_source(int64_t f, const void* x, const void* y) {
  switch (f) {
    case WEFT_SCALE:
    case WEFT_SHIFT: return nullptr;
    case WEFT_EXP:
    case WEFT_SQRT:
    case WEFT_NORM_ROOT:
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
  else if constexpr (F == WEFT_AT_LEAST) return x >= alpha ? T(1) : T(0);
  else if constexpr (F == WEFT_AT_MOST) return x <= alpha ? T(1) : T(0);
  else if constexpr (F == WEFT_ERF) return T(1.12837916709551257390) * math::exp(-x * x);
  else if constexpr (F == WEFT_NORM_ROOT) return y == T(0) ? T(0) : T(0.5) / y;
  else WEFT_NO_FORMULA(F, "native/math/elementwise.h: unary_derivative", WEFT_UNARY_FUNCTION);
}

// alpha: what KEEP and DROP put where they do not take a
template <int F, typename T>
WEFT_MATH T binary(T a, T b, T alpha = T(0)) {
  if constexpr (F == WEFT_ADD) return a + b;
  else if constexpr (F == WEFT_SUBTRACT) return a - b;
  else if constexpr (F == WEFT_MULTIPLY) return a * b;
  else if constexpr (F == WEFT_DIVIDE) return a / b;
  // NaN on either side wins, as in PyTorch
  else if constexpr (F == WEFT_MAXIMUM) return (a > b || a != a) ? a : b;
  else if constexpr (F == WEFT_MINIMUM) return (a < b || a != a) ? a : b;
  else if constexpr (F == WEFT_GREATER) return a > b ? T(1) : T(0);
  else if constexpr (F == WEFT_GREATER_OR_EQUAL) return a >= b ? T(1) : T(0);
  else if constexpr (F == WEFT_EQUAL) return a == b ? T(1) : T(0);
  else if constexpr (F == WEFT_KEEP) return b != T(0) ? a : alpha;
  else if constexpr (F == WEFT_DROP) return b == T(0) ? a : alpha;
  else WEFT_NO_FORMULA(F, "native/math/elementwise.h: binary", WEFT_BINARY_FUNCTION);
}

template <int F>
constexpr bool is_comparison = F == WEFT_GREATER || F == WEFT_GREATER_OR_EQUAL || F == WEFT_EQUAL;

// dy df/da. What is not taken, and what is compared, has 0 whatever dy is.
template <int F, typename T>
WEFT_MATH T binary_gradient_a(T dy, T a, T b) {
  if constexpr (F == WEFT_ADD || F == WEFT_SUBTRACT) return dy;
  else if constexpr (F == WEFT_MULTIPLY) return dy * b;
  else if constexpr (F == WEFT_DIVIDE) return dy * (T(1) / b);
  else if constexpr (F == WEFT_MAXIMUM) return dy * (a > b ? T(1) : (a == b ? T(0.5) : T(0)));
  else if constexpr (F == WEFT_MINIMUM) return dy * (a < b ? T(1) : (a == b ? T(0.5) : T(0)));
  else if constexpr (is_comparison<F>) return T(0);
  else if constexpr (F == WEFT_KEEP) return b != T(0) ? dy : T(0);
  else if constexpr (F == WEFT_DROP) return b == T(0) ? dy : T(0);
  else WEFT_NO_FORMULA(F, "native/math/elementwise.h: binary_gradient_a", WEFT_BINARY_FUNCTION);
}

// dy df/db
template <int F, typename T>
WEFT_MATH T binary_gradient_b(T dy, T a, T b) {
  if constexpr (F == WEFT_ADD) return dy;
  else if constexpr (F == WEFT_SUBTRACT) return -dy;
  else if constexpr (F == WEFT_MULTIPLY) return dy * a;
  else if constexpr (F == WEFT_DIVIDE) return dy * (-a / (b * b));
  else if constexpr (F == WEFT_MAXIMUM) return dy * (b > a ? T(1) : (a == b ? T(0.5) : T(0)));
  else if constexpr (F == WEFT_MINIMUM) return dy * (b < a ? T(1) : (a == b ? T(0.5) : T(0)));
  else if constexpr (is_comparison<F> || F == WEFT_KEEP || F == WEFT_DROP) return T(0);
  else WEFT_NO_FORMULA(F, "native/math/elementwise.h: binary_gradient_b", WEFT_BINARY_FUNCTION);
}

}  // namespace weft
#endif  // WEFT_MATH_ELEMENTWISE_H
