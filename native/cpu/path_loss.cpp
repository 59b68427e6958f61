// SPDX-License-Identifier: Apache-2.0
//
// Logistic losses along paths of rows, and the paths of negative sampling.
#include <limits>

#include "../math/logistic.h"
#include "../math/paths.h"
#include "lanes.h"
#include "prefetch.h"

namespace weft {
namespace WEFT_ISA {
namespace {

// x . y in the order of `sum`, by pieces that stay in the first-level cache
template <typename S, typename T = compute<S>>
T dot(const S* x, const S* y, int64_t n) {
  constexpr int64_t piece = 512;
  T total = T(0), product[piece];
  for (int64_t c = 0; c < n; c += piece) {
    int64_t length = smaller(piece, n - c);
    const S *p = x + c, *q = y + c;
#pragma omp simd
    for (int64_t j = 0; j < length; j++) product[j] = T(p[j]) * T(q[j]);
    total += sum(product, length);
  }
  return total;
}

template <typename S>
void path_loss_forward(const weft_path_loss_forward& a) {
  using T = compute<S>;
  const S *x = as<S>(a.x), *table = as<S>(a.table);
  const int32_t* all_steps = as<int32_t>(a.steps);
  T *losses = as<T>(a.losses), *all_errors = as<T>(a.errors);
  int32_t* all_taken = as<int32_t>(a.taken);
  paths_of paths = {
      {as<int32_t>(a.offsets), a.path_count, a.step_count}, as<int32_t>(a.paths), a.longest};
  auto body = [=, cols = a.cols, there = a.table_rows, longest = a.longest](int64_t begin,
                                                                            int64_t end) {
    for (int64_t i = begin; i < end; i++) {
      bag_range path = paths.of(i);
      const int32_t* steps = all_steps + path.begin;
      int64_t length = path.known ? path.end - path.begin : 0;
      bool known = path.known;
      for (int64_t k = 0; k < length; k++) known &= is_step(steps[k], there);
      if (!known) length = 0;
      int32_t* taken = all_taken + i * longest;
      T *errors = all_errors + i * longest, loss = T(0);
      for (int64_t k = 0; k < longest; k++) {
        if (k + rows_ahead < length && steps[k + rows_ahead] >= 0) {
          prefetch_row(table + row_of_step(steps[k + rows_ahead]) * cols, cols);
        }
        taken[k] = k < length ? row_of_step(steps[k]) : padding;
        errors[k] = T(0);
        if (taken[k] < 0) continue;
        T score = dot(x + i * cols, table + taken[k] * cols, cols);
        logistic<T> found = logistic_of(score, T(1 - (steps[k] & 1)));
        loss += found.loss;
        errors[k] = -found.error;
      }
      losses[i] = known ? loss : std::numeric_limits<T>::quiet_NaN();
    }
  };
  parallel_units(a.rows, (a.longest + 1) * (a.cols + 30), body);
}

template <typename S>
void path_loss_backward(const weft_path_loss_backward& a) {
  using T = compute<S>;
  const S *x = as<S>(a.x), *table = as<S>(a.table);
  const int32_t* taken = as<int32_t>(a.taken);
  const T *errors = as<T>(a.errors), *dlosses = as<T>(a.dlosses);
  S *dx = as<S>(a.dx), *drows = as<S>(a.drows);
  choose_flag(a.accumulate, [&](auto accumulate) {
    constexpr bool adds = accumulate;
    auto body = [=, cols = a.cols, there = a.table_rows, longest = a.longest](
                    int64_t i, int64_t begin, int64_t end) {
      T total[1024];  // a piece of a row
      int64_t columns = end - begin;
      const S* own = x + i * cols + begin;
      for (int64_t c = 0; c < columns; c++) total[c] = T(0);
      for (int64_t k = i * longest; k < (i + 1) * longest; k++) {
        bool is_there = is_row(taken[k], there);
        T error = is_there ? dlosses[i] * errors[k] : T(0);
        if (drows) {
          S* to = drows + k * cols + begin;
#pragma omp simd
          for (int64_t c = 0; c < columns; c++)
            put<false>(to[c], is_there ? error * T(own[c]) : T(0));
        }
        if (!dx || !is_there) continue;
        const S* row = table + taken[k] * cols + begin;
#pragma omp simd
        for (int64_t c = 0; c < columns; c++) total[c] += error * T(row[c]);
      }
      if (!dx) return;
      S* to = dx + i * cols + begin;
#pragma omp simd
      for (int64_t c = 0; c < columns; c++) put<adds>(to[c], total[c]);
    };
    parallel_rows(a.rows, a.cols, 1 + 2 * a.longest, body);
  });
}

}  // namespace

WEFT_DEFINE_TYPED(path_loss_forward, path_loss_forward)
WEFT_DEFINE_TYPED(path_loss_backward, path_loss_backward)

void negative_samples(const weft_negative_samples& a) {
  const int32_t* labels = as<int32_t>(a.labels);
  const weft_step_state& state = *as<weft_step_state>(a.state);
  int32_t* steps = as<int32_t>(a.steps);
  noise source = {
      as<uint32_t>(a.thresholds), as<int32_t>(a.aliases), a.words, state.seed, state.step,
      (uint32_t)a.operation};
  auto body = [=, negatives = a.negatives](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; row++) {
      for (int64_t k = 0; k <= negatives; k++) {
        steps[row * (negatives + 1) + k] = source.path_step(labels[row], row, negatives, k);
      }
    }
  };
  parallel_units(a.rows, a.negatives * 40 * transcendental, body);
}

}  // namespace WEFT_ISA
}  // namespace weft
