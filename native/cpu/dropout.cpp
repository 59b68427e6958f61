// SPDX-License-Identifier: Apache-2.0
//
// Dropout; the mask is drawn again on the way back instead of being kept.
#include "../math/philox.h"
#include "kernel.h"

namespace weft {
namespace WEFT_ISA {
namespace {

// Words are drawn for 64 blocks at a time: 1 kB, which stays in the first-level cache and is enough
// for a full vector of blocks on every instruction set.
constexpr int64_t blocks = 64;

// y (+)= kept ? x / (1 - rate) : 0
template <typename T>
void dropout(const weft_dropout& a) {
  if (a.n == 0) return;
  const T* x = as<T>(a.x);
  T *y = as<T>(a.y), scale = T(1 / (1 - a.rate));
  const weft_step_state state = *as<weft_step_state>(a.state);
  uint32_t threshold = dropout_threshold(a.rate), operation = (uint32_t)a.operation;
  choose_flag(a.accumulate, [&](auto accumulate) {
    constexpr bool add = accumulate;
    parallel(a.n, transcendental, [=](int64_t begin, int64_t end) {
      uint32_t word[4 * blocks];
      for (int64_t i = begin; i < end; i += 4 * blocks) {
        uint32_t first = (uint32_t)(i / 4);
#pragma omp simd
        for (int j = 0; j < (int)blocks; j++) {
          philox_block drawn = philox(state.seed, state.step, operation, first + j);
          for (int k = 0; k < 4; k++) word[4 * j + k] = drawn.word[k];
        }
        int64_t length = smaller(4 * blocks, end - i);
#pragma omp simd
        for (int64_t j = 0; j < length; j++) {
          put<add>(y[i + j], word[j] < threshold ? T(0) : scale * x[i + j]);
        }
      }
    });
  });
}

}  // namespace

WEFT_DEFINE_TYPED(dropout, dropout)

}  // namespace WEFT_ISA
}  // namespace weft
