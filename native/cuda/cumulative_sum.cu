// SPDX-License-Identifier: Apache-2.0
//
// Sums up to each entry of an axis.
#include "device.cuh"

namespace weft::cuda {

constexpr int scan_threads = cumulative_sum_shape::threads;
constexpr int scan_warps = scan_threads / 32;
constexpr int scan_columns = 32;
static_assert(cumulative_sum_shape::items == 1, "a row or 32 columns a block");

template <typename S>
WEFT_DEVICE void put_sum(S& y, compute<S> sum, bool accumulate) {
  y = S(accumulate ? compute<S>(y) + sum : sum);
}

// inner 1: a block takes a row, 1024 entries a turn, a thread four neighbours of them.
template <typename S>
WEFT_DEVICE void sum_along_row(const weft_cumulative_sum& a, compute<S> (&sums)[2][scan_warps]) {
  using T = compute<S>;
  const S* x = static_cast<const S*>(a.x) + (int64_t)blockIdx.x * a.count;
  S* y = static_cast<S*>(a.y) + (int64_t)blockIdx.x * a.count;
  const int lane = threadIdx.x % 32, warp = threadIdx.x / 32;
  T before = T(0);
  int turn = 0;
  for (int64_t first = 0; first < a.count; first += 4 * scan_threads, turn ^= 1) {
    const int64_t own = first + 4 * (int)threadIdx.x;
    T v[4], sum = T(0);
#pragma unroll
    for (int j = 0; j < 4; j++) {
      const int64_t c = own + j;
      v[j] = c < a.count ? T(x[a.reverse ? a.count - 1 - c : c]) : T(0);
      sum += v[j];
    }
    T upto = sum;  // of this warp, this thread included
#pragma unroll
    for (int d = 1; d < 32; d *= 2) {
      const T other = __shfl_up_sync(all_lanes, upto, d);
      if (lane >= d) upto += other;
    }
    // one of two places in turn: who is ahead writes to the other one
    if (lane == 31) sums[turn][warp] = upto;
    __syncthreads();
    T s = before;
#pragma unroll
    for (int w = 0; w < scan_warps; w++) {
      const T of_warp = sums[turn][w];
      if (w < warp) s += of_warp;
      before += of_warp;
    }
    T ahead = __shfl_up_sync(all_lanes, upto, 1);
    if (lane > 0) s += ahead;
#pragma unroll
    for (int j = 0; j < 4; j++) {
      const int64_t c = own + j;
      s += v[j];
      if (c < a.count) put_sum(y[a.reverse ? a.count - 1 - c : c], s, a.accumulate != 0);
    }
  }
}

// inner > 1: a lane takes a column, and each of eight warps an eighth of the axis: once for what it
// adds up to, and again for the sums, which begin where the warps ahead end.
template <typename S>
WEFT_DEVICE void sum_along_columns(const weft_cumulative_sum& a,
                                   compute<S> (&sums)[scan_warps][scan_columns]) {
  using T = compute<S>;
  const int lane = threadIdx.x % 32, warp = threadIdx.x / 32;
  const int64_t column = (int64_t)blockIdx.x * scan_columns + lane;
  const bool there = column < a.outer * a.inner;
  const int64_t base = there ? column / a.inner * a.count * a.inner + column % a.inner : 0;
  const S* x = static_cast<const S*>(a.x) + base;
  S* y = static_cast<S*>(a.y) + base;
  const int64_t length = (a.count + scan_warps - 1) / scan_warps;
  const int64_t begin = min(a.count, warp * length);
  const int64_t end = there ? min(a.count, begin + length) : begin;
  auto at = [&](int64_t k) { return (a.reverse ? a.count - 1 - k : k) * a.inner; };
  T sum = T(0);
  for (int64_t k = begin; k < end; k++) sum += T(x[at(k)]);
  sums[warp][lane] = sum;
  __syncthreads();
  T s = T(0);
#pragma unroll
  for (int w = 0; w < scan_warps; w++) {
    if (w < warp) s += sums[w][lane];
  }
  for (int64_t k = begin; k < end; k++) {
    s += T(x[at(k)]);
    put_sum(y[at(k)], s, a.accumulate != 0);
  }
}

template <typename S>
WEFT_DEVICE void cumulative_sum(const weft_cumulative_sum& a) {
  __shared__ compute<S> of_warps[2][scan_warps];
  __shared__ compute<S> of_columns[scan_warps][scan_columns];
  if (a.inner == 1) {
    sum_along_row<S>(a, of_warps);
  } else {
    sum_along_columns<S>(a, of_columns);
  }
}

}  // namespace weft::cuda

// y = or y +=. Rows (inner 1): a block a row, 1024 entries a turn. Columns: a warp 32 neighbours,
// whole lines of 128 bytes, eight warps share the axis. 256 threads: so many warps keep enough rows
// in flight, and a row of 1000 is one turn.
WEFT_KERNEL(cumulative_sum, cumulative_sum)
