// SPDX-License-Identifier: Apache-2.0
//
// Activations f(x) and their derivatives. The derivative is written over the output y = f(x)
// wherever y determines it, so that x need not be kept; GELU and SiLU need x.
#ifndef WEFT_MATH_ACTIVATION_H
#define WEFT_MATH_ACTIVATION_H

#include "../abi/kernels.h"
#include "portable.h"
#include "transcendental.h"

namespace weft {

template <typename T>
WEFT_MATH T sigmoid(T x) {
  return T(1) / (T(1) + math::exp(-x));
}

// log(1 + e^x) without overflow
template <typename T>
WEFT_MATH T softplus(T x) {
  return (x > T(0) ? x : T(0)) + math::log1p_unit(math::exp(-std::fabs(x)));
}

// The standard normal's distribution function and density.
template <typename T>
WEFT_MATH T normal_cdf(T x) {
  return T(0.5) * (T(1) + math::erf(x * T(0.70710678118654752440)));
}
template <typename T>
WEFT_MATH T normal_pdf(T x) {
  return T(0.39894228040143267794) * math::exp(T(-0.5) * x * x);
}

// A is a template argument so that a loop over elements has no branch over the kind.
template <int A, typename T>
WEFT_MATH T activation(T x, T alpha) {
  if constexpr (A == WEFT_SIGMOID) return sigmoid(x);
  if constexpr (A == WEFT_TANH) return math::tanh(x);
  // written so that NaN passes through: NaN < 0 is false
  if constexpr (A == WEFT_RELU) return x < T(0) ? T(0) : x;
  if constexpr (A == WEFT_LEAKY_RELU) return x < T(0) ? alpha * x : x;
  if constexpr (A == WEFT_ELU) return x < T(0) ? alpha * math::expm1(x) : x;
  if constexpr (A == WEFT_SOFTPLUS) return softplus(x);
  if constexpr (A == WEFT_GELU) return x * normal_cdf(x);
  if constexpr (A == WEFT_SILU) return x * sigmoid(x);
  return x;
}

template <int A>
constexpr bool derivative_needs_x = A == WEFT_GELU || A == WEFT_SILU;

// f'(x), from x where derivative_needs_x<A>, else from y alone.
template <int A, typename T>
WEFT_MATH T activation_derivative(T x, T y, T alpha) {
  if constexpr (A == WEFT_SIGMOID) return y * (T(1) - y);
  if constexpr (A == WEFT_TANH) return T(1) - y * y;
  if constexpr (A == WEFT_RELU) return y > T(0) ? T(1) : T(0);
  // y and x have the same sign because alpha >= 0, which the Java side checks
  if constexpr (A == WEFT_LEAKY_RELU) return y > T(0) ? T(1) : alpha;
  if constexpr (A == WEFT_ELU) return y > T(0) ? T(1) : y + alpha;
  if constexpr (A == WEFT_SOFTPLUS) return -math::expm1(-y);  // = sigmoid(x)
  if constexpr (A == WEFT_GELU) return normal_cdf(x) + x * normal_pdf(x);
  if constexpr (A == WEFT_SILU) {
    T s = sigmoid(x);
    return s * (T(1) + x * (T(1) - s));
  }
  return T(1);
}

}  // namespace weft
#endif  // WEFT_MATH_ACTIVATION_H
