// SPDX-License-Identifier: Apache-2.0
//
// Activations f(x) and their derivatives. The derivative is written over the output y = f(x)
// wherever y determines it, so that x need not be kept; GELU, SiLU and some hard functions need x.
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

// The standard normal's density.
template <typename T>
WEFT_MATH T normal_pdf(T x) {
  return T(0.39894228040143267794) * math::exp(T(-0.5) * x * x);
}

// Written so that NaN passes through.
template <typename T>
WEFT_MATH T between(T low, T x, T high) {
  return x < low ? low : (x > high ? high : x);
}
template <typename T>
WEFT_MATH T hard_sigmoid(T x) {
  return between(T(0), x * T(1.0 / 6) + T(0.5), T(1));
}

// A is a template argument so that a loop over elements has no branch over the kind.
template <int A, typename T>
WEFT_MATH T activation(T x, T alpha) {
  if constexpr (A == WEFT_IDENTITY) return x;
  else if constexpr (A == WEFT_SIGMOID) return sigmoid(x);
  else if constexpr (A == WEFT_TANH) return math::tanh(x);
  // written so that NaN passes through: NaN < 0 is false
  else if constexpr (A == WEFT_RELU) return x < T(0) ? T(0) : x;
  else if constexpr (A == WEFT_LEAKY_RELU) return x < T(0) ? alpha * x : x;
  else if constexpr (A == WEFT_ELU) return x < T(0) ? alpha * math::expm1(x) : x;
  else if constexpr (A == WEFT_SOFTPLUS) return softplus(x);
  else if constexpr (A == WEFT_GELU) return x * math::normal_cdf(x);
  else if constexpr (A == WEFT_SILU) return x * sigmoid(x);
  else if constexpr (A == WEFT_HARD_SIGMOID) return hard_sigmoid(x);
  else if constexpr (A == WEFT_HARD_TANH) return between(T(-1), x, T(1));
  else if constexpr (A == WEFT_HARD_SWISH) return x * hard_sigmoid(x);
  else WEFT_NO_FORMULA(A, "native/math/activation.h: activation", WEFT_NONLINEARITY);
}

// What the list says of an entry, as C++ reads it.
namespace options {
enum option { NONE, OF_X };
WEFT_MATH constexpr option ALPHA(double) { return NONE; }
template <typename... Option>
WEFT_MATH constexpr bool of_x(const char*, Option... said) {
  return (false || ... || (said == OF_X));
}
}  // namespace options

WEFT_MATH constexpr bool derivative_needs_x(int64_t activation) {
  using namespace options;
#define WEFT_IS_OF_X(name, ...) (activation == WEFT_##name && of_x(__VA_ARGS__)) ||
  return WEFT_NONLINEARITY(WEFT_IS_OF_X) false;
#undef WEFT_IS_OF_X
}

// f'(x), from x where derivative_needs_x(A), else from y alone.
template <int A, typename T>
WEFT_MATH T activation_derivative(T x, T y, T alpha) {
  if constexpr (A == WEFT_IDENTITY) return T(1);
  else if constexpr (A == WEFT_SIGMOID) return y * (T(1) - y);
  else if constexpr (A == WEFT_TANH) return T(1) - y * y;
  else if constexpr (A == WEFT_RELU) return y > T(0) ? T(1) : T(0);
  // y and x have the same sign because alpha >= 0, which the Java side checks
  else if constexpr (A == WEFT_LEAKY_RELU) return y > T(0) ? T(1) : alpha;
  else if constexpr (A == WEFT_ELU) return y > T(0) ? T(1) : y + alpha;
  else if constexpr (A == WEFT_SOFTPLUS) return -math::expm1(-y);  // = sigmoid(x)
  else if constexpr (A == WEFT_GELU) return math::normal_cdf(x) + x * normal_pdf(x);
  else if constexpr (A == WEFT_SILU) {
    T s = sigmoid(x);
    return s * (T(1) + x * (T(1) - s));
  }
  // as PyTorch has it: 0 at the ends of the slope, too
  else if constexpr (A == WEFT_HARD_SIGMOID)
    return x > T(-3) && x < T(3) ? T(1.0 / 6) : T(0);
  else if constexpr (A == WEFT_HARD_TANH) return y > T(-1) && y < T(1) ? T(1) : T(0);
  else if constexpr (A == WEFT_HARD_SWISH)
    return x <= T(-3) ? T(0) : (x < T(3) ? x * T(1.0 / 3) + T(0.5) : T(1));
  else WEFT_NO_FORMULA(A, "native/math/activation.h: activation_derivative", WEFT_NONLINEARITY);
}

}  // namespace weft
#endif  // WEFT_MATH_ACTIVATION_H
