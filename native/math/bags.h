// SPDX-License-Identifier: Apache-2.0
//
// Which places a bag of ids has.
#ifndef WEFT_MATH_BAGS_H
#define WEFT_MATH_BAGS_H

#include "portable.h"

namespace weft {

// The id of a place where no row is meant.
constexpr int32_t padding = -1;

// Places of a bag; known where they are places of the batch.
struct bag_range {
  int64_t begin, end;
  bool known;
};

// The bags of a batch of ids, by their offsets, or equally long where there are none.
struct bags_of {
  const int32_t* offsets;
  int64_t bags, rows;

  WEFT_MATH int64_t begin(int64_t bag) const {
    return bag == bags ? rows : offsets ? offsets[bag] : bag * (rows / bags);
  }

  WEFT_MATH bag_range range(int64_t bag) const {
    const int64_t first = begin(bag), end = begin(bag + 1);
    return {first, end, 0 <= first && first <= end && end <= rows};
  }

  // The last bag that begins at or before a place, or -1. By bisection: offsets that run backwards
  // find the same one everywhere.
  WEFT_MATH int64_t at(int64_t row) const {
    if (!offsets) return row / (rows / bags);
    int64_t bag = -1, past = bags;
    while (past - bag > 1) {
      const int64_t middle = (bag + past) / 2;
      (offsets[middle] <= row ? bag : past) = middle;
    }
    return bag;
  }
};

}  // namespace weft

#endif  // WEFT_MATH_BAGS_H
