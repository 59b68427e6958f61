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
#include "transcendental.h"

namespace weft {

template <typename Word>
struct philox_words {
  Word word[4];
};
using philox_block = philox_words<uint32_t>;

// A Word holds 32 bits of state. As uint64_t, the products need no rearranging of vector lanes,
// which is twice as fast with AVX-512.
template <typename Word>
struct philox_product {
  Word low, high;
};

// On the device not as a product of 64 bits: nvcc adds one more instruction for its upper half.
template <typename Word>
WEFT_MATH philox_product<Word> philox_multiply(uint32_t a, Word b) {
#if defined(__CUDA_ARCH__)
  return {a * b, __umulhi(a, b)};
#else
  const uint64_t product = (uint64_t)a * (uint32_t)b;
  return {(uint32_t)product, (Word)(product >> 32)};
#endif
}

template <typename Word>
WEFT_MATH philox_words<Word> philox_in(uint64_t seed, uint64_t step, uint32_t operation,
                                       uint32_t block) {
  Word c0 = block, c1 = operation, c2 = (uint32_t)step, c3 = (uint32_t)(step >> 32);
  uint32_t k0 = (uint32_t)seed, k1 = (uint32_t)(seed >> 32);
  for (int round = 0; round < 10; round++) {
    const philox_product<Word> p0 = philox_multiply(0xD2511F53u, c0);
    const philox_product<Word> p1 = philox_multiply(0xCD9E8D57u, c2);
    Word n0 = p1.high ^ c1 ^ k0;
    Word n2 = p0.high ^ c3 ^ k1;
    c1 = p1.low;
    c3 = p0.low;
    c0 = n0;
    c2 = n2;
    k0 += 0x9E3779B9u;
    k1 += 0xBB67AE85u;
  }
  return {{c0, c1, c2, c3}};
}

WEFT_MATH philox_block philox(uint64_t seed, uint64_t step, uint32_t operation, uint32_t block) {
  return philox_in<uint32_t>(seed, step, operation, block);
}

// rate in [0, 1) -> an element is dropped where its word is below this
WEFT_MATH uint32_t dropout_threshold(double rate) { return (uint32_t)(rate * 4294967296.0); }

// in [0, 1), 32 bits
WEFT_MATH double uniform(uint32_t word) { return word * (1.0 / 4294967296.0); }

// Two standard normal values from two words (Box-Muller); the first word maps to (0, 1].
WEFT_MATH void normal_pair(uint32_t first, uint32_t second, double* x, double* y) {
  double radius = std::sqrt(-2.0 * math::log_of_normal((first + 1.0) * (1.0 / 4294967296.0)));
  double sine, cosine;
  math::sine_cosine_of_turn(uniform(second), &sine, &cosine);
  *x = radius * cosine;
  *y = radius * sine;
}

}  // namespace weft
#endif  // WEFT_MATH_PHILOX_H
