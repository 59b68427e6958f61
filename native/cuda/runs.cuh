// SPDX-License-Identifier: Apache-2.0
//
// Runs of sorted ids, whose gradients sum_runs has added up by tiles.
#ifndef WEFT_CUDA_RUNS_CUH
#define WEFT_CUDA_RUNS_CUH

#include "device.cuh"

namespace weft::cuda {

constexpr int run_tile = 32;

// The row of the table whose run begins at place p; -1 where none does.
template <typename A>
WEFT_DEVICE int32_t row_of_run(const A& a, int64_t p) {
  const int32_t* sorted = static_cast<const int32_t*>(a.sorted);
  const int32_t row = sorted[p];
  return !is_row(row, a.table_rows) || (p > 0 && sorted[p - 1] == row) ? -1 : row;
}

// The gradient of a row whose run begins at place p, in the columns from c on.
template <typename T, typename A>
WEFT_DEVICE pack<T> sum_of_run(const A& a, int64_t p, int32_t row, int64_t c) {
  const int32_t* sorted = static_cast<const int32_t*>(a.sorted);
  const T* sums = static_cast<const T*>(a.sums);
  const bool wide = a.cols % 4 == 0 && aligned(sums);
  pack<T> total = load(sums + p * a.cols, c, a.cols, wide);
  // behind the place of a row each tile's first has a sum: several are loaded ahead of comparisons
  constexpr int ahead = 4;
  for (int64_t next = (p / run_tile + 1) * run_tile; next < a.rows && sorted[next] == row;
       next += ahead * run_tile) {
    pack<T> part[ahead];
    bool same[ahead];
#pragma unroll
    for (int k = 0; k < ahead; k++) {
      const int64_t place = next + k * run_tile, there = place < a.rows ? place : next;
      same[k] = place < a.rows && sorted[there] == row;
      part[k] = load(sums + there * a.cols, c, a.cols, wide);
    }
#pragma unroll
    for (int k = 0; k < ahead; k++) {
#pragma unroll
      for (int j = 0; j < 4; j++) total.at[j] = same[k] ? total.at[j] + part[k].at[j] : total.at[j];
    }
  }
  return total;
}

// Calls body(at, column, gradient) where a run of a row of the table begins and this thread has four
// of its columns: they begin at element `at` of the table. A thread has four columns of a place.
template <typename T, typename A, typename Body>
WEFT_DEVICE void each_run(const A& a, int64_t thread, Body body) {
  const int64_t packs = (a.cols + 3) / 4, p = thread / packs, c = 4 * (thread - p * packs);
  if (p >= a.rows) return;
  const int32_t row = row_of_run(a, p);
  if (row >= 0) body(row * a.cols, c, sum_of_run<T>(a, p, row, c));
}

}  // namespace weft::cuda
#endif  // WEFT_CUDA_RUNS_CUH
