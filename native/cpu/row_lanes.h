// SPDX-License-Identifier: Apache-2.0
//
// Short rows side by side: as many at a time as a vector has lanes, one to a lane, so that a fold over
// a row is one over vectors. The other way, which folds one vector into one number at a row's end (75
// ns a row), only pays when a row has many vectors.
#ifndef WEFT_CPU_ROW_LANES_H
#define WEFT_CPU_ROW_LANES_H

#include "../math/value_loss.h"
#include "kernel.h"

namespace weft {
namespace WEFT_ISA {
namespace {

// Rows up to this long take the narrow way.
constexpr int64_t narrow_classes = 64;

template <typename T>
constexpr int row_lanes = 64 / sizeof(T);

// at[c][l] belongs to class c of row l
template <typename T>
struct lane_rows {
  T at[narrow_classes][row_lanes<T>];

  // Rows first to first + count - 1 of x; lanes without a row repeat the last one.
  template <typename S>
  void load(const S* x, int64_t classes, int64_t first, int count) {
    for (int l = 0; l < row_lanes<T>; l++) {
      const S* from = x + (first + (l < count ? l : count - 1)) * classes;
      for (int c = 0; c < (int)classes; c++) at[c][l] = T(from[c]);
    }
  }

  template <typename S>
  void store(S* x, int64_t classes, int64_t first, int count) const {
    for (int l = 0; l < count; l++) {
      S* to = x + (first + l) * classes;
      for (int c = 0; c < (int)classes; c++) to[c] = S(at[c][l]);
    }
  }
};

// What losses of rows have in common: weights and hits may be 0.
template <typename T>
struct row_losses {
  const T* weights;
  T *losses, *hits;
  T scale;

  // loss is the row's without its weight; returns what its gradient is multiplied by
  T put(int64_t row, T loss, bool hit) const {
    const T weight = weights ? weights[row] : T(1);
    losses[row] = weighted(weight, loss);
    if (hits) hits[row] = hit && loss == loss ? T(1) : T(0);
    return gradient_scale(weight, scale, loss);
  }
};

// Runs group.run(first, count) for rows by lanes; each thread has a Group made by make().
template <typename T, typename Make>
void parallel_lanes(int64_t rows, int64_t cost, const Make& make) {
  constexpr int64_t lanes = row_lanes<T>;
  parallel_units((rows + lanes - 1) / lanes, lanes * cost, [=](int64_t begin, int64_t end) {
    auto group = make();
    for (int64_t g = begin; g < end; g++) {
      group.run(g * lanes, (int)smaller(lanes, rows - g * lanes));
    }
  });
}

}  // namespace
}  // namespace WEFT_ISA
}  // namespace weft
#endif  // WEFT_CPU_ROW_LANES_H
