// SPDX-License-Identifier: Apache-2.0
//
// Batch norm. The order of a sum depends on the shape and on `parts` alone.
#include "kernel.h"

namespace weft {
namespace WEFT_ISA {
namespace {

// Columns taken at once: what is kept of them, 16 kB an array, stays in the second-level cache.
template <typename T>
constexpr int64_t widest_strip = 16384 / sizeof(T);

// Rows read at once in statistics and sums, so that what is kept is read and written once for them.
constexpr int group = 8;

// body(band, first, width, begin, end) for columns first up to first + width of rows begin up to
// end, which are `length` rows or, at the end, fewer, and none beyond it.
template <typename T, typename Body>
void over_strips(int64_t bands, int64_t length, int64_t rows, int64_t cols, int64_t cost,
                 const Body& body) {
  const int64_t strip = strip_of(bands, cols, widest_strip<T>), strips = (cols + strip - 1) / strip;
  const int64_t work = cost * length * smaller(cols, strip);
  parallel_units(bands * strips, work, [=](int64_t begin, int64_t end) {
    for (int64_t u = begin; u < end; u++) {
      const int64_t band = u / strips, first = u % strips * strip;
      body(band, first, smaller(strip, cols - first), band * length,
           smaller(rows, (band + 1) * length));
    }
  });
}

int64_t part_length(int64_t rows, int64_t parts) { return (rows + parts - 1) / parts; }

// The mean and the squared differences from it, of N rows more (Chan, Golub and LeVeque 1983).
template <int N, typename S, typename T = compute<S>>
void add_rows(const S* x, int64_t stride, int64_t width, int64_t before, T* mean, T* squares) {
  const T share = T(N) / T(before + N), both = T(before) * share;
  const bool more = before > 0;
#pragma omp simd
  for (int64_t c = 0; c < width; c++) {
    // from the first value on: the sum of large ones that differ in little would lose that
    const T origin = T(x[c]);
    T sum = T(0), spread = T(0);
#pragma GCC unroll 8
    for (int k = 1; k < N; k++) sum += T(x[k * stride + c]) - origin;
    const T own = origin + sum * (T(1) / T(N));
#pragma GCC unroll 8
    for (int k = 0; k < N; k++) {
      const T d = T(x[k * stride + c]) - own;
      spread += d * d;
    }
    const T apart = more ? own - mean[c] : T(0);
    mean[c] = more ? mean[c] + apart * share : own;
    squares[c] = more ? squares[c] + (spread + apart * apart * both) : spread;
  }
}

template <typename S>
void batch_norm_statistics(const weft_batch_norm_statistics& a) {
  using T = compute<S>;
  const S* x = as<S>(a.x);
  T *means = as<T>(a.means), *squares = as<T>(a.squares);
  const int64_t cols = a.cols;
  over_strips<T>(a.parts, part_length(a.rows, a.parts), a.rows, cols, 4,
                 [=](int64_t part, int64_t first, int64_t width, int64_t begin, int64_t end) {
                   T *mean = means + part * cols + first, *spread = squares + part * cols + first;
                   for (int64_t c = 0; begin >= end && c < width; c++) mean[c] = spread[c] = T(0);
                   int64_t r = begin;
                   for (; r + group <= end; r += group) {
                     add_rows<group>(x + r * cols + first, cols, width, r - begin, mean, spread);
                   }
                   for (; r < end; r++) {
                     add_rows<1>(x + r * cols + first, cols, width, r - begin, mean, spread);
                   }
                 });
}

template <typename T>
void batch_norm_finish(const weft_batch_norm_finish& a) {
  const T *means = as<T>(a.means), *squares = as<T>(a.squares);
  T *mean = as<T>(a.mean), *variance = as<T>(a.variance);
  T *running_mean = as<T>(a.running_mean), *running_variance = as<T>(a.running_variance);
  const int64_t rows = a.rows, cols = a.cols, parts = a.parts;
  const int64_t length = part_length(rows, parts);
  const T momentum = T(a.momentum), keep = T(1) - momentum;
  parallel(cols, 4 * parts, [=](int64_t begin, int64_t end) {
    for (int64_t c = begin; c < end; c++) mean[c] = means[c], variance[c] = squares[c];
    int64_t seen = smaller(length, rows);
    for (int64_t p = 1; p < parts; p++) {
      const int64_t more = smaller(length, rows - seen);
      const T share = T(more) / T(seen + more), both = T(seen) * share;
      const T *other = means + p * cols, *spread = squares + p * cols;
#pragma omp simd
      for (int64_t c = begin; c < end; c++) {
        const T apart = other[c] - mean[c];
        mean[c] += apart * share;
        variance[c] += spread[c] + apart * apart * both;
      }
      seen += more;
    }
    for (int64_t c = begin; c < end; c++) {
      if (running_mean) {
        running_mean[c] = keep * running_mean[c] + momentum * mean[c];
        running_variance[c] = keep * running_variance[c] + momentum * (variance[c] / T(rows - 1));
      }
      variance[c] /= T(rows);
    }
  });
}

// What belongs to the columns of a strip, as the loops over its rows want it.
template <typename T>
struct column_values {
  T mean[widest_strip<T>], factor[widest_strip<T>], plus[widest_strip<T>], slope[widest_strip<T>];
};

// Rows of a band: what belongs to columns is worked out once for them.
constexpr int64_t band_rows = 32;

template <typename T, typename Body>
void over_bands(int64_t rows, int64_t cols, int64_t cost, const Body& body) {
  over_strips<T>((rows + band_rows - 1) / band_rows, band_rows, rows, cols, cost, body);
}

template <typename S>
void batch_norm_forward(const weft_batch_norm_forward& a) {
  using T = compute<S>;
  const S *x = as<S>(a.x), *scale = as<S>(a.scale), *shift = as<S>(a.shift);
  const T *mean = as<T>(a.mean), *variance = as<T>(a.variance), epsilon = T(a.epsilon);
  S* y = as<S>(a.y);
  const int64_t cols = a.cols;
  over_bands<T>(a.rows, cols, 2,
                [=](int64_t, int64_t first, int64_t width, int64_t begin, int64_t end) {
                  column_values<T> of;
#pragma omp simd
                  for (int64_t c = 0; c < width; c++) {
                    of.mean[c] = mean[first + c];
                    of.factor[c] = T(scale[first + c]) / std::sqrt(variance[first + c] + epsilon);
                    of.plus[c] = T(shift[first + c]);
                  }
                  for (int64_t r = begin; r < end; r++) {
                    const S* from = x + r * cols + first;
                    S* to = y + r * cols + first;
#pragma omp simd
                    for (int64_t c = 0; c < width; c++) {
                      put<false>(to[c], of.factor[c] * (T(from[c]) - of.mean[c]) + of.plus[c]);
                    }
                  }
                });
}

template <int N, typename S, typename T = compute<S>>
void add_products(const S* x, const S* dy, int64_t stride, int64_t width, const T* mean, T* sums_n,
                  T* sums) {
#pragma omp simd
  for (int64_t c = 0; c < width; c++) {
    T of_n = T(0), plain = T(0);
#pragma GCC unroll 8
    for (int k = 0; k < N; k++) {
      const T up = T(dy[k * stride + c]);
      of_n += up * (T(x[k * stride + c]) - mean[c]);
      plain += up;
    }
    sums_n[c] += of_n;
    sums[c] += plain;
  }
}

template <typename S>
void batch_norm_sums(const weft_batch_norm_sums& a) {
  using T = compute<S>;
  const S *x = as<S>(a.x), *dy = as<S>(a.dy);
  const T *mean = as<T>(a.mean), *variance = as<T>(a.variance), epsilon = T(a.epsilon);
  T *sums_n = as<T>(a.sums_n), *sums = as<T>(a.sums);
  const int64_t cols = a.cols;
  over_strips<T>(a.parts, part_length(a.rows, a.parts), a.rows, cols, 4,
                 [=](int64_t part, int64_t first, int64_t width, int64_t begin, int64_t end) {
                   T *of_n = sums_n + part * cols + first, *plain = sums + part * cols + first;
                   for (int64_t c = 0; c < width; c++) of_n[c] = plain[c] = T(0);
                   int64_t r = begin;
                   for (; r + group <= end; r += group) {
                     const int64_t at = r * cols + first;
                     add_products<group>(x + at, dy + at, cols, width, mean + first, of_n, plain);
                   }
                   for (; r < end; r++) {
                     const int64_t at = r * cols + first;
                     add_products<1>(x + at, dy + at, cols, width, mean + first, of_n, plain);
                   }
#pragma omp simd
                   for (int64_t c = 0; c < width; c++)
                     of_n[c] /= std::sqrt(variance[first + c] + epsilon);
                 });
}

template <typename T>
void give(T* to, const T* sums, int64_t cols, bool accumulate) {
  for (int64_t c = 0; to && c < cols; c++) to[c] = accumulate ? to[c] + sums[c] : sums[c];
}

template <typename S>
void batch_norm_backward(const weft_batch_norm_backward& a) {
  using T = compute<S>;
  const S *x = as<S>(a.x), *scale = as<S>(a.scale), *dy = as<S>(a.dy);
  const T *mean = as<T>(a.mean), *variance = as<T>(a.variance), epsilon = T(a.epsilon);
  const T *sums_n = as<T>(a.sums_n), *sums = as<T>(a.sums), rows = T(a.rows);
  S* dx = as<S>(a.dx);
  const int64_t cols = a.cols;
  give(as<T>(a.dscale), sums_n, cols, a.accumulate_scale != 0);
  give(as<T>(a.dshift), sums, cols, a.accumulate_shift != 0);
  if (!dx) return;
  choose_flag(a.accumulate_x, [&](auto accumulate) {
    constexpr bool add = accumulate;
    over_bands<T>(a.rows, cols, 3,
                  [=](int64_t, int64_t first, int64_t width, int64_t begin, int64_t end) {
                    column_values<T> of;
#pragma omp simd
                    for (int64_t c = 0; c < width; c++) {
                      const T rstd = T(1) / std::sqrt(variance[first + c] + epsilon);
                      of.mean[c] = mean[first + c];
                      of.factor[c] = T(scale[first + c]) * rstd;
                      of.plus[c] = sums[first + c] / rows;
                      of.slope[c] = rstd * (sums_n[first + c] / rows);
                    }
                    for (int64_t r = begin; r < end; r++) {
                      const S *from = x + r * cols + first, *up = dy + r * cols + first;
                      S* to = dx + r * cols + first;
#pragma omp simd
                      for (int64_t c = 0; c < width; c++) {
                        const T n = (T(from[c]) - of.mean[c]) * of.slope[c];
                        put<add>(to[c], of.factor[c] * (T(up[c]) - of.plus[c] - n));
                      }
                    }
                  });
  });
}

}  // namespace

WEFT_DEFINE_TYPED(batch_norm_statistics, batch_norm_statistics)
WEFT_DEFINE_WIDE(batch_norm_finish, batch_norm_finish)
WEFT_DEFINE_TYPED(batch_norm_forward, batch_norm_forward)
WEFT_DEFINE_TYPED(batch_norm_sums, batch_norm_sums)
WEFT_DEFINE_TYPED(batch_norm_backward, batch_norm_backward)

}  // namespace WEFT_ISA
}  // namespace weft
