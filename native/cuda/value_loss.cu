// SPDX-License-Identifier: Apache-2.0
//
// Losses of single values and their gradients, and the weights of labelled rows.
#include "../math/value_loss.h"

#include "device.cuh"

namespace weft::cuda {

static_assert(value_loss_shape::threads == elementwise_threads &&
                  value_loss_shape::items == elementwise_items &&
                  label_weights_shape::threads == elementwise_threads &&
                  label_weights_shape::items == elementwise_items,
              "shape of elementwise kernels");

#define WEFT_CASE(name, ...) \
  case WEFT_LOSS_##name: return f(std::integral_constant<int, WEFT_LOSS_##name>());
template <typename F>
WEFT_DEVICE void choose_value_loss(int64_t number, F f) {
  switch (number) { WEFT_VALUE_LOSS_FUNCTION(WEFT_CASE) }
}
#undef WEFT_CASE

// The elements' targets, or their rows' weights: of the wide type, where a batch is of S.
template <typename S>
using wide_batch = pack<compute<S>>[batch<S>::packs];

// Weights and positive weights of a pack's elements: the place in its row is worked out by division
// once, and counted on from there.
template <typename T>
WEFT_DEVICE void load_factors(const weft_value_loss& a, int64_t i, int64_t n, pack<T>& weight,
                              pack<T>& positive) {
  const T* of_rows = static_cast<const T*>(a.weights);
  const T* of_cols = static_cast<const T*>(a.positive);
  int64_t row = i / a.cols, col = i - row * a.cols;
#pragma unroll
  for (int j = 0; j < 4; j++) {
    const bool there = i + j < n;
    weight.at[j] = of_rows && there ? of_rows[row] : T(1);
    positive.at[j] = of_cols && there ? of_cols[col] : T(1);
    if (++col == a.cols) {
      col = 0;
      row++;
    }
  }
}

template <typename S>
WEFT_DEVICE void value_loss(const weft_value_loss& a) {
  using T = compute<S>;
  __shared__ T shared[elementwise_threads / 32];
  const S* x = static_cast<const S*>(a.x);
  const T* t = static_cast<const T*>(a.t);
  T* losses = static_cast<T*>(a.losses);
  S* dx = static_cast<S*>(a.dx);
  const int64_t n = a.rows * a.cols;
  const T alpha = T(a.alpha), scale = T(a.scale);
  const bool wide_x = aligned(x), wide_t = aligned(t), wide_losses = aligned(losses);
  const bool wide_dx = aligned(dx), factors = a.weights || a.positive;
  T total = T(0);
  elementwise<S>(n, [&](int64_t first) {
    const raw_batch<S> raw = load_raw(x, first, n, wide_x);
    wide_batch<S> v, weight;
#pragma unroll
    for (int k = 0; k < batch<S>::packs; k++) {
      v[k] = load(t, first + k * batch<S>::stride, n, wide_t);
    }
    batch<S> b = opened(raw);
#pragma unroll
    for (int k = 0; k < batch<S>::packs; k++) {
      pack<T> positive;
#pragma unroll
      for (int j = 0; j < 4; j++) weight[k].at[j] = positive.at[j] = T(1);
      if (factors) load_factors(a, first + k * batch<S>::stride, n, weight[k], positive);
      choose_value_loss(a.function, [&](auto kind) {
#pragma unroll
        for (int j = 0; j < 4; j++) {
          const value_loss_of<T> at =
              value_loss_at<kind>(b.part[k].at[j], v[k].at[j], alpha, positive.at[j]);
          v[k].at[j] = weighted(weight[k].at[j], at.loss);
          b.part[k].at[j] = weighted(weight[k].at[j], scale * at.slope);
        }
      });
    }
#pragma unroll
    for (int k = 0; k < batch<S>::packs; k++) {
      const int64_t i = first + k * batch<S>::stride;
#pragma unroll
      for (int j = 0; j < 4; j++) total += i + j < n ? v[k].at[j] : T(0);
      if (losses) store(losses, i, n, wide_losses, v[k]);
    }
    if (dx) store_batch(dx, first, n, wide_dx, b);
  });
  if (!a.sums) return;
  total = fold_warp(total, [](T p, T q) { return p + q; });
  if (threadIdx.x % 32 == 0) shared[threadIdx.x / 32] = total;
  __syncthreads();
  if (threadIdx.x == 0) {
    T sum = shared[0];
    for (int w = 1; w < elementwise_threads / 32; w++) sum += shared[w];
    static_cast<T*>(a.sums)[blockIdx.x] = sum;
  }
}

template <typename T>
WEFT_DEVICE void label_weights(const weft_label_weights& a) {
  const int32_t* labels = static_cast<const int32_t*>(a.labels);
  const T* of_classes = static_cast<const T*>(a.class_weights);
  const T* of_rows = static_cast<const T*>(a.row_weights);
  T* weights = static_cast<T*>(a.weights);
  const int64_t end = min(a.rows, ((int64_t)blockIdx.x + 1) * elementwise_items);
  for (int64_t r = (int64_t)blockIdx.x * elementwise_items + (int)threadIdx.x; r < end;
       r += elementwise_threads) {
    const int32_t label = labels[r];
    T weight = of_rows ? of_rows[r] : T(1);
    if (label == a.ignored) {
      weight = T(0);
    } else if (weight != T(0)) {
      weight *= is_row(label, a.classes) ? of_classes[label] : T(NAN);
    }
    weights[r] = weight;
  }
}

}  // namespace weft::cuda

// losses, sums and dx (=); dx may be x. Elementwise mapping, so that a block's elements are those of
// one sum: a warp folds its own, and a thread the warps' in their order. Block size: see
// elementwise_threads.
WEFT_KERNEL(value_loss, value_loss)

// weights (=). A thread takes every 128th row of 1024.
WEFT_KERNEL_WIDE(label_weights, label_weights)
