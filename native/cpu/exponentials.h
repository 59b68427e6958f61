// SPDX-License-Identifier: Apache-2.0
//
// The exponentials of a row and their sum.
#ifndef WEFT_CPU_EXPONENTIALS_H
#define WEFT_CPU_EXPONENTIALS_H

#include "../math/transcendental.h"
#include "lanes.h"

namespace weft {
namespace WEFT_ISA {
namespace {

// e[c] = e^(x[c] - reference) and their sum; e may be x, or 0 when only the sum is wanted
template <typename S, typename T = compute<S>>
T exponentials(const S* x, int64_t classes, compute<S> reference, compute<S>* e) {
  T total = T(0), scratch[terms_block];
  for (int64_t c = 0; c < classes; c += terms_block) {
    int64_t length = smaller(terms_block, classes - c);
    T* to = e ? e + c : scratch;
    const S* from = x + c;
#pragma omp simd
    for (int64_t j = 0; j < length; j++) to[j] = math::exp(T(from[j]) - reference);
    total += sum(to, length);
  }
  return total;
}

}  // namespace
}  // namespace WEFT_ISA
}  // namespace weft
#endif  // WEFT_CPU_EXPONENTIALS_H
