// SPDX-License-Identifier: Apache-2.0
//
// Softmax along an axis and its logarithm: rows that registers hold are read once, in both
// directions.
#include "softmax.cuh"

#include "held_row.cuh"

namespace weft::cuda {

static_assert(row_threads == softmax_forward_shape::threads &&
                  row_threads == softmax_backward_shape::threads,
              "one way to share out rows");

// What one entry becomes: largest and total are those of its row.
template <typename T>
WEFT_DEVICE T softmax_value(T x, T largest, T inverse, T log_total, bool log) {
  return log ? (x - largest) - log_total : math::exp(x - largest) * inverse;
}

template <typename T>
WEFT_DEVICE T softmax_derivative(T y, T dy, T sum, bool log) {
  return log ? dy - math::exp(y) * sum : y * (dy - sum);
}

// ---- rows side by side in memory ----

template <int PACKS, typename S>
WEFT_DEVICE void softmax_rows(const weft_softmax_forward& a, thread_team team) {
  using T = compute<S>;
  __shared__ T shared[2][row_warps];
  const int64_t r = row_of(team);
  const bool log = a.log != 0;
  S* y = static_cast<S*>(a.y) + r * a.count;
  const bool wide =
      a.count % 4 == 0 && aligned(static_cast<const S*>(a.x), static_cast<const S*>(a.y));
  // a surplus team has an empty row
  const held_row<PACKS, S> x(team, a.x, r, a.count, r < a.outer ? a.count : 0, wide);
  const auto cols = x.cols;
  T largest = T(-INFINITY), total = T(0);
  x.each([&](int u, auto c) {
    const pack<T> v = x.at(u, c);
#pragma unroll
    for (int j = 0; j < 4; j++) largest = c + j < cols ? std::fmax(largest, v.at[j]) : largest;
  });
  largest = fold_largest(team, largest, shared[0]);
  x.each([&](int u, auto c) {
    const pack<T> v = x.at(u, c);
#pragma unroll
    for (int j = 0; j < 4; j++) total += c + j < cols ? math::exp(v.at[j] - largest) : T(0);
  });
  total = fold_sum(team, total, shared[1]);
  const T inverse = T(1) / total, log_total = log ? math::log(total) : T(0);
  x.each([&](int u, auto c) {
    pack<T> v = x.at(u, c);
#pragma unroll
    for (int j = 0; j < 4; j++) v.at[j] = softmax_value(v.at[j], largest, inverse, log_total, log);
    store(y, c, cols, wide, v);
  });
}

template <int PACKS, typename S>
WEFT_DEVICE void differentiate_rows(const weft_softmax_backward& a, thread_team team) {
  using T = compute<S>;
  __shared__ T shared[1][row_warps];
  const int64_t r = row_of(team);
  const bool log = a.log != 0;
  S* dx = static_cast<S*>(a.dx) + r * a.count;
  const int64_t entries = r < a.outer ? a.count : 0;
  const bool wide =
      a.count % 4 == 0 &&
      aligned(static_cast<const S*>(a.y), static_cast<const S*>(a.dy), static_cast<const S*>(a.dx));
  const held_row<PACKS, S> y(team, a.y, r, a.count, entries, wide);
  const held_row<PACKS, S> dy(team, a.dy, r, a.count, entries, wide);
  const auto cols = y.cols;
  T sum = T(0);
  y.each([&](int u, auto c) {
    pack<T> v = dy.at(u, c);
    const pack<T> by = y.at(u, c);
#pragma unroll
    for (int j = 0; j < 4; j++) v.at[j] *= log ? T(1) : by.at[j];
    sum += sum_of_pack(v);
  });
  sum = fold_sum(team, sum, shared[0]);
  y.each([&](int u, auto c) {
    pack<T> v = dy.at(u, c);
    const pack<T> of = y.at(u, c);
    const pack<T> old = a.accumulate ? load(dx, c, cols, wide) : pack<T>{};
#pragma unroll
    for (int j = 0; j < 4; j++) {
      v.at[j] = old.at[j] + softmax_derivative(of.at[j], v.at[j], sum, log);
    }
    store(dx, c, cols, wide, v);
  });
}

// ---- rows across memory ----

constexpr int softmax_group = 4;  // entries that a thread loads before it looks at one

// 32 neighbouring rows of a block, eight threads a row: the place of a row's entries 4 n up to
// 4 n + 3 in memory, for every eighth n.
struct softmax_column {
  const int lane = threadIdx.x % 32, turn = threadIdx.x / 32;
  int64_t first, inner, count;

  WEFT_DEVICE softmax_column(int64_t outer, int64_t entries, int64_t stride)
      : inner(stride), count(entries) {
    const int64_t row = (int64_t)blockIdx.x * 32 + lane;
    if (row >= outer * inner) count = 0;
    first = row / inner * entries * inner + row % inner;
  }

  // f(entry, place), entries beyond the last among them
  template <typename F>
  WEFT_DEVICE void each_group(F f) const {
#pragma unroll 1
    for (int64_t k = softmax_group * turn; k < count; k += softmax_group * row_warps) {
      f(k, first + k * inner);
    }
  }
};

template <typename S>
WEFT_DEVICE void softmax_columns(const weft_softmax_forward& a) {
  using T = compute<S>;
  __shared__ softmax_state<T> states[row_warps][32];
  const softmax_column rows(a.outer, a.count, a.inner);
  const S* x = static_cast<const S*>(a.x);
  S* y = static_cast<S*>(a.y);
  const bool log = a.log != 0;
  softmax_state<T> state = softmax_start<T>();
  rows.each_group([&](int64_t k, int64_t at) {
    T v[softmax_group];
#pragma unroll
    for (int u = 0; u < softmax_group; u++) {
      v[u] = k + u < rows.count ? T(x[at + u * rows.inner]) : T(-INFINITY);
    }
    softmax_add(state, v, 0);
  });
  states[rows.turn][rows.lane] = state;
  __syncthreads();
  state = states[0][rows.lane];
#pragma unroll 1
  for (int w = 1; w < row_warps; w++) state = softmax_merge(state, states[w][rows.lane]);
  const T inverse = T(1) / state.total, log_total = log ? math::log(state.total) : T(0);
  rows.each_group([&](int64_t k, int64_t at) {
#pragma unroll
    for (int u = 0; u < softmax_group; u++) {
      if (k + u >= rows.count) continue;
      const int64_t i = at + u * rows.inner;
      y[i] = S(softmax_value(T(x[i]), state.largest, inverse, log_total, log));
    }
  });
}

template <typename S>
WEFT_DEVICE void differentiate_columns(const weft_softmax_backward& a) {
  using T = compute<S>;
  __shared__ T sums[row_warps][32];
  const softmax_column rows(a.outer, a.count, a.inner);
  const S *y = static_cast<const S*>(a.y), *dy = static_cast<const S*>(a.dy);
  S* dx = static_cast<S*>(a.dx);
  const bool log = a.log != 0;
  T sum = T(0);
  rows.each_group([&](int64_t k, int64_t at) {
#pragma unroll
    for (int u = 0; u < softmax_group; u++) {
      if (k + u >= rows.count) continue;
      const int64_t i = at + u * rows.inner;
      sum += log ? T(dy[i]) : T(dy[i]) * T(y[i]);
    }
  });
  sums[rows.turn][rows.lane] = sum;
  __syncthreads();
  sum = sums[0][rows.lane];
#pragma unroll
  for (int w = 1; w < row_warps; w++) sum += sums[w][rows.lane];
  rows.each_group([&](int64_t k, int64_t at) {
#pragma unroll
    for (int u = 0; u < softmax_group; u++) {
      if (k + u >= rows.count) continue;
      const int64_t i = at + u * rows.inner;
      const T v = softmax_derivative(T(y[i]), T(dy[i]), sum, log);
      dx[i] = S(a.accumulate ? T(dx[i]) + v : v);
    }
  });
}

template <typename S>
WEFT_DEVICE void softmax_forward(const weft_softmax_forward& a) {
  if (a.inner > 1) {
    softmax_columns<S>(a);
  } else {
    choose_row_team(a.count,
                    [&](thread_team team, auto packs) { softmax_rows<packs, S>(a, team); });
  }
}

template <typename S>
WEFT_DEVICE void softmax_backward(const weft_softmax_backward& a) {
  if (a.inner > 1) {
    differentiate_columns<S>(a);
  } else {
    choose_row_team(a.count,
                    [&](thread_team team, auto packs) { differentiate_rows<packs, S>(a, team); });
  }
}

}  // namespace weft::cuda

// y is assigned. A team of threads holds a row in registers, up to 16 entries a thread; a block
// reads a row above 4096 entries three times, and rows across memory twice, 32 neighbours with eight
// threads each. 256 threads: 64 registers leave four blocks a multiprocessor, with four 16-byte
// loads each thread 64 KB in flight. 8 bytes and two exponentials an element of float.
WEFT_KERNEL_BLOCKS(softmax_forward, softmax_forward, float, f32, 3)
WEFT_KERNEL_BLOCKS(softmax_forward, softmax_forward, double, f64, 1)
WEFT_KERNEL_BLOCKS(softmax_forward, softmax_forward, weft::bf16, bf16, 3)

// dx = or +=. Rows as in softmax_forward, two of them in registers; a row above 4096 entries, and
// rows across memory, are read twice. 256 threads: 12 bytes an element of float, with eight 16-byte
// loads a thread 64 KB in flight from two blocks.
WEFT_KERNEL_BLOCKS(softmax_backward, softmax_backward, float, f32, 2)
WEFT_KERNEL_BLOCKS(softmax_backward, softmax_backward, double, f64, 1)
WEFT_KERNEL_BLOCKS(softmax_backward, softmax_backward, weft::bf16, bf16, 2)
