// SPDX-License-Identifier: Apache-2.0
//
// Layer norm: rows that registers hold are read once, in both directions.
#include "held_row.cuh"

namespace weft::cuda {

static_assert(row_threads == layer_norm_forward_shape::threads &&
                  row_threads == layer_norm_backward_shape::threads,
              "one way to share out rows");

template <int PACKS, typename S>
WEFT_DEVICE void normalize(const weft_layer_norm_forward& a, thread_team team) {
  using T = compute<S>;
  __shared__ T shared[2][row_warps];
  const int64_t r = row_of(team);
  const bool own = r < a.rows;  // a surplus team has an empty row
  const S *scale = static_cast<const S*>(a.scale), *shift = static_cast<const S*>(a.shift);
  S* y = static_cast<S*>(a.y) + r * a.cols;
  const bool wide = a.cols % 4 == 0 &&
                    aligned(static_cast<const S*>(a.x), scale, shift, static_cast<const S*>(a.y));
  const held_row<PACKS, S> x(team, a.x, r, a.cols, own ? a.cols : 0, wide);
  const auto cols = x.cols;
  auto less = [&](pack<T> v, auto c, T by) {  // zeros behind the row's end
#pragma unroll
    for (int j = 0; j < 4; j++) v.at[j] = c + j < cols ? v.at[j] - by : T(0);
    return v;
  };
  T sum = T(0), squares = T(0);
  // from the first entry on: the sum of large values that differ in little would lose that
  const T origin = cols > 0 ? T(*x.x) : T(0);
  x.each([&](int u, auto c) { sum += sum_of_pack(less(x.at(u, c), c, origin)); });
  const T mean = origin + fold_sum(team, sum, shared[0]) / T(a.cols);
  x.each([&](int u, auto c) {
    pack<T> v = less(x.at(u, c), c, mean);
#pragma unroll
    for (int j = 0; j < 4; j++) v.at[j] *= v.at[j];
    squares += sum_of_pack(v);
  });
  const T variance = fold_sum(team, squares, shared[1]) / T(a.cols);
  const T rstd = T(1) / std::sqrt(variance + T(a.epsilon));
  if (own && team.lane() == 0) {
    static_cast<T*>(a.mean)[r] = mean;
    static_cast<T*>(a.rstd)[r] = rstd;
  }
  x.each([&](int u, auto c) {
    pack<T> v = x.at(u, c);
    const pack<T> by = load(scale, c, cols, wide), plus = load(shift, c, cols, wide);
#pragma unroll
    for (int j = 0; j < 4; j++) v.at[j] = by.at[j] * ((v.at[j] - mean) * rstd) + plus.at[j];
    store(y, c, cols, wide, v);
  });
}

template <typename S>
WEFT_DEVICE void layer_norm_forward(const weft_layer_norm_forward& a) {
  choose_row_team(a.cols, [&](thread_team team, auto packs) { normalize<packs, S>(a, team); });
}

template <typename S>
WEFT_DEVICE void norm_add(S* y, int64_t c, int64_t cols, bool wide, pack<compute<S>> v) {
  const pack<compute<S>> old = load(y, c, cols, wide);
#pragma unroll
  for (int j = 0; j < 4; j++) v.at[j] += old.at[j];
  store(y, c, cols, wide, v);
}

// The rows of a part by teams in turn. Where rows are in registers, a thread's share of the sums for
// dscale is, too, and that for dshift in shared memory, which has room for those of a block: both
// would be registers too many. Else they are in their place in memory.
template <int PACKS, typename S>
WEFT_DEVICE void differentiate(const weft_layer_norm_backward& a, thread_team team,
                               pack<compute<S>>* columns) {
  using T = compute<S>;
  using row = held_row<PACKS, S>;
  const int teams = row_threads >> team.shift;
  __shared__ T shared[2][row_warps];
  const int64_t length = (a.rows + a.parts - 1) / a.parts, part = blockIdx.x;
  const int64_t begin = part * length, end = min(begin + length, a.rows);
  const S *x_matrix = static_cast<const S*>(a.x), *scale = static_cast<const S*>(a.scale);
  const S* dy_matrix = static_cast<const S*>(a.dy);
  S* dx_matrix = static_cast<S*>(a.dx);
  T* dscale = a.dscale ? static_cast<T*>(a.dscale) + part * a.cols : nullptr;
  T* dshift = a.dshift ? static_cast<T*>(a.dshift) + part * a.cols : nullptr;
  const bool wide = a.cols % 4 == 0 && aligned(x_matrix, scale, dy_matrix, dx_matrix);
  const bool wide_sums = a.cols % 4 == 0 && aligned(dscale, dshift);
  pack<T> totals[row::places] = {};
  columns += threadIdx.x;
#pragma unroll
  for (int u = 0; u < PACKS; u++) columns[u * row_threads] = {};
  if constexpr (PACKS == 0) {
    for (int64_t c = 4 * threadIdx.x; c < a.cols; c += 4 * row_threads) {
      if (dscale && !a.accumulate_scale) store(dscale, c, a.cols, wide_sums, totals[0]);
      if (dshift && !a.accumulate_shift) store(dshift, c, a.cols, wide_sums, totals[0]);
    }
  }
#pragma unroll 1
  for (int64_t first = begin; first < end; first += teams) {
    const int64_t r = first + team.number();
    const typename row::column cols = r < end ? a.cols : 0;
    const row x(team, a.x, r, a.cols, cols, wide), dy(team, a.dy, r, a.cols, cols, wide);
    const T mean = cols > 0 ? static_cast<const T*>(a.mean)[r] : T(0);
    const T rstd = cols > 0 ? static_cast<const T*>(a.rstd)[r] : T(0);
    T g_sum = T(0), gn_sum = T(0);
    x.each([&](int u, auto c) {
      pack<T> g = load(scale, c, cols, wide), gn = x.at(u, c);
      const pack<T> up = dy.at(u, c);
#pragma unroll
      for (int j = 0; j < 4; j++) {
        g.at[j] *= up.at[j];
        gn.at[j] = g.at[j] * ((gn.at[j] - mean) * rstd);
      }
      g_sum += sum_of_pack(g);
      gn_sum += sum_of_pack(gn);
    });
    const T g_mean = fold_sum(team, g_sum, shared[0]) / T(a.cols);
    const T gn_mean = fold_sum(team, gn_sum, shared[1]) / T(a.cols);
    x.each([&](int u, auto c) {
      pack<T> n = x.at(u, c), v = load(scale, c, cols, wide);
      const pack<T> up = dy.at(u, c);
#pragma unroll
      for (int j = 0; j < 4; j++) {
        n.at[j] = (n.at[j] - mean) * rstd;
        v.at[j] = rstd * (v.at[j] * up.at[j] - g_mean - n.at[j] * gn_mean);
        n.at[j] *= up.at[j];
      }
      if constexpr (PACKS > 0) {
        pack<T>& sums = columns[u * row_threads];
#pragma unroll
        for (int j = 0; j < 4; j++) {
          totals[u].at[j] += n.at[j];
          sums.at[j] += up.at[j];
        }
      } else {
        if (dscale) norm_add(dscale, c, cols, wide_sums, n);
        if (dshift) norm_add(dshift, c, cols, wide_sums, up);
      }
      S* dx = dx_matrix + r * a.cols;
      if (dx_matrix && a.accumulate_x) {
        norm_add(dx, c, cols, wide, v);
      } else if (dx_matrix) {
        store(dx, c, cols, wide, v);
      }
    });
  }
  if constexpr (PACKS > 0) {
    auto finish = [&](T* to, bool accumulate) {
      __syncthreads();
      for (int c = threadIdx.x; to && c < a.cols; c += row_threads) {
        const pack<T>* own = columns - threadIdx.x + (c / 4 >> team.shift) * row_threads +
                             (c / 4 & (team.size() - 1));
        T sum = own[0].at[c % 4];
        for (int t = 1; t < teams; t++) sum += own[t << team.shift].at[c % 4];
        to[c] = accumulate ? to[c] + sum : sum;
      }
      __syncthreads();
    };
    finish(dshift, a.accumulate_shift != 0);
#pragma unroll
    for (int u = 0; u < PACKS; u++) columns[u * row_threads] = totals[u];
    finish(dscale, a.accumulate_scale != 0);
  }
}

template <typename S>
WEFT_DEVICE void layer_norm_backward(const weft_layer_norm_backward& a) {
  __shared__ pack<compute<S>> columns[row_packs * row_threads];
  choose_row_team(a.cols,
                  [&](thread_team team, auto packs) { differentiate<packs, S>(a, team, columns); });
}

}  // namespace weft::cuda

// y, mean and rstd are assigned. A team of threads holds a row in registers, up to 16 entries a
// thread; a block reads a row above 4096 columns three times. 256 threads: 64 registers leave four
// blocks a multiprocessor, with four 16-byte loads each thread 64 KB in flight. 8 bytes and 8 flops
// an element of float.
WEFT_KERNEL_BLOCKS(layer_norm_forward, layer_norm_forward, float, f32, 3)
WEFT_KERNEL_BLOCKS(layer_norm_forward, layer_norm_forward, double, f64, 1)
WEFT_KERNEL_BLOCKS(layer_norm_forward, layer_norm_forward, weft::bf16, bf16, 3)

// dx, dscale and dshift = or +=. A block has a part of the rows, teams of its threads take them in
// turn, and x and dy are read once: a thread adds up its columns, and the block its teams in order.
// Rows above 4096 columns are read twice, and their sums are in memory (the cache, for 264 parts of
// 8192 columns 17 MB). 256 threads: 128 registers leave two blocks a multiprocessor, with eight
// 16-byte loads each thread 64 KB in flight, so that 264 parts occupy an H200. 12 bytes and 13
// flops an element of float.
WEFT_KERNEL_BLOCKS(layer_norm_backward, layer_norm_backward, float, f32, 2)
WEFT_KERNEL_BLOCKS(layer_norm_backward, layer_norm_backward, double, f64, 1)
WEFT_KERNEL_BLOCKS(layer_norm_backward, layer_norm_backward, weft::bf16, bf16, 2)
