// SPDX-License-Identifier: Apache-2.0
//
// Fused softmax cross-entropy: loss, gradient and hit of every row.
#include "../math/softmax.h"

#include "kernel.h"
#include "lanes.h"

namespace weft {
namespace WEFT_ISA {
namespace {

// Exponentials summed at a time: 2 kB of floats, which the sum still finds in the first-level cache.
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

// A row is read for its largest logit, then once more for the exponentials, which are left where the
// gradient goes and scaled there: one exponential a logit, and after the first pass all is in cache.
template <typename T>
struct row_task {
  int64_t classes;
  T smoothing, scale;

  void run(const T* x, int32_t label, T& loss, T* dx, T* hit) const {
    softmax_state<T> state = {largest(x, classes), T(0), 0};
    bool known = label >= 0 && label < classes;
    T labelled = known ? x[label] : T(NAN);
    T mean = smoothing > T(0) ? sum(x, classes) / T(classes) : T(0);
    bool first = known && labelled == state.largest;
    for (int64_t c = 0; first && c < label; c++) first = x[c] != labelled;

    T reference = softmax_reference(state.largest);
    state.total = exponentials(x, classes, reference, dx);
    loss = softmax_loss(state, labelled, smoothing, mean);
    if (hit) *hit = first && state.total == state.total ? T(1) : T(0);
    if (!dx) return;
    T inverse = known ? T(1) / state.total : T(NAN), off = smoothing / T(classes);
    T factor = scale, at_label = known ? dx[label] : T(0);
#pragma omp simd
    for (int64_t c = 0; c < classes; c++) dx[c] = factor * softmax_difference(dx[c], inverse, off);
    T q = T(1) - smoothing + off;
    if (known) dx[label] = factor * softmax_difference(at_label, inverse, q);
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
