// SPDX-License-Identifier: Apache-2.0
//
// Fused bias and activation.
#include "../math/activation.h"

#include "kernel.h"

namespace weft {
namespace WEFT_ISA {
namespace {

constexpr int64_t cost(int activation) {
  return activation == WEFT_IDENTITY || activation == WEFT_RELU || activation == WEFT_LEAKY_RELU
             ? 1
             : transcendental;
}

// Without a bias the matrix is one long row.
template <typename Arguments, typename Body>
void over_rows(const Arguments& a, int64_t cost, const Body& body) {
  if (a.b) {
    parallel_rows(a.rows, a.cols, cost, body);
  } else {
    parallel_rows(1, a.rows * a.cols, cost, body);
  }
}

// y = f(x + b)
template <typename S>
void bias_activation_forward(const weft_bias_activation_forward& a) {
  using T = compute<S>;
  const S *x = as<S>(a.x), *b = as<S>(a.b);
  S* y = as<S>(a.y);
  T alpha = T(a.alpha);
  choose<WEFT_ACTIVATIONS>("activation", a.activation, [&](auto kind) {
    constexpr int A = kind;
    over_rows(a, cost(A), [=, cols = a.cols](int64_t row, int64_t begin, int64_t end) {
      const S* from = x + row * cols;
      S* to = y + row * cols;
      if (b) {
#pragma omp simd
        for (int64_t c = begin; c < end; c++)
          put<false>(to[c], activation<A>(T(from[c]) + T(b[c]), alpha));
      } else {
#pragma omp simd
        for (int64_t c = begin; c < end; c++) put<false>(to[c], activation<A>(T(from[c]), alpha));
      }
    });
  });
}

// dx (+)= dy f'(x + b)
template <typename S>
void bias_activation_backward(const weft_bias_activation_backward& a) {
  using T = compute<S>;
  const S *x = as<S>(a.x), *b = as<S>(a.b), *y = as<S>(a.y), *dy = as<S>(a.dy);
  S* dx = as<S>(a.dx);
  T alpha = T(a.alpha);
  choose<WEFT_ACTIVATIONS>("activation", a.activation, [&](auto kind) {
    constexpr int A = kind;
    choose_flag(a.accumulate, [&](auto accumulate) {
      constexpr bool add = accumulate;
      if constexpr (derivative_needs_x<A>) {
        over_rows(a, cost(A), [=, cols = a.cols](int64_t row, int64_t begin, int64_t end) {
          const S *from = x + row * cols, *up = dy + row * cols;
          S* to = dx + row * cols;
          if (b) {
#pragma omp simd
            for (int64_t c = begin; c < end; c++) {
              T value = T(from[c]) + T(b[c]);
              put<add>(to[c], T(up[c]) * activation_derivative<A>(value, T(0), alpha));
            }
          } else {
#pragma omp simd
            for (int64_t c = begin; c < end; c++) {
              put<add>(to[c], T(up[c]) * activation_derivative<A>(T(from[c]), T(0), alpha));
            }
          }
        });
      } else {
        constexpr int64_t weight = A == WEFT_SOFTPLUS ? transcendental : 1;
        parallel(a.rows * a.cols, weight, [=](int64_t begin, int64_t end) {
#pragma omp simd
          for (int64_t i = begin; i < end; i++) {
            put<add>(dx[i], T(dy[i]) * activation_derivative<A>(T(0), T(y[i]), alpha));
          }
        });
      }
    });
  });
}

}  // namespace

WEFT_DEFINE_TYPED(bias_activation_forward, bias_activation_forward)
WEFT_DEFINE_TYPED(bias_activation_backward, bias_activation_backward)

}  // namespace WEFT_ISA
}  // namespace weft
