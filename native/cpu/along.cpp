// SPDX-License-Identifier: Apache-2.0
//
// Entries taken and put by their place along an axis, and places as rows of ones.
#include "kernel.h"

namespace weft {
namespace WEFT_ISA {
namespace {

template <typename S>
void one_hot(const weft_one_hot& a) {
  using T = compute<S>;
  const int32_t* ids = as<int32_t>(a.ids);
  S* y = as<S>(a.y);
  const T on = T(a.on), off = T(a.off);
  parallel_rows(a.rows, a.classes, 1, [=, n = a.classes](int64_t row, int64_t begin, int64_t end) {
    const int64_t id = ids[row];
    const T other = is_row(id, n) ? off : T(NAN);
#pragma omp simd
    for (int64_t c = begin; c < end; c++) put<false>(y[row * n + c], other);
    if (id >= begin && id < end) put<false>(y[row * n + id], on);
  });
}

template <typename S>
void gather_along(const weft_gather_along& a) {
  using T = compute<S>;
  const S* x = as<S>(a.x);
  const int32_t* index = as<int32_t>(a.index);
  S* y = as<S>(a.y);
  const T missing = T(a.missing);
  const int64_t count = a.count, inner = a.inner, cols = a.taken * a.inner;
  choose_flag(a.accumulate, [&](auto accumulate) {
    constexpr bool add = accumulate;
    parallel_rows(a.outer, cols, 4, [=](int64_t o, int64_t begin, int64_t end) {
      const S* from = x + o * count * inner;
      for (int64_t j = begin; j < end; j++) {
        const int64_t place = index[o * cols + j], i = inner == 1 ? 0 : j % inner;
        const T value = is_row(place, count) ? T(from[place * inner + i]) : missing;
        put<add>(y[o * cols + j], value);
      }
    });
  });
}

// Columns that one unit adds up: a cache line of doubles.
constexpr int64_t block = 8;

template <typename S>
void scatter_add_along(const weft_scatter_add_along& a) {
  using T = compute<S>;
  const S* values = as<S>(a.values);
  const int32_t* index = as<int32_t>(a.index);
  T* y = as<T>(a.y);
  const int64_t count = a.count, inner = a.inner, taken = a.taken;
  if (a.outer * inner * taken == 0) return;
  const int64_t blocks = (inner + block - 1) / block;
  parallel_units(a.outer * blocks, 4 * taken * smaller(inner, block),
                 [=](int64_t begin, int64_t end) {
                   for (int64_t unit = begin; unit < end; unit++) {
                     const int64_t o = unit / blocks, c0 = unit % blocks * block;
                     const int64_t c1 = smaller(inner, c0 + block);
                     T* to = y + o * count * inner;
                     for (int64_t t = 0; t < taken; t++) {
                       const int64_t row = (o * taken + t) * inner;
                       for (int64_t c = c0; c < c1; c++) {
                         const int64_t place = index[row + c];
                         if (!is_row(place, count)) continue;
                         to[place * inner + c] += T(values[row + c]);
                       }
                     }
                   }
                 });
}

}  // namespace

WEFT_DEFINE_TYPED(one_hot, one_hot)
WEFT_DEFINE_TYPED(gather_along, gather_along)
WEFT_DEFINE_TYPED(scatter_add_along, scatter_add_along)

}  // namespace WEFT_ISA
}  // namespace weft
