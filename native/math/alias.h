// SPDX-License-Identifier: Apache-2.0
//
// Draws from an alias table, as dev.weft.text.AliasTable has it.
#ifndef WEFT_MATH_ALIAS_H
#define WEFT_MATH_ALIAS_H

#include "philox.h"

namespace weft {

// One of so many words, by two words of a generator: a place, and whether it is its alias.
WEFT_MATH int32_t draw_alias(uint32_t first, uint32_t second, int64_t words,
                             const uint32_t* thresholds, const int32_t* aliases) {
  const uint32_t place = (uint32_t)(first * (uint64_t)words >> 32);
  return second < thresholds[place] ? (int32_t)place : aliases[place];
}

}  // namespace weft

#endif  // WEFT_MATH_ALIAS_H
