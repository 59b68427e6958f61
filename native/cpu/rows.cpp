// SPDX-License-Identifier: Apache-2.0
//
// Rows moved and looked at: gather, copy, transpose, argmax, fill.
#include <string.h>

#include "kernel.h"
#include "lanes.h"
#include "prefetch.h"
#include "square.h"
#include "stream.h"

namespace weft {
namespace WEFT_ISA {
namespace {

int64_t start(void* state) { return state ? as<weft_step_state>(state)->cursor : 0; }

template <typename Source, typename S>
void gather(const weft_gather_rows& a) {
  using T = compute<S>;
  if (a.rows == 0) return;
  const Source* source = as<Source>(a.source);
  const int32_t* index = as<int32_t>(a.index) + start(a.state);
  S* y = as<S>(a.y);
  T scale = T(a.scale), shift = T(a.shift);
  bool plain = a.scale == 1 && a.shift == 0;
  auto body = [=, rows = a.rows, cols = a.cols, n = a.source_rows](int64_t row, int64_t begin,
                                                                   int64_t end) {
    S* to = y + row * cols;
    int64_t soon = row + rows_ahead;
    if (begin == 0 && soon < rows && is_row(index[soon], n)) {
      prefetch_row(source + index[soon] * cols, cols);
    }
    if (!is_row(index[row], n)) {
      for (int64_t c = begin; c < end; c++) to[c] = S(NAN);
      return;
    }
    const Source* from = source + index[row] * cols;
    if constexpr (std::is_same_v<Source, S>) {
      if (plain) {  // a tenth to a third faster than the loop, which counts up to no constant
        memcpy(to + begin, from + begin, (end - begin) * sizeof(S));
        return;
      }
    }
#pragma omp simd
    for (int64_t c = begin; c < end; c++) put<false>(to[c], scale * T(from[c]) + shift);
  };
  parallel_rows(a.rows, a.cols, 1, body);
}

template <typename S>
void gather_rows(const weft_gather_rows& a) {
  gather<S, S>(a);
}

template <typename S>
void gather_rows_u8(const weft_gather_rows& a) {
  gather<uint8_t, S>(a);
}

// y[r] = the first c with the largest x[r, c], NaN being the largest
template <typename S>
void argmax(const weft_argmax& a) {
  using T = compute<S>;
  const S* x = as<S>(a.x);
  int32_t* y = as<int32_t>(a.y);
  parallel_units(a.rows, a.cols, [=, cols = a.cols](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; row++) {
      const S* from = x + row * cols;
      T most = fold<most_or_nan>(from, cols, -std::numeric_limits<T>::infinity());
      int64_t c = 0;
      if (most == most) {
        while (c < cols && T(from[c]) != most) c++;
      } else {
        while (c < cols && T(from[c]) == T(from[c])) c++;
      }
      y[row] = (int32_t)c;
    }
  });
}

template <typename S>
void fill(const weft_fill& a) {
  S* y = as<S>(a.y);
  compute<S> value = compute<S>(a.value);
  parallel(a.n, 1, [=](int64_t begin, int64_t end) {
#pragma omp simd
    for (int64_t i = begin; i < end; i++) put<false>(y[i], value);
  });
}

template <typename S>
void copy_rows(const weft_copy_rows& a) {
  using T = compute<S>;
  const S* x = as<S>(a.x);
  S* y = as<S>(a.y);
  T scale = T(a.scale);
  bool dense = a.x_stride == a.cols && a.y_stride == a.cols;
  int64_t rows = dense ? 1 : a.rows, cols = dense ? a.rows * a.cols : a.cols;
  // in memory half the time (8192 rows of 512 bytes, 3.5 kB apart), in a cache up to twice of it
  int64_t size = sizeof(S);
  bool apart = (a.x_stride - cols) * size >= 512 && rows * a.x_stride * size > 1 << 20;
  choose_flag(a.accumulate, [&](auto accumulate) {
    choose_flag(apart, [&](auto ahead) {
      constexpr bool add = accumulate, ask = ahead;
      auto body = [=, xs = a.x_stride, ys = a.y_stride](int64_t row, int64_t begin, int64_t end) {
        const S* from = x + row * xs;
        S* to = y + row * ys;
        if constexpr (ask) {
          if (begin == 0 && row + rows_ahead < rows) prefetch_row(from + rows_ahead * xs, cols);
        }
#pragma omp simd
        for (int64_t c = begin; c < end; c++) put<add>(to[c], scale * T(from[c]));
      };
      parallel_rows(rows, cols, 1, body);
    });
  });
}

// Rows and columns of a tile: 16 KB of floats.
template <typename S>
constexpr int64_t tile = sizeof(S) == 8 ? 32 : 64;

// buffer[c][r] = x[r][c] of a tile, by squares as far as they are whole; rows of x are `stride` long.
// ahead: of the tile that is next, as far from x, or 0; no processor guesses where that lies.
template <typename S>
WEFT_MATH void transpose_tile(const S* x, int64_t stride, int64_t height, int64_t width,
                              int64_t ahead, S (&buffer)[tile<S>][tile<S>]) {
  constexpr int side = square<S>::side;
  for (int64_t r = 0; r < height; r += side) {
    for (int64_t c = 0; c < width; c += side) {
      if (r + side > height || c + side > width) {
        for (int64_t i = r; i < smaller(height, r + side); i++) {
          for (int64_t j = c; j < smaller(width, c + side); j++) buffer[j][i] = x[i * stride + j];
        }
        continue;
      }
      square<S> part;
#pragma GCC unroll 32
      for (int i = 0; i < side; i++) {
        const S* from = x + (r + i) * stride + c;
        if (ahead) __builtin_prefetch(from + ahead);
        part.get(i, from);
      }
      part.transpose();
#pragma GCC unroll 32
      for (int i = 0; i < side; i++) part.put(i, &buffer[c + i][r]);
    }
  }
}

// Tiles of a matrix whose rows and columns change places: y[c][r] (+)= x[r][c].
template <bool Add, typename S>
struct turning {
  int64_t rows, cols, x_stride, y_stride;
  bool streamed;  // whether y leaves the caches

  // of x: `across` tiles make a row of them
  int64_t across() const { return (cols + tile<S> - 1) / tile<S>; }
  int64_t tiles() const { return across() * ((rows + tile<S> - 1) / tile<S>); }

  // A tile passes through a buffer, so that x is read and y written in whole cache lines. Direct
  // strides of a power of two would all fall into one set of the cache (2048 x 8192: 6.8 ns an
  // element against 0.4).
  WEFT_MATH void turn(const S* x, S* y, int64_t number) const {
    constexpr int64_t side = tile<S>, size = sizeof(S);
    const int64_t r0 = number / across() * side, c0 = number % across() * side;
    const int64_t height = smaller(side, rows - r0), width = smaller(side, cols - c0);
    alignas(line) S buffer[side][side];
    transpose_tile(x + r0 * x_stride + c0, x_stride, height, width,
                   c0 + 2 * side <= cols ? side : 0, buffer);
    S* to = y + c0 * y_stride + r0;
    const bool whole = height * size % line == 0 && y_stride * size % line == 0 && is_line(to);
    for (int64_t c = 0; c < width; c++, to += y_stride) {
      if (!Add && streamed && whole) {
        for (int64_t r = 0; r < height; r += line / size) stream_line(to + r, &buffer[c][r]);
        continue;
      }
#pragma omp simd
      for (int64_t r = 0; r < height; r++) put<Add>(to[r], compute<S>(buffer[c][r]));
    }
  }
};

// A row of tiles at a time, so that what is read is a run of memory; tiles of 32 columns by 32, a
// column of them at a time, took up to twice as long.
template <typename S>
void transpose(const weft_transpose& a) {
  const S* x = as<S>(a.x);
  S* y = as<S>(a.y);
  choose_flag(a.accumulate, [&](auto accumulate) {
    const bool streamed = a.rows * a.cols * (int64_t)sizeof(S) > beyond_caches;
    const turning<accumulate, S> matrix = {a.rows, a.cols, a.cols, a.rows, streamed};
    const int64_t cost = transcendental * tile<S> * tile<S>;
    parallel_units(matrix.tiles(), cost, [=](int64_t begin, int64_t end) {
      for (int64_t t = begin; t < end; t++) matrix.turn(x, y, t);
      end_of_stream();
    });
  });
}

// Where the matrix of axes 3 and 4 with number m starts, in x and in y.
struct start_of_matrix {
  int64_t x, y;
  start_of_matrix(const weft_strided_copy& a, int64_t m) {
    int64_t i2 = m % a.d2, i1 = m / a.d2 % a.d1, i0 = m / a.d2 / a.d1;
    x = i0 * a.x0 + i1 * a.x1 + i2 * a.x2;
    y = i0 * a.y0 + i1 * a.y1 + i2 * a.y2;
  }
};

// Rows of axis 4, element by element; how far apart those of x lie is a constant where it is 0 or 1,
// which vectorises.
template <bool Add, int Step, typename S>
void copy_strided(const weft_strided_copy& a) {
  const S* x = as<S>(a.x);
  S* y = as<S>(a.y);
  // as copy_rows
  const int64_t size = sizeof(S), rows = a.d0 * a.d1 * a.d2 * a.d3;
  const bool apart = Step == 1 && (a.x3 - a.d4) * size >= 512 && rows * a.d4 * size > 1 << 20;
  auto body = [=](int64_t row, int64_t begin, int64_t end) {
    start_of_matrix at(a, row / a.d3);
    const int64_t step = Step < 0 ? a.x4 : Step, k = row % a.d3;
    const S* from = x + at.x + k * a.x3 + begin * step;
    S* to = y + at.y + k * a.y3 + begin * a.y4;
    if (apart && begin == 0 && k + rows_ahead < a.d3) {
      prefetch_row(from + rows_ahead * a.x3, a.d4);
    }
    if (a.y4 == 1) {
#pragma omp simd
      for (int64_t i = 0; i < end - begin; i++) put<Add>(to[i], compute<S>(from[i * step]));
    } else {
      for (int64_t i = 0; i < end - begin; i++) put<Add>(to[i * a.y4], compute<S>(from[i * step]));
    }
  };
  parallel_rows(rows, a.d4, Step < 0 ? transcendental : 1, body);
}

template <typename S>
void strided_copy(const weft_strided_copy& a) {
  if (a.d0 * a.d1 * a.d2 * a.d3 * a.d4 == 0) return;
  choose_flag(a.accumulate, [&](auto accumulate) {
    constexpr bool add = accumulate;
    if (a.x3 != 1 || a.x4 <= 1 || a.y4 != 1) {
      if (a.x4 == 1) return copy_strided<add, 1, S>(a);
      if (a.x4 == 0) return copy_strided<add, 0, S>(a);
      return copy_strided<add, -1, S>(a);
    }
    const S* x = as<S>(a.x);
    S* y = as<S>(a.y);
    const int64_t matrices = a.d0 * a.d1 * a.d2;
    const bool streamed = matrices * a.d3 * a.d4 * (int64_t)sizeof(S) > beyond_caches;
    const turning<add, S> matrix = {a.d4, a.d3, a.x4, a.y3, streamed};
    const int64_t tiles = matrix.tiles();
    const int64_t cost = transcendental * smaller(a.d3, tile<S>) * smaller(a.d4, tile<S>);
    parallel_units(matrices * tiles, cost, [=](int64_t begin, int64_t end) {
      for (int64_t unit = begin; unit < end; unit++) {
        start_of_matrix at(a, unit / tiles);
        matrix.turn(x + at.x, y + at.y, unit % tiles);
      }
      end_of_stream();
    });
  });
}

}  // namespace

WEFT_DEFINE_TYPED(gather_rows, gather_rows)
WEFT_DEFINE_TYPED(gather_rows_u8, gather_rows)
WEFT_DEFINE_TYPED(argmax, argmax)
WEFT_DEFINE_TYPED(fill, fill)
WEFT_DEFINE_TYPED(copy_rows, copy_rows)
WEFT_DEFINE_TYPED(transpose, transpose)
WEFT_DEFINE_TYPED(strided_copy, strided_copy)

void gather_ids(const weft_gather_ids& a) {
  if (a.rows == 0) return;
  const int32_t* source = as<int32_t>(a.source);
  const int32_t* index = as<int32_t>(a.index) + start(a.state);
  int32_t* y = as<int32_t>(a.y);
  choose_flag(a.cols == 1, [&](auto label) {
    const int64_t cols = label ? 1 : a.cols, stride = a.stride, n = a.source_rows;
    parallel(a.rows, cols, [=](int64_t begin, int64_t end) {
      for (int64_t r = begin; r < end; r++) {
        const bool known = is_row(index[r], n);
        for (int64_t c = 0; c < cols; c++) {
          y[r * cols + c] = known ? source[index[r] * stride + c] : -2;
        }
      }
    });
  });
}

}  // namespace WEFT_ISA
}  // namespace weft
