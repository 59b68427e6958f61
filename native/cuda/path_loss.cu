// SPDX-License-Identifier: Apache-2.0
//
// Logistic losses along paths of rows, and the paths of negative sampling.
#include "../math/logistic.h"
#include "../math/paths.h"
#include "device.cuh"

namespace weft::cuda {

static_assert(path_loss_forward_shape::threads == 32 * path_loss_forward_shape::items,
              "a warp a work item");
static_assert(path_loss_backward_shape::threads == path_loss_backward_shape::items &&
                  negative_samples_shape::threads == negative_samples_shape::items,
              "a thread a work item");

// Rows that are under way at a time.
constexpr int path_rows_ahead = 4;

template <typename S>
WEFT_DEVICE void path_loss_forward(const weft_path_loss_forward& a) {
  using T = compute<S>;
  constexpr int ahead = path_rows_ahead;
  const int lane = threadIdx.x % 32;
  const int64_t i = (int64_t)blockIdx.x * path_loss_forward_shape::items + threadIdx.x / 32;
  if (i >= a.rows) return;  // the whole warp
  const S* x = static_cast<const S*>(a.x) + i * a.cols;
  const S* table = static_cast<const S*>(a.table);
  const bool wide = a.cols % 4 == 0 && aligned(static_cast<const S*>(a.x), table);
  int32_t* taken = static_cast<int32_t*>(a.taken) + i * a.longest;
  T* errors = static_cast<T*>(a.errors) + i * a.longest;
  const paths_of paths = {{static_cast<const int32_t*>(a.offsets), a.path_count, a.step_count},
                          static_cast<const int32_t*>(a.paths),
                          a.longest};
  const bag_range path = paths.of(i);
  const int32_t* steps = static_cast<const int32_t*>(a.steps) + path.begin;
  int64_t length = path.known ? path.end - path.begin : 0;
  bool unknown = !path.known;
  for (int64_t k = lane; k < length; k += 32) unknown |= !is_step(steps[k], a.table_rows);
  unknown = __any_sync(all_lanes, unknown);
  if (unknown) length = 0;
  T loss = T(0);
  for (int64_t base = 0; base < length; base += ahead) {
    int32_t step[ahead];
    T score[ahead];
#pragma unroll
    for (int u = 0; u < ahead; u++) {
      step[u] = base + u < length ? steps[base + u] : padding;
      score[u] = T(0);
    }
    for (int64_t c = 4 * lane; c < a.cols; c += 128) {
      const pack<T> own = load(x, c, a.cols, wide);
      pack<T> v[ahead];
#pragma unroll
      for (int u = 0; u < ahead; u++) {
        v[u] = {};
        if (step[u] >= 0) v[u] = load(table + row_of_step(step[u]) * a.cols, c, a.cols, wide);
      }
#pragma unroll
      for (int u = 0; u < ahead; u++) {
#pragma unroll
        for (int j = 0; j < 4; j++) score[u] += own.at[j] * v[u].at[j];
      }
    }
#pragma unroll
    for (int u = 0; u < ahead; u++) {
      score[u] = fold_warp(score[u], [](T p, T q) { return p + q; });
      logistic<T> found = {T(0), T(0)};
      if (step[u] >= 0) found = logistic_of(score[u], T(1 - (step[u] & 1)));
      loss += found.loss;
      if (lane == 0 && base + u < length) {
        taken[base + u] = row_of_step(step[u]);
        errors[base + u] = T(0) - found.error;
      }
    }
  }
  for (int64_t k = length + lane; k < a.longest; k += 32) {
    taken[k] = padding;
    errors[k] = T(0);
  }
  if (lane == 0) static_cast<T*>(a.losses)[i] = unknown ? T(NAN) : loss;
}

template <typename S>
WEFT_DEVICE void path_loss_backward(const weft_path_loss_backward& a) {
  using T = compute<S>;
  constexpr int ahead = path_rows_ahead;
  const int64_t packs = (a.cols + 3) / 4;
  const int64_t thread = (int64_t)blockIdx.x * path_loss_backward_shape::items + threadIdx.x;
  const int64_t i = thread / packs, c = 4 * (thread - i * packs);
  if (i >= a.rows) return;
  const S* x = static_cast<const S*>(a.x);
  const S* table = static_cast<const S*>(a.table);
  S* dx = static_cast<S*>(a.dx);
  S* drows = static_cast<S*>(a.drows);
  const int32_t* taken = static_cast<const int32_t*>(a.taken) + i * a.longest;
  const T* errors = static_cast<const T*>(a.errors) + i * a.longest;
  const bool wide = a.cols % 4 == 0 && aligned(x, table, dx, drows);
  const T dloss = static_cast<const T*>(a.dlosses)[i];
  const pack<T> own = load(x + i * a.cols, c, a.cols, wide);
  pack<T> total = {};
  for (int64_t base = 0; base < a.longest; base += ahead) {
    pack<T> v[ahead];
    T error[ahead];
#pragma unroll
    for (int u = 0; u < ahead; u++) {
      const int32_t row = base + u < a.longest ? taken[base + u] : padding;
      const bool there = is_row(row, a.table_rows);
      v[u] = {};
      if (dx && there) v[u] = load(table + row * a.cols, c, a.cols, wide);
      error[u] = there ? dloss * errors[base + u] : T(0);
      if (drows && base + u < a.longest) {
        pack<T> to = {};
#pragma unroll
        for (int j = 0; j < 4; j++) to.at[j] = there ? error[u] * own.at[j] : T(0);
        store(drows + (i * a.longest + base + u) * a.cols, c, a.cols, wide, to);
      }
    }
#pragma unroll
    for (int u = 0; u < ahead; u++) {
#pragma unroll
      for (int j = 0; j < 4; j++) total.at[j] += error[u] * v[u].at[j];
    }
  }
  if (!dx) return;
  if (a.accumulate) {
    const pack<T> before = load(dx + i * a.cols, c, a.cols, wide);
#pragma unroll
    for (int j = 0; j < 4; j++) total.at[j] += before.at[j];
  }
  store(dx + i * a.cols, c, a.cols, wide, total);
}

WEFT_DEVICE void negative_samples(const weft_negative_samples& a) {
  const int64_t i = (int64_t)blockIdx.x * negative_samples_shape::items + threadIdx.x;
  const int64_t length = a.negatives + 1, row = i / length;
  if (row >= a.rows) return;
  const weft_step_state* state = static_cast<const weft_step_state*>(a.state);
  const noise source = {static_cast<const uint32_t*>(a.thresholds),
                        static_cast<const int32_t*>(a.aliases),
                        a.words,
                        state->seed,
                        state->step,
                        (uint32_t)a.operation};
  static_cast<int32_t*>(a.steps)[i] = source.path_step(static_cast<const int32_t*>(a.labels)[row],
                                                       row, a.negatives, i - row * length);
}

}  // namespace weft::cuda

// losses, taken, errors (=). A warp takes an input and its steps in order, a lane every 32nd pack of
// the columns, four rows under way. 128 threads, as top_hits: bound by the latency of rows that lie
// anywhere.
WEFT_KERNEL(path_loss_forward, path_loss_forward)

// dx (=, +=), drows (=). A thread has four columns of an input and walks its steps, four rows under
// way. 128 threads; 256 inputs of 128 columns are 64 blocks.
WEFT_KERNEL(path_loss_backward, path_loss_backward)

// steps (=). A thread draws a step. Bound by the latency of two tables' entries.
extern "C" __global__ void __launch_bounds__(weft::cuda::negative_samples_shape::threads)
    negative_samples(const weft_negative_samples a) {
  weft::cuda::negative_samples(a);
}
