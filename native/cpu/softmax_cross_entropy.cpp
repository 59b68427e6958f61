// SPDX-License-Identifier: Apache-2.0
//
// Fused softmax cross-entropy: loss, gradient and hit of every row.
#include "../math/softmax.h"

#include "kernel.h"
#include "lanes.h"

namespace weft {
namespace WEFT_ISA {
namespace {

// Rows up to this long are copied into a buffer of whole vectors, filled up with -infinity, which adds
// nothing to the sum; 10 classes then cost 30 ns a row instead of 80. Longer rows take the exponentials
// this many at a time, and the sum still finds them in the first-level cache.
constexpr int64_t block = 512;

// e[c] = e^(x[c] - reference) and their sum; e may be x, or 0 when only the sum is wanted
template <typename T>
T exponentials(const T* x, int64_t classes, T reference, T* e) {
  T total = T(0), scratch[block];
  for (int64_t c = 0; c < classes; c += block) {
    int64_t length = smaller(block, classes - c);
    T* to = e ? e + c : scratch;
    const T* from = x + c;
#pragma omp simd
    for (int64_t j = 0; j < length; j++) to[j] = math::exp(from[j] - reference);
    total += sum(to, length);
  }
  return total;
}

template <typename T>
struct row_task {
  int64_t classes;
  T smoothing, scale;

  // A row is read for its largest logit, then once more for the exponentials, which are left where the
  // gradient goes and scaled there: one exponential a logit, and after the first pass all is in cache.
  void run(const T* x, int32_t label, T& loss, T* dx, T* hit) const {
    bool known = label >= 0 && label < classes;
    T labelled = known ? x[label] : T(NAN);
    T mean = smoothing > T(0) ? sum(x, classes) / T(classes) : T(0);
    softmax_state<T> state = {T(0), T(0), 0};
    T padded[block];
    T* e = dx;
    if (classes <= block) {
      constexpr int64_t width = 64 / sizeof(T);
      int64_t whole = (classes + width - 1) / width * width;
      e = padded;
      for (int64_t c = whole - width; c < whole; c++) padded[c] = T(-INFINITY);
      for (int64_t c = 0; c < classes; c++) padded[c] = x[c];
      state.largest = largest(padded, whole);
      T reference = softmax_reference(state.largest);
      for (int64_t c = 0; c < whole; c += width) {
#pragma omp simd
        for (int64_t j = c; j < c + width; j++) padded[j] = math::exp(padded[j] - reference);
      }
      state.total = sum(padded, whole);
    } else {
      state.largest = largest(x, classes);
    }
    if (hit) *hit = is_first(x, label, known, labelled, state.largest);
    if (classes > block) {
      state.total = exponentials(x, classes, softmax_reference(state.largest), dx);
    }
    if (hit && state.total != state.total) *hit = T(0);
    loss = softmax_loss(state, labelled, smoothing, mean);
    if (dx) gradient(e, known ? label : -1, state.total, dx);
  }

  // 1 where no logit before the labelled one is as large
  T is_first(const T* x, int32_t label, bool known, T labelled, T largest) const {
    bool first = known && labelled == largest;
    for (int64_t c = 0; first && c < label; c++) first = x[c] != labelled;
    return first ? T(1) : T(0);
  }

  // dx = scale (e / total - q), NaN where the label is none (-1); dx may be e
  void gradient(const T* e, int32_t label, T total, T* dx) const {
    T inverse = label >= 0 ? T(1) / total : T(NAN), off = smoothing / T(classes), factor = scale;
    T at_label = label >= 0 ? e[label] : T(0);
#pragma omp simd
    for (int64_t c = 0; c < classes; c++) dx[c] = factor * softmax_difference(e[c], inverse, off);
    T q = T(1) - smoothing + off;
    if (label >= 0) dx[label] = factor * softmax_difference(at_label, inverse, q);
  }
};

template <typename T>
void softmax_cross_entropy(const weft_softmax_cross_entropy& a) {
  const T* x = as<T>(a.x);
  const int32_t* labels = as<int32_t>(a.labels);
  T *losses = as<T>(a.losses), *dx = as<T>(a.dx), *hits = as<T>(a.hits);
  row_task<T> task = {a.classes, T(a.smoothing), T(a.scale)};
  auto body = [=, classes = a.classes](int64_t begin, int64_t end) {
    for (int64_t r = begin; r < end; r++) {
      task.run(x + r * classes, labels[r], losses[r], dx ? dx + r * classes : nullptr,
               hits ? hits + r : nullptr);
    }
  };
  // a row costs some 30 elements beside its classes
  parallel_units(a.rows, transcendental * (a.classes + 30), body);
}

}  // namespace

WEFT_DEFINE_TYPED(softmax_cross_entropy, softmax_cross_entropy)

}  // namespace WEFT_ISA
}  // namespace weft
