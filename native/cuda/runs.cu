// SPDX-License-Identifier: Apache-2.0
//
// Gradients of rows that come more than once, added up in the order of sorted ids.
#include "runs.cuh"

namespace weft::cuda {

static_assert(sum_runs_shape::threads == sum_runs_shape::items &&
                  add_rows_shape::threads == add_rows_shape::items,
              "a thread a work item");
static_assert(run_squares_shape::threads == 32 * run_squares_shape::items, "a warp a work item");

// sums = scale * the sum of each part of a run in the tile; eight rows are under way at a time.
template <typename S>
WEFT_DEVICE void sum_runs(const weft_sum_runs& a) {
  using T = compute<S>;
  constexpr int ahead = 8;
  const int64_t packs = (a.cols + 3) / 4;
  const int64_t i = (int64_t)blockIdx.x * sum_runs_shape::items + threadIdx.x;
  const int64_t first = i / packs * run_tile, c = 4 * (i - i / packs * packs);
  if (first >= a.rows) return;
  const int32_t* order = static_cast<const int32_t*>(a.order) + first;
  const int32_t* sorted = static_cast<const int32_t*>(a.sorted) + first;
  const S* dy = static_cast<const S*>(a.dy);
  T* sums = static_cast<T*>(a.sums) + first * a.cols;
  const int places = (int)min(a.rows - first, (int64_t)run_tile);
  if (sorted[places - 1] < 0) return;
  const bool wide = a.cols % 4 == 0 && aligned(dy, sums);
  const bool fours = aligned(order, sorted);
  const T scale = T(a.scale);
  pack<T> total = {};
  int32_t id = 0;
  int head = 0;
  auto finish = [&] {
    if (id < 0) return;
#pragma unroll
    for (int j = 0; j < 4; j++) total.at[j] *= scale;
    store(sums + head * a.cols, c, a.cols, wide, total);
  };
#pragma unroll 1
  for (int base = 0; base < places; base += ahead) {
    int from[ahead], ids[ahead];
#pragma unroll
    for (int k = 0; k < ahead; k += 4) {
      if (fours && base + ahead <= places) {
        const int4 four = *reinterpret_cast<const int4*>(order + base + k);
        const int4 same = *reinterpret_cast<const int4*>(sorted + base + k);
        from[k] = four.x, from[k + 1] = four.y, from[k + 2] = four.z, from[k + 3] = four.w;
        ids[k] = same.x, ids[k + 1] = same.y, ids[k + 2] = same.z, ids[k + 3] = same.w;
      } else {
#pragma unroll
        for (int j = k; j < k + 4; j++) {
          const int p = min(base + j, places - 1);
          from[j] = order[p];
          ids[j] = sorted[p];
        }
      }
    }
    pack<T> v[ahead];
#pragma unroll
    for (int k = 0; k < ahead; k++) {
      v[k] = load(dy + from[k] * a.cols, c, a.cols, wide);
    }
#pragma unroll
    for (int k = 0; k < ahead; k++) {
      const int p = base + k;
      if (p >= places) continue;
      if (p == 0 || ids[k] != id) {
        if (p > 0) finish();
        id = ids[k];
        head = p;
        total = v[k];
      } else {
#pragma unroll
        for (int j = 0; j < 4; j++) total.at[j] += v[k].at[j];
      }
    }
  }
  finish();
}

template <typename T>
WEFT_DEVICE void add_rows(const weft_add_rows& a) {
  const int64_t thread = (int64_t)blockIdx.x * add_rows_shape::items + threadIdx.x;
  each_run<T>(a, thread, [&](int64_t row, int64_t c, const pack<T>& gradient) {
    T* dense = static_cast<T*>(a.dense);
    const bool wide = a.cols % 4 == 0 && aligned(dense);
    pack<T> v = load(dense + row, c, a.cols, wide);
#pragma unroll
    for (int j = 0; j < 4; j++) v.at[j] += gradient.at[j];
    store(dense + row, c, a.cols, wide, v);
  });
}

template <typename T>
WEFT_DEVICE void run_squares(const weft_run_squares& a) {
  const int64_t p = (int64_t)blockIdx.x * run_squares_shape::items + threadIdx.x / 32;
  if (p >= a.rows) return;  // the whole warp
  const int lane = threadIdx.x % 32;
  const int32_t row = row_of_run(a, p);
  T squares = T(0);
  if (row >= 0) {
    for (int64_t c = 4 * lane; c < a.cols; c += 128) {
      const pack<T> v = sum_of_run<T>(a, p, row, c);
#pragma unroll
      for (int j = 0; j < 4; j++) squares += v.at[j] * v.at[j];
    }
    squares = fold_warp(squares, [](T x, T y) { return x + y; });
  }
  if (lane == 0) static_cast<T*>(a.squares)[p] = squares;
}

}  // namespace weft::cuda

// sums (=), at the first place of each part of a run; the rest of it stays as it is. A thread walks
// the 32 places of a tile for four columns, its neighbours the next four: each tile of a batch has
// its own threads, whatever its ids. 64 threads: 8,192 rows of 128 columns are 128 blocks.
WEFT_KERNEL(sum_runs, sum_runs)

// dense += , each row that is named once. A thread has four columns of a place, and is done at once
// where no run begins there. 128 threads; bound by latency.
WEFT_KERNEL_WIDE(add_rows, add_rows)

// squares (=). A warp takes a place, a lane every 32nd pack of its columns; most are done at once,
// since no run begins there. 128 threads, as add_rows.
WEFT_KERNEL_WIDE(run_squares, run_squares)
