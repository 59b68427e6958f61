// SPDX-License-Identifier: Apache-2.0
//
// Gradients of rows that come more than once, added up in the order of sorted ids.
#include "runs.h"
#include "lanes.h"

namespace weft {
namespace WEFT_ISA {
namespace {

// to = factor * (to, where More, + the rows of dy at Count places)
template <bool More, int Count, typename S>
WEFT_MATH void add_up(compute<S>* to, const S* dy, const int32_t* places, int64_t cols,
                      compute<S> factor) {
  using T = compute<S>;
  const S* from[Count];
  for (int k = 0; k < Count; k++) from[k] = dy + places[k] * cols;
#pragma omp simd
  for (int64_t c = 0; c < cols; c++) {
    T sum = More ? to[c] + T(from[0][c]) : T(from[0][c]);
#pragma GCC unroll 8
    for (int k = 1; k < Count; k++) sum += T(from[k][c]);
    to[c] = factor * sum;
  }
}

template <typename S>
void sum_runs(const weft_sum_runs& a) {
  using T = compute<S>;
  constexpr int64_t most = 4;  // rows that are read side by side
  const int32_t *order = as<int32_t>(a.order), *sorted = as<int32_t>(a.sorted);
  const S* dy = as<S>(a.dy);
  T *sums = as<T>(a.sums), scale = T(a.scale);
  auto tiles = [=, rows = a.rows, cols = a.cols](int64_t begin, int64_t end) {
    for (int64_t p = begin * run_tile; p < smaller(end * run_tile, rows);) {
      int64_t past = p + 1, tile_end = smaller((p / run_tile + 1) * run_tile, rows);
      while (past < tile_end && sorted[past] == sorted[p]) past++;
      T* to = sums + p * cols;
      if (sorted[p] < 0) {
        p = past;
        continue;
      }
      for (int64_t q = p; q < past; q += most) {
        int64_t count = smaller(most, past - q);
        for (int64_t k = q + rows_ahead; k < smaller(q + rows_ahead + count, rows); k++) {
          prefetch_row(dy + order[k] * cols, cols);
        }
        T factor = q + count == past ? scale : T(1);
        choose_flag(q > p, [&](auto more) {
          choose<most>("a number of rows", count - 1, [&](auto others) {
            add_up<more, others + 1>(to, dy, order + q, cols, factor);
          });
        });
      }
      p = past;
    }
  };
  parallel_units((a.rows + run_tile - 1) / run_tile, run_tile * a.cols, tiles);
}

template <typename T>
void add_rows(const weft_add_rows& a) {
  T* dense = as<T>(a.dense);
  each_run(a, dense, [=](int64_t, int64_t at, const T* gradient, int64_t count) {
#pragma omp simd
    for (int64_t i = 0; i < count; i++) dense[at + i] += gradient[i];
  });
}

template <typename T>
void run_squares(const weft_run_squares& a) {
  T* squares = as<T>(a.squares);
  for (int64_t p = 0; p < a.rows; p++) squares[p] = T(0);
  each_run<T>(a, nullptr, [=](int64_t p, int64_t, const T* gradient, int64_t count) {
    squares[p] += fold<add_squares>(gradient, count, T(0));
  });
}

}  // namespace

WEFT_DEFINE_TYPED(sum_runs, sum_runs)
WEFT_DEFINE_WIDE(add_rows, add_rows)
WEFT_DEFINE_WIDE(run_squares, run_squares)

}  // namespace WEFT_ISA
}  // namespace weft
