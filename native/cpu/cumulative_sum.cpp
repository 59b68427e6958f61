// SPDX-License-Identifier: Apache-2.0
//
// Sums up to each entry of an axis.
#include "kernel.h"

namespace weft {
namespace WEFT_ISA {
namespace {

// Columns that are added up side by side.
constexpr int64_t block = 128;

// Rows that are added up side by side: each addition waits for the one before it in its row.
constexpr int64_t rows_together = 8;

template <bool Add, typename S>
void sum_rows(const S* x, S* y, int64_t rows, int64_t count, bool reverse) {
  using T = compute<S>;
  const int64_t step = reverse ? -1 : 1;
  T sums[rows_together] = {};
  for (int64_t k = 0, at = reverse ? count - 1 : 0; k < count; k++, at += step) {
    for (int64_t r = 0; r < rows; r++) {
      sums[r] += T(x[r * count + at]);
      put<Add>(y[r * count + at], sums[r]);
    }
  }
}

template <typename S>
void cumulative_sum_of_rows(const weft_cumulative_sum& a) {
  const S* x = as<S>(a.x);
  S* y = as<S>(a.y);
  const int64_t groups = (a.outer + rows_together - 1) / rows_together;
  choose_flag(a.accumulate, [&](auto accumulate) {
    constexpr bool add = accumulate;
    parallel_units(groups, 8 * rows_together * a.count, [=](int64_t begin, int64_t end) {
      for (int64_t group = begin; group < end; group++) {
        const int64_t row = group * rows_together, first = row * a.count;
        if (row + rows_together <= a.outer) {
          sum_rows<add>(x + first, y + first, rows_together, a.count, a.reverse != 0);
        } else {
          sum_rows<add>(x + first, y + first, a.outer - row, a.count, a.reverse != 0);
        }
      }
    });
  });
}

template <typename S>
void cumulative_sum(const weft_cumulative_sum& a) {
  using T = compute<S>;
  if (a.outer * a.count * a.inner == 0) return;
  if (a.inner == 1) return cumulative_sum_of_rows<S>(a);
  const int64_t blocks = (a.inner + block - 1) / block;
  const int64_t cost = a.count * smaller(a.inner, block);
  choose_flag(a.accumulate, [&](auto accumulate) {
    constexpr bool add = accumulate;
    parallel_units(a.outer * blocks, cost, [=](int64_t begin, int64_t end) {
      for (int64_t unit = begin; unit < end; unit++) {
        const int64_t c0 = unit % blocks * block, width = smaller(block, a.inner - c0);
        const int64_t first = unit / blocks * a.count * a.inner + c0;
        T sums[block] = {};
        for (int64_t k = 0; k < a.count; k++) {
          const int64_t at = first + (a.reverse ? a.count - 1 - k : k) * a.inner;
          const S* x = as<S>(a.x) + at;
          S* y = as<S>(a.y) + at;
#pragma omp simd
          for (int64_t c = 0; c < width; c++) {
            sums[c] += T(x[c]);
            put<add>(y[c], sums[c]);
          }
        }
      }
    });
  });
}

}  // namespace

WEFT_DEFINE_TYPED(cumulative_sum, cumulative_sum)

}  // namespace WEFT_ISA
}  // namespace weft
