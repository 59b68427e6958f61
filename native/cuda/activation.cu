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

// v[i] += b[i % cols]
template <typename S>
WEFT_DEVICE void add_bias(batch<S>& v, const S* b, int64_t first, int64_t cols, bool wide) {
  int64_t c = first % cols;
#pragma unroll
  for (int k = 0; k < batch<S>::packs; k++) {
    if (k > 0 && batch<S>::stride != 4) c = (first + k * batch<S>::stride) % cols;
    if (wide) {
      pack<compute<S>> bias = load(b, c, cols, true);
#pragma unroll
      for (int j = 0; j < 4; j++) v.part[k].at[j] += bias.at[j];
      c = c + 4 == cols ? 0 : c + 4;
    } else {
#pragma unroll
      for (int j = 0; j < 4; j++) {
        v.part[k].at[j] += compute<S>(b[c]);
        c = c + 1 == cols ? 0 : c + 1;
      }
    }
  }
}

template <int A, typename S>
WEFT_DEVICE void activate(const weft_bias_activation_forward& a) {
  const S* x = static_cast<const S*>(a.x);
  const S* b = static_cast<const S*>(a.b);
  S* y = static_cast<S*>(a.y);
  const int64_t n = a.rows * a.cols;
  const auto alpha = compute<S>(a.alpha);
  const bool wide = aligned(x, y);
  const bool wide_bias = a.cols % 4 == 0 && aligned(b);
  elementwise<S>(n, [&](int64_t first) {
    batch<S> v = load_batch(x, first, n, wide);
    if (b) add_bias(v, b, first, a.cols, wide_bias);
    each<S>(first, [&](int k, int j, int64_t) {
      v.part[k].at[j] = activation<A>(v.part[k].at[j], alpha);
    });
    store_batch(y, first, n, wide, v);
  });
}

template <typename S>
WEFT_DEVICE void bias_activation_forward(const weft_bias_activation_forward& a) {
  switch (a.activation) {
    case WEFT_IDENTITY: return activate<WEFT_IDENTITY, S>(a);
    case WEFT_SIGMOID: return activate<WEFT_SIGMOID, S>(a);
    case WEFT_TANH: return activate<WEFT_TANH, S>(a);
    case WEFT_RELU: return activate<WEFT_RELU, S>(a);
    case WEFT_LEAKY_RELU: return activate<WEFT_LEAKY_RELU, S>(a);
    case WEFT_ELU: return activate<WEFT_ELU, S>(a);
    case WEFT_SOFTPLUS: return activate<WEFT_SOFTPLUS, S>(a);
    case WEFT_GELU: return activate<WEFT_GELU, S>(a);
    case WEFT_SILU: return activate<WEFT_SILU, S>(a);
  }
}

template <int A, typename S>
WEFT_DEVICE void activate_backward(const weft_bias_activation_backward& a) {
  const S* x = static_cast<const S*>(a.x);
  const S* b = static_cast<const S*>(a.b);
  const S* y = static_cast<const S*>(a.y);
  const S* dy = static_cast<const S*>(a.dy);
  S* dx = static_cast<S*>(a.dx);
  const int64_t n = a.rows * a.cols;
  const auto alpha = compute<S>(a.alpha);
  const S* source = derivative_needs_x<A> ? x : y;
  const bool wide = aligned(source, dy, dx);
  const bool wide_bias = a.cols % 4 == 0 && aligned(b);
  elementwise<S>(n, [&](int64_t first) {
    batch<S> v = load_batch(dy, first, n, wide);
    if constexpr (A != WEFT_IDENTITY) {
      batch<S> s = load_batch(source, first, n, wide);
      if constexpr (derivative_needs_x<A>) {
        if (b) add_bias(s, b, first, a.cols, wide_bias);
      }
      each<S>(first, [&](int k, int j, int64_t) {
        auto value = s.part[k].at[j];  // x or y, whichever this activation needs
        v.part[k].at[j] *= activation_derivative<A>(value, value, alpha);
      });
    }
    put_batch(dx, first, n, wide, a.accumulate != 0, v);
  });
}

template <typename S>
WEFT_DEVICE void bias_activation_backward(const weft_bias_activation_backward& a) {
  switch (a.activation) {
    case WEFT_IDENTITY: return activate_backward<WEFT_IDENTITY, S>(a);
    case WEFT_SIGMOID: return activate_backward<WEFT_SIGMOID, S>(a);
    case WEFT_TANH: return activate_backward<WEFT_TANH, S>(a);
    case WEFT_RELU: return activate_backward<WEFT_RELU, S>(a);
    case WEFT_LEAKY_RELU: return activate_backward<WEFT_LEAKY_RELU, S>(a);
    case WEFT_ELU: return activate_backward<WEFT_ELU, S>(a);
    case WEFT_SOFTPLUS: return activate_backward<WEFT_SOFTPLUS, S>(a);
    case WEFT_GELU: return activate_backward<WEFT_GELU, S>(a);
    case WEFT_SILU: return activate_backward<WEFT_SILU, S>(a);
  }
}

}  // namespace weft::cuda

// y = f(x + b); y may be x. A thread owns two packs of four (double: two turns of one pack).
// 8 bytes and 1 to 25 flops an element of float: at 4.3 TB/s that would be 1.9 ns per 1,000
// elements, 125 us for 256 MB in and 256 MB out. Block size: see elementwise_threads.
WEFT_KERNEL(bias_activation_forward, bias_activation_forward)

// dx = dy f' or dx += dy f'; dx may be dy when it is `=`. Same mapping. 12 bytes and 2 to 30 flops
// an element of float (16 bytes with +=): 2.8 ns per 1,000 elements expected, 187 us for arrays of
// 256 MB.
WEFT_KERNEL(bias_activation_backward, bias_activation_backward)
