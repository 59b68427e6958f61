// SPDX-License-Identifier: Apache-2.0
//
// Where the largest entries stand, and the gradient of the maximum over one axis.
#include "device.cuh"

namespace weft::cuda {

template <typename T>
struct candidate {
  T value;
  int32_t place;  // negative: none yet
};

// The larger of the two, the first of equals; NaN is larger than any number.
template <typename T>
WEFT_DEVICE candidate<T> larger(const candidate<T>& p, const candidate<T>& q) {
  if (q.place < 0) return p;
  if (p.place < 0) return q;
  const bool p_nan = p.value != p.value, q_nan = q.value != q.value;
  if (p_nan != q_nan) return q_nan ? q : p;
  const bool equal = p_nan || p.value == q.value;
  return (equal ? q.place < p.place : q.value > p.value) ? q : p;
}

// A row for every TEAM lanes.
template <int TEAM, typename S>
WEFT_DEVICE void argmax_rows(const weft_argmax& a) {
  using T = compute<S>;
  constexpr int together = argmax_shape::threads / TEAM, turn = 4 * TEAM;
  const int lane = threadIdx.x % TEAM;
  const int64_t row = (int64_t)blockIdx.x * together + threadIdx.x / TEAM;
  if ((int64_t)blockIdx.x * together >= a.rows) return;
  const int64_t r = min(row, a.rows - 1);  // a surplus team stores nothing
  const S* x = static_cast<const S*>(a.x) + r * a.cols;
  candidate<T> best = {T(-INFINITY), -1};
  // a lane's entries come in order, so that of equals the first stays; NaN stays, too, and is never
  // less than what there is
  auto look = [&](T value, int64_t c) {
    if (!(value <= best.value) && best.value == best.value) best = {value, (int32_t)c};
  };
  const int64_t head = entries_ahead(x, a.cols);
  if (lane < head) look(T(x[lane]), lane);
  int64_t c = head + 4 * lane;
#pragma unroll 1
  for (; c + 3 * turn + 4 <= a.cols; c += 4 * turn) {  // four loads in flight
    pack<T> v[4];
#pragma unroll
    for (int u = 0; u < 4; u++) v[u] = load_whole(x + c + u * turn);
#pragma unroll
    for (int u = 0; u < 4; u++) {
#pragma unroll
      for (int j = 0; j < 4; j++) look(v[u].at[j], c + u * turn + j);
    }
  }
#pragma unroll 1
  for (; c < a.cols; c += turn) {
    const pack<T> v = load(x, c, a.cols, true, T(-INFINITY));
#pragma unroll
    for (int j = 0; j < 4; j++) look(v.at[j], c + j);
  }
#pragma unroll
  for (int mask = TEAM / 2; mask > 0; mask >>= 1) {
    candidate<T> other = {__shfl_xor_sync(all_lanes, best.value, mask),
                          __shfl_xor_sync(all_lanes, best.place, mask)};
    best = larger(best, other);
  }
  // nothing but -infinity: the first
  if (lane == 0 && row < a.rows) static_cast<int32_t*>(a.y)[r] = max(best.place, 0);
}

template <typename S>
WEFT_DEVICE void argmax(const weft_argmax& a) {
  if (a.cols <= 32) return argmax_rows<8, S>(a);
  argmax_rows<32, S>(a);
}

constexpr int top_threads = top_k_shape::threads;
static_assert(top_k_shape::items == 1, "a block a row");

// k rounds, each for the first entry behind the last one found, of the order that `larger` says.
template <typename S>
WEFT_DEVICE void top_k(const weft_top_k& a) {
  using T = compute<S>;
  __shared__ candidate<T> of_warps[2][top_threads / 32];
  const S* x = static_cast<const S*>(a.x) + (int64_t)blockIdx.x * a.cols;
  int32_t* y = static_cast<int32_t*>(a.y) + (int64_t)blockIdx.x * a.k;
  candidate<T> last = {T(0), -1};
  for (int64_t round = 0; round < a.k; round++) {
    candidate<T> best = {T(0), -1};
#pragma unroll 4
    for (int64_t c = threadIdx.x; c < a.cols; c += top_threads) {
      const candidate<T> one = {T(x[c]), (int32_t)c};
      const bool behind = last.place < 0 || (c != last.place && larger(last, one).place != c);
      if (behind) best = larger(best, one);
    }
#pragma unroll
    for (int mask = 16; mask > 0; mask >>= 1) {
      candidate<T> other = {__shfl_xor_sync(all_lanes, best.value, mask),
                            __shfl_xor_sync(all_lanes, best.place, mask)};
      best = larger(best, other);
    }
    // one of two places in turn: who is ahead writes to the other one
    if (threadIdx.x % 32 == 0) of_warps[round % 2][threadIdx.x / 32] = best;
    __syncthreads();
    last = of_warps[round % 2][0];
#pragma unroll
    for (int w = 1; w < top_threads / 32; w++) last = larger(last, of_warps[round % 2][w]);
    if (threadIdx.x == 0) y[round] = last.place;
  }
}

constexpr int max_backward_threads = max_backward_shape::threads;
constexpr int max_backward_items = 32;  // columns of a block, a lane each

// dx (+)= share where x is the maximum y, for the entries that lie in a pack and in the array.
template <typename S, typename T>
WEFT_DEVICE void spread(const pack<T>& x, const pack<T>& y, const pack<T>& share, S* dx, int64_t i,
                        int64_t n, bool wide, bool accumulate) {
  pack<T> v = {};
  if (accumulate) v = load(dx, i, n, wide);
#pragma unroll
  for (int j = 0; j < 4; j++) {
    const T value = x.at[j] == y.at[j] ? share.at[j] : T(0);
    v.at[j] = accumulate ? v.at[j] + value : value;
  }
  store(dx, i, n, wide, v);
}

template <typename T>
WEFT_DEVICE pack<T> four(T value) {
  return {{value, value, value, value}};
}

// inner 1: a warp takes the row of an output.
template <typename S>
WEFT_DEVICE void max_row_backward(const weft_max_backward& a, int64_t o, int lane) {
  using T = compute<S>;
  const int64_t n = a.count;
  const S* x = static_cast<const S*>(a.x) + o * n;
  S* dx = static_cast<S*>(a.dx) + o * n;
  const T y = static_cast<const T*>(a.y)[o];
  const int64_t head = entries_ahead(x, n);
  int ties = lane < head && T(x[lane]) == y;
#pragma unroll 4
  for (int64_t c = head + 4 * lane; c < n; c += 128) {
    const pack<T> v = load(x, c, n, true);
#pragma unroll
    for (int j = 0; j < 4; j++) ties += c + j < n && v.at[j] == y;
  }
  ties = fold_warp(ties, [](int p, int q) { return p + q; });
  const T share = static_cast<const T*>(a.dy)[o] / T(ties);  // used where ties is at least 1
  const bool accumulate = a.accumulate != 0;
  const bool wide = entries_ahead<S>(dx, n) == head;
  if (lane < head) {
    const T value = T(x[lane]) == y ? share : T(0);
    dx[lane] = S(accumulate ? T(dx[lane]) + value : value);
  }
#pragma unroll 2
  for (int64_t c = head + 4 * lane; c < n; c += 128) {
    spread(load(x, c, n, true), four(y), four(share), dx, c, n, wide, accumulate);
  }
}

// inner > 1: outputs lie side by side. Thread (lane, group) owns LANE of them and every GROUPS-th
// entry of the axis; LANE is 4 where rows allow packs, else 1.
template <int LANE, typename S>
WEFT_DEVICE void max_columns_backward(const weft_max_backward& a, int (&ties)[32][32]) {
  using T = compute<S>;
  constexpr int lanes = max_backward_items / LANE, groups = max_backward_threads / lanes;
  const int lane = threadIdx.x % lanes, group = threadIdx.x / lanes;
  const int64_t o = (int64_t)blockIdx.x * max_backward_items + LANE * lane;
  const int64_t outputs = a.outer * a.inner;
  const bool own = o < outputs;
  const int64_t base = own ? o / a.inner * a.count * a.inner + o % a.inner : 0;
  const S* x = static_cast<const S*>(a.x) + base;
  S* dx = static_cast<S*>(a.dx) + base;
  const pack<T> y = load(static_cast<const T*>(a.y), o, min(o + LANE, outputs), aligned(a.y));
  int equal[4] = {0, 0, 0, 0};
  for (int64_t c = group; own && c < a.count; c += groups) {
    const pack<T> v = load(x + c * a.inner, 0, LANE, LANE == 4);
#pragma unroll
    for (int j = 0; j < LANE; j++) equal[j] += v.at[j] == y.at[j];
  }
#pragma unroll
  for (int j = 0; j < LANE; j++) ties[group][LANE * lane + j] = equal[j];
  __syncthreads();
  if (!own) return;
  pack<T> share = load(static_cast<const T*>(a.dy), o, min(o + LANE, outputs), aligned(a.dy));
#pragma unroll
  for (int j = 0; j < LANE; j++) {
    int sum = 0;
    for (int g = 0; g < groups; g++) sum += ties[g][LANE * lane + j];
    share.at[j] /= T(sum);  // used where sum is at least 1
  }
  for (int64_t c = group; c < a.count; c += groups) {
    const pack<T> v = load(x + c * a.inner, 0, LANE, LANE == 4);
    spread(v, y, share, dx + c * a.inner, 0, LANE, LANE == 4, a.accumulate != 0);
  }
}

template <typename S>
WEFT_DEVICE void max_backward(const weft_max_backward& a) {
  __shared__ int ties[32][32];
  if (a.inner == 1) {
    const int64_t o = (int64_t)blockIdx.x * (max_backward_threads / 32) + threadIdx.x / 32;
    if (o < a.outer) max_row_backward<S>(a, o, threadIdx.x % 32);
  } else if (a.inner % 4 == 0 && aligned(a.x, a.dx)) {
    max_columns_backward<4, S>(a, ties);
  } else {
    max_columns_backward<1, S>(a, ties);
  }
}

}  // namespace weft::cuda

// y (=) the first place of the largest entry of a row. A warp takes a row, eight lanes one of up to
// 32 columns; a lane every 32nd or 8th pack of four, lane 0 to 2 what lies ahead of the first; 128
// threads, so that 512 rows already reach 128 multiprocessors.
WEFT_KERNEL(argmax, argmax)

// y (=) the places of the k largest entries of a row, falling. A block takes a row and reads it k
// times, from the second time on from a cache: made for a k of some dozens. 128 threads, as argmax.
WEFT_KERNEL(top_k, top_k)

// dx = or dx +=. Rows (inner 1): a warp takes an output, in packs. Columns: eight lanes of four
// outputs (32 of one, where rows allow no packs), and the groups of lanes divide the axis. 256
// threads, so that 32 entries of the axis are in flight. x is read twice, the second time from the
// cache while the outputs of the resident blocks fit there.
WEFT_KERNEL(max_backward, max_backward)
