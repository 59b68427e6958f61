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

// 64-bit products are an instruction with AVX-512 only.
#if defined(__AVX512DQ__)
using philox_lane = uint64_t;
#else
using philox_lane = uint32_t;
#endif

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
      auto drawn = philox_in<philox_lane>(seed, step, operation, block + (uint32_t)j);
      // a loop over the four would keep the one around it from becoming vector code
      word[4 * j] = (uint32_t)drawn.word[0];
      word[4 * j + 1] = (uint32_t)drawn.word[1];
      word[4 * j + 2] = (uint32_t)drawn.word[2];
      word[4 * j + 3] = (uint32_t)drawn.word[3];
    }
  }
};

}  // namespace
}  // namespace WEFT_ISA
}  // namespace weft
#endif  // WEFT_CPU_DRAW_H
