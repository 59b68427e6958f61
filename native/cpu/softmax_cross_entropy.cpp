// SPDX-License-Identifier: Apache-2.0
//
// Fused softmax cross-entropy: loss, gradient and hit of every row.
#include "../math/softmax.h"
#include "exponentials.h"
#include "kernel.h"
#include "lanes.h"

namespace weft {
namespace WEFT_ISA {
namespace {

// One matrix of logits and where its results go.
template <typename S>
struct task {
  using T = compute<S>;
  const S* x;
  const int32_t* labels;
  T *losses, *hits;
  S* dx;
  int64_t rows, classes;
  T smoothing, scale;

  bool known(int64_t row) const { return labels[row] >= 0 && labels[row] < classes; }
};

// Rows up to this long take the narrow way. The wide one spends 75 ns a row on folding one vector
// into one number, which only pays when a row has many vectors.
constexpr int64_t narrow_classes = 64;

// As many rows at a time as a vector has lanes, one to a lane: e[c][l] belongs to class c of row l.
template <typename S>
struct narrow_rows {
  using T = compute<S>;
  static constexpr int lanes = 64 / sizeof(T);
  T e[narrow_classes][lanes];
  T largest[lanes], total[lanes], sum[lanes], labelled[lanes], factor[lanes];
  int32_t label[lanes], place[lanes];

  void run(const task<S>& t, int64_t first) {
    int count = (int)smaller(lanes, t.rows - first);
    load(t, first, count);
    fold(t);
    T losses[lanes];
#pragma omp simd
    for (int l = 0; l < lanes; l++) {
      softmax_state<T> state = {largest[l], total[l], place[l]};
      losses[l] = softmax_loss(state, labelled[l], t.smoothing, sum[l] / T(t.classes));
    }
    for (int l = 0; l < count; l++) {
      t.losses[first + l] = losses[l];
      if (t.hits) t.hits[first + l] = total[l] == total[l] && place[l] == label[l] ? T(1) : T(0);
    }
    if (t.dx) gradient(t, first, count);
  }

 private:
  void load(const task<S>& t, int64_t first, int count) {
    int classes = (int)t.classes;
    for (int l = 0; l < lanes; l++) {
      // lanes without a row repeat the last one; their results go nowhere
      int64_t row = first + (l < count ? l : count - 1);
      const S* from = t.x + row * t.classes;
      for (int c = 0; c < classes; c++) e[c][l] = T(from[c]);
      label[l] = t.known(row) ? t.labels[row] : -1;
      labelled[l] = label[l] >= 0 ? T(from[label[l]]) : T(NAN);
    }
  }

  void fold(const task<S>& t) {
    int classes = (int)t.classes;
    for (int l = 0; l < lanes; l++)
      largest[l] = T(-INFINITY), place[l] = 0, total[l] = sum[l] = T(0);
    for (int c = 0; c < classes; c++) {
#pragma omp simd
      for (int l = 0; l < lanes; l++) {
        bool larger = e[c][l] > largest[l];
        largest[l] = larger ? e[c][l] : largest[l];
        place[l] = larger ? c : place[l];
        sum[l] += e[c][l];
      }
    }
    for (int c = 0; c < classes; c++) {
#pragma omp simd
      for (int l = 0; l < lanes; l++) {
        e[c][l] = math::exp(e[c][l] - softmax_reference(largest[l]));
        total[l] += e[c][l];
      }
    }
  }

  void gradient(const task<S>& t, int64_t first, int count) {
    T off = t.smoothing / T(t.classes), on = T(1) - t.smoothing + off;
#pragma omp simd
    for (int l = 0; l < lanes; l++) factor[l] = label[l] >= 0 ? T(1) / total[l] : T(NAN);
    for (int c = 0; c < (int)t.classes; c++) {
#pragma omp simd
      for (int l = 0; l < lanes; l++) {
        T q = label[l] == c ? on : off;
        e[c][l] = t.scale * softmax_difference(e[c][l], factor[l], q);
      }
    }
    for (int l = 0; l < count; l++) {
      S* to = t.dx + (first + l) * t.classes;
      for (int c = 0; c < (int)t.classes; c++) to[c] = S(e[c][l]);
    }
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
  t.losses[row] = softmax_loss(state, labelled, t.smoothing, mean);
  if (t.hits) t.hits[row] = first && state.total == state.total ? T(1) : T(0);
  if (!dx) return;
  T inverse = known ? T(1) / state.total : T(NAN), off = t.smoothing / T(t.classes);
  T scale = t.scale, on = T(1) - t.smoothing + off;
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
  task<S> t = {as<S>(a.x),    as<int32_t>(a.labels), as<T>(a.losses),
               as<T>(a.hits), as<S>(a.dx),           a.rows,
               a.classes,     T(a.smoothing),        T(a.scale)};
  if (a.classes <= narrow_classes) {
    constexpr int64_t lanes = narrow_rows<S>::lanes;
    int64_t groups = (a.rows + lanes - 1) / lanes;
    parallel_units(groups, 2 * lanes * transcendental * a.classes, [=](int64_t begin, int64_t end) {
      narrow_rows<S> group;
      for (int64_t g = begin; g < end; g++) group.run(t, g * lanes);
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
