// SPDX-License-Identifier: Apache-2.0
//
// Update rules over a flat arena and over rows of a table, and the end of a step.
#include "../math/update.h"

#include "runs.cuh"

namespace weft::cuda {

static_assert(sgd_shape::threads == elementwise_threads && sgd_shape::items == elementwise_items &&
                  adam_shape::threads == elementwise_threads &&
                  adam_shape::items == elementwise_items,
              "shape of elementwise kernels");
static_assert(sgd_rows_shape::threads == sgd_rows_shape::items &&
                  adam_rows_shape::threads == adam_rows_shape::items,
              "a thread a work item");

// copy = v, rounded to bfloat16
template <typename T>
WEFT_DEVICE void store_copy(void* copy, int64_t first, int64_t n, const batch<T>& v) {
  if (!copy) return;
  bf16* y = static_cast<bf16*>(copy);
  const bool wide = aligned(y);
#pragma unroll
  for (int k = 0; k < batch<T>::packs; k++) {
    pack<float> narrow;
#pragma unroll
    for (int j = 0; j < 4; j++) narrow.at[j] = float(v.part[k].at[j]);
    store(y, first + k * batch<T>::stride, n, wide, narrow);
  }
}

// What gradients are multiplied by. For whole warps: each adds up squares by itself, in an order that
// parts alone decides; of 1024 a lane reads eight packs, all under way at once.
template <typename T, typename A>
WEFT_DEVICE T factor_of(const A& a) {
  const T scale = T(a.gradient_scale);
  if (!a.squares) return scale;
  const T* squares = static_cast<const T*>(a.squares);
  const bool wide = aligned(squares);
  T sum = T(0);
#pragma unroll 8
  for (int64_t i = threadIdx.x % 32 * 4; i < a.parts; i += 128) {
    const pack<T> v = load(squares, i, a.parts, wide);
    sum += (v.at[0] + v.at[1]) + (v.at[2] + v.at[3]);
  }
  sum = fold_warp(sum, [](T p, T q) { return p + q; });
  return clip_factor(scale, T(a.max_norm), sum);
}

// Without a velocity the rule is that of momentum 0, whose velocity is the gradient.
template <typename T, typename A>
WEFT_DEVICE sgd_settings<T> sgd_of(const A& a, T factor) {
  return {{a, factor},
          a.velocity ? T(a.momentum) : T(0),
          a.velocity ? T(a.dampening) : T(0),
          a.velocity && a.nesterov};
}

template <typename T, typename A>
WEFT_DEVICE adam_settings<T> adam_of(const A& a, T factor) {
  return {{a, factor},
          a.beta1,
          a.beta2,
          a.epsilon,
          static_cast<const weft_step_state*>(a.state)->update};
}

// A step of four values by a rule, and its moments.
template <typename T, typename Rule, typename... Moments>
WEFT_DEVICE void step(const Rule& rule, pack<T>& value, const pack<T>& gradient,
                      Moments&... moments) {
#pragma unroll
  for (int j = 0; j < 4; j++) {
    rule.template step<true>(value.at[j], gradient.at[j], moments.at[j]...);
  }
}

template <typename T>
WEFT_DEVICE void sgd(const weft_sgd& a) {
  T* value = static_cast<T*>(a.value);
  const T* gradient = static_cast<const T*>(a.gradient);
  T* velocity = static_cast<T*>(a.velocity);
  const sgd_settings<T> rule = sgd_of(a, factor_of<T>(a));
  const bool wide = aligned(value, gradient, velocity);
  elementwise<T>(a.n, [&](int64_t first) {
    batch<T> w = load_batch(value, first, a.n, wide);
    batch<T> g = load_batch(gradient, first, a.n, wide);
    batch<T> m = {};
    if (velocity) m = load_batch(velocity, first, a.n, wide);
#pragma unroll
    for (int k = 0; k < batch<T>::packs; k++) step(rule, w.part[k], g.part[k], m.part[k]);
    store_batch(value, first, a.n, wide, w);
    store_copy(a.copy, first, a.n, w);
    if (velocity) store_batch(velocity, first, a.n, wide, m);
  });
}

template <typename T>
WEFT_DEVICE void adam(const weft_adam& a) {
  T* value = static_cast<T*>(a.value);
  const T* gradient = static_cast<const T*>(a.gradient);
  T* moment1 = static_cast<T*>(a.first);
  T* moment2 = static_cast<T*>(a.second);
  const adam_settings<T> rule = adam_of(a, factor_of<T>(a));
  const bool wide = aligned(value, gradient, moment1, moment2);
  elementwise<T>(a.n, [&](int64_t first) {
    batch<T> w = load_batch(value, first, a.n, wide);
    batch<T> g = load_batch(gradient, first, a.n, wide);
    batch<T> m = load_batch(moment1, first, a.n, wide);
    batch<T> v = load_batch(moment2, first, a.n, wide);
#pragma unroll
    for (int k = 0; k < batch<T>::packs; k++) {
      step(rule, w.part[k], g.part[k], m.part[k], v.part[k]);
    }
    store_batch(value, first, a.n, wide, w);
    store_copy(a.copy, first, a.n, w);
    store_batch(moment1, first, a.n, wide, m);
    store_batch(moment2, first, a.n, wide, v);
  });
}

// copy = v, rounded to bfloat16, in a row's columns from c on
template <typename T>
WEFT_DEVICE void store_row_copy(void* copy, int64_t row, int64_t c, int64_t cols,
                                const pack<T>& v) {
  if (!copy) return;
  pack<float> narrow;
#pragma unroll
  for (int j = 0; j < 4; j++) narrow.at[j] = float(v.at[j]);
  store(static_cast<bf16*>(copy) + row, c, cols, cols % 4 == 0 && aligned(copy), narrow);
}

template <typename T>
WEFT_DEVICE void sgd_rows(const weft_sgd_rows& a) {
  const int64_t thread = (int64_t)blockIdx.x * sgd_rows_shape::items + threadIdx.x;
  const T factor = factor_of<T>(a);  // before threads part
  each_run<T>(a, thread, [&](int64_t row, int64_t c, const pack<T>& gradient) {
    T* value = static_cast<T*>(a.value) + row;
    T* velocity = a.velocity ? static_cast<T*>(a.velocity) + row : nullptr;
    const bool wide = a.cols % 4 == 0 && aligned(value, velocity);
    pack<T> w = load(value, c, a.cols, wide), m = {};
    if (velocity) m = load(velocity, c, a.cols, wide);
    step(sgd_of(a, factor), w, gradient, m);
    store(value, c, a.cols, wide, w);
    store_row_copy(a.copy, row, c, a.cols, w);
    if (velocity) store(velocity, c, a.cols, wide, m);
  });
}

template <typename T>
WEFT_DEVICE void adam_rows(const weft_adam_rows& a) {
  const int64_t thread = (int64_t)blockIdx.x * adam_rows_shape::items + threadIdx.x;
  const T factor = factor_of<T>(a);  // before threads part
  each_run<T>(a, thread, [&](int64_t row, int64_t c, const pack<T>& gradient) {
    T* value = static_cast<T*>(a.value) + row;
    T* moment1 = static_cast<T*>(a.first) + row;
    T* moment2 = static_cast<T*>(a.second) + row;
    const bool wide = a.cols % 4 == 0 && aligned(value, moment1, moment2);
    pack<T> w = load(value, c, a.cols, wide);
    pack<T> m = load(moment1, c, a.cols, wide), v = load(moment2, c, a.cols, wide);
    step(adam_of(a, factor), w, gradient, m, v);
    store(value, c, a.cols, wide, w);
    store_row_copy(a.copy, row, c, a.cols, w);
    store(moment1, c, a.cols, wide, m);
    store(moment2, c, a.cols, wide, v);
  });
}

}  // namespace weft::cuda

// value and velocity are updated in place, each read and written once; copy (=). A thread owns two
// packs of four (double: two turns of one pack). Block size: see elementwise_threads.
WEFT_KERNEL_WIDE(sgd, sgd)

// value, first and second are updated in place, each read and written once. Same mapping. Each
// thread works out the corrections, about 40 instructions while its loads are under way: cheaper
// than a barrier.
WEFT_KERNEL_WIDE(adam, adam)

// The rows that are named are updated in place, each once; the others are neither read nor written.
// Mapping and block as add_rows has them.
WEFT_KERNEL_WIDE(sgd_rows, sgd_rows)

// Likewise. The corrections are worked out where a run begins.
WEFT_KERNEL_WIDE(adam_rows, adam_rows)

// One thread: the state moves on.
extern "C" __global__ void __launch_bounds__(weft::cuda::advance_step_shape::threads)
    advance_step(const weft_advance_step a) {
  if (blockIdx.x != 0 || threadIdx.x != 0) return;
  weft::end_step(*static_cast<weft_step_state*>(a.state), a.rows, a.update != 0, a.rates, a.count);
}
