// SPDX-License-Identifier: Apache-2.0
//
// Multi-class hinge loss: loss, gradient and hit of every row.
#include "../math/value_loss.h"
#include "kernel.h"
#include "lanes.h"
#include "row_lanes.h"

namespace weft {
namespace WEFT_ISA {
namespace {

template <typename S>
struct hinge_task {
  using T = compute<S>;
  const S* x;
  const int32_t* labels;
  const T* weights;
  T *losses, *hits;
  S* dx;
  int64_t rows, classes;
  T margin, scale;

  T labelled(int64_t row) const {
    return is_row(labels[row], classes) ? T(x[row * classes + labels[row]]) : T(NAN);
  }

  // larger: how many logits stand ahead of the label's, or are no number
  void put_row(int64_t row, T labelled, T loss, int larger) const {
    losses[row] = weighted(weights ? weights[row] : T(1), loss);
    if (hits) hits[row] = labelled == labelled && larger == 0 ? T(1) : T(0);
  }

  T row_scale(int64_t row, T loss) const {
    T weight = weights ? weights[row] : T(1);
    return loss == loss || weight == T(0) ? weight * scale : T(NAN);
  }
};

template <typename T>
WEFT_MATH int stands_ahead(T value, T labelled, bool earlier) {
  return (value > labelled) | ((value == labelled) & earlier) | !(value < T(INFINITY));
}

// Short rows, one to a lane.
template <typename S>
struct narrow_hinges {
  using T = compute<S>;
  static constexpr int lanes = row_lanes<T>;
  hinge_task<S> t;
  lane_rows<T> e;

  void run(int64_t first, int count) {
    const int classes = (int)t.classes;
    T labelled[lanes], loss[lanes], active[lanes], scale[lanes];
    int label[lanes], larger[lanes];
    e.load(t.x, classes, first, count);
    for (int l = 0; l < lanes; l++) {
      const int64_t row = first + (l < count ? l : count - 1);
      label[l] = t.labels[row], labelled[l] = t.labelled(row);
      loss[l] = active[l] = T(0), larger[l] = 0;
    }
    for (int c = 0; c < classes; c++) {
#pragma omp simd
      for (int l = 0; l < lanes; l++) {
        const bool other = c != label[l];
        const value_loss_of<T> part = positive_part(t.margin + (e.at[c][l] - labelled[l]));
        larger[l] += stands_ahead(e.at[c][l], labelled[l], c < label[l]);
        loss[l] += other ? part.loss : T(0);
        active[l] += other ? part.slope : T(0);
        e.at[c][l] = part.slope;
      }
    }
    for (int l = 0; l < lanes; l++) {
      const int64_t row = first + (l < count ? l : count - 1);
      if (labelled[l] != labelled[l]) loss[l] = T(NAN);
      if (l < count) t.put_row(row, labelled[l], loss[l], larger[l]);
      scale[l] = t.row_scale(row, loss[l]);
    }
    if (!t.dx) return;
    for (int c = 0; c < classes; c++) {
#pragma omp simd
      for (int l = 0; l < lanes; l++) {
        e.at[c][l] = weighted(scale[l], c == label[l] ? -active[l] : e.at[c][l]);
      }
    }
    e.store(t.dx, classes, first, count);
  }
};

// Terms summed at a time, which the sum finds in the first-level cache.
constexpr int64_t hinge_block = 512;

template <typename S>
void wide_hinge(const hinge_task<S>& t, int64_t row) {
  using T = compute<S>;
  const S* x = t.x + row * t.classes;
  const T labelled = t.labelled(row), margin = t.margin;
  const int64_t label = t.labels[row];
  T loss = T(0), terms[hinge_block];
  int active = 0, larger = 0;
  for (int64_t c = 0; c < t.classes; c += hinge_block) {
    const int64_t length = smaller(hinge_block, t.classes - c);
    const int own = (int)(is_row(label - c, length) ? label - c : label < c ? -1 : length);
#pragma omp simd reduction(+ : active, larger)
    for (int j = 0; j < (int)length; j++) {
      const T m = margin + (T(x[c + j]) - labelled);
      terms[j] = positive_part(m).loss;
      active += m > T(0);
      larger += stands_ahead(T(x[c + j]), labelled, j < own);
    }
    if (is_row(own, length)) {
      active -= terms[own] > T(0);
      terms[own] = T(0);
    }
    loss += sum(terms, length);
  }
  if (labelled != labelled) loss = T(NAN);
  t.put_row(row, labelled, loss, larger);
  if (!t.dx) return;
  S* dx = t.dx + row * t.classes;
  const T scale = t.row_scale(row, loss);
#pragma omp simd
  for (int64_t c = 0; c < t.classes; c++) {
    put<false>(dx[c], weighted(scale, positive_part(margin + (T(x[c]) - labelled)).slope));
  }
  if (labelled == labelled) dx[label] = S(weighted(scale, T(-active)));
}

template <typename S>
void multi_class_hinge(const weft_multi_class_hinge& a) {
  using T = compute<S>;
  hinge_task<S> t = {as<S>(a.x),       as<int32_t>(a.labels),
                     as<T>(a.weights), as<T>(a.losses),
                     as<T>(a.hits),    as<S>(a.dx),
                     a.rows,           a.classes,
                     T(a.margin),      T(a.scale)};
  if (a.classes <= narrow_classes) {
    parallel_lanes<T>(a.rows, 4 * a.classes, [=] {
      narrow_hinges<S> group;
      group.t = t;
      return group;
    });
  } else {
    // a row costs some 100 elements beside its classes
    parallel_units(a.rows, 3 * (a.classes + 100), [=](int64_t begin, int64_t end) {
      for (int64_t row = begin; row < end; row++) wide_hinge(t, row);
    });
  }
}

}  // namespace

WEFT_DEFINE_TYPED(multi_class_hinge, multi_class_hinge)

}  // namespace WEFT_ISA
}  // namespace weft
