// SPDX-License-Identifier: Apache-2.0
//
// Uniform and normal values by Philox, the same bits as on any other device.

#include <string.h>

#include "../math/normal.h"
#include "draw.h"
#include "kernel.h"

namespace weft {
namespace WEFT_ISA {
namespace {

// values(two words, two results) gives elements 2 i and 2 i + 1
template <typename T, typename Values>
void fill_pairs(const weft_random& a, int64_t cost, const Values& values) {
  T* y = as<T>(a.y);
  drawing source = {(uint64_t)a.seed, (uint64_t)a.step, (uint32_t)a.operation};
  parallel(a.n, cost, [=](int64_t begin, int64_t end) {
    const drawing own = source;  // a copy, so that the keys of its rounds are made once
    uint32_t word[drawing::run];
    T value[drawing::run];
    for (int64_t i = begin; i < end; i += drawing::run) {
      own.draw(i, word);
#pragma omp simd
      for (int j = 0; j < (int)drawing::run / 2; j++) {
        values(word[2 * j], word[2 * j + 1], &value[2 * j], &value[2 * j + 1]);
      }
      memcpy(y + i, value, (size_t)smaller(drawing::run, end - i) * sizeof(T));
    }
  });
}

// y ~ U[a, b); a sum may round up to b
template <typename T>
void random_uniform(const weft_random& a) {
  T low = T(a.a), width = T(a.b - a.a);
  fill_pairs<T>(a, 2 * transcendental, [=](uint32_t u, uint32_t v, T* x, T* y) {
    *x = low + width * uniform<T>(u);
    *y = low + width * uniform<T>(v);
  });
}

// y ~ N(a, b^2)
template <typename T>
void random_normal(const weft_random& a) {
  T mean = T(a.a), deviation = T(a.b);
  fill_pairs<T>(a, 4 * transcendental, [=](uint32_t u, uint32_t v, T* x, T* y) {
    normal_pair(u, v, mean, deviation, x, y);
  });
}

}  // namespace

WEFT_DEFINE_WIDE(random_uniform, random)
WEFT_DEFINE_WIDE(random_normal, random)

}  // namespace WEFT_ISA
}  // namespace weft
