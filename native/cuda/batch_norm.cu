// SPDX-License-Identifier: Apache-2.0
//
// Batch norm: statistics of columns in parts, and what is done with them element by element.
#include "device.cuh"

namespace weft::cuda {

constexpr int batch_threads = batch_norm_statistics_shape::threads;
static_assert(batch_threads == batch_norm_forward_shape::threads &&
                  batch_threads == batch_norm_sums_shape::threads &&
                  batch_threads == batch_norm_backward_shape::threads,
              "one way to share out columns");
constexpr int batch_group = 4;  // rows that a thread loads before it looks at one

// A block's tile: eight lanes have up to 32 columns, 32 have 128, four neighbours each; the block's
// turns take rows in turn.
struct column_tile {
  int64_t cols, first, band;  // the thread's first column; the block's part or rows
  int turn, turns;
  bool wide;

  WEFT_DEVICE column_tile(int64_t width, bool whole) : cols(width), wide(whole && width % 4 == 0) {
    const int lanes = width <= 32 ? 8 : 32;
    const int64_t tiles = (width + 4 * lanes - 1) / (4 * lanes);
    turn = threadIdx.x / lanes;
    turns = batch_threads / lanes;
    band = blockIdx.x / tiles;
    first = 4 * (blockIdx.x % tiles * lanes + threadIdx.x % lanes);
  }

  template <typename S>
  WEFT_DEVICE pack<compute<S>> of_row(const S* x, int64_t r) const {
    return load(x + r * cols, first, cols, wide);
  }

  template <typename S>
  WEFT_DEVICE void put_row(S* y, int64_t r, const pack<compute<S>>& v) const {
    store(y + r * cols, first, cols, wide, v);
  }

  // v[u] = row r + u turns of x for the first `count` u. Where all are there is no branch between the
  // loads, so that they are in flight together.
  template <typename S>
  WEFT_DEVICE void of_rows(pack<compute<S>> (&v)[batch_group], const S* x, int64_t r,
                           int count) const {
    if (wide && count == batch_group && first + 4 <= cols) {
#pragma unroll
      for (int u = 0; u < batch_group; u++) v[u] = load_whole(x + (r + u * turns) * cols + first);
    } else {
#pragma unroll
      for (int u = 0; u < batch_group; u++) v[u] = of_row(x, u < count ? r + u * turns : r);
    }
  }

  // f(first row, count) for this turn's groups of the rows begin up to end.
  template <typename F>
  WEFT_DEVICE void each_group(int64_t begin, int64_t end, F f) const {
#pragma unroll 1
    for (int64_t r = begin + turn; r < end; r += batch_group * turns) {
      f(r, (int)min((end - r + turns - 1) / turns, (int64_t)batch_group));
    }
  }

  // The thread of another turn with the same columns, one further than the turn before it.
  WEFT_DEVICE int step() const { return batch_threads / turns; }
};

template <typename T>
struct column_statistics {
  pack<T> mean, squares;
};

// Adds `more` values of each column to `before` others.
template <typename T>
WEFT_DEVICE void merge(column_statistics<T>& to, int64_t before, const column_statistics<T>& from,
                       int64_t more) {
  if (more == 0) return;
  if (before == 0) {
    to = from;
    return;
  }
  const T share = T(more) / T(before + more), both = T(before) * share;
#pragma unroll
  for (int j = 0; j < 4; j++) {
    const T apart = from.mean.at[j] - to.mean.at[j];
    to.mean.at[j] += apart * share;
    to.squares.at[j] += from.squares.at[j] + apart * apart * both;
  }
}

template <typename S>
WEFT_DEVICE void batch_norm_statistics(const weft_batch_norm_statistics& a) {
  using T = compute<S>;
  __shared__ column_statistics<T> found[batch_threads];
  const S* x = static_cast<const S*>(a.x);
  T *means = static_cast<T*>(a.means), *squares = static_cast<T*>(a.squares);
  const column_tile tile(a.cols, aligned(x, means, squares));
  const int64_t length = (a.rows + a.parts - 1) / a.parts, begin = tile.band * length;
  const int64_t end = min(begin + length, a.rows);
  column_statistics<T> own = {};
  int64_t seen = 0;
  pack<T> v[batch_group];
  tile.each_group(begin, end, [&](int64_t r, int count) {
    tile.of_rows(v, x, r, count);
    column_statistics<T> group = {};
    const T share = T(1) / T(count);
#pragma unroll
    for (int j = 0; j < 4; j++) {
      // from the first value on: the sum of large ones that differ in little would lose that
      T sum = T(0);
#pragma unroll
      for (int u = 1; u < batch_group; u++) sum += u < count ? v[u].at[j] - v[0].at[j] : T(0);
      const T mean = v[0].at[j] + sum * share;
      T spread = T(0);
#pragma unroll
      for (int u = 0; u < batch_group; u++) {
        const T apart = u < count ? v[u].at[j] - mean : T(0);
        spread += apart * apart;
      }
      group.mean.at[j] = mean;
      group.squares.at[j] = spread;
    }
    merge(own, seen, group, count);
    seen += count;
  });
  found[threadIdx.x] = own;
  __syncthreads();
  if (tile.turn != 0) return;
#pragma unroll 1
  for (int t = 1; t < tile.turns; t++) {
    const int64_t more = max(end - begin - t + tile.turns - 1, (int64_t)0) / tile.turns;
    merge(own, seen, found[threadIdx.x + t * tile.step()], more);
    seen += more;
  }
  tile.put_row(means, tile.band, own.mean);
  tile.put_row(squares, tile.band, own.squares);
}

template <typename T>
WEFT_DEVICE void batch_norm_finish(const weft_batch_norm_finish& a) {
  const int64_t c = (int64_t)blockIdx.x * batch_norm_finish_shape::items + threadIdx.x;
  if (c >= a.cols) return;
  const T *means = static_cast<const T*>(a.means), *squares = static_cast<const T*>(a.squares);
  const int64_t length = (a.rows + a.parts - 1) / a.parts;
  T mean = means[c], sum = squares[c];
  int64_t seen = min(length, a.rows);
#pragma unroll 4
  for (int64_t p = 1; p < a.parts; p++) {
    const int64_t more = min(length, a.rows - seen);
    const T other = means[p * a.cols + c], spread = squares[p * a.cols + c];
    const T share = T(more) / T(seen + more), apart = other - mean;
    mean += apart * share;
    sum += spread + apart * apart * (T(seen) * share);
    seen += more;
  }
  static_cast<T*>(a.mean)[c] = mean;
  static_cast<T*>(a.variance)[c] = sum / T(a.rows);
  if (a.running_mean) {
    const T momentum = T(a.momentum), keep = T(1) - momentum;
    T* of_mean = static_cast<T*>(a.running_mean) + c;
    T* of_variance = static_cast<T*>(a.running_variance) + c;
    *of_mean = keep * *of_mean + momentum * mean;
    *of_variance = keep * *of_variance + momentum * (sum / T(a.rows - 1));
  }
}

template <typename T>
WEFT_DEVICE pack<T> reciprocal_deviation(const column_tile& tile, const void* variance,
                                         double epsilon) {
  pack<T> v = tile.of_row(static_cast<const T*>(variance), 0);
#pragma unroll
  for (int j = 0; j < 4; j++) v.at[j] = T(1) / std::sqrt(v.at[j] + T(epsilon));
  return v;
}

template <typename S>
WEFT_DEVICE void batch_norm_forward(const weft_batch_norm_forward& a) {
  using T = compute<S>;
  const S *x = static_cast<const S*>(a.x), *scales = static_cast<const S*>(a.scale);
  const S* shifts = static_cast<const S*>(a.shift);
  const T *means = static_cast<const T*>(a.mean), *variances = static_cast<const T*>(a.variance);
  S* y = static_cast<S*>(a.y);
  const column_tile tile(
      a.cols, aligned(x, static_cast<const S*>(y), scales, shifts) && aligned(means, variances));
  const int64_t begin = tile.band * tile.turns * batch_group;
  const int64_t end = min(begin + tile.turns * batch_group, a.rows);
  pack<T> v[batch_group];
  tile.each_group(begin, end, [&](int64_t r, int count) {
    tile.of_rows(v, x, r, count);
    const pack<T> mean = tile.of_row(means, 0), scale = tile.of_row(scales, 0);
    const pack<T> shift = tile.of_row(shifts, 0);
    const pack<T> rstd = reciprocal_deviation<T>(tile, variances, a.epsilon);
#pragma unroll
    for (int u = 0; u < batch_group; u++) {
      if (u >= count) continue;
#pragma unroll
      for (int j = 0; j < 4; j++) {
        v[u].at[j] = scale.at[j] * ((v[u].at[j] - mean.at[j]) * rstd.at[j]) + shift.at[j];
      }
      tile.put_row(y, r + u * tile.turns, v[u]);
    }
  });
}

template <typename S>
WEFT_DEVICE void batch_norm_sums(const weft_batch_norm_sums& a) {
  using T = compute<S>;
  __shared__ pack<T> found[2][batch_threads];
  const S *x = static_cast<const S*>(a.x), *dy = static_cast<const S*>(a.dy);
  const T *means = static_cast<const T*>(a.mean), *variances = static_cast<const T*>(a.variance);
  T *sums_n = static_cast<T*>(a.sums_n), *sums = static_cast<T*>(a.sums);
  const column_tile tile(a.cols,
                         aligned(x, dy) && aligned(means, variances, static_cast<const T*>(sums_n),
                                                   static_cast<const T*>(sums)));
  const int64_t length = (a.rows + a.parts - 1) / a.parts, begin = tile.band * length;
  const int64_t end = min(begin + length, a.rows);
  const pack<T> mean = tile.of_row(means, 0);
  pack<T> of_n = {}, plain = {}, v[batch_group], up[batch_group];
  tile.each_group(begin, end, [&](int64_t r, int count) {
    tile.of_rows(v, x, r, count);
    tile.of_rows(up, dy, r, count);
#pragma unroll
    for (int u = 0; u < batch_group; u++) {
      if (u >= count) continue;
#pragma unroll
      for (int j = 0; j < 4; j++) {
        of_n.at[j] += up[u].at[j] * (v[u].at[j] - mean.at[j]);
        plain.at[j] += up[u].at[j];
      }
    }
  });
  found[0][threadIdx.x] = of_n;
  found[1][threadIdx.x] = plain;
  __syncthreads();
  if (tile.turn != 0) return;
#pragma unroll 1
  for (int t = 1; t < tile.turns; t++) {
    const int other = threadIdx.x + t * tile.step();
#pragma unroll
    for (int j = 0; j < 4; j++) {
      of_n.at[j] += found[0][other].at[j];
      plain.at[j] += found[1][other].at[j];
    }
  }
  const pack<T> rstd = reciprocal_deviation<T>(tile, variances, a.epsilon);
#pragma unroll
  for (int j = 0; j < 4; j++) of_n.at[j] *= rstd.at[j];
  tile.put_row(sums_n, tile.band, of_n);
  tile.put_row(sums, tile.band, plain);
}

template <typename S>
WEFT_DEVICE void batch_norm_backward(const weft_batch_norm_backward& a) {
  using T = compute<S>;
  const S *x = static_cast<const S*>(a.x), *dy = static_cast<const S*>(a.dy);
  const S* scales = static_cast<const S*>(a.scale);
  const T *means = static_cast<const T*>(a.mean), *variances = static_cast<const T*>(a.variance);
  const T *sums_n = static_cast<const T*>(a.sums_n), *sums = static_cast<const T*>(a.sums);
  S* dx = static_cast<S*>(a.dx);
  T *dscale = static_cast<T*>(a.dscale), *dshift = static_cast<T*>(a.dshift);
  const column_tile tile(a.cols,
                         aligned(x, dy, scales, static_cast<const S*>(dx)) &&
                             aligned(means, variances, sums_n, sums, static_cast<const T*>(dscale),
                                     static_cast<const T*>(dshift)));
  pack<T> of_n = tile.of_row(sums_n, 0), plain = tile.of_row(sums, 0);
  auto give = [&](T* to, int64_t accumulate, pack<T> v) {
    if (accumulate) {
      const pack<T> old = tile.of_row(to, 0);
#pragma unroll
      for (int j = 0; j < 4; j++) v.at[j] += old.at[j];
    }
    tile.put_row(to, 0, v);
  };
  if (tile.band == 0 && tile.turn == 0) {
    if (dscale) give(dscale, a.accumulate_scale, of_n);
    if (dshift) give(dshift, a.accumulate_shift, plain);
  }
  if (!dx) return;
  const pack<T> mean = tile.of_row(means, 0), scale = tile.of_row(scales, 0);
  const pack<T> rstd = reciprocal_deviation<T>(tile, variances, a.epsilon);
  const T share = T(1) / T(a.rows);
#pragma unroll
  for (int j = 0; j < 4; j++) {
    of_n.at[j] *= share * rstd.at[j];
    plain.at[j] *= share;
  }
  const int64_t begin = tile.band * tile.turns * batch_group;
  const int64_t end = min(begin + tile.turns * batch_group, a.rows);
  pack<T> v[batch_group], up[batch_group];
  tile.each_group(begin, end, [&](int64_t r, int count) {
    tile.of_rows(v, x, r, count);
    tile.of_rows(up, dy, r, count);
#pragma unroll
    for (int u = 0; u < batch_group; u++) {
      if (u >= count) continue;
      const int64_t row = r + u * tile.turns;
      const pack<T> old = a.accumulate_x ? tile.of_row(dx, row) : pack<T>{};
#pragma unroll
      for (int j = 0; j < 4; j++) {
        const T less = up[u].at[j] - plain.at[j] - (v[u].at[j] - mean.at[j]) * of_n.at[j];
        v[u].at[j] = old.at[j] + scale.at[j] * rstd.at[j] * less;
      }
      tile.put_row(dx, row, v[u]);
    }
  });
}

}  // namespace weft::cuda

// means and squares are assigned. A thread has four columns of every eighth row of its part (of up
// to 32 columns, of every 32nd), whose values are read four rows at a time; groups, then threads,
// are merged in order. 256 threads: with four 16-byte loads each, two blocks a multiprocessor have
// 32 KB in flight. 4 bytes and about 5 flops an element of float.
WEFT_KERNEL_BLOCKS(batch_norm_statistics, batch_norm_statistics, float, f32, 3)
WEFT_KERNEL_BLOCKS(batch_norm_statistics, batch_norm_statistics, double, f64, 1)
WEFT_KERNEL_BLOCKS(batch_norm_statistics, batch_norm_statistics, weft::bf16, bf16, 3)

// A thread merges the parts of a column. 64 threads: what there is to do is little, and spreads.
WEFT_KERNEL_WIDE(batch_norm_finish, batch_norm_finish)

// y is assigned. A thread has four columns of four rows, so that what belongs to a column is read
// once for them. 8 bytes and 3 flops an element of float.
WEFT_KERNEL_BLOCKS(batch_norm_forward, batch_norm_forward, float, f32, 3)
WEFT_KERNEL_BLOCKS(batch_norm_forward, batch_norm_forward, double, f64, 1)
WEFT_KERNEL_BLOCKS(batch_norm_forward, batch_norm_forward, weft::bf16, bf16, 3)

// sums_n and sums are assigned. Rows and threads as in batch_norm_statistics; 8 bytes and 4 flops
// an element of float.
WEFT_KERNEL_BLOCKS(batch_norm_sums, batch_norm_sums, float, f32, 3)
WEFT_KERNEL_BLOCKS(batch_norm_sums, batch_norm_sums, double, f64, 1)
WEFT_KERNEL_BLOCKS(batch_norm_sums, batch_norm_sums, weft::bf16, bf16, 3)

// dx, dscale and dshift = or +=, the latter by the blocks of the first rows. Threads as in
// batch_norm_forward; 12 bytes and 5 flops an element of float.
WEFT_KERNEL_BLOCKS(batch_norm_backward, batch_norm_backward, float, f32, 2)
WEFT_KERNEL_BLOCKS(batch_norm_backward, batch_norm_backward, double, f64, 1)
WEFT_KERNEL_BLOCKS(batch_norm_backward, batch_norm_backward, weft::bf16, bf16, 2)
