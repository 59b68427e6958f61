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
    choose_unary_function(a.operation, [&](auto kind) { apply_unary<kind>(v, alpha); });
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

template <typename S>
WEFT_DEVICE void unary_backward(const weft_unary_backward& a) {
  const S* source = static_cast<const S*>(unary_source(a.operation, a.x, a.y));
  const S* dy = static_cast<const S*>(a.dy);
  S* dx = static_cast<S*>(a.dx);
  const auto alpha = compute<S>(a.alpha);
  const bool wide = aligned(source, dy, dx);
  elementwise<S>(a.n, [&](int64_t first) {
    raw_batch<S> raw[2];
    load_batches(raw, {dy, source}, first, a.n, wide);
    batch<S> v = opened(raw[0]);
    const batch<S> s = opened(raw[1]);
    choose_unary_function(a.operation, [&](auto kind) { apply_unary_backward<kind>(v, s, alpha); });
    put_batch(dx, first, a.n, wide, a.accumulate != 0, v);
  });
}

}  // namespace weft::cuda

// y = f(x); y may be x. A thread owns two packs of four (double: two turns of one pack). Block
// size: see elementwise_threads.
WEFT_KERNEL(unary_forward, unary_forward)

// dx = dy f' or dx += dy f'; dx may be dy when it is `=`. Same mapping.
WEFT_KERNEL(unary_backward, unary_backward)
