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
WEFT_DEVICE void apply_unary(batch<S>& v, compute<S> alpha) {
  each<S>(0, [&](int k, int j, int64_t) { v.part[k].at[j] = unary<F>(v.part[k].at[j], alpha); });
}

// The switch stands inside the turn, behind the loads, which then exist once and are under way when
// it is come to.
template <typename S>
WEFT_DEVICE void unary_forward(const weft_unary_forward& a) {
  const S* x = static_cast<const S*>(a.x);
  S* y = static_cast<S*>(a.y);
  const auto alpha = compute<S>(a.alpha);
  const bool wide = aligned(x, y);
  elementwise<S>(a.n, [&](int64_t first) {
    batch<S> v = load_batch(x, first, a.n, wide);
    switch (a.operation) {
      case WEFT_SCALE: apply_unary<WEFT_SCALE>(v, alpha); break;
      case WEFT_SHIFT: apply_unary<WEFT_SHIFT>(v, alpha); break;
      case WEFT_EXP: apply_unary<WEFT_EXP>(v, alpha); break;
      case WEFT_LOG: apply_unary<WEFT_LOG>(v, alpha); break;
      case WEFT_SQUARE: apply_unary<WEFT_SQUARE>(v, alpha); break;
      case WEFT_SQRT: apply_unary<WEFT_SQRT>(v, alpha); break;
      case WEFT_POW: apply_unary<WEFT_POW>(v, alpha); break;
      case WEFT_RECIPROCAL: apply_unary<WEFT_RECIPROCAL>(v, alpha); break;
      case WEFT_ABS: apply_unary<WEFT_ABS>(v, alpha); break;
    }
    store_batch(y, first, a.n, wide, v);
  });
}

// v *= f', from s, which is x or y, whichever F needs
template <int F, typename S>
WEFT_DEVICE void apply_unary_backward(batch<S>& v, const batch<S>& s, compute<S> alpha) {
  each<S>(0, [&](int k, int j, int64_t) {
    auto value = s.part[k].at[j];
    v.part[k].at[j] *= unary_derivative<F>(value, value, alpha);
  });
}

// The one of x and y that the derivative reads; null for the linear ones.
WEFT_DEVICE const void* unary_source(const weft_unary_backward& a) {
  switch (a.operation) {
    case WEFT_SCALE:
    case WEFT_SHIFT: return nullptr;
    case WEFT_EXP:
    case WEFT_SQRT:
    case WEFT_RECIPROCAL: return a.y;
    default: return a.x;
  }
}

template <typename S>
WEFT_DEVICE void unary_backward(const weft_unary_backward& a) {
  const S* source = static_cast<const S*>(unary_source(a));
  const S* dy = static_cast<const S*>(a.dy);
  S* dx = static_cast<S*>(a.dx);
  const auto alpha = compute<S>(a.alpha);
  const bool wide = aligned(source, dy, dx);
  elementwise<S>(a.n, [&](int64_t first) {
    raw_batch<S> raw[2];
    load_batches(raw, {dy, source}, first, a.n, wide);
    batch<S> v = opened(raw[0]);
    const batch<S> s = opened(raw[1]);
    switch (a.operation) {
      case WEFT_SCALE: apply_unary_backward<WEFT_SCALE>(v, s, alpha); break;
      case WEFT_SHIFT: apply_unary_backward<WEFT_SHIFT>(v, s, alpha); break;
      case WEFT_EXP: apply_unary_backward<WEFT_EXP>(v, s, alpha); break;
      case WEFT_LOG: apply_unary_backward<WEFT_LOG>(v, s, alpha); break;
      case WEFT_SQUARE: apply_unary_backward<WEFT_SQUARE>(v, s, alpha); break;
      case WEFT_SQRT: apply_unary_backward<WEFT_SQRT>(v, s, alpha); break;
      case WEFT_POW: apply_unary_backward<WEFT_POW>(v, s, alpha); break;
      case WEFT_RECIPROCAL: apply_unary_backward<WEFT_RECIPROCAL>(v, s, alpha); break;
      case WEFT_ABS: apply_unary_backward<WEFT_ABS>(v, s, alpha); break;
    }
    put_batch(dx, first, a.n, wide, a.accumulate != 0, v);
  });
}

}  // namespace weft::cuda

// y = f(x); y may be x. A thread owns two packs of four (double: two turns of one pack). 8 bytes
// and 1 to 40 flops an element of float: expected 125 us for 256 MB in and 256 MB out at 4.3 TB/s.
// Block size: see elementwise_threads.
WEFT_KERNEL(unary_forward, unary_forward)

// dx = dy f' or dx += dy f'; dx may be dy when it is `=`. Same mapping. 12 bytes and 1 to 40
// flops an element of float (scale and shift 8 bytes; += adds 4): expected 187 us for arrays of 256 MB.
WEFT_KERNEL(unary_backward, unary_backward)
