// SPDX-License-Identifier: Apache-2.0
//
// Fill, copies with strides, transpose.
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

// Where a tile of a matrix (rows, cols) stands, whose transpose is made.
struct tile_place {
  int64_t rows, cols, top, left;
};

// y[c, r] (+)= x[r, c] in a tile; rows of x and y are so far apart. Each side of the tile moves in
// packs where its rows allow it, else 32 neighbours at a time.
template <typename S>
WEFT_DEVICE void turn(const S* x, int64_t x_stride, S* y, int64_t y_stride, const tile_place& p,
                      bool accumulate) {
  using T = compute<S>;
  // one column more: a column meets 32 banks, and so do the packs of four rows
  __shared__ T tile[tile_side][tile_side + 1];
  const int lane = threadIdx.x % tile_side, group = threadIdx.x / tile_side;
  const int first = 4 * (threadIdx.x % tile_packs), line = threadIdx.x / tile_packs;
  if ((p.cols | x_stride) % 4 == 0 && aligned(x)) {
    if (p.top + line < p.rows && p.left + first < p.cols) {
      pack<T> v = load_whole(x + (p.top + line) * x_stride + p.left + first);
#pragma unroll
      for (int j = 0; j < 4; j++) tile[line][first + j] = v.at[j];
    }
  } else {
#pragma unroll
    for (int k = group; k < tile_side; k += tile_rows) {
      if (p.top + k < p.rows && p.left + lane < p.cols) {
        tile[k][lane] = T(x[(p.top + k) * x_stride + p.left + lane]);
      }
    }
  }
  __syncthreads();
  if ((p.rows | y_stride) % 4 == 0 && aligned(y)) {
    if (p.left + line < p.cols && p.top + first < p.rows) {
      S* to = y + (p.left + line) * y_stride + p.top + first;
      pack<T> v;
#pragma unroll
      for (int j = 0; j < 4; j++) v.at[j] = tile[first + j][line];
      if (accumulate) {
        const pack<T> old = load_whole(to);
#pragma unroll
        for (int j = 0; j < 4; j++) v.at[j] = old.at[j] + v.at[j];
      }
      put(to, v);
    }
  } else {
#pragma unroll
    for (int k = group; k < tile_side; k += tile_rows) {
      if (p.left + k < p.cols && p.top + lane < p.rows) {
        S* to = y + (p.left + k) * y_stride + p.top + lane;
        *to = S(accumulate ? T(*to) + tile[lane][k] : tile[lane][k]);
      }
    }
  }
}

template <typename S>
WEFT_DEVICE void transpose(const weft_transpose& a) {
  const int64_t across = (a.cols + tile_side - 1) / tile_side;
  const tile_place place = {a.rows, a.cols, blockIdx.x / across * tile_side,
                            blockIdx.x % across * tile_side};
  turn(static_cast<const S*>(a.x), a.cols, static_cast<S*>(a.y), a.rows, place, a.accumulate != 0);
}

constexpr int copy_threads = strided_copy_shape::threads;
static_assert(copy_threads == transpose_shape::threads && strided_copy_shape::items == 1,
              "tiles as of transpose");

struct copy_place {
  int64_t x, y;
};

// Where element i lies; of four bytes an index is divided in a quarter of the time.
template <typename I>
WEFT_DEVICE copy_place place_of(const weft_strided_copy& a, int64_t i) {
  I r = (I)i, d4 = (I)a.d4, d3 = (I)a.d3, d2 = (I)a.d2, d1 = (I)a.d1;
  I q = r / d4;
  const int64_t i4 = r - q * d4;
  r = q, q = r / d3;
  const int64_t i3 = r - q * d3;
  r = q, q = r / d2;
  const int64_t i2 = r - q * d2;
  r = q, q = r / d1;
  const int64_t i1 = r - q * d1, i0 = q;
  return {i0 * a.x0 + i1 * a.x1 + i2 * a.x2 + i3 * a.x3 + i4 * a.x4,
          i0 * a.y0 + i1 * a.y1 + i2 * a.y2 + i3 * a.y3 + i4 * a.y4};
}

// Packs where those of y lie side by side, and those of x do or are one element; else neighbours one
// by one.
template <typename I, typename S>
WEFT_DEVICE void copy_strided(const weft_strided_copy& a, int64_t n) {
  using T = compute<S>;
  const S* x = static_cast<const S*>(a.x);
  S* y = static_cast<S*>(a.y);
  const int64_t begin = (int64_t)blockIdx.x * 4 * copy_threads;
  const bool packs_y = a.y4 == 1 && (a.d4 | a.y0 | a.y1 | a.y2 | a.y3) % 4 == 0 && aligned(y);
  const bool packs_x = a.x4 == 1 && (a.x0 | a.x1 | a.x2 | a.x3) % 4 == 0 && aligned(x);
  if (packs_y && (packs_x || a.x4 == 0)) {
    const int64_t i = begin + 4 * (int)threadIdx.x;
    if (i >= n) return;
    const copy_place at = place_of<I>(a, i);
    pack<T> v;
    if (packs_x) {
      v = load_whole(x + at.x);
    } else {
      const T same = T(x[at.x]);
      v = {{same, same, same, same}};
    }
    if (a.accumulate) {
      const pack<T> old = load_whole(y + at.y);
#pragma unroll
      for (int j = 0; j < 4; j++) v.at[j] = old.at[j] + v.at[j];
    }
    put(y + at.y, v);
    return;
  }
#pragma unroll 4
  for (int k = 0; k < 4; k++) {
    const int64_t i = begin + k * copy_threads + (int)threadIdx.x;
    if (i >= n) return;
    const copy_place at = place_of<I>(a, i);
    S* to = y + at.y;
    *to = S(a.accumulate ? T(*to) + T(x[at.x]) : T(x[at.x]));
  }
}

template <typename S>
WEFT_DEVICE void strided_copy(const weft_strided_copy& a) {
  const int64_t n = a.d0 * a.d1 * a.d2 * a.d3 * a.d4;
  if (a.x3 != 1 || a.x4 <= 1 || a.y4 != 1) {
    if (n <= UINT32_MAX) {
      copy_strided<uint32_t, S>(a, n);
    } else {
      copy_strided<int64_t, S>(a, n);
    }
    return;
  }
  // tiles of the matrices of axes 4 and 3, which x holds by columns
  const int64_t across = (a.d3 + tile_side - 1) / tile_side;
  const int64_t down = (a.d4 + tile_side - 1) / tile_side;
  const int64_t m = blockIdx.x / (across * down), t = blockIdx.x - m * (across * down);
  const int64_t i2 = m % a.d2, i1 = m / a.d2 % a.d1, i0 = m / a.d2 / a.d1;
  const tile_place place = {a.d4, a.d3, t / across * tile_side, t % across * tile_side};
  turn(static_cast<const S*>(a.x) + (i0 * a.x0 + i1 * a.x1 + i2 * a.x2), a.x4,
       static_cast<S*>(a.y) + (i0 * a.y0 + i1 * a.y1 + i2 * a.y2), a.y3, place, a.accumulate != 0);
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

// y = or y +=. Tiles as of transpose where x runs along one axis and y along another; else a thread
// has four elements, in packs where the layouts allow it, else every 256th, so that a warp writes
// neighbours. As many threads as transpose.
WEFT_KERNEL(strided_copy, strided_copy)
