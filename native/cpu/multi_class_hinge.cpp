// SPDX-License-Identifier: Apache-2.0
//
// Multi-class hinge loss: loss, gradient and hit of every row.
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
  S* dx;
  int64_t rows, classes;
  T margin;
  row_losses<T> results;

  T labelled(int64_t row) const {
    return is_row(labels[row], classes) ? T(x[row * classes + labels[row]]) : T(NAN);
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
    T labelled[lanes], loss[lanes], active[lanes];
    int32_t label[lanes], larger[lanes];
    T hit[lanes];
    e.load(t.x, classes, first, count);
    take_lanes(label, t.labels, first, count);
    e.entries(label, classes, labelled);
    for (int l = 0; l < lanes; l++) {
      loss[l] = active[l] = T(0), larger[l] = 0;
    }
    for (int c = 0; c < classes; c++) {
#pragma omp simd
      for (int l = 0; l < lanes; l++) {
        const T value = e.at[c][l], by = t.margin + (value - labelled[l]);
        const value_loss_of<T> part = positive_part(c == label[l] ? T(-INFINITY) : by);
        larger[l] += stands_ahead(value, labelled[l], c < label[l]);
        loss[l] += part.loss;
        active[l] += part.slope;
        e.at[c][l] = part.slope;
      }
    }
#pragma omp simd
    for (int l = 0; l < lanes; l++) {
      loss[l] = labelled[l] == labelled[l] ? loss[l] : T(NAN);
      hit[l] = larger[l] == 0 ? T(1) : T(0);
    }
    t.results.put(first, count, loss, hit);
    if (!t.dx) return;
    for (int c = 0; c < classes; c++) {
#pragma omp simd
      for (int l = 0; l < lanes; l++) {
        e.at[c][l] = weighted(loss[l], c == label[l] ? -active[l] : e.at[c][l]);
      }
    }
    e.store(t.dx, classes, first, count);
  }
};

template <typename S>
void wide_hinge(const hinge_task<S>& t, int64_t row) {
  using T = compute<S>;
  const S* x = t.x + row * t.classes;
  const T labelled = t.labelled(row), margin = t.margin;
  const int64_t label = t.labels[row];
  int active = 0, larger = 0;
  T loss =
      sum_of_terms<T>(t.classes, [=, &active, &larger](T* terms, int64_t first, int64_t length) {
        const S* from = x + first;
        const T own = labelled, by = margin;
        int above = 0, ahead = 0;
#pragma omp simd reduction(+ : above, ahead)
        for (int j = 0; j < (int)length; j++) {
          const T value = T(from[j]), m = by + (value - own);
          terms[j] = positive_part(m).loss;
          above += m > T(0) ? 1 : 0;
          ahead += (value > own) | !(value < T(INFINITY)) ? 1 : 0;
        }
        active += above, larger += ahead;
        if (is_row(label - first, length))
          active -= terms[label - first] > T(0), terms[label - first] = T(0);
      });
  if (labelled != labelled) loss = T(NAN);
  bool hit = larger == 0 && loss == loss;
  for (int64_t c = 0; hit && c < label; c++) hit = T(x[c]) != labelled;
  const T scale = t.results.put(row, loss, hit);
  if (!t.dx) return;
  S* dx = t.dx + row * t.classes;
#pragma omp simd
  for (int64_t c = 0; c < t.classes; c++) {
    put<false>(dx[c], weighted(scale, positive_part(margin + (T(x[c]) - labelled)).slope));
  }
  if (labelled == labelled) dx[label] = S(weighted(scale, T(-active)));
}

template <typename S>
void multi_class_hinge(const weft_multi_class_hinge& a) {
  using T = compute<S>;
  const row_losses<T> results = {as<T>(a.weights), as<T>(a.losses), as<T>(a.hits), T(a.scale)};
  hinge_task<S> t = {as<S>(a.x), as<int32_t>(a.labels), as<S>(a.dx), a.rows,
                     a.classes,  T(a.margin),           results};
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
