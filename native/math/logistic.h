// SPDX-License-Identifier: Apache-2.0
//
// The logistic loss of a score f for a label of 1 or 0: -log s(f) or -log s(-f), s(z) = 1 / (1 +
// e^-z). Its derivative in f is s(f) - label.
#ifndef WEFT_MATH_LOGISTIC_H
#define WEFT_MATH_LOGISTIC_H

#include "transcendental.h"

namespace weft {

template <typename T>
struct logistic {
  T loss, error;  // error: label - s(f)
};

template <typename T>
WEFT_MATH logistic<T> logistic_of(T f, T label) {
  T e = math::exp(-std::fabs(f)), larger = T(1) / (T(1) + e);
  T wrong = label > T(0.5) ? -f : f;
  return {(wrong > T(0) ? wrong : T(0)) + math::log1p_unit(e),
          label - (f < T(0) ? T(1) - larger : larger)};
}

}  // namespace weft
#endif  // WEFT_MATH_LOGISTIC_H
