// SPDX-License-Identifier: Apache-2.0
//
// Softmax along an axis and its logarithm.
#include <utility>
#include <vector>

#include "../math/softmax.h"
#include "exponentials.h"
#include "kernel.h"
#include "lanes.h"
#include "prefetch.h"
#include "row_lanes.h"

namespace weft {
namespace WEFT_ISA {
namespace {

// Neighbouring rows across memory that are taken together, an entry of each after another: as many as
// make long runs of memory, or fewer where each thread should have some.
constexpr int64_t side = 256, short_side = 64;
template <typename Arguments>
int64_t side_of(const Arguments& a) {
  return a.outer * a.inner < 64 * side ? short_side : side;
}

// y = softmax(x) of `width` rows, entry k of row i at k * stride + i; y may be x. Those that come next
// lie `next` behind, and are asked for where it is not 0.
template <bool Log, int64_t Most, typename X, typename Y>
WEFT_MATH void across(X* x, Y* y, int64_t count, int64_t stride, int64_t width, int64_t next) {
  using T = compute<Y>;
  constexpr bool kept = std::is_same_v<Y, T>;  // bfloat16 would lose digits of the exponentials
  T largest[Most], total[Most];
  for (int64_t i = 0; i < Most; i++) largest[i] = T(-INFINITY), total[i] = T(0);
  for (int64_t k = 0; k < count; k++) {
    const auto* from = x + k * stride;
#pragma omp simd
    for (int64_t i = 0; i < width; i++) {
      const T v = T(from[i]);
      largest[i] = v > largest[i] ? v : largest[i];
    }
  }
  for (int64_t k = 0; k < count; k++) {
    const auto* from = x + k * stride;
    Y* to = y + k * stride;
    if (next != 0) prefetch_row(from + next, width);
#pragma omp simd
    for (int64_t i = 0; i < width; i++) {
      const T e = math::exp_nonpositive(T(from[i]) - largest[i]);
      total[i] += e;
      if constexpr (!Log && kept) to[i] = e;
    }
  }
#pragma omp simd
  for (int64_t i = 0; i < width; i++) total[i] = Log ? math::log(total[i]) : T(1) / total[i];
  for (int64_t k = 0; k < count; k++) {
    const auto* from = x + k * stride;
    Y* to = y + k * stride;
#pragma omp simd
    for (int64_t i = 0; i < width; i++) {
      if constexpr (Log) {
        to[i] = Y((T(from[i]) - largest[i]) - total[i]);
      } else if constexpr (kept) {
        to[i] *= total[i];
      } else {
        to[i] = Y(math::exp_nonpositive(T(from[i]) - largest[i]) * total[i]);
      }
    }
  }
}

// Short rows in memory, by way of rows across it.
template <bool Log, typename S>
struct narrow_softmax {
  using T = compute<S>;
  const S* x;
  S* y;
  int64_t count;
  lane_rows<T> e;

  void run(int64_t first, int rows) {
    e.load(x, count, first, rows);
    across<Log, row_lanes<T>>(e.at[0], e.at[0], count, row_lanes<T>, row_lanes<T>, 0);
    e.store(y, count, first, rows);
  }
};

// A row that is read for its largest entry, then once more for the exponentials, which are left
// where y goes and scaled there: after the first pass all is in cache. bfloat16 would lose digits of
// them there, and takes them a second time instead.
template <bool Log, typename S>
void along(const S* x, S* y, int64_t count) {
  using T = compute<S>;
  constexpr bool kept = std::is_same_v<S, T>;
  const T most = largest(x, count);
  if constexpr (Log) {
    const T total = math::log(exponentials(x, count, most, (T*)nullptr));
#pragma omp simd
    for (int64_t c = 0; c < count; c++) put<false>(y[c], (T(x[c]) - most) - total);
  } else if constexpr (kept) {
    const T inverse = T(1) / exponentials(x, count, most, y);
#pragma omp simd
    for (int64_t c = 0; c < count; c++) y[c] *= inverse;
  } else {
    const T inverse = T(1) / exponentials(x, count, most, (T*)nullptr);
#pragma omp simd
    for (int64_t c = 0; c < count; c++)
      put<false>(y[c], math::exp_nonpositive(T(x[c]) - most) * inverse);
  }
}

// body(first place, stride, width, distance to the next first place) for runs of rows across memory
// that lie side by side
template <typename Arguments, typename Body>
void over_runs(const Arguments& a, int64_t cost, const Body& body) {
  const int64_t count = a.count, inner = a.inner, most = side_of(a),
                runs = (inner + most - 1) / most;
  parallel_units(
      a.outer * runs, cost * count * smaller(most, inner), [=](int64_t begin, int64_t end) {
        for (int64_t u = begin; u < end; u++) {
          const int64_t column = u % runs * most, first = u / runs * count * inner + column;
          const int64_t next = (u + 1) / runs * count * inner + (u + 1) % runs * most;
          body(first, inner, smaller(most, inner - column), next - first);
        }
      });
}

// Columns that do not stay in cache are read twice, in rows as they lie: once for what parts of them
// fold to, once for the results. Where a row of memory is long, a cache has places for fewer of them:
// what lies a multiple of 4 KiB apart competes for the same.
constexpr int64_t part = 128;
template <typename Arguments>
bool has_long_columns(const Arguments& a) {
  return a.inner > 1 && a.count > (a.inner > short_side ? 256 : 4096);
}
template <typename Arguments>
int64_t parts_of(const Arguments& a) {
  return (a.count + part - 1) / part;
}

// body(first place, rows, columns, place of its first column in a (parts, outer, inner) array) for
// pieces of parts
template <typename Arguments, typename Body>
void over_parts(const Arguments& a, int64_t cost, const Body& body) {
  constexpr int64_t piece = 1024;  // half of it takes half as long again
  const int64_t count = a.count, inner = a.inner, outer = a.outer, parts = parts_of(a);
  const int64_t pieces = (inner + piece - 1) / piece, size = part * smaller(piece, inner);
  parallel_units(outer * parts * pieces, cost * size, [=](int64_t begin, int64_t end) {
    for (int64_t u = begin; u < end; u++) {
      const int64_t column = u % pieces * piece, p = u / pieces % parts, o = u / pieces / parts;
      body((o * count + p * part) * inner + column, smaller(part, count - p * part),
           smaller(piece, inner - column), (p * outer + o) * inner + column);
    }
  });
}

// body(row, those to take together from there on as a sequence)
template <typename Body>
WEFT_MATH void by_eights(int64_t rows, const Body& body) {
  int64_t k = 0;
  for (; k + 8 <= rows; k += 8) body(k, std::make_integer_sequence<int, 8>());
  for (; k < rows; k++) body(k, std::integer_sequence<int, 0>());
}

// Adds rows that lie `stride` apart to what columns have folded to.
template <typename S, int... Row>
WEFT_MATH void fold_rows(const S* x, int64_t stride, int64_t width, compute<S>* largest,
                         compute<S>* total, std::integer_sequence<int, Row...>) {
  using T = compute<S>;
  for (int64_t c = 0; c < width; c += short_side) {
    const int64_t length = smaller(short_side, width - c);
    const S* from = x + c;
    T *largest_at = largest + c, *total_at = total + c;
    (prefetch_row(from + (int64_t(sizeof...(Row)) + Row) * stride, length), ...);
#pragma omp simd
    for (int64_t i = 0; i < length; i++) {
      const T before = largest_at[i];
      T most = before;
      ((most = T(from[Row * stride + i]) > most ? T(from[Row * stride + i]) : most), ...);
      const T reference = softmax_reference(most);
      T sum = total_at[i] * math::exp_nonpositive(before - reference);
      ((sum += math::exp_nonpositive(T(from[Row * stride + i]) - reference)), ...);
      largest_at[i] = most;
      total_at[i] = sum;
    }
  }
}

// Memory of the calling thread, which keeps it for its next call.
template <typename T>
T* scratch(int64_t n) {
  static thread_local std::vector<T> memory;
  if ((int64_t)memory.size() < n) memory.resize((size_t)n);
  return memory.data();
}

// The largest entry and the sum of exponentials of each part, then of all parts, then y.
template <bool Log, typename S>
void along_long_columns(const weft_softmax_forward& a) {
  using T = compute<S>;
  const S* x = as<S>(a.x);
  S* y = as<S>(a.y);
  const int64_t inner = a.inner, columns = a.outer * inner, parts = parts_of(a);
  T *largest = scratch<T>(2 * parts * columns),
    *total = largest + parts * columns;  // (parts, outer, inner)
  over_parts(a, transcendental, [=](int64_t first, int64_t rows, int64_t width, int64_t place) {
    for (int64_t i = 0; i < width; i++) largest[place + i] = T(-INFINITY), total[place + i] = T(0);
    by_eights(rows, [=](int64_t k, auto together) {
      fold_rows(x + first + k * inner, inner, width, largest + place, total + place, together);
    });
  });
  parallel(columns, 2 * transcendental * parts, [=](int64_t begin, int64_t end) {
    for (int64_t p = 1; p < parts; p++) {
      const T *more = largest + p * columns, *more_total = total + p * columns;
#pragma omp simd
      for (int64_t i = begin; i < end; i++) {
        const softmax_state<T> both = softmax_merge(softmax_state<T>{largest[i], total[i], 0},
                                                    softmax_state<T>{more[i], more_total[i], 1});
        largest[i] = both.largest;
        total[i] = both.total;
      }
    }
#pragma omp simd
    for (int64_t i = begin; i < end; i++) total[i] = Log ? math::log(total[i]) : T(1) / total[i];
  });
  over_parts(a, transcendental, [=](int64_t first, int64_t rows, int64_t width, int64_t place) {
    place %= columns;
    for (int64_t k = 0; k < rows; k++) {
      const S* from = x + first + k * inner;
      S* to = y + first + k * inner;
      const T *most = largest + place, *of = total + place;
#pragma omp simd
      for (int64_t i = 0; i < width; i++) {
        const T above = T(from[i]) - most[i];
        to[i] = S(Log ? above - of[i] : math::exp_nonpositive(above) * of[i]);
      }
    }
  });
}

template <typename S>
void softmax_forward(const weft_softmax_forward& a) {
  const S* x = as<S>(a.x);
  S* y = as<S>(a.y);
  const int64_t count = a.count, rows = a.outer;
  choose_flag(a.log, [&](auto log) {
    constexpr bool Log = log;
    if (has_long_columns(a)) {
      along_long_columns<Log, S>(a);
    } else if (a.inner > 1) {
      over_runs(a, 2 * transcendental,
                [=](int64_t first, int64_t stride, int64_t width, int64_t next) {
                  across<Log, side>(x + first, y + first, count, stride, width, next);
                });
    } else if (count <= narrow_classes) {
      parallel_lanes<compute<S>>(rows, 2 * transcendental * count, [=] {
        narrow_softmax<Log, S> group;
        group.x = x, group.y = y, group.count = count;
        return group;
      });
    } else {
      parallel_units(rows, 2 * transcendental * count, [=](int64_t begin, int64_t end) {
        for (int64_t r = begin; r < end; r++) along<Log>(x + r * count, y + r * count, count);
      });
    }
  });
}

template <bool Log, typename T>
WEFT_MATH T derivative(T y, T dy, T sum) {
  if constexpr (Log) return dy - math::exp_nonpositive(y) * sum;
  else return y * (dy - sum);
}

template <bool Log, typename S>
compute<S> sum_along(const S* y, const S* dy, int64_t count) {
  using T = compute<S>;
  if (count <= narrow_classes) {
    T sum = T(0);
    for (int64_t c = 0; c < count; c++) sum += Log ? T(dy[c]) : T(dy[c]) * T(y[c]);
    return sum;
  }
  if constexpr (Log) return sum(dy, count);
  return sum_of_terms<T>(count, [=](T* terms, int64_t first, int64_t length) {
#pragma omp simd
    for (int64_t j = 0; j < length; j++) terms[j] = T(dy[first + j]) * T(y[first + j]);
  });
}

// The same for the sum that a column's gradient has.
template <bool Log, typename S, int... Row>
WEFT_MATH void fold_rows(const S* y, const S* dy, int64_t stride, int64_t width, compute<S>* sum,
                         std::integer_sequence<int, Row...>) {
  using T = compute<S>;
  for (int64_t c = 0; c < width; c += short_side) {
    const int64_t length = smaller(short_side, width - c);
    const S *of = y + c, *by = dy + c;
    T* sum_at = sum + c;
#pragma omp simd
    for (int64_t i = 0; i < length; i++) {
      T part = T(0);
      ((part += Log ? T(by[Row * stride + i]) : T(by[Row * stride + i]) * T(of[Row * stride + i])),
       ...);
      sum_at[i] += part;
    }
  }
}

template <bool Log, bool Add, typename S>
void along_long_columns(const weft_softmax_backward& a) {
  using T = compute<S>;
  const S *y = as<S>(a.y), *dy = as<S>(a.dy);
  S* dx = as<S>(a.dx);
  const int64_t inner = a.inner, columns = a.outer * inner, parts = parts_of(a);
  T* sums = scratch<T>(parts * columns);  // (parts, outer, inner)
  over_parts(a, 2, [=](int64_t first, int64_t rows, int64_t width, int64_t place) {
    T* sum = sums + place;
    for (int64_t i = 0; i < width; i++) sum[i] = T(0);
    by_eights(rows, [=](int64_t k, auto together) {
      const int64_t at = first + k * inner;
      fold_rows<Log>(y + at, dy + at, inner, width, sum, together);
    });
  });
  parallel(columns, parts, [=](int64_t begin, int64_t end) {
    for (int64_t p = 1; p < parts; p++) {
      const T* more = sums + p * columns;
#pragma omp simd
      for (int64_t i = begin; i < end; i++) sums[i] += more[i];
    }
  });
  over_parts(a, Log ? transcendental : 2,
             [=](int64_t first, int64_t rows, int64_t width, int64_t place) {
               const T* sum = sums + place % columns;
               for (int64_t k = 0; k < rows; k++) {
                 const S *by = dy + first + k * inner, *of = y + first + k * inner;
                 S* to = dx + first + k * inner;
#pragma omp simd
                 for (int64_t i = 0; i < width; i++) {
                   put<Add>(to[i], derivative<Log>(T(of[i]), T(by[i]), sum[i]));
                 }
               }
             });
}

template <typename S>
void softmax_backward(const weft_softmax_backward& a) {
  using T = compute<S>;
  const S *y = as<S>(a.y), *dy = as<S>(a.dy);
  S* dx = as<S>(a.dx);
  const int64_t count = a.count;
  choose_flag(a.log, [&](auto log) {
    constexpr bool Log = log;
    constexpr int64_t cost = Log ? 2 * transcendental : 4;
    choose_flag(a.accumulate, [&](auto accumulate) {
      constexpr bool Add = accumulate;
      if (has_long_columns(a)) {
        along_long_columns<Log, Add, S>(a);
        return;
      }
      if (a.inner > 1) {
        over_runs(a, cost, [=](int64_t first, int64_t stride, int64_t width, int64_t) {
          T sum[side];
          for (int64_t i = 0; i < side; i++) sum[i] = T(0);
          for (int64_t k = 0; k < count; k++) {
            const int64_t at = first + k * stride;
#pragma omp simd
            for (int64_t i = 0; i < width; i++) {
              sum[i] += Log ? T(dy[at + i]) : T(dy[at + i]) * T(y[at + i]);
            }
          }
          for (int64_t k = 0; k < count; k++) {
            const int64_t at = first + k * stride;
#pragma omp simd
            for (int64_t i = 0; i < width; i++) {
              put<Add>(dx[at + i], derivative<Log>(T(y[at + i]), T(dy[at + i]), sum[i]));
            }
          }
        });
        return;
      }
      parallel_units(a.outer, cost * count, [=](int64_t begin, int64_t end) {
        for (int64_t r = begin; r < end; r++) {
          const int64_t at = r * count;
          const T sum = sum_along<Log>(y + at, dy + at, count);
#pragma omp simd
          for (int64_t c = 0; c < count; c++) {
            put<Add>(dx[at + c], derivative<Log>(T(y[at + c]), T(dy[at + c]), sum));
          }
        }
      });
    });
  });
}

}  // namespace

WEFT_DEFINE_TYPED(softmax_forward, softmax_forward)
WEFT_DEFINE_TYPED(softmax_backward, softmax_backward)

}  // namespace WEFT_ISA
}  // namespace weft
