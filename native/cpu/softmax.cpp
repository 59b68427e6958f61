// SPDX-License-Identifier: Apache-2.0
//
// Softmax along an axis and its logarithm.
#include "exponentials.h"
#include "kernel.h"
#include "lanes.h"
#include "row_lanes.h"

namespace weft {
namespace WEFT_ISA {
namespace {

// Neighbouring rows across memory that are taken together, an entry of each after another.
constexpr int64_t side = 64;

// y = softmax(x) of `width` rows, entry k of row i at k * stride + i; y may be x.
template <bool Log, typename X, typename Y>
void across(X* x, Y* y, int64_t count, int64_t stride, int64_t width) {
  using T = compute<Y>;
  constexpr bool kept = std::is_same_v<Y, T>;  // bfloat16 would lose digits of the exponentials
  T largest[side], total[side];
  for (int64_t i = 0; i < side; i++) largest[i] = T(-INFINITY), total[i] = T(0);
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
#pragma omp simd
    for (int64_t i = 0; i < width; i++) {
      const T e = math::exp(T(from[i]) - largest[i]);
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
        to[i] = Y(math::exp(T(from[i]) - largest[i]) * total[i]);
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
    across<Log>(e.at[0], e.at[0], count, row_lanes<T>, row_lanes<T>);
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
    for (int64_t c = 0; c < count; c++) put<false>(y[c], math::exp(T(x[c]) - most) * inverse);
  }
}

// body(first place, stride, width) for runs of rows across memory that lie side by side
template <typename Arguments, typename Body>
void over_runs(const Arguments& a, int64_t cost, const Body& body) {
  const int64_t runs = (a.inner + side - 1) / side, count = a.count, inner = a.inner;
  parallel_units(a.outer * runs, cost * count * side, [=](int64_t begin, int64_t end) {
    for (int64_t u = begin; u < end; u++) {
      const int64_t first = u % runs * side;
      body(u / runs * count * inner + first, inner, smaller(side, inner - first));
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
    if (a.inner > 1) {
      over_runs(a, 2 * transcendental, [=](int64_t first, int64_t stride, int64_t width) {
        across<Log>(x + first, y + first, count, stride, width);
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
  if constexpr (Log) return dy - math::exp(y) * sum;
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
      if (a.inner > 1) {
        over_runs(a, cost, [=](int64_t first, int64_t stride, int64_t width) {
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
