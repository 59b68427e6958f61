// SPDX-License-Identifier: Apache-2.0
//
// Sum, mean, sum of squares and maximum over one axis, in an order that the sizes alone decide, and
// the gradient of the first three.
#include <type_traits>

#include "../math/elementwise.h"
#include "device.cuh"

namespace weft::cuda {

constexpr int reduce_threads = reduce_shape::threads;
constexpr int reduce_items = 32;  // columns of a block
constexpr int reduce_warps = reduce_threads / 32;
constexpr int64_t reduce_warp_length = 2048;  // up to here a warp takes a row's part, above a block
constexpr int column_lanes = reduce_items / 4;
constexpr int column_groups = reduce_threads / column_lanes;

// Where the parts of the axis begin and end.
struct reduce_range {
  int64_t begin, end;
};
WEFT_DEVICE reduce_range range_of(const weft_reduce& a, int64_t part) {
  int64_t length = (a.count + a.parts - 1) / a.parts;
  int64_t begin = min(part * length, a.count);
  return {begin, min(begin + length, a.count)};
}

// F is WEFT_SUM, WEFT_MAX or WEFT_SUM_OF_SQUARES; WEFT_MEAN is a sum until the end.
template <int F, typename T>
WEFT_DEVICE T neutral() {
  return F == WEFT_MAX ? T(-INFINITY) : T(0);
}
template <int F, typename T>
WEFT_DEVICE T combine(T a, T b) {
  if constexpr (F == WEFT_MAX) return binary<WEFT_MAXIMUM>(a, b);
  else if constexpr (F == WEFT_SUM || F == WEFT_SUM_OF_SQUARES) return a + b;
  else WEFT_NO_FORMULA(F, "native/cuda/reduce.cu: combine", WEFT_REDUCTION_FUNCTION);
}
template <int F, typename T>
WEFT_DEVICE T include(T total, T x) {
  return combine<F>(total, F == WEFT_SUM_OF_SQUARES ? x * x : x);
}

template <int F, typename T>
WEFT_DEVICE void finish(const weft_reduce& a, int64_t output, T total) {
  T* y = static_cast<T*>(a.y) + output;
  if (F == WEFT_MAX) {
    *y = total;
    return;
  }
  if (a.operation == WEFT_MEAN) total /= T(a.count);
  total *= T(a.scale);
  *y = a.accumulate ? *y + total : total;
}

// One lane's share of n values: packs lane, lane + team, ...
template <int F, typename S>
WEFT_DEVICE compute<S> fold_share(const S* x, int64_t n, int lane, int team) {
  using T = compute<S>;
  const bool wide = aligned(x);
  pack<T> total;
#pragma unroll
  for (int j = 0; j < 4; j++) total.at[j] = neutral<F, T>();
  auto add = [&](const pack<T>& v) {
#pragma unroll
    for (int j = 0; j < 4; j++) total.at[j] = include<F>(total.at[j], v.at[j]);
  };
  int64_t i = 4 * lane;
  for (; wide && i + 12 * team + 4 <= n; i += 16 * team) {  // four loads in flight
    pack<T> v[4];
#pragma unroll
    for (int u = 0; u < 4; u++) v[u] = load_whole(x + i + u * 4 * team);
#pragma unroll
    for (int u = 0; u < 4; u++) add(v[u]);
  }
  for (; i < n; i += 4 * team) add(load(x, i, n, wide, neutral<F, T>()));
  return combine<F>(combine<F>(total.at[0], total.at[1]), combine<F>(total.at[2], total.at[3]));
}

// inner == 1: the values of an output lie side by side. A warp takes an output where they are few,
// else a block does.
template <int F, typename S, typename T>
WEFT_DEVICE void reduce_rows(const weft_reduce& a, T* shared) {
  const S* x = static_cast<const S*>(a.x);
  const int warp = threadIdx.x / 32, lane = threadIdx.x % 32;
  const bool by_warp = (a.count + a.parts - 1) / a.parts <= reduce_warp_length;
  const int64_t o = by_warp ? (int64_t)blockIdx.x * reduce_warps + warp : blockIdx.x;
  if (o >= a.parts * a.outer) return;  // the whole warp, or block
  const int64_t part = o / a.outer;
  const reduce_range range = range_of(a, part);
  const S* row = x + (o - part * a.outer) * a.count + range.begin;
  T total = fold_share<F>(row, range.end - range.begin, by_warp ? lane : (int)threadIdx.x,
                          by_warp ? 32 : reduce_threads);
  total = fold_warp(total, [](T p, T q) { return combine<F>(p, q); });
  if (!by_warp) {
    if (lane == 0) shared[warp] = total;
    __syncthreads();
    total = shared[0];
    for (int w = 1; w < reduce_warps; w++) total = combine<F>(total, shared[w]);
  }
  if (by_warp ? lane == 0 : threadIdx.x == 0) finish<F>(a, o, total);
}

// inner > 1: outputs lie side by side. Thread (lane, group) owns four outputs and every
// column_groups-th entry of the axis, so that a warp reads four rows of 32 values.
template <int F, typename S, typename T>
WEFT_DEVICE void reduce_columns(const weft_reduce& a, T* shared) {
  const int lane = threadIdx.x % column_lanes, group = threadIdx.x / column_lanes;
  const int64_t outputs = a.parts * a.outer * a.inner;
  const int64_t first = (int64_t)blockIdx.x * reduce_items;
  const int64_t own = first + 4 * lane;
  const bool wide = a.inner % 4 == 0 && aligned(a.x);

  // where the four outputs' entries begin, and how many they have
  const S* column[4];
  int64_t entries[4];
  int64_t row = own / a.inner, in = own - row * a.inner;
  int64_t part = row / a.outer, out = row - part * a.outer;
#pragma unroll
  for (int j = 0; j < 4; j++) {
    const reduce_range range = range_of(a, part);
    column[j] = static_cast<const S*>(a.x) + (out * a.count + range.begin) * a.inner + in;
    entries[j] = own + j < outputs ? range.end - range.begin : 0;
    if (++in == a.inner) {
      in = 0;
      if (++out == a.outer) {
        out = 0;
        part++;
      }
    }
  }

  pack<T> total;
#pragma unroll
  for (int j = 0; j < 4; j++) total.at[j] = neutral<F, T>();
  if (wide) {  // the four lie in one row
#pragma unroll 4
    for (int64_t c = group; c < entries[0]; c += column_groups) {
      pack<T> v = load_whole(column[0] + c * a.inner);
#pragma unroll
      for (int j = 0; j < 4; j++) total.at[j] = include<F>(total.at[j], v.at[j]);
    }
  } else {
    const int64_t most = max(max(entries[0], entries[1]), max(entries[2], entries[3]));
    for (int64_t c = group; c < most; c += column_groups) {
#pragma unroll
      for (int j = 0; j < 4; j++) {
        T v = c < entries[j] ? T(column[j][c * a.inner]) : neutral<F, T>();
        total.at[j] = include<F>(total.at[j], v);
      }
    }
  }

#pragma unroll
  for (int j = 0; j < 4; j++) shared[group * (reduce_items + 1) + 4 * lane + j] = total.at[j];
  __syncthreads();
  if (threadIdx.x < reduce_items && first + threadIdx.x < outputs) {
    T sum = shared[threadIdx.x];
#pragma unroll 4
    for (int g = 1; g < column_groups; g++) {
      sum = combine<F>(sum, shared[g * (reduce_items + 1) + threadIdx.x]);
    }
    finish<F>(a, first + threadIdx.x, sum);
  }
}

template <typename S>
WEFT_DEVICE void reduce(const weft_reduce& a) {
  __shared__ compute<S> shared[column_groups * (reduce_items + 1)];
  auto run = [&](auto operation) {
    constexpr int F = decltype(operation)::value;
    if (a.inner == 1) return reduce_rows<F, S>(a, shared);
    return reduce_columns<F, S>(a, shared);
  };
  // not a loop over the list, which would hold the sum's code twice
  static_assert(
      WEFT_REDUCTION_FUNCTIONS == 4,
      "native/cuda/reduce.cu: reduce has no case for an entry of WEFT_REDUCTION_FUNCTION");
  switch (a.operation) {
    case WEFT_SUM:
    case WEFT_MEAN: return run(std::integral_constant<int, WEFT_SUM>());
    case WEFT_MAX: return run(std::integral_constant<int, WEFT_MAX>());
    case WEFT_SUM_OF_SQUARES: return run(std::integral_constant<int, WEFT_SUM_OF_SQUARES>());
  }
}

static_assert(reduce_backward_shape::threads == elementwise_threads &&
                  reduce_backward_shape::items == elementwise_items,
              "shape of elementwise kernels");

template <typename S>
WEFT_DEVICE void reduce_backward(const weft_reduce_backward& a) {
  using T = compute<S>;
  const bool squares = a.operation == WEFT_SUM_OF_SQUARES;
  const S* x = static_cast<const S*>(a.x);
  const T* dy = static_cast<const T*>(a.dy);
  S* dx = static_cast<S*>(a.dx);
  const int64_t n = a.outer * a.count * a.inner;
  const T factor = T(a.operation == WEFT_MEAN ? a.scale / (double)a.count
                     : squares                ? 2.0 * a.scale
                                              : a.scale);
  const bool wide = aligned(squares ? x : nullptr, dx);
  const bool whole = a.inner == 1 && a.count % 4 == 0;  // a pack lies in one row
  elementwise<S>(n, [&](int64_t first) {
    batch<S> v;
#pragma unroll
    for (int k = 0; k < batch<S>::packs; k++) {
      int64_t i = first + k * batch<S>::stride;
      if (whole) {
        const T same = i < n ? factor * dy[i / a.count] : T(0);
        v.part[k] = {{same, same, same, same}};
        continue;
      }
      int64_t row = i / a.inner, in = i - row * a.inner;
      int64_t out = row / a.count, c = row - out * a.count;
#pragma unroll
      for (int j = 0; j < 4; j++) {
        v.part[k].at[j] = i + j < n ? factor * dy[out * a.inner + in] : T(0);
        if (++in == a.inner) {
          in = 0;
          if (++c == a.count) {
            c = 0;
            out++;
          }
        }
      }
    }
    if (squares) {
      batch<S> s = load_batch(x, first, n, wide);
      each<S>(0, [&](int k, int j, int64_t) { v.part[k].at[j] *= s.part[k].at[j]; });
    }
    put_batch(dx, first, n, wide, a.accumulate != 0, v);
  });
}

}  // namespace weft::cuda

// y = or y += (the maximum: =). Rows (inner 1): a warp folds a part of up to 2048 values, a block a
// longer one. Columns: a block owns 32 outputs, eight lanes of four, 32 groups along the axis, then
// one thread an output adds the groups. 256 threads: with 32 outputs the column form has 32 entries
// of the axis in flight at once, and 768 resident threads (80 registers) with four 16-byte loads
// each keep 48 KB in flight a multiprocessor. To fill an H200 columns should be 12,672 (132 x 3 x
// 32) and rows 3,168, or many more: choose parts for it.
WEFT_KERNEL_BLOCKS(reduce, reduce, float, f32, 1)  // 80 registers; held to that, sm_100 spills
WEFT_KERNEL_BLOCKS(reduce, reduce, double, f64, 1)
WEFT_KERNEL_BLOCKS(reduce, reduce, weft::bf16, bf16, 3)

// dx = or dx +=. Elementwise mapping; dy comes from the cache.
WEFT_KERNEL(reduce_backward, reduce_backward)
