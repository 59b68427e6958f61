// SPDX-License-Identifier: Apache-2.0
//
// Folds of a contiguous run in a fixed order. A vector is 64 bytes on every instruction set (the
// compiler splits it where registers are smaller), so the order is the same on all of them.
#ifndef WEFT_CPU_LANES_H
#define WEFT_CPU_LANES_H

#include <string.h>

#include <limits>

#include "kernel.h"

namespace weft {
namespace WEFT_ISA {
namespace {

template <typename T>
struct vector_of {
  typedef T type __attribute__((vector_size(64)));
};
template <typename T>
using lanes = typename vector_of<T>::type;

struct add {
  template <typename V>
  static WEFT_MATH V combine(V a, V b) {
    return a + b;
  }
};

struct add_squares : add {};

// NaN on either side is passed over
struct most {
  template <typename V>
  static WEFT_MATH V combine(V a, V b) {
    return b > a ? b : a;
  }
};

// NaN on either side wins
struct most_or_nan {
  template <typename V>
  static WEFT_MATH V combine(V a, V b) {
    V larger = b > a ? b : a;
    return b == b ? larger : b;  // where a is NaN, b > a is false and a stays
  }
};

template <typename Fold, typename T>
WEFT_MATH lanes<T> load(const T* x) {
  lanes<T> v;
  memcpy(&v, x, sizeof v);
  if constexpr (std::is_same_v<Fold, add_squares>) v *= v;
  return v;
}

// Four vectors are in flight at a time: an addition takes 3-4 cycles and two start in each. That is
// also what keeps long sums accurate: 64 partial sums of floats, 32 of doubles.
template <typename Fold, typename T>
T fold(const T* x, int64_t n, T empty) {
  constexpr int64_t width = 64 / sizeof(T);
  lanes<T> a = lanes<T>{} + empty, b = a, c = a, d = a;
  int64_t i = 0;
  for (; i + 4 * width <= n; i += 4 * width) {
    a = Fold::combine(a, load<Fold>(x + i));
    b = Fold::combine(b, load<Fold>(x + i + width));
    c = Fold::combine(c, load<Fold>(x + i + 2 * width));
    d = Fold::combine(d, load<Fold>(x + i + 3 * width));
  }
  for (; i + width <= n; i += width) a = Fold::combine(a, load<Fold>(x + i));
  if (i < n) {
    T rest[width];
    for (T& r : rest) r = empty;
    memcpy(rest, x + i, (size_t)(n - i) * sizeof(T));
    b = Fold::combine(b, load<Fold>(rest));
  }
  a = Fold::combine(Fold::combine(a, b), Fold::combine(c, d));
  T lane[width];
  memcpy(lane, &a, sizeof a);
  for (int64_t half = width / 2; half > 0; half /= 2) {
    for (int64_t k = 0; k < half; k++) lane[k] = Fold::combine(lane[k], lane[k + half]);
  }
  return lane[0];
}

// NaN is passed over; -infinity where there is nothing else
template <typename T>
WEFT_MATH T largest(const T* x, int64_t n) {
  return fold<most>(x, n, -std::numeric_limits<T>::infinity());
}

template <typename T>
WEFT_MATH T sum(const T* x, int64_t n) {
  return fold<add>(x, n, T(0));
}

}  // namespace
}  // namespace WEFT_ISA
}  // namespace weft
#endif  // WEFT_CPU_LANES_H
