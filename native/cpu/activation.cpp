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
  choose<WEFT_NONLINEARITIES>("activation", a.activation, [&](auto kind) {
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
  choose<WEFT_NONLINEARITIES>("activation", a.activation, [&](auto kind) {
    constexpr int A = kind;
    choose_flag(a.accumulate, [&](auto accumulate) {
      constexpr bool add = accumulate;
      if constexpr (derivative_needs_x(A)) {
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

// Columns whose sums are kept at once, 32 kB of them.
template <typename T>
constexpr int64_t widest_strip = 32768 / sizeof(T);

// dx = dy f'(x + b), and db[p] (+)= the sums of its columns over part p of the rows. A strip of
// columns of a part belongs to one thread, which adds up its rows in order.
template <typename S>
void bias_activation_gradients(const weft_bias_activation_gradients& a) {
  using T = compute<S>;
  const S *x = as<S>(a.x), *b = as<S>(a.b), *y = as<S>(a.y), *dy = as<S>(a.dy);
  S* dx = as<S>(a.dx);
  T *db = as<T>(a.db), alpha = T(a.alpha);
  const int64_t rows = a.rows, cols = a.cols, parts = a.parts;
  const bool accumulate = a.accumulate != 0;
  if (parts <= 0 || cols <= 0) return;
  const int64_t length = (rows + parts - 1) / parts;
  const int64_t strip = strip_of(parts, cols, widest_strip<T>), strips = (cols + strip - 1) / strip;
  choose<WEFT_NONLINEARITIES>("activation", a.activation, [&](auto kind) {
    constexpr int A = kind;
    constexpr int64_t weight = derivative_needs_x(A) || A == WEFT_SOFTPLUS ? transcendental : 1;
    const int64_t work = weight * length * smaller(cols, strip);
    parallel_units(parts * strips, work, [=](int64_t begin, int64_t end) {
      // zeros where there is none: a loop that asks for each column is not vector code
      T sums[widest_strip<T>], bias[derivative_needs_x(A) ? widest_strip<T> : 1];
      for (int64_t unit = begin; unit < end; unit++) {
        const int64_t part = unit / strips, first = unit % strips * strip;
        const int64_t width = smaller(cols - first, strip);
        for (int64_t c = 0; c < width; c++) sums[c] = T(0);
        for (int64_t c = 0; derivative_needs_x(A) && c < width; c++) {
          bias[c] = b ? T(b[first + c]) : T(0);
        }
        for (int64_t r = part * length; r < smaller(rows, (part + 1) * length); r++) {
          const int64_t row = r * cols + first;
          const S *up = dy + row, *source = (derivative_needs_x(A) ? x : y) + row;
          S* to = dx + row;
#pragma omp simd
          for (int64_t c = 0; c < width; c++) {
            T value = T(source[c]);
            if constexpr (derivative_needs_x(A)) value += bias[c];
            const T g = T(up[c]) * activation_derivative<A>(value, value, alpha);
            put<false>(to[c], g);
            sums[c] += g;
          }
        }
        T* result = db + part * cols + first;
        for (int64_t c = 0; c < width; c++) result[c] = accumulate ? result[c] + sums[c] : sums[c];
      }
    });
  });
}

}  // namespace

WEFT_DEFINE_TYPED(bias_activation_gradients, bias_activation_gradients)
WEFT_DEFINE_TYPED(bias_activation_forward, bias_activation_forward)
WEFT_DEFINE_TYPED(bias_activation_backward, bias_activation_backward)

}  // namespace WEFT_ISA
}  // namespace weft
