// SPDX-License-Identifier: Apache-2.0
//
// Philox words for a run of elements.
#ifndef WEFT_CPU_DRAW_H
#define WEFT_CPU_DRAW_H

#include "../math/philox.h"
#include "kernel.h"

namespace weft {
namespace WEFT_ISA {
namespace {

struct drawing {
  uint64_t seed, step;
  uint32_t operation;

  // Elements drawn at a time, 64 blocks: 1 kB of words, which stay in the first-level cache and
  // give every instruction set whole vectors of blocks.
  static constexpr int64_t run = 256;

  // word[j] belongs to element first + j; first is a multiple of 4
  WEFT_MATH void draw(int64_t first, uint32_t (&word)[run]) const {
    uint32_t block = (uint32_t)(first / 4);
#pragma omp simd
    for (int j = 0; j < (int)run / 4; j++) {
      philox_block drawn = philox(seed, step, operation, block + j);
      // a loop over the four would keep the one around it from becoming vector code
      word[4 * j] = drawn.word[0];
      word[4 * j + 1] = drawn.word[1];
      word[4 * j + 2] = drawn.word[2];
      word[4 * j + 3] = drawn.word[3];
    }
  }
};

}  // namespace
}  // namespace WEFT_ISA
}  // namespace weft
#endif  // WEFT_CPU_DRAW_H
