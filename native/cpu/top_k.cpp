// SPDX-License-Identifier: Apache-2.0
//
// The places of the k largest entries of each row.
#include "kernel.h"

namespace weft {
namespace WEFT_ISA {
namespace {

// Places of a row as a heap: on top stands the one that comes last in falling order.
template <typename S>
struct largest_places {
  using T = compute<S>;
  const S* x;
  int32_t* at;
  int64_t count = 0;

  // Whether p comes ahead of q: a larger value, NaN the largest, and of equal ones the first place.
  bool ahead(int32_t p, int32_t q) const {
    const T a = T(x[p]), b = T(x[q]);
    const bool a_nan = a != a, b_nan = b != b;
    if (a_nan != b_nan) return a_nan;
    return a_nan || a == b ? p < q : a > b;
  }

  void put(int64_t hole, int32_t place) {
    for (int64_t child; (child = 2 * hole + 1) < count; hole = child) {
      if (child + 1 < count && ahead(at[child], at[child + 1])) child++;
      if (!ahead(place, at[child])) break;
      at[hole] = at[child];
    }
    at[hole] = place;
  }

  void take(int64_t n, int64_t k) {
    for (int32_t c = 0; c < k; c++) at[c] = c;
    count = k;
    for (int64_t i = k / 2 - 1; i >= 0; i--) put(i, at[i]);
    for (int64_t c = k; c < n; c++) {
      if (ahead((int32_t)c, at[0])) put(0, (int32_t)c);
    }
    while (count > 1) {
      const int32_t last = at[0], moved = at[--count];
      put(0, moved);
      at[count] = last;
    }
  }
};

template <typename S>
void top_k(const weft_top_k& a) {
  const S* x = as<S>(a.x);
  int32_t* y = as<int32_t>(a.y);
  if (a.k == 0) return;
  parallel_units(a.rows, 4 * a.cols, [=, n = a.cols, k = a.k](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; row++) {
      largest_places<S>{x + row * n, y + row * k}.take(n, k);
    }
  });
}

}  // namespace

WEFT_DEFINE_TYPED(top_k, top_k)

}  // namespace WEFT_ISA
}  // namespace weft
