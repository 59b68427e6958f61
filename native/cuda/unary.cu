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

template <int F, typename S>
WEFT_DEVICE void apply_unary(const weft_unary_forward& a) {
  const S* x = static_cast<const S*>(a.x);
  S* y = static_cast<S*>(a.y);
  const auto alpha = compute<S>(a.alpha);
  const bool wide = aligned(x, y);
  elementwise<S>(a.n, [&](int64_t first) {
    batch<S> v = load_batch(x, first, a.n, wide);
    each<S>(first,
            [&](int k, int j, int64_t) { v.part[k].at[j] = unary<F>(v.part[k].at[j], alpha); });
    store_batch(y, first, a.n, wide, v);
  });
}

template <typename S>
WEFT_DEVICE void unary_forward(const weft_unary_forward& a) {
  switch (a.operation) {
    case WEFT_SCALE: return apply_unary<WEFT_SCALE, S>(a);
    case WEFT_SHIFT: return apply_unary<WEFT_SHIFT, S>(a);
    case WEFT_EXP: return apply_unary<WEFT_EXP, S>(a);
    case WEFT_LOG: return apply_unary<WEFT_LOG, S>(a);
    case WEFT_SQUARE: return apply_unary<WEFT_SQUARE, S>(a);
    case WEFT_SQRT: return apply_unary<WEFT_SQRT, S>(a);
    case WEFT_POW: return apply_unary<WEFT_POW, S>(a);
    case WEFT_RECIPROCAL: return apply_unary<WEFT_RECIPROCAL, S>(a);
    case WEFT_ABS: return apply_unary<WEFT_ABS, S>(a);
  }
}

// Which of x and y the derivative reads.
template <int F>
constexpr bool unary_reads_y = F == WEFT_EXP || F == WEFT_SQRT || F == WEFT_RECIPROCAL;
template <int F>
constexpr bool unary_reads_x = F == WEFT_LOG || F == WEFT_SQUARE || F == WEFT_POW || F == WEFT_ABS;

template <int F, typename S>
WEFT_DEVICE void apply_unary_backward(const weft_unary_backward& a) {
  const S* source = static_cast<const S*>(unary_reads_y<F> ? a.y : a.x);
  const S* dy = static_cast<const S*>(a.dy);
  S* dx = static_cast<S*>(a.dx);
  const auto alpha = compute<S>(a.alpha);
  const bool wide = aligned(source, dy, dx);
  elementwise<S>(a.n, [&](int64_t first) {
    batch<S> v = load_batch(dy, first, a.n, wide);
    batch<S> s = {};
    if constexpr (unary_reads_x<F> || unary_reads_y<F>) {
      s = load_batch(source, first, a.n, wide);
    }
    each<S>(first, [&](int k, int j, int64_t) {
      auto value = s.part[k].at[j];  // x or y, whichever this function needs
      v.part[k].at[j] *= unary_derivative<F>(value, value, alpha);
    });
    put_batch(dx, first, a.n, wide, a.accumulate != 0, v);
  });
}

template <typename S>
WEFT_DEVICE void unary_backward(const weft_unary_backward& a) {
  switch (a.operation) {
    case WEFT_SCALE: return apply_unary_backward<WEFT_SCALE, S>(a);
    case WEFT_SHIFT: return apply_unary_backward<WEFT_SHIFT, S>(a);
    case WEFT_EXP: return apply_unary_backward<WEFT_EXP, S>(a);
    case WEFT_LOG: return apply_unary_backward<WEFT_LOG, S>(a);
    case WEFT_SQUARE: return apply_unary_backward<WEFT_SQUARE, S>(a);
    case WEFT_SQRT: return apply_unary_backward<WEFT_SQRT, S>(a);
    case WEFT_POW: return apply_unary_backward<WEFT_POW, S>(a);
    case WEFT_RECIPROCAL: return apply_unary_backward<WEFT_RECIPROCAL, S>(a);
    case WEFT_ABS: return apply_unary_backward<WEFT_ABS, S>(a);
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
