// SPDX-License-Identifier: Apache-2.0
//
// Bias and activation in one pass, forward and backward.
#include "../math/activation.h"

#include "device.cuh"

namespace weft::cuda {

static_assert(bias_activation_forward_shape::threads == elementwise_threads &&
                  bias_activation_forward_shape::items == elementwise_items &&
                  bias_activation_backward_shape::threads == elementwise_threads &&
                  bias_activation_backward_shape::items == elementwise_items,
              "shape of elementwise kernels");

// b[i % cols] for the elements i of a batch. wide: a pack of b ends before cols, and is aligned.
template <typename S>
WEFT_DEVICE batch<S> load_bias(const S* b, int64_t first, int64_t cols, bool wide) {
  batch<S> v;
  int64_t c = first % cols;
#pragma unroll
  for (int k = 0; k < batch<S>::packs; k++) {
    if (k > 0 && batch<S>::stride != 4) c = (first + k * batch<S>::stride) % cols;
    if (wide) {
      v.part[k] = load_whole(b + c);
      c = c + 4 == cols ? 0 : c + 4;
    } else {
#pragma unroll
      for (int j = 0; j < 4; j++) {
        v.part[k].at[j] = compute<S>(b[c]);
        c = c + 1 == cols ? 0 : c + 1;
      }
    }
  }
  return v;
}

// x + b; b is asked for before x is waited for
template <typename S>
WEFT_DEVICE batch<S> with_bias(const raw_batch<S>& x, const S* b, int64_t first, int64_t cols,
                               bool wide) {
  if (!b) return opened(x);
  const batch<S> bias = load_bias(b, first, cols, wide);
  batch<S> v = opened(x);
  each<S>(0, [&](int k, int j, int64_t) { v.part[k].at[j] += bias.part[k].at[j]; });
  return v;
}

template <int A, typename S>
WEFT_DEVICE void activate(batch<S>& v, compute<S> alpha) {
  each<S>(0,
          [&](int k, int j, int64_t) { v.part[k].at[j] = activation<A>(v.part[k].at[j], alpha); });
}

// The switch stands inside the turn, behind the loads, which then exist once and are under way when
// it is come to.
template <typename S>
WEFT_DEVICE void bias_activation_forward(const weft_bias_activation_forward& a) {
  const S* x = static_cast<const S*>(a.x);
  const S* b = static_cast<const S*>(a.b);
  S* y = static_cast<S*>(a.y);
  const int64_t n = a.rows * a.cols;
  const auto alpha = compute<S>(a.alpha);
  const bool wide = aligned(x, y);
  const bool wide_bias = a.cols % 4 == 0 && aligned(b);
  elementwise<S>(n, [&](int64_t first) {
    batch<S> v = with_bias(load_raw(x, first, n, wide), b, first, a.cols, wide_bias);
    choose_nonlinearity(a.activation, [&](auto kind) { activate<kind>(v, alpha); });
    store_batch(y, first, n, wide, v);
  });
}

// v *= f', from s, which is x or y, whichever A needs
template <int A, typename S>
WEFT_DEVICE void differentiate(batch<S>& v, const batch<S>& s, compute<S> alpha) {
  each<S>(0, [&](int k, int j, int64_t) {
    auto value = s.part[k].at[j];
    if constexpr (A != WEFT_IDENTITY) {
      v.part[k].at[j] *= activation_derivative<A>(value, value, alpha);
    }
  });
}

template <typename S>
WEFT_DEVICE void bias_activation_backward(const weft_bias_activation_backward& a) {
  const bool of_x = derivative_needs_x(a.activation);
  const S* source =
      a.activation == WEFT_IDENTITY ? nullptr : static_cast<const S*>(of_x ? a.x : a.y);
  const S* b = of_x ? static_cast<const S*>(a.b) : nullptr;
  const S* dy = static_cast<const S*>(a.dy);
  S* dx = static_cast<S*>(a.dx);
  const int64_t n = a.rows * a.cols;
  const auto alpha = compute<S>(a.alpha);
  const bool wide = aligned(source, dy, dx);
  const bool wide_bias = a.cols % 4 == 0 && aligned(b);
  elementwise<S>(n, [&](int64_t first) {
    raw_batch<S> raw[2];
    load_batches(raw, {dy, source}, first, n, wide);
    const batch<S> s = with_bias(raw[1], b, first, a.cols, wide_bias);
    batch<S> v = opened(raw[0]);
    choose_nonlinearity(a.activation, [&](auto kind) { differentiate<kind>(v, s, alpha); });
    put_batch(dx, first, n, wide, a.accumulate != 0, v);
  });
}

}  // namespace weft::cuda

// y = f(x + b); y may be x. A thread owns two packs of four (double: two turns of one pack). Block
// size: see elementwise_threads.
WEFT_KERNEL_WIDE(bias_activation_forward, bias_activation_forward)
WEFT_KERNEL_BLOCKS(bias_activation_forward, bias_activation_forward, weft::bf16, bf16, 12)

// dx = dy f' or dx += dy f'; dx may be dy when it is `=`. Same mapping.
WEFT_KERNEL_WIDE(bias_activation_backward, bias_activation_backward)
WEFT_KERNEL_BLOCKS(bias_activation_backward, bias_activation_backward, weft::bf16, bf16, 8)
