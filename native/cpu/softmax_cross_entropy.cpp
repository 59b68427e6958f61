// SPDX-License-Identifier: Apache-2.0
//
// Fused softmax cross-entropy: loss, gradient and hit of every row.
#include "../math/softmax.h"
#include "../math/value_loss.h"
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
  T largest[lanes], total[lanes], sum[lanes], labelled[lanes], factor[lanes], weight[lanes];
  int32_t label[lanes], place[lanes];

  void run(int64_t first, int count) {
    e.load(t.x, t.classes, first, count);
    look_at_labels(first, count);
    fold();
    T losses[lanes];
#pragma omp simd
    for (int l = 0; l < lanes; l++) {
      softmax_state<T> state = {largest[l], total[l], place[l]};
      T loss = softmax_loss(state, labelled[l], t.smoothing, sum[l] / T(t.classes));
      losses[l] = weighted(weight[l], loss);
    }
    for (int l = 0; l < count; l++) {
      t.losses[first + l] = losses[l];
      if (t.hits) t.hits[first + l] = total[l] == total[l] && place[l] == label[l] ? T(1) : T(0);
    }
    if (t.dx) {
      gradient();
      e.store(t.dx, t.classes, first, count);
    }
  }

 private:
  void look_at_labels(int64_t first, int count) {
    for (int l = 0; l < lanes; l++) {
      int64_t row = first + (l < count ? l : count - 1);
      label[l] = t.known(row) ? t.labels[row] : -1;
      labelled[l] = label[l] >= 0 ? e.at[label[l]][l] : T(NAN);
      weight[l] = t.weight(row);
    }
  }

  void fold() {
    int classes = (int)t.classes;
    for (int l = 0; l < lanes; l++)
      largest[l] = T(-INFINITY), place[l] = 0, total[l] = sum[l] = T(0);
    for (int c = 0; c < classes; c++) {
#pragma omp simd
      for (int l = 0; l < lanes; l++) {
        bool larger = e.at[c][l] > largest[l];
        largest[l] = larger ? e.at[c][l] : largest[l];
        place[l] = larger ? c : place[l];
        sum[l] += e.at[c][l];
      }
    }
    for (int c = 0; c < classes; c++) {
#pragma omp simd
      for (int l = 0; l < lanes; l++) {
        e.at[c][l] = math::exp(e.at[c][l] - softmax_reference(largest[l]));
        total[l] += e.at[c][l];
      }
    }
  }

  void gradient() {
    T off = t.smoothing / T(t.classes), on = T(1) - t.smoothing + off;
#pragma omp simd
    for (int l = 0; l < lanes; l++) {
      factor[l] = label[l] >= 0 ? T(1) / total[l] : T(NAN);
      weight[l] *= t.scale;
    }
    for (int c = 0; c < (int)t.classes; c++) {
#pragma omp simd
      for (int l = 0; l < lanes; l++) {
        T q = label[l] == c ? on : off;
        e.at[c][l] = weighted(weight[l], softmax_difference(e.at[c][l], factor[l], q));
      }
    }
  }
};

// Exponentials summed at a time: 2 kB of floats, which the sum still finds in the first-level
// cache.
constexpr int64_t block = 512;

// e[c] = e^(x[c] - reference) and their sum; e may be x, or 0 when only the sum is wanted
template <typename S, typename T = compute<S>>
T exponentials(const S* x, int64_t classes, compute<S> reference, compute<S>* e) {
  T total = T(0), scratch[block];
  for (int64_t c = 0; c < classes; c += block) {
    int64_t length = smaller(block, classes - c);
    T* to = e ? e + c : scratch;
    const S* from = x + c;
#pragma omp simd
    for (int64_t j = 0; j < length; j++) to[j] = math::exp(T(from[j]) - reference);
    total += sum(to, length);
  }
  return total;
}

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
