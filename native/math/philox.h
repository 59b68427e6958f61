// SPDX-License-Identifier: Apache-2.0
//
// Philox4x32-10, the counter-based generator of Salmon et al., "Parallel random numbers: as easy as
// 1, 2, 3" (SC 2011). A draw is a pure function of (seed, step, operation, element), so it is the
// same on every device, with one thread or many, and a mask can be made again instead of kept.
//
// Element i is word i % 4 of the block at counter (i / 4, operation, step low, step high) under the
// key (seed low, seed high).
#ifndef WEFT_MATH_PHILOX_H
#define WEFT_MATH_PHILOX_H

#include "portable.h"

namespace weft {

// Four words, or four vectors of words of as many blocks.
template <typename Word>
struct philox_words {
  Word word[4];
};
using philox_block = philox_words<uint32_t>;

// The lower and the upper word of a b.
struct philox_product {
  uint32_t low, high;

  // On the device not as a product of 64 bits: nvcc adds one more instruction for its upper half.
  static WEFT_MATH philox_product of(uint32_t a, uint32_t b) {
#if defined(__CUDA_ARCH__)
    return {a * b, __umulhi(a, b)};
#else
    const uint64_t product = (uint64_t)a * b;
    return {(uint32_t)product, (uint32_t)(product >> 32)};
#endif
  }
};

// The ten rounds of so many blocks, which take their turns: one alone would wait for its products.
template <typename Product, int Blocks, typename Word>
WEFT_MATH void philox_rounds(uint64_t seed, philox_words<Word> (&c)[Blocks]) {
  uint32_t k0 = (uint32_t)seed, k1 = (uint32_t)(seed >> 32);
#pragma GCC unroll 10
  for (int round = 0; round < 10; round++) {
#pragma GCC unroll 4
    for (int b = 0; b < Blocks; b++) {
      Word(&w)[4] = c[b].word;
      const Product p0 = Product::of(0xD2511F53u, w[0]);
      const Product p1 = Product::of(0xCD9E8D57u, w[2]);
      w[0] = p1.high ^ w[1] ^ k0;
      w[2] = p0.high ^ w[3] ^ k1;
      w[1] = p1.low;
      w[3] = p0.low;
    }
    k0 += 0x9E3779B9u;
    k1 += 0xBB67AE85u;
  }
}

WEFT_MATH philox_block philox(uint64_t seed, uint64_t step, uint32_t operation, uint32_t block) {
  philox_block blocks[1] = {{{block, operation, (uint32_t)step, (uint32_t)(step >> 32)}}};
  philox_rounds<philox_product>(seed, blocks);
  return blocks[0];
}

// rate in [0, 1) -> an element is dropped where its word is below this
WEFT_MATH uint32_t dropout_threshold(double rate) { return (uint32_t)(rate * 4294967296.0); }

}  // namespace weft
#endif  // WEFT_MATH_PHILOX_H
