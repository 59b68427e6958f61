// SPDX-License-Identifier: Apache-2.0
//
// Sums up to each entry of an axis.
#include "kernel.h"

namespace weft {
namespace WEFT_ISA {
namespace {

// Columns that are added up side by side.
constexpr int64_t block = 128;

template <typename S>
void cumulative_sum(const weft_cumulative_sum& a) {
  using T = compute<S>;
  if (a.outer * a.count * a.inner == 0) return;
  const int64_t blocks = (a.inner + block - 1) / block;
  const int64_t cost = a.count * smaller(a.inner, block) * (a.inner == 1 ? 8 : 1);
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
