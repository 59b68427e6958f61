// SPDX-License-Identifier: Apache-2.0
//
// Dropout. The mask is a function of (seed, step, operation, element), so that backward is the same
// kernel on dy and no mask is stored.
#include "../math/philox.h"

#include "device.cuh"

namespace weft::cuda {

static_assert(dropout_shape::threads == elementwise_threads &&
                  dropout_shape::items == elementwise_items,
              "shape of elementwise kernels");

template <typename S>
WEFT_DEVICE void dropout(const weft_dropout& a) {
  using T = compute<S>;
  const S* x = static_cast<const S*>(a.x);
  S* y = static_cast<S*>(a.y);
  const weft_step_state* state = static_cast<const weft_step_state*>(a.state);
  const uint64_t seed = state->seed, step = state->step;
  const uint32_t threshold = dropout_threshold(a.rate);
  const T scale = T(1.0 / (1.0 - a.rate));
  const bool wide = aligned(x, y);
  elementwise<S>(a.n, [&](int64_t first) {
    const raw_batch<S> raw = load_raw(x, first, a.n, wide);
    philox_block words[batch<S>::packs];  // drawn while x is under way
#pragma unroll
    for (int k = 0; k < batch<S>::packs; k++) {
      uint32_t block = (uint32_t)((first + k * batch<S>::stride) / 4);
      words[k] = philox(seed, step, (uint32_t)a.operation, block);
    }
    batch<S> v = opened(raw);
    each<S>(first, [&](int k, int j, int64_t) {
      v.part[k].at[j] = words[k].word[j] < threshold ? T(0) : scale * v.part[k].at[j];
    });
    put_batch(y, first, a.n, wide, a.accumulate != 0, v);
  });
}

}  // namespace weft::cuda

// y = or y += the kept values, scaled; y may be x when it is `=`. A thread owns two packs of four
// (double: two turns of one pack), and one Philox block serves a pack. Block size: see
// elementwise_threads.
WEFT_KERNEL(dropout, dropout)
