// SPDX-License-Identifier: Apache-2.0
//
// Uniform and normal values by Philox, the same bits as on any other device.
#include "../math/normal.h"
#include "../math/philox.h"

#include "device.cuh"

namespace weft::cuda {

static_assert(random_uniform_shape::threads == elementwise_threads &&
                  random_uniform_shape::items == elementwise_items &&
                  random_normal_shape::threads == elementwise_threads &&
                  random_normal_shape::items == elementwise_items,
              "shape of elementwise kernels");

// A pack is one Philox block; draw(words, values) turns its four words into four values.
template <typename T, typename Draw>
WEFT_DEVICE void generate(const weft_random& a, Draw draw) {
  T* y = static_cast<T*>(a.y);
  const bool wide = aligned(y);
  elementwise<T>(a.n, [&](int64_t first) {
    batch<T> v;
#pragma unroll
    for (int k = 0; k < batch<T>::packs; k++) {
      uint32_t block = (uint32_t)((first + k * batch<T>::stride) / 4);
      philox_block words = philox((uint64_t)a.seed, (uint64_t)a.step, (uint32_t)a.operation, block);
      T values[4];
      draw(words, values);
#pragma unroll
      for (int j = 0; j < 4; j++) v.part[k].at[j] = values[j];
    }
    store_batch(y, first, a.n, wide, v);
  });
}

template <typename T>
WEFT_DEVICE void random_uniform(const weft_random& a) {
  generate<T>(a, [&](const philox_block& words, T(&values)[4]) {
#pragma unroll
    for (int j = 0; j < 4; j++) values[j] = T(a.a) + T(a.b - a.a) * uniform<T>(words.word[j]);
  });
}

template <typename T>
WEFT_DEVICE void random_normal(const weft_random& a) {
  generate<T>(a, [&](const philox_block& words, T(&values)[4]) {
    normal_pair(words.word[0], words.word[1], T(a.a), T(a.b), &values[0], &values[1]);
    normal_pair(words.word[2], words.word[3], T(a.a), T(a.b), &values[2], &values[3]);
  });
}

}  // namespace weft::cuda

// y (=). A thread draws one or two blocks of four values. Block size: see elementwise_threads.
WEFT_KERNEL_WIDE(random_uniform, random)

// y (=). Same mapping. About 40 flops an element.
WEFT_KERNEL_WIDE(random_normal, random)
