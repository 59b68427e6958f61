// SPDX-License-Identifier: Apache-2.0
//
// Dropout; the mask is drawn again on the way back instead of being kept.
#include "draw.h"
#include "kernel.h"

namespace weft {
namespace WEFT_ISA {
namespace {

// y (+)= kept ? x / (1 - rate) : 0
template <typename S>
void dropout(const weft_dropout& a) {
  using T = compute<S>;
  if (a.n == 0) return;
  const S* x = as<S>(a.x);
  S* y = as<S>(a.y);
  T scale = T(1 / (1 - a.rate));
  const weft_step_state& state = *as<weft_step_state>(a.state);
  drawing mask = {state.seed, state.step, (uint32_t)a.operation};
  uint32_t threshold = dropout_threshold(a.rate);
  choose_flag(a.accumulate, [&](auto accumulate) {
    constexpr bool add = accumulate;
    parallel(a.n, 4 * transcendental, [=](int64_t begin, int64_t end) {
      const drawing own = mask;  // a copy, so that the keys of its rounds are made once
      uint32_t word[drawing::run];
      for (int64_t i = begin; i < end; i += drawing::run) {
        // the words take so long that the processor would not see the next values coming
        for (int64_t b = 0; b < drawing::run * (int64_t)sizeof(S); b += 64) {
          __builtin_prefetch((const char*)(x + i + 2 * drawing::run) + b);
          __builtin_prefetch((const char*)(y + i + 2 * drawing::run) + b, 1);
        }
        own.draw(i, word);
        int64_t length = smaller(drawing::run, end - i);
        // copies, because a load of a captured pointer on one branch alone is not vectorised
        const S* from = x + i;
        S* to = y + i;
        T factor = scale;
#pragma omp simd
        for (int64_t j = 0; j < length; j++) {
          T kept = factor * T(from[j]);
          put<add>(to[j], word[j] < threshold ? T(0) : kept);
        }
      }
    });
  });
}

}  // namespace

WEFT_DEFINE_TYPED(dropout, dropout)

}  // namespace WEFT_ISA
}  // namespace weft
