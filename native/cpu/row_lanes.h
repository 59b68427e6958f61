// SPDX-License-Identifier: Apache-2.0
//
// Short rows side by side: as many at a time as a vector has lanes, one to a lane, so that a fold over
// a row is one over vectors. The other way, which folds one vector into one number at a row's end (75
// ns a row), only pays when a row has many vectors.
#ifndef WEFT_CPU_ROW_LANES_H
#define WEFT_CPU_ROW_LANES_H

#include "../math/value_loss.h"
#include "kernel.h"
#include "lanes.h"
#include "square.h"

namespace weft {
namespace WEFT_ISA {
namespace {

// Rows up to this long take the narrow way.
constexpr int64_t narrow_classes = 64;

template <typename T>
constexpr int row_lanes = 64 / sizeof(T);

// at[c][l] belongs to class c of row l. Rows of some classes come and go by squares, transposed in
// registers: what a square is wider than its rows belongs to the rows behind, of which none is behind
// the last.
template <typename T>
struct lane_rows {
  T at[narrow_classes][row_lanes<T>];

  // Rows first to first + count - 1 of x; lanes without a row repeat the last one.
  template <typename S>
  void load(const S* x, int64_t classes, int64_t first, int count) {
    const S *from = x + first * classes, *end = from + count * classes;
    if (classes < side / 2) {
      for (int l = 0; l < row_lanes<T>; l++) {
        const S* row = from + smaller(l, count - 1) * classes;
        for (int c = 0; c < (int)classes; c++) at[c][l] = T(row[c]);
      }
      return;
    }
    S part[side];
    for (int l = 0; l < row_lanes<T>; l += side) {
      for (int64_t c = 0; c < classes; c += side) {
        square<T> block;
        const S *row = from + smaller(l, count - 1) * classes + c, *whole = end - side;
#pragma GCC unroll 16
        for (int i = 0; i < side; i++) {
          const vector<T> v = WEFT_ISA::load(row <= whole ? row : copy(part, row, end - row));
          block.get(i, (const T*)&v);
          if (l + i < count - 1) row += classes;
        }
        block.transpose();
#pragma GCC unroll 16
        for (int i = 0; i < side; i++) {
          if (c + i < classes) block.put(i, &at[c + i][l]);
        }
      }
    }
  }

  // Each row's entry of its own class, NaN where the class is none. A vector of values stored one by one
  // would be waited for; hence by vectors.
  WEFT_MATH void entries(const int32_t (&label)[row_lanes<T>], int32_t classes,
                         T (&to)[row_lanes<T>]) const {
    const T* entry = &at[0][0];  // of any row: at[0][k] would be taken for one of the first
#pragma omp simd
    for (int l = 0; l < row_lanes<T>; l++) {
      const bool known = label[l] >= 0 && label[l] < classes;
      const int32_t c = known ? label[l] : 0;
      const T v = entry[c * row_lanes<T> + l];
      to[l] = known ? v : T(NAN);
    }
  }

  // What a row's last square writes behind it is written over with the next row's first, which
  // therefore comes later.
  template <typename S>
  void store(S* x, int64_t classes, int64_t first, int count) const {
    S *to = x + first * classes, *end = to + count * classes;
    if (classes < side / 2) {
      for (int l = 0; l < count; l++) {
        for (int c = 0; c < (int)classes; c++) to[l * classes + c] = S(at[c][l]);
      }
      return;
    }
    S part[side];
    for (int l = 0; l < count; l += side) {
      for (int64_t c = (classes - 1) / side * side; c >= 0; c -= side) {
        square<T> block;
#pragma GCC unroll 16
        for (int i = 0; i < side; i++) block.get(i, &at[c + i][l]);
        block.transpose();
        S *row = to + l * classes + c, *whole = end - side;
#pragma GCC unroll 16
        for (int i = 0; i < side; i++, row += classes) {
          const bool all = row <= whole;
          S* place = all ? row : part;
          if constexpr (std::is_same_v<S, T>) {
            block.put(i, place);
          } else {
            T wide[side];
            block.put(i, wide);
#pragma omp simd
            for (int j = 0; j < side; j++) place[j] = S(wide[j]);
          }
          if (!all) copy(row, part, end - row);
        }
      }
    }
  }

 private:
  static constexpr int side = square<T>::side;

  // apart, since it would be most of the code above and is needed for a last row alone
  template <typename S>
  static __attribute__((noinline)) S* copy(S* to, const S* from, int64_t count) {
    for (int64_t j = 0; j < count; j++) to[j] = from[j];
    return to;
  }
};

// What belongs to rows first, first + 1, ..., one to a lane; lanes without a row repeat the last one.
template <typename V, size_t Lanes>
WEFT_MATH void take_lanes(V (&to)[Lanes], const V* from, int64_t first, int count) {
  if (count == (int)Lanes) {
    memcpy(to, from + first, sizeof to);
  } else {
    for (int l = 0; l < (int)Lanes; l++) to[l] = from[first + smaller(l, count - 1)];
  }
}

template <typename V, size_t Lanes>
WEFT_MATH void put_lanes(V* to, const V (&from)[Lanes], int64_t first, int count) {
  if (count == (int)Lanes) {
    memcpy(to + first, from, sizeof from);
  } else {
    for (int l = 0; l < count; l++) to[first + l] = from[l];
  }
}

// What losses of rows have in common: weights and hits may be 0.
template <typename T>
struct row_losses {
  const T* weights;
  T *losses, *hits;
  T scale;

  // For rows by lanes: what rows have lost becomes what their gradients are multiplied by; hit is 1 or 0.
  template <int Lanes>
  WEFT_MATH void put(int64_t first, int count, T (&loss)[Lanes], const T (&hit)[Lanes]) const {
    T weight[Lanes], lost[Lanes], hits_of[Lanes];
    for (T& w : weight) w = T(1);
    if (weights) take_lanes(weight, weights, first, count);
#pragma omp simd
    for (int l = 0; l < Lanes; l++) {
      lost[l] = weighted(weight[l], loss[l]);
      hits_of[l] = loss[l] == loss[l] ? hit[l] : T(0);
      loss[l] = gradient_scale(weight[l], scale, loss[l]);
    }
    put_lanes(losses, lost, first, count);
    if (hits) put_lanes(hits, hits_of, first, count);
  }

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
