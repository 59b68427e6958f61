// SPDX-License-Identifier: Apache-2.0
//
// Fused softmax cross-entropy: loss, gradient and hit of every row.
#include "../math/softmax.h"
#include "../math/value_loss.h"
#include "exponentials.h"
#include "kernel.h"
#include "lanes.h"
#include "row_lanes.h"

namespace weft {
namespace WEFT_ISA {
namespace {

// One matrix of logits and where its results go.
template <typename S>
struct task {
  using T = compute<S>;
  const S* x;
  const int32_t* labels;
  const T* weights;
  T *losses, *hits;
  S* dx;
  int64_t rows, classes;
  T smoothing, scale;

  bool known(int64_t row) const { return labels[row] >= 0 && labels[row] < classes; }
  T weight(int64_t row) const { return weights ? weights[row] : T(1); }
};

// Short rows, one to a lane.
template <typename S>
struct narrow_rows {
  using T = compute<S>;
  static constexpr int lanes = row_lanes<T>;
  task<S> t;
  lane_rows<T> e;

  void run(int64_t first, int count) {
    const int classes = (int)t.classes;
    T largest[lanes], total[lanes], sum[lanes], labelled[lanes], weight[lanes], losses[lanes];
    int32_t label[lanes], ahead[lanes];
    e.load(t.x, classes, first, count);
    take_lanes(label, t.labels, first, count);
    for (T& w : weight) w = T(1);
    if (t.weights) take_lanes(weight, t.weights, first, count);
    e.entries(label, classes, labelled);
#pragma omp simd
    for (int l = 0; l < lanes; l++) {
      ahead[l] = is_row(label[l], classes) ? 0 : 1, largest[l] = T(-INFINITY),
      total[l] = sum[l] = T(0);
    }
    for (int c = 0; c < classes; c++) {
#pragma omp simd
      for (int l = 0; l < lanes; l++) {
        const T v = e.at[c][l];
        largest[l] = v > largest[l] ? v : largest[l];
        sum[l] += v;
      }
    }
    for (int c = 0; t.hits && c < classes; c++) {
#pragma omp simd
      for (int l = 0; l < lanes; l++) {
        const T v = e.at[c][l];
        ahead[l] += (v > labelled[l]) | ((v == labelled[l]) & (c < label[l]));
      }
    }
    for (int c = 0; c < classes; c++) {
#pragma omp simd
      for (int l = 0; l < lanes; l++) {
        const T v = math::exp_nonpositive(e.at[c][l] - softmax_reference(largest[l]));
        total[l] += v;
        e.at[c][l] = v;
      }
    }
#pragma omp simd
    for (int l = 0; l < lanes; l++) {
      const softmax_state<T> state = {largest[l], total[l], 0};
      const T loss = softmax_loss(state, labelled[l], t.smoothing, sum[l] / T(classes));
      losses[l] = weighted(weight[l], loss);
    }
    put_lanes(t.losses, losses, first, count);
    if (t.hits) {
      T hits[lanes];
#pragma omp simd
      for (int l = 0; l < lanes; l++) {
        hits[l] = total[l] == total[l] && ahead[l] == 0 ? T(1) : T(0);
      }
      put_lanes(t.hits, hits, first, count);
    }
    if (!t.dx) return;
    const T off = t.smoothing / T(classes), on = T(1) - t.smoothing + off;
    T factor[lanes];
#pragma omp simd
    for (int l = 0; l < lanes; l++) {
      factor[l] = is_row(label[l], classes) ? T(1) / total[l] : T(NAN);
      weight[l] *= t.scale;
    }
    for (int c = 0; c < classes; c++) {
#pragma omp simd
      for (int l = 0; l < lanes; l++) {
        const T q = label[l] == c ? on : off;
        e.at[c][l] = weighted(weight[l], softmax_difference(e.at[c][l], factor[l], q));
      }
    }
    e.store(t.dx, classes, first, count);
  }
};

// A row is read for its largest logit, then once more for the exponentials, which are left where
// the gradient goes and scaled there: one exponential a logit, and after the first pass all is in
// cache. bfloat16 would lose digits of them there, and takes them a second time instead.
template <typename S>
void wide_row(const task<S>& t, int64_t row) {
  using T = compute<S>;
  constexpr bool kept = std::is_same_v<S, T>;
  const S* x = t.x + row * t.classes;
  S* dx = t.dx ? t.dx + row * t.classes : nullptr;
  int32_t label = t.labels[row];
  bool known = t.known(row);
  softmax_state<T> state = {largest(x, t.classes), T(0), 0};
  T labelled = known ? T(x[label]) : T(NAN);
  T mean = t.smoothing > T(0) ? sum(x, t.classes) / T(t.classes) : T(0);
  bool first = known && labelled == state.largest;
  for (int64_t c = 0; first && c < label; c++) first = T(x[c]) != labelled;

  T reference = softmax_reference(state.largest);
  if constexpr (kept) {
    state.total = exponentials(x, t.classes, reference, dx);
  } else {
    state.total = exponentials(x, t.classes, reference, (T*)nullptr);
  }
  t.losses[row] = weighted(t.weight(row), softmax_loss(state, labelled, t.smoothing, mean));
  if (t.hits) t.hits[row] = first && state.total == state.total ? T(1) : T(0);
  if (!dx) return;
  T inverse = known ? T(1) / state.total : T(NAN), off = t.smoothing / T(t.classes);
  T scale = t.weight(row) * t.scale, on = T(1) - t.smoothing + off;
  if (scale == T(0)) {
    for (int64_t c = 0; c < t.classes; c++) dx[c] = S(T(0));
    return;
  }
  if constexpr (kept) {
    T at_label = known ? dx[label] : T(0);
#pragma omp simd
    for (int64_t c = 0; c < t.classes; c++) dx[c] = scale * softmax_difference(dx[c], inverse, off);
    if (known) dx[label] = scale * softmax_difference(at_label, inverse, on);
  } else {
#pragma omp simd
    for (int64_t c = 0; c < t.classes; c++) {
      put<false>(dx[c], scale * softmax_gradient(T(x[c]), reference, inverse, off));
    }
    if (known) dx[label] = S(scale * softmax_gradient(labelled, reference, inverse, on));
  }
}

template <typename S>
void softmax_cross_entropy(const weft_softmax_cross_entropy& a) {
  using T = compute<S>;
  task<S> t = {as<S>(a.x),       as<int32_t>(a.labels),
               as<T>(a.weights), as<T>(a.losses),
               as<T>(a.hits),    as<S>(a.dx),
               a.rows,           a.classes,
               T(a.smoothing),   T(a.scale)};
  if (a.classes <= narrow_classes) {
    parallel_lanes<T>(a.rows, 2 * transcendental * a.classes, [=] {
      narrow_rows<S> group;
      group.t = t;
      return group;
    });
  } else {
    // a row costs some 30 elements beside its classes
    parallel_units(a.rows, transcendental * (a.classes + 30), [=](int64_t begin, int64_t end) {
      for (int64_t row = begin; row < end; row++) wide_row(t, row);
    });
  }
}

}  // namespace

WEFT_DEFINE_TYPED(softmax_cross_entropy, softmax_cross_entropy)

}  // namespace WEFT_ISA
}  // namespace weft
