// SPDX-License-Identifier: Apache-2.0
//
// Update rules over a flat arena, and the end of a step.
#include "../math/update.h"

#include "device.cuh"

namespace weft::cuda {

static_assert(sgd_shape::threads == elementwise_threads && sgd_shape::items == elementwise_items &&
                  adam_shape::threads == elementwise_threads &&
                  adam_shape::items == elementwise_items,
              "shape of elementwise kernels");

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

template <typename T>
WEFT_DEVICE void sgd(const weft_sgd& a) {
  T* value = static_cast<T*>(a.value);
  const T* gradient = static_cast<const T*>(a.gradient);
  T* velocity = static_cast<T*>(a.velocity);
  const T rate = T(static_cast<const weft_step_state*>(a.state)->rate);
  // without a velocity the rule is that of momentum 0, whose velocity is the gradient
  const T momentum = velocity ? T(a.momentum) : T(0), dampening = velocity ? T(a.dampening) : T(0);
  const T weight_decay = T(a.weight_decay);
  const bool nesterov = velocity && a.nesterov;
  const bool wide = aligned(value, gradient, velocity);
  elementwise<T>(a.n, [&](int64_t first) {
    batch<T> w = load_batch(value, first, a.n, wide);
    batch<T> g = load_batch(gradient, first, a.n, wide);
    batch<T> m = {};
    if (velocity) m = load_batch(velocity, first, a.n, wide);
    each<T>(first, [&](int k, int j, int64_t) {
      weft::sgd(w.part[k].at[j], g.part[k].at[j], m.part[k].at[j], rate, momentum, dampening,
                weight_decay, nesterov);
    });
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
  const weft_step_state* state = static_cast<const weft_step_state*>(a.state);
  const T rate = T(state->rate), beta1 = T(a.beta1), beta2 = T(a.beta2);
  const T epsilon = T(a.epsilon), l2 = T(a.l2), weight_decay = T(a.weight_decay);
  const T correction1 = adam_correction<T>(a.beta1, state->step + 1);
  const T correction2 = adam_correction<T>(a.beta2, state->step + 1);
  const bool wide = aligned(value, gradient, moment1, moment2);
  elementwise<T>(a.n, [&](int64_t first) {
    batch<T> w = load_batch(value, first, a.n, wide);
    batch<T> g = load_batch(gradient, first, a.n, wide);
    batch<T> m = load_batch(moment1, first, a.n, wide);
    batch<T> v = load_batch(moment2, first, a.n, wide);
    each<T>(first, [&](int k, int j, int64_t) {
      weft::adam(w.part[k].at[j], g.part[k].at[j], m.part[k].at[j], v.part[k].at[j], rate, beta1,
                 beta2, epsilon, l2, weight_decay, correction1, correction2);
    });
    store_batch(value, first, a.n, wide, w);
    store_copy(a.copy, first, a.n, w);
    store_batch(moment1, first, a.n, wide, m);
    store_batch(moment2, first, a.n, wide, v);
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

// One thread: step and cursor move on.
extern "C" __global__ void __launch_bounds__(weft::cuda::advance_step_shape::threads)
    advance_step(const weft_advance_step a) {
  if (blockIdx.x != 0 || threadIdx.x != 0) return;
  weft_step_state* state = static_cast<weft_step_state*>(a.state);
  state->step += 1;
  state->cursor += a.rows;
}
