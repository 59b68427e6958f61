// SPDX-License-Identifier: Apache-2.0
//
// Runs of sorted ids, whose gradients sum_runs has added up by tiles.
#ifndef WEFT_CPU_RUNS_H
#define WEFT_CPU_RUNS_H

#include "prefetch.h"

namespace weft {
namespace WEFT_ISA {
namespace {

constexpr int64_t run_tile = 32;

// body(p, at, gradient, count) for each run of a row of the table, whose gradient in `count` columns is
// given; it begins at place p, the first of the columns is element `at` of the table. table may be
// null: else its rows are asked for ahead.
template <typename T, typename A, typename Body>
void each_run(const A& a, const T* table, const Body& body) {
  const int32_t* sorted = as<int32_t>(a.sorted);
  const T* sums = as<T>(a.sums);
  auto runs = [=, rows = a.rows, cols = a.cols, there = a.table_rows](int64_t begin, int64_t end) {
    constexpr int64_t piece = 1024;
    T total[piece];
    auto begins = [=](int64_t p) {
      return is_row(sorted[p], there) && (p == 0 || sorted[p - 1] != sorted[p]);
    };
    for (int64_t p = begin; p < end; p++) {
      int64_t soon = p + rows_ahead;
      if (table && soon < end && begins(soon)) prefetch_row(table + sorted[soon] * cols, cols);
      if (!begins(p)) continue;
      for (int64_t c = 0; c < cols; c += piece) {
        int64_t count = smaller(piece, cols - c), next = (p / run_tile + 1) * run_tile;
        const T* gradient = sums + p * cols + c;
        for (; next < rows && sorted[next] == sorted[p]; next += run_tile) {
          const T* part = sums + next * cols + c;
#pragma omp simd
          for (int64_t i = 0; i < count; i++) total[i] = gradient[i] + part[i];
          gradient = total;
        }
        body(p, sorted[p] * cols + c, gradient, count);
      }
    }
  };
  parallel_units(a.rows, 4 * a.cols, runs);
}

}  // namespace
}  // namespace WEFT_ISA
}  // namespace weft
#endif  // WEFT_CPU_RUNS_H
