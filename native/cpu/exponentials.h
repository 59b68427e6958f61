// SPDX-License-Identifier: Apache-2.0
//
// The exponentials of a row and their sum.
#ifndef WEFT_CPU_EXPONENTIALS_H
#define WEFT_CPU_EXPONENTIALS_H

#include "../math/transcendental.h"
#include "lanes.h"
#include "prefetch.h"

namespace weft {
namespace WEFT_ISA {
namespace {

// e[c] = e^(x[c] - reference) and their sum, reference being the largest x; e may be x, or 0 when
// only the sum is wanted. The row behind is asked
// for meanwhile: memory would idle else, since a row comes from it in the pass before alone.
template <typename S, typename T = compute<S>>
T exponentials(const S* x, int64_t classes, compute<S> reference, compute<S>* e) {
  constexpr int64_t lanes = block_sum<T>::lanes;
  block_sum<T> total;
  T scratch[lanes];
  for (int64_t c = 0; c < classes; c += lanes) {
    const int64_t length = smaller(lanes, classes - c);
    prefetch_row(x + classes + c, length);
    const S* from = x + c;
    T* to = e ? e + c : scratch;
#pragma omp simd
    for (int64_t j = 0; j < length; j++) {
      to[j] = math::exp_nonpositive(T(from[j]) - reference);
      total.part[j] += to[j];
    }
    total.end_of_block(c / lanes);
  }
  return total.value();
}

}  // namespace
}  // namespace WEFT_ISA
}  // namespace weft
#endif  // WEFT_CPU_EXPONENTIALS_H
