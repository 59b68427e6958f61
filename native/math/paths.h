// SPDX-License-Identifier: Apache-2.0
//
// Which steps the path of an input has.
#ifndef WEFT_MATH_PATHS_H
#define WEFT_MATH_PATHS_H

#include "alias.h"
#include "bags.h"
#include "philox.h"

namespace weft {

// A step: row and branch, or none at all.
WEFT_MATH int32_t row_of_step(int32_t step) { return step < 0 ? padding : step >> 1; }

WEFT_MATH bool is_step(int32_t step, int64_t rows) {
  return step == padding || (step >= 0 && (step >> 1) < rows);
}

// The paths of inputs, by their numbers, or one for each where there are none.
struct paths_of {
  bags_of all;
  const int32_t* numbers;
  int64_t longest;

  WEFT_MATH bag_range of(int64_t input) const {
    const int64_t path = numbers ? numbers[input] : input;
    if (path < 0 || path >= all.bags) return {0, 0, false};
    bag_range range = all.range(path);
    range.known &= range.end - range.begin <= longest;
    return range;
  }
};

// Words drawn as noise.
struct noise {
  const uint32_t* thresholds;
  const int32_t* aliases;
  int64_t words;
  uint64_t seed, step;
  uint32_t operation;

  WEFT_MATH int32_t draw(int64_t number) const {
    const philox_block drawn = philox(seed, step, operation, (uint32_t)(number / 2));
    const bool second = number % 2;
    return draw_alias(second ? drawn.word[2] : drawn.word[0],
                      second ? drawn.word[3] : drawn.word[1], words, thresholds, aliases);
  }

  // Step `place` of the path of a row with a label; the first is to the label itself.
  WEFT_MATH int32_t path_step(int32_t label, int64_t row, int64_t negatives, int64_t place) const {
    if (label < 0 || label >= words) return -2;
    if (place == 0) return 2 * label;
    const int32_t drawn = draw(row * negatives + place - 1);
    return drawn == label ? padding : 2 * drawn + 1;
  }
};

}  // namespace weft

#endif  // WEFT_MATH_PATHS_H
