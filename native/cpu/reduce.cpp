// SPDX-License-Identifier: Apache-2.0
//
// Reductions along the middle axis of (outer, count, inner), in an order that only the shape and
// `parts` decide.
#include "../math/elementwise.h"
#include "kernel.h"
#include "lanes.h"

namespace weft {
namespace WEFT_ISA {
namespace {

// Columns folded at once: 128 floats of partial results are 8 vectors, and two sets of them (see
// `flush`) still stay in the first-level cache.
constexpr int64_t block = 128;
// Rows added up before the partial sum joins the total: the rounding error of a long column then
// grows with rows / 64 + 64 instead of rows.
constexpr int64_t flush = 64;

template <typename Fold>
constexpr bool is_max = std::is_same_v<Fold, most_or_nan>;

template <typename Fold, typename T>
constexpr T neutral = is_max<Fold> ? -std::numeric_limits<T>::infinity() : T(0);

// total[c] = the fold of x[r, c] over rows; row stride `stride`, at most `block` columns
template <typename Fold, typename S, typename T = compute<S>>
void fold_columns(const S* x, int64_t rows, int64_t columns, int64_t stride, compute<S>* total) {
  for (int64_t c = 0; c < columns; c++) total[c] = neutral<Fold, T>;
  T part[block];
  for (int64_t r = 0; r < rows; r += flush) {
    for (int64_t c = 0; c < columns; c++) part[c] = neutral<Fold, T>;
    for (int64_t k = r; k < smaller(rows, r + flush); k++) {
      const S* row = x + k * stride;
#pragma omp simd
      for (int64_t c = 0; c < columns; c++) {
        T value = T(row[c]);
        if constexpr (std::is_same_v<Fold, add_squares>) value *= value;
        part[c] = Fold::combine(part[c], value);
      }
    }
#pragma omp simd
    for (int64_t c = 0; c < columns; c++) total[c] = Fold::combine(total[c], part[c]);
  }
}

// y (+)= scale * folded / divisor; a maximum is assigned as it is
template <typename Fold, typename T>
void finish(T& y, T folded, T divisor, T scale, bool accumulate) {
  if (is_max<Fold>) {
    y = folded;
  } else {
    T value = scale * (folded / divisor);
    y = accumulate ? y + value : value;
  }
}

template <typename Fold, typename S>
void reduce_with(const weft_reduce& a, compute<S> divisor) {
  using T = compute<S>;
  const S* x = as<S>(a.x);
  T *y = as<T>(a.y), scale = T(a.scale);
  bool accumulate = a.accumulate != 0;
  int64_t outer = a.outer, count = a.count, inner = a.inner, parts = a.parts;
  if (parts <= 0 || outer <= 0 || inner <= 0) return;
  int64_t length = (count + parts - 1) / parts;
  if (inner == 1) {
    parallel_units(parts * outer, length, [=](int64_t begin, int64_t end) {
      for (int64_t unit = begin; unit < end; unit++) {
        int64_t p = unit / outer, o = unit % outer;
        int64_t first = smaller(count, p * length), last = smaller(count, first + length);
        T folded = fold<Fold>(x + o * count + first, last - first, neutral<Fold, T>);
        finish<Fold>(y[unit], folded, divisor, scale, accumulate);
      }
    });
    return;
  }
  int64_t blocks = (inner + block - 1) / block;
  int64_t cost = length * smaller(inner, block);
  parallel_units(parts * outer * blocks, cost, [=](int64_t begin, int64_t end) {
    T total[block];
    for (int64_t unit = begin; unit < end; unit++) {
      int64_t row = unit / blocks, column = unit % blocks * block;
      int64_t p = row / outer, o = row % outer;
      int64_t first = smaller(count, p * length), last = smaller(count, first + length);
      int64_t columns = smaller(block, inner - column);
      fold_columns<Fold>(x + (o * count + first) * inner + column, last - first, columns, inner,
                         total);
      for (int64_t c = 0; c < columns; c++) {
        finish<Fold>(y[row * inner + column + c], total[c], divisor, scale, accumulate);
      }
    }
  });
}

// y (+)= scale * reduced
template <typename S>
void reduce(const weft_reduce& a) {
  using T = compute<S>;
  choose<WEFT_REDUCTION_FUNCTIONS>("reduction", a.operation, [&](auto kind) {
    constexpr int F = kind;
    if constexpr (F == WEFT_SUM) reduce_with<add, S>(a, T(1));
    else if constexpr (F == WEFT_MEAN) reduce_with<add, S>(a, T(a.count));
    else if constexpr (F == WEFT_MAX) reduce_with<most_or_nan, S>(a, T(1));
    else if constexpr (F == WEFT_SUM_OF_SQUARES) reduce_with<add_squares, S>(a, T(1));
    else WEFT_NO_FORMULA(F, "native/cpu/reduce.cpp: reduce", WEFT_REDUCTION_FUNCTION);
  });
}

// dx (+)= scale * dy, / count for a mean, * 2 x for a sum of squares
template <typename S>
void reduce_backward(const weft_reduce_backward& a) {
  using T = compute<S>;
  const S* x = as<S>(a.x);
  const T* dy = as<T>(a.dy);
  S* dx = as<S>(a.dx);
  int64_t outer = a.outer, count = a.count, inner = a.inner;
  bool squares = a.operation == WEFT_SUM_OF_SQUARES;
  if (!squares && a.operation != WEFT_SUM && a.operation != WEFT_MEAN) {
    fail("the reduction with number %lld has no reduce_backward", (long long)a.operation);
  }
  T scale = T(a.operation == WEFT_MEAN ? a.scale / (double)count : a.scale);
  choose_flag(a.accumulate, [&](auto accumulate) {
    constexpr bool add = accumulate;
    choose_flag(squares, [&](auto times_x) {
      // One gradient for a whole row where inner is 1, else one for each column.
      if (inner == 1) {
        parallel_rows(outer, count, 1, [=](int64_t o, int64_t begin, int64_t end) {
          T g = scale * dy[o];
          int64_t row = o * count;
#pragma omp simd
          for (int64_t k = row + begin; k < row + end; k++) {
            if constexpr (times_x) {
              put<add>(dx[k], g * (T(2) * T(x[k])));
            } else {
              put<add>(dx[k], g);
            }
          }
        });
      } else {
        parallel_rows(outer * count, inner, 1, [=](int64_t r, int64_t begin, int64_t end) {
          const T* up = dy + r / count * inner;
          int64_t row = r * inner;
#pragma omp simd
          for (int64_t c = begin; c < end; c++) {
            if constexpr (times_x) {
              put<add>(dx[row + c], scale * up[c] * (T(2) * T(x[row + c])));
            } else {
              put<add>(dx[row + c], scale * up[c]);
            }
          }
        });
      }
    });
  });
}

// dx (+)= x == y ? dy / ties : 0
template <typename S>
void max_backward(const weft_max_backward& a) {
  using T = compute<S>;
  const S* x = as<S>(a.x);
  const T *y = as<T>(a.y), *dy = as<T>(a.dy);
  S* dx = as<S>(a.dx);
  int64_t outer = a.outer, count = a.count, inner = a.inner;
  int64_t blocks = (inner + block - 1) / block;
  choose_flag(a.accumulate, [&](auto accumulate) {
    constexpr bool add = accumulate;
    parallel_units(outer * blocks, 2 * count * smaller(inner, block), [=](int64_t b, int64_t e) {
      T share[block];
      for (int64_t unit = b; unit < e; unit++) {
        int64_t o = unit / blocks, column = unit % blocks * block;
        int64_t columns = smaller(block, inner - column);
        const T *largest = y + o * inner + column, *up = dy + o * inner + column;
        const S* from = x + o * count * inner + column;
        S* to = dx + o * count * inner + column;
        for (int64_t c = 0; c < columns; c++) share[c] = T(0);
        for (int64_t k = 0; k < count; k++) {
#pragma omp simd
          for (int64_t c = 0; c < columns; c++) {
            share[c] += T(from[k * inner + c]) == largest[c] ? T(1) : T(0);
          }
        }
        for (int64_t c = 0; c < columns; c++) share[c] = up[c] / share[c];
        for (int64_t k = 0; k < count; k++) {
#pragma omp simd
          for (int64_t c = 0; c < columns; c++) {
            put<add>(to[k * inner + c], T(from[k * inner + c]) == largest[c] ? share[c] : T(0));
          }
        }
      }
    });
  });
}

}  // namespace

WEFT_DEFINE_TYPED(reduce, reduce)
WEFT_DEFINE_TYPED(reduce_backward, reduce_backward)
WEFT_DEFINE_TYPED(max_backward, max_backward)

}  // namespace WEFT_ISA
}  // namespace weft
