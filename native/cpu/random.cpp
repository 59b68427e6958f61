// SPDX-License-Identifier: Apache-2.0
//
// Uniform and normal values by Philox, computed in double.
#include "../math/philox.h"
#include "kernel.h"

namespace weft {
namespace WEFT_ISA {
namespace {

// values(block of four words, four results) -> y
template <typename T, typename Values>
void fill_blocks(const weft_random& a, const Values& values) {
  T* y = as<T>(a.y);
  uint64_t seed = (uint64_t)a.seed, step = (uint64_t)a.step;
  uint32_t operation = (uint32_t)a.operation;
  parallel(a.n, 4 * transcendental, [=](int64_t begin, int64_t end) {
    constexpr int64_t blocks = 64;
    double value[4 * blocks];
    for (int64_t i = begin; i < end; i += 4 * blocks) {
      uint32_t first = (uint32_t)(i / 4);
#pragma omp simd
      for (int j = 0; j < (int)blocks; j++) {
        philox_block drawn = philox(seed, step, operation, first + j);
        values(drawn, value + 4 * j);
      }
      int64_t length = smaller(4 * blocks, end - i);
#pragma omp simd
      for (int64_t j = 0; j < length; j++) y[i + j] = T(value[j]);
    }
  });
}

// y ~ U[a, b)
template <typename T>
void random_uniform(const weft_random& a) {
  fill_blocks<T>(a, [low = a.a, width = a.b - a.a](const philox_block& drawn, double* value) {
    for (int k = 0; k < 4; k++) value[k] = low + width * uniform(drawn.word[k]);
  });
}

// y ~ N(a, b^2)
template <typename T>
void random_normal(const weft_random& a) {
  fill_blocks<T>(a, [mean = a.a, deviation = a.b](const philox_block& drawn, double* value) {
    double first, second, third, fourth;
    normal_pair(drawn.word[0], drawn.word[1], &first, &second);
    normal_pair(drawn.word[2], drawn.word[3], &third, &fourth);
    value[0] = mean + deviation * first;
    value[1] = mean + deviation * second;
    value[2] = mean + deviation * third;
    value[3] = mean + deviation * fourth;
  });
}

}  // namespace

WEFT_DEFINE_TYPED(random_uniform, random)
WEFT_DEFINE_TYPED(random_normal, random)

}  // namespace WEFT_ISA
}  // namespace weft
