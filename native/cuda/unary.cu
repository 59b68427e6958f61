// SPDX-License-Identifier: Apache-2.0
//
// Elementwise functions of one argument, forward and backward.
#include "../math/elementwise.h"

#include "device.cuh"

namespace weft::cuda {

static_assert(unary_forward_shape::threads == elementwise_threads &&
                  unary_forward_shape::items == elementwise_items &&
                  unary_backward_shape::threads == elementwise_threads &&
                  unary_backward_shape::items == elementwise_items,
              "shape of elementwise kernels");

template <int F, typename T>
WEFT_DEVICE void apply_unary(const weft_unary_forward& a) {
  const T* x = static_cast<const T*>(a.x);
  T* y = static_cast<T*>(a.y);
  const T alpha = T(a.alpha);
  const bool wide = aligned(x, y);
  elementwise<T>(a.n, [&](int64_t first) {
    batch<T> v = load_batch(x, first, a.n, wide);
    each<T>(first,
            [&](int k, int j, int64_t) { v.part[k].at[j] = unary<F>(v.part[k].at[j], alpha); });
    store_batch(y, first, a.n, wide, v);
  });
}

template <typename T>
WEFT_DEVICE void unary_forward(const weft_unary_forward& a) {
  switch (a.operation) {
    case WEFT_SCALE: return apply_unary<WEFT_SCALE, T>(a);
    case WEFT_SHIFT: return apply_unary<WEFT_SHIFT, T>(a);
    case WEFT_EXP: return apply_unary<WEFT_EXP, T>(a);
    case WEFT_LOG: return apply_unary<WEFT_LOG, T>(a);
    case WEFT_SQUARE: return apply_unary<WEFT_SQUARE, T>(a);
    case WEFT_SQRT: return apply_unary<WEFT_SQRT, T>(a);
    case WEFT_POW: return apply_unary<WEFT_POW, T>(a);
    case WEFT_RECIPROCAL: return apply_unary<WEFT_RECIPROCAL, T>(a);
    case WEFT_ABS: return apply_unary<WEFT_ABS, T>(a);
  }
}

// Which of x and y the derivative reads.
template <int F>
constexpr bool unary_reads_y = F == WEFT_EXP || F == WEFT_SQRT || F == WEFT_RECIPROCAL;
template <int F>
constexpr bool unary_reads_x = F == WEFT_LOG || F == WEFT_SQUARE || F == WEFT_POW || F == WEFT_ABS;

template <int F, typename T>
WEFT_DEVICE void apply_unary_backward(const weft_unary_backward& a) {
  const T* source = static_cast<const T*>(unary_reads_y<F> ? a.y : a.x);
  const T* dy = static_cast<const T*>(a.dy);
  T* dx = static_cast<T*>(a.dx);
  const T alpha = T(a.alpha);
  const bool wide = aligned(source, dy, dx);
  elementwise<T>(a.n, [&](int64_t first) {
    batch<T> v = load_batch(dy, first, a.n, wide);
    batch<T> s = {};
    if constexpr (unary_reads_x<F> || unary_reads_y<F>) {
      s = load_batch(source, first, a.n, wide);
    }
    each<T>(first, [&](int k, int j, int64_t) {
      T value = s.part[k].at[j];  // x or y, whichever this function needs
      v.part[k].at[j] *= unary_derivative<F>(value, value, alpha);
    });
    put_batch(dx, first, a.n, wide, a.accumulate != 0, v);
  });
}

template <typename T>
WEFT_DEVICE void unary_backward(const weft_unary_backward& a) {
  switch (a.operation) {
    case WEFT_SCALE: return apply_unary_backward<WEFT_SCALE, T>(a);
    case WEFT_SHIFT: return apply_unary_backward<WEFT_SHIFT, T>(a);
    case WEFT_EXP: return apply_unary_backward<WEFT_EXP, T>(a);
    case WEFT_LOG: return apply_unary_backward<WEFT_LOG, T>(a);
    case WEFT_SQUARE: return apply_unary_backward<WEFT_SQUARE, T>(a);
    case WEFT_SQRT: return apply_unary_backward<WEFT_SQRT, T>(a);
    case WEFT_POW: return apply_unary_backward<WEFT_POW, T>(a);
    case WEFT_RECIPROCAL: return apply_unary_backward<WEFT_RECIPROCAL, T>(a);
    case WEFT_ABS: return apply_unary_backward<WEFT_ABS, T>(a);
  }
}

}  // namespace weft::cuda

// y = f(x); y may be x. A thread owns two packs of four (double: two turns of one pack). 8 bytes
// and 1 to 40 flops an element of float: expected 125 us for 256 MB in and 256 MB out at 4.3 TB/s.
// Block size: see elementwise_threads.
WEFT_KERNEL(unary_forward, unary_forward)

// dx = dy f' or dx += dy f'; dx may be dy when it is `=`. Same mapping. 12 bytes and 1 to 40
// flops an element of float (scale and shift 8 bytes; += adds 4): expected 187 us for arrays of 256 MB.
WEFT_KERNEL(unary_backward, unary_backward)
