// SPDX-License-Identifier: Apache-2.0
//
// Whether a row's label is among the k of the largest logits.
#include <limits>

#include "kernel.h"

namespace weft {
namespace WEFT_ISA {
namespace {

template <typename S>
void top_hits(const weft_top_hits& a) {
  using T = compute<S>;
  const S* x = as<S>(a.x);
  const int32_t* labels = as<int32_t>(a.labels);
  T* hits = as<T>(a.hits);
  parallel_units(a.rows, a.classes, [=, n = a.classes, k = a.k](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; row++) {
      const S* from = x + row * n;
      const int64_t label = labels[row];
      if (!is_row(label, n)) {
        hits[row] = T(0);
        continue;
      }
      const T own = T(from[label]);
      // those ahead of the label, and those that leave a softmax
      int larger = 0, odd = 0;
#pragma omp simd reduction(+ : larger, odd)
      for (int64_t c = 0; c < label; c++) {
        larger += T(from[c]) >= own;
        odd += !(T(from[c]) < std::numeric_limits<T>::infinity());
      }
#pragma omp simd reduction(+ : larger, odd)
      for (int64_t c = label; c < n; c++) {
        larger += T(from[c]) > own;
        odd += !(T(from[c]) < std::numeric_limits<T>::infinity());
      }
      hits[row] = odd == 0 && larger < k ? T(1) : T(0);
    }
  });
}

}  // namespace

WEFT_DEFINE_TYPED(top_hits, top_hits)

}  // namespace WEFT_ISA
}  // namespace weft
