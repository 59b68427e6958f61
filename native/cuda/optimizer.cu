// SPDX-License-Identifier: Apache-2.0
//
// Update rules over a flat arena and over rows of a table, averages of parameters, and the end of a
// step.
#include "../math/update.h"

#include "runs.cuh"

namespace weft::cuda {

#define WEFT_CHECK_SHAPES(name)                                                                 \
  static_assert(name##_shape::threads == elementwise_threads &&                                 \
                    name##_shape::items == elementwise_items,                                   \
                "shape of elementwise kernels");                                                \
  static_assert(name##_rows_shape::threads == name##_rows_shape::items &&                       \
                    name##_rows_shape::items == sgd_rows_shape::items,                          \
                "a thread a work item");
WEFT_UPDATE_RULES(WEFT_CHECK_SHAPES)
#undef WEFT_CHECK_SHAPES
static_assert(average_shape::threads == elementwise_threads &&
                  average_shape::items == elementwise_items,
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

// Whether a rule has the memory at an address: the same for all threads.
template <memory Has>
WEFT_DEVICE bool has(const void* address) {
  return Has == memory::asked ? address != nullptr : Has == memory::present;
}

// A rule with what all share, and its memories.
template <typename T, typename Rule>
struct rule_steps {
  const Rule rule;
  const update_settings<T> settings;
  T *value, *first, *second, *third;
  bool has_first, has_second, has_third;

  template <typename A>
  WEFT_DEVICE rule_steps(const A& a, T factor)
      : rule(a, *static_cast<const weft_step_state*>(a.state)),
        settings(a, *static_cast<const weft_step_state*>(a.state), rule, factor),
        value(static_cast<T*>(a.value)),
        first(static_cast<T*>(a.first)),
        second(static_cast<T*>(a.second)),
        third(static_cast<T*>(a.third)),
        has_first(has<Rule::first>(a.first)),
        has_second(has<Rule::second>(a.second)),
        has_third(has<Rule::third>(a.third)) {}

  // a step of four values
  WEFT_DEVICE void step(pack<T>& w, const pack<T>& g, pack<T>& m1, pack<T>& m2, pack<T>& m3) const {
#pragma unroll
    for (int j = 0; j < 4; j++) {
      settings.template step<true>(rule, w.at[j], g.at[j], m1.at[j], m2.at[j], m3.at[j], has_first,
                                   has_third);
    }
  }
};

template <typename T, typename Rule>
WEFT_DEVICE void update(const weft_update& a) {
  const rule_steps<T, Rule> r(a, factor_of<T>(a));
  const T* gradient = static_cast<const T*>(a.gradient);
  const bool wide = aligned(r.value, gradient, r.first, r.second, r.third);
  elementwise<T>(a.n, [&](int64_t at) {
    batch<T> w = load_batch(r.value, at, a.n, wide);
    batch<T> g = load_batch(gradient, at, a.n, wide);
    batch<T> m1 = {}, m2 = {}, m3 = {};
    if (r.has_first) m1 = load_batch(r.first, at, a.n, wide);
    if (r.has_second) m2 = load_batch(r.second, at, a.n, wide);
    if (r.has_third) m3 = load_batch(r.third, at, a.n, wide);
#pragma unroll
    for (int k = 0; k < batch<T>::packs; k++) {
      r.step(w.part[k], g.part[k], m1.part[k], m2.part[k], m3.part[k]);
    }
    store_batch(r.value, at, a.n, wide, w);
    store_copy(a.copy, at, a.n, w);
    if (r.has_first) store_batch(r.first, at, a.n, wide, m1);
    if (r.has_second) store_batch(r.second, at, a.n, wide, m2);
    if (r.has_third) store_batch(r.third, at, a.n, wide, m3);
  });
}

template <typename T>
WEFT_DEVICE void average(const weft_average& a) {
  const T weight = T(a.weight);
  const T* value = static_cast<const T*>(a.value);
  T* y = static_cast<T*>(a.average);
  const bool wide = aligned(value, y);
  elementwise<T>(a.n, [&](int64_t at) {
    batch<T> v = load_batch(value, at, a.n, wide), mean = load_batch(y, at, a.n, wide);
#pragma unroll
    for (int k = 0; k < batch<T>::packs; k++) {
#pragma unroll
      for (int j = 0; j < 4; j++) {
        mean.part[k].at[j] = averaged(mean.part[k].at[j], v.part[k].at[j], weight);
      }
    }
    store_batch(y, at, a.n, wide, mean);
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

template <typename T, typename Rule>
WEFT_DEVICE void update_rows(const weft_update_rows& a) {
  const int64_t thread = (int64_t)blockIdx.x * sgd_rows_shape::items + threadIdx.x;
  const T factor = factor_of<T>(a);  // before threads part
  each_run<T>(a, thread, [&](int64_t row, int64_t c, const pack<T>& gradient) {
    const rule_steps<T, Rule> r(a, factor);
    T *value = r.value + row, *first = r.first + row, *second = r.second + row,
      *third = r.third + row;
    const bool wide = a.cols % 4 == 0 && aligned(r.value, r.first, r.second, r.third);
    pack<T> w = load(value, c, a.cols, wide), m1 = {}, m2 = {}, m3 = {};
    if (r.has_first) m1 = load(first, c, a.cols, wide);
    if (r.has_second) m2 = load(second, c, a.cols, wide);
    if (r.has_third) m3 = load(third, c, a.cols, wide);
    r.step(w, gradient, m1, m2, m3);
    store(value, c, a.cols, wide, w);
    store_row_copy(a.copy, row, c, a.cols, w);
    if (r.has_first) store(first, c, a.cols, wide, m1);
    if (r.has_second) store(second, c, a.cols, wide, m2);
    if (r.has_third) store(third, c, a.cols, wide, m3);
  });
}

// A rule's two kernels, by its name.
#define WEFT_DEFINE_RULE(name)                                \
  template <typename T>                                       \
  WEFT_DEVICE void name(const weft_update& a) {               \
    update<T, name##_rule<T>>(a);                             \
  }                                                           \
  template <typename T>                                       \
  WEFT_DEVICE void name##_rows(const weft_update_rows& a) {   \
    update_rows<T, name##_rule<T>>(a);                        \
  }
WEFT_UPDATE_RULES(WEFT_DEFINE_RULE)
#undef WEFT_DEFINE_RULE

}  // namespace weft::cuda

// name: value and memories are updated in place, each read and written once; copy (=). A thread owns
// two packs of four (double: two turns of one pack). Block size: see elementwise_threads. Each thread
// works out what a rule has for all values, while its loads are under way: about 40 instructions for
// Adam's corrections, cheaper than a barrier; for NAdam also a product in double, of some 50 turns once
// there were as many updates.
// name_rows: the rows that are named are updated in place, each once; the others are neither read nor
// written. Mapping and block as add_rows has them. A rule is made where a run begins.
#define WEFT_RULE_KERNELS(name) WEFT_KERNEL_WIDE(name, update) WEFT_KERNEL_WIDE(name##_rows, update_rows)
WEFT_UPDATE_RULES(WEFT_RULE_KERNELS)
#undef WEFT_RULE_KERNELS

// average is updated in place; the mapping is the same.
WEFT_KERNEL_WIDE(average, average)

// One thread: the state moves on.
extern "C" __global__ void __launch_bounds__(weft::cuda::advance_step_shape::threads)
    advance_step(const weft_advance_step a) {
  if (blockIdx.x != 0 || threadIdx.x != 0) return;
  weft::end_step(*static_cast<weft_step_state*>(a.state), a.rows, a.update != 0, a.rates, a.count);
}
