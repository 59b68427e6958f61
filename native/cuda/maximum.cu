// SPDX-License-Identifier: Apache-2.0
//
// Where the largest entry stands, and the gradient of the maximum over one axis.
#include "device.cuh"

namespace weft::cuda {

constexpr int argmax_warps = argmax_shape::threads / 32;
static_assert(argmax_warps == argmax_shape::items, "a warp takes a row");

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

template <typename T>
WEFT_DEVICE void argmax(const weft_argmax& a) {
  const int lane = threadIdx.x % 32;
  const int64_t r = (int64_t)blockIdx.x * argmax_warps + threadIdx.x / 32;
  if (r >= a.rows) return;  // the whole warp
  const T* x = static_cast<const T*>(a.x) + r * a.cols;
  candidate<T> best = {T(0), -1};
#pragma unroll 4
  for (int64_t c = lane; c < a.cols; c += 32) best = larger(best, {x[c], (int32_t)c});
#pragma unroll
  for (int mask = 16; mask > 0; mask >>= 1) {
    candidate<T> other = {__shfl_xor_sync(all_lanes, best.value, mask),
                          __shfl_xor_sync(all_lanes, best.place, mask)};
    best = larger(best, other);
  }
  if (lane == 0) static_cast<int32_t*>(a.y)[r] = best.place;
}

constexpr int max_backward_threads = max_backward_shape::threads;
constexpr int max_backward_items = max_backward_shape::items;
constexpr int max_backward_groups = max_backward_threads / 32;
static_assert(max_backward_items == 32, "a lane an output");

// The entries begin, begin + step, ... of one output's axis, of which ties equal its maximum.
template <typename T>
WEFT_DEVICE void spread(const weft_max_backward& a, int64_t o, int64_t begin, int64_t step,
                        int ties) {
  const int64_t base = o / a.inner * a.count * a.inner + o % a.inner;
  const T* x = static_cast<const T*>(a.x) + base;
  T* dx = static_cast<T*>(a.dx) + base;
  const T y = static_cast<const T*>(a.y)[o];
  const T share = static_cast<const T*>(a.dy)[o] / T(ties);  // used where ties is at least 1
  for (int64_t c = begin; c < a.count; c += step) {
    const T value = x[c * a.inner] == y ? share : T(0);
    T* target = dx + c * a.inner;
    *target = a.accumulate ? *target + value : value;
  }
}

template <typename T>
WEFT_DEVICE int count_ties(const weft_max_backward& a, int64_t o, int64_t begin, int64_t step) {
  const T* x = static_cast<const T*>(a.x) + o / a.inner * a.count * a.inner + o % a.inner;
  const T y = static_cast<const T*>(a.y)[o];
  int ties = 0;
#pragma unroll 4
  for (int64_t c = begin; c < a.count; c += step) ties += x[c * a.inner] == y;
  return ties;
}

template <typename T>
WEFT_DEVICE void max_backward(const weft_max_backward& a) {
  __shared__ int ties[max_backward_groups][32];
  const int lane = threadIdx.x % 32, group = threadIdx.x / 32;
  const int64_t first = (int64_t)blockIdx.x * max_backward_items;
  const int64_t outputs = a.outer * a.inner;
  if (a.inner == 1) {
    const int64_t last = min(first + max_backward_items, outputs);
    for (int64_t o = first + group; o < last; o += max_backward_groups) {
      int equal = count_ties<T>(a, o, lane, 32);
      equal = fold_warp(equal, [](int p, int q) { return p + q; });
      spread<T>(a, o, lane, 32, equal);
    }
    return;
  }
  const int64_t o = first + lane;
  ties[group][lane] = o < outputs ? count_ties<T>(a, o, group, max_backward_groups) : 0;
  __syncthreads();
  int equal = 0;
  for (int g = 0; g < max_backward_groups; g++) equal += ties[g][lane];
  if (o < outputs) spread<T>(a, o, group, max_backward_groups, equal);
}

}  // namespace weft::cuda

// y (=) the first place of the largest entry of a row. A warp takes a row, lane l every 32nd entry
// from l on; 128 threads, four rows a block, so that 512 rows already reach 128 multiprocessors.
// 4 bytes an entry of float: expected 62 us for 256 MB at 4.3 TB/s.
WEFT_KERNEL(argmax, argmax)

// dx = or dx +=. Rows (inner 1): a warp takes an output at a time, four in all. Columns: a lane
// takes an output, the eight warps divide the axis, and read 32 neighbours at once. 256 threads, so
// that the axis is divided by eight. x is read twice, the second time from the cache while the
// outputs of the resident blocks fit there: 8 bytes an entry of float (+= 12), expected 125 us for
// x and dx of 256 MB.
WEFT_KERNEL(max_backward, max_backward)
