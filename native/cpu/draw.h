// SPDX-License-Identifier: Apache-2.0
//
// Philox words for a run of elements.
#ifndef WEFT_CPU_DRAW_H
#define WEFT_CPU_DRAW_H

#include <string.h>

#include <utility>

#include "../math/philox.h"
#include "kernel.h"

#if defined(__SSE2__)
#include <immintrin.h>
#endif

namespace weft {
namespace WEFT_ISA {
namespace {

#if defined(__SSE2__)
#define WEFT_PHILOX_LANES
// Words of as many blocks as there are lanes of 64 bits: so the products need no rearranging. Of the
// upper half of a lane nothing is said.
typedef uint64_t philox_lanes __attribute__((vector_size(register_bytes)));

struct philox_lane_product {
  philox_lanes low, high;

  static WEFT_MATH philox_lane_product of(uint32_t a, philox_lanes b) {
#if defined(__AVX512F__)
    const philox_lanes product = (philox_lanes)_mm512_mul_epu32(_mm512_set1_epi64(a), (__m512i)b);
#elif defined(__AVX2__)
    const philox_lanes product = (philox_lanes)_mm256_mul_epu32(_mm256_set1_epi64x(a), (__m256i)b);
#else
    const philox_lanes product = (philox_lanes)_mm_mul_epu32(_mm_set1_epi64x(a), (__m128i)b);
#endif
    return {product, product >> 32};
  }
};

// The halves of two vectors from lane First on, a lane of each in turn.
template <int First, int... Lane>
WEFT_MATH philox_lanes zip(philox_lanes a, philox_lanes b, std::integer_sequence<int, Lane...>) {
  constexpr int lanes = (int)sizeof...(Lane);
  return __builtin_shufflevector(a, b, (First + Lane / 2 + (Lane & 1 ? lanes : 0))...);
}
#endif

struct drawing {
  uint64_t seed, step;
  uint32_t operation;

  // Elements drawn at a time, 64 blocks: 1 kB of words, which stay in the first-level cache and
  // give every instruction set whole vectors of blocks.
  static constexpr int64_t run = 256;

  // word[j] belongs to element first + j; first is a multiple of 4
  WEFT_MATH void draw(int64_t first, uint32_t (&word)[run]) const {
    const uint32_t block = (uint32_t)(first / 4);
#if defined(WEFT_PHILOX_LANES)
    constexpr int lanes = register_bytes / 8, vectors = register_bytes == 64 ? 4 : 2;
    philox_lanes number, none = {};
    for (int l = 0; l < lanes; l++) number[l] = (uint64_t)l;
    for (int j = 0; j < (int)run / 4; j += vectors * lanes) {
      philox_words<philox_lanes> c[vectors];
#pragma GCC unroll 4
      for (int v = 0; v < vectors; v++) {
        c[v] = {{number + (block + (uint32_t)(j + v * lanes)), none + operation,
                 none + (uint32_t)step, none + (uint32_t)(step >> 32)}};
      }
      philox_rounds<philox_lane_product>(seed, c);
#pragma GCC unroll 4
      for (int v = 0; v < vectors; v++) {
        // two words to a lane, and the pairs of each block side by side
        const philox_lanes low = none + 0xFFFFFFFFu;
        const philox_lanes even = (c[v].word[0] & low) | c[v].word[1] << 32;
        const philox_lanes odd = (c[v].word[2] & low) | c[v].word[3] << 32;
        constexpr std::make_integer_sequence<int, lanes> all;
        const philox_lanes pairs[2] = {zip<0>(even, odd, all), zip<lanes / 2>(even, odd, all)};
        memcpy(word + 4 * (j + v * lanes), pairs, sizeof pairs);
      }
    }
#else
    for (int j = 0; j < (int)run / 4; j++) {
      const philox_block drawn = philox(seed, step, operation, block + (uint32_t)j);
      memcpy(word + 4 * j, drawn.word, sizeof drawn.word);
    }
#endif
  }
};

}  // namespace
}  // namespace WEFT_ISA
}  // namespace weft
#endif  // WEFT_CPU_DRAW_H
