// SPDX-License-Identifier: Apache-2.0
//
// Fill, copy of rows with strides, transpose.
#include "device.cuh"

namespace weft::cuda {

static_assert(fill_shape::threads == elementwise_threads &&
                  fill_shape::items == elementwise_items &&
                  copy_rows_shape::threads == elementwise_threads &&
                  copy_rows_shape::items == elementwise_items,
              "shape of elementwise kernels");

template <typename S>
WEFT_DEVICE void fill(const weft_fill& a) {
  S* y = static_cast<S*>(a.y);
  const auto value = compute<S>(a.value);
  const bool wide = aligned(y);
  elementwise<S>(a.n, [&](int64_t first) {
    batch<S> v;
    each<S>(first, [&](int k, int j, int64_t) { v.part[k].at[j] = value; });
    store_batch(y, first, a.n, wide, v);
  });
}

template <typename S>
WEFT_DEVICE void copy_rows(const weft_copy_rows& a) {
  using T = compute<S>;
  const S* x = static_cast<const S*>(a.x);
  S* y = static_cast<S*>(a.y);
  const int64_t n = a.rows * a.cols;
  const T scale = T(a.scale);
  if (a.x_stride == a.cols && a.y_stride == a.cols) {  // one row, whatever its length
    const bool wide = aligned(x, y);
    elementwise<S>(n, [&](int64_t first) {
      raw_batch<S> raw[2];
      load_batches(raw, {x, a.accumulate ? y : nullptr}, first, n, wide);
      batch<S> v = opened(raw[0]);
      const batch<S> old = opened(raw[1]);
      each<S>(first, [&](int k, int j, int64_t) {
        const T onto = a.accumulate ? old.part[k].at[j] : T(-0.0);  // leaves any zero as it is
        v.part[k].at[j] = onto + scale * v.part[k].at[j];
      });
      store_batch(y, first, n, wide, v);
    });
    return;
  }
  const bool whole = (a.cols | a.x_stride | a.y_stride) % 4 == 0 && aligned(x, y);
  if (!whole) {  // neighbouring threads take neighbouring elements
    const int64_t begin = (int64_t)blockIdx.x * elementwise_items + threadIdx.x;
    const int64_t end = min(n, ((int64_t)blockIdx.x + 1) * elementwise_items);
#pragma unroll 4
    for (int64_t i = begin; i < end; i += elementwise_threads) {
      const int64_t r = i / a.cols, c = i - r * a.cols;
      S* to = y + r * a.y_stride + c;
      const T value = scale * T(x[r * a.x_stride + c]);
      *to = S(a.accumulate ? T(*to) + value : value);
    }
    return;
  }
  constexpr int packs = batch<S>::packs;
  elementwise<S>(n, [&](int64_t first) {
    // a pack lies in one row; one past the end is moved onto the last and not stored
    pack<T> v[packs];
    S* to[packs];
#pragma unroll
    for (int k = 0; k < packs; k++) {
      int64_t i = min(first + k * batch<S>::stride, n - 4), r = i / a.cols, c = i - r * a.cols;
      v[k] = load_whole(x + r * a.x_stride + c);
      to[k] = y + r * a.y_stride + c;
    }
#pragma unroll
    for (int k = 0; k < packs; k++) {
      if (first + k * batch<S>::stride >= n) break;
      pack<T> old = {};
      if (a.accumulate) old = load_whole(to[k]);
#pragma unroll
      for (int j = 0; j < 4; j++) v[k].at[j] = old.at[j] + scale * v[k].at[j];
      put(to[k], v[k]);
    }
  });
}

constexpr int tile_side = 32;
constexpr int tile_rows = transpose_shape::threads / tile_side;
constexpr int tile_packs = tile_side / 4;
static_assert(transpose_shape::items == 1, "a tile a block");
static_assert(tile_packs * tile_side == transpose_shape::threads, "a pack a thread");

// Each side of the tile moves in packs where its rows allow it, else 32 neighbours at a time.
template <typename S>
WEFT_DEVICE void transpose(const weft_transpose& a) {
  using T = compute<S>;
  // one column more: a column meets 32 banks, and so do the packs of four rows
  __shared__ T tile[tile_side][tile_side + 1];
  const S* x = static_cast<const S*>(a.x);
  S* y = static_cast<S*>(a.y);
  const int64_t across = (a.cols + tile_side - 1) / tile_side;
  const int64_t top = blockIdx.x / across * tile_side, left = blockIdx.x % across * tile_side;
  const int lane = threadIdx.x % tile_side, group = threadIdx.x / tile_side;
  const int first = 4 * (threadIdx.x % tile_packs), line = threadIdx.x / tile_packs;
  if (a.cols % 4 == 0 && aligned(x)) {
    if (top + line < a.rows && left + first < a.cols) {
      pack<T> v = load_whole(x + (top + line) * a.cols + left + first);
#pragma unroll
      for (int j = 0; j < 4; j++) tile[line][first + j] = v.at[j];
    }
  } else {
#pragma unroll
    for (int k = group; k < tile_side; k += tile_rows) {
      if (top + k < a.rows && left + lane < a.cols) {
        tile[k][lane] = T(x[(top + k) * a.cols + left + lane]);
      }
    }
  }
  __syncthreads();
  if (a.rows % 4 == 0 && aligned(y)) {
    if (left + line < a.cols && top + first < a.rows) {
      S* to = y + (left + line) * a.rows + top + first;
      pack<T> v;
#pragma unroll
      for (int j = 0; j < 4; j++) v.at[j] = tile[first + j][line];
      if (a.accumulate) {
        const pack<T> old = load_whole(to);
#pragma unroll
        for (int j = 0; j < 4; j++) v.at[j] = old.at[j] + v.at[j];
      }
      put(to, v);
    }
  } else {
#pragma unroll
    for (int k = group; k < tile_side; k += tile_rows) {
      if (left + k < a.cols && top + lane < a.rows) {
        S* to = y + (left + k) * a.rows + top + lane;
        *to = S(a.accumulate ? T(*to) + tile[lane][k] : tile[lane][k]);
      }
    }
  }
}

}  // namespace weft::cuda

// y (=). A thread owns two packs of four (double: two turns of one pack). Block size: see
// elementwise_threads.
WEFT_KERNEL(fill, fill)

// y = or y +=. Same mapping.
WEFT_KERNEL(copy_rows, copy_rows)

// y = or y +=. A block moves a tile of 32 x 32 through shared memory, a thread one pack of four on
// either side, so that reads and writes are both whole lines of 128 bytes. 256 threads: eight
// blocks a multiprocessor with a 16-byte load a thread keep 32 KB in flight.
WEFT_KERNEL(transpose, transpose)
