// SPDX-License-Identifier: Apache-2.0
//
// Rows of a matrix that one thread changes by itself for a while, and then gives back what it
// changed. A row that several write at once wanders between their caches, which takes longer than
// its arithmetic; and what comes of it depends on who was first.
#ifndef WEFT_CPU_OWN_ROWS_H
#define WEFT_CPU_OWN_ROWS_H

#include <string.h>

#include <vector>

#include "prefetch.h"
#include "word_step.h"

namespace weft {
namespace WEFT_ISA {
namespace {

class own_rows {
 public:
  explicit own_rows(int64_t cols) : cols(cols) {}

  // Of a matrix of so many rows none is wanted.
  void clear(int64_t rows) {
    for (int32_t id : ids) place[(size_t)id] = none;
    ids.clear();
    place.resize((size_t)rows, none);
  }

  void want(int64_t id) {
    if (place[(size_t)id] != none) return;
    place[(size_t)id] = (int32_t)ids.size();
    ids.push_back((int32_t)id);
  }

  // Copies what is wanted.
  void take(const float* matrix) {
    size_t width = (size_t)cols, elements = ids.size() * width;
    memory.resize(2 * elements + lanes);
    mine = aligned(memory), before = mine + elements;
    for (size_t r = 0; r < ids.size(); r++) {
      size_t ahead = r + (size_t)rows_ahead;
      if (ahead < ids.size()) prefetch_row(matrix + ids[ahead] * cols, cols);
      memcpy(mine + r * width, matrix + ids[r] * cols, width * sizeof(float));
      memcpy(before + r * width, mine + r * width, width * sizeof(float));
    }
  }

  // the copy of a row that was wanted
  float* row(int64_t id) const { return mine + place[(size_t)id] * cols; }

  // Adds what changed to those rows of the matrix whose ids are `share` modulo `shares`.
  void give(float* matrix, int32_t share, int32_t shares) const {
    for (size_t r = 0; r < ids.size(); r++) {
      if (ids[r] % shares == share) give_row(matrix + ids[r] * cols, (int64_t)r * cols);
    }
  }

 private:
  // Two changes since `before`, this one and all that others made meanwhile, become one as in Adasum
  // (Maleki et al., "Scaling distributed training with adaptive summation", 2021): their sum where
  // they are orthogonal, their mean where they are the same. Rows that many steps change go to the
  // same place in all threads: the sum would lead far beyond it.
  void give_row(float* now, int64_t at_row) const {
    float *mine_row = mine + at_row, *before_row = before + at_row;
    vec own_square{}, other_square{}, both{};
    for (int64_t k = 0; k < cols; k += lanes) {
      vec own = at(mine_row, k) - at(before_row, k), other = at(now, k) - at(before_row, k);
      own_square += own * own;
      other_square += other * other;
      both += own * other;
    }
    float own_length = sum(own_square), other_length = sum(other_square);
    float common = sum(both) > 0 ? sum(both) / 2 : 0;
    if (own_length == 0) return;
    if (other_length == 0) {
      memcpy(now, mine_row, (size_t)cols * sizeof(float));
      return;
    }
    vec own_part = all(1 - common / own_length), other_part = all(common / other_length);
    for (int64_t k = 0; k < cols; k += lanes) {
      vec own = at(mine_row, k) - at(before_row, k), other = at(now, k) - at(before_row, k);
      at(now, k) += own_part * own - other_part * other;
    }
  }

  static float sum(vec x) {
    float sum = 0;
    for (int i = 0; i < lanes; i++) sum += x[i];
    return sum;
  }

  static constexpr int32_t none = -1;

  int64_t cols;
  std::vector<int32_t> ids, place;  // of a copy, and of a row
  std::vector<float> memory;
  float *mine = nullptr, *before = nullptr;
};

}  // namespace
}  // namespace WEFT_ISA
}  // namespace weft
#endif  // WEFT_CPU_OWN_ROWS_H
