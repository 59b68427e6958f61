// SPDX-License-Identifier: Apache-2.0
//
// Matrices turned, and floats rounded to pairs of bfloat16.
#ifndef WEFT_CPU_TRANSPOSITION_H
#define WEFT_CPU_TRANSPOSITION_H

#include "strips.h"

namespace weft {
namespace WEFT_ISA {
namespace {

// Turns a square of values, in place.
template <typename T>
WEFT_MATH void transpose_square(vector<T> (&v)[lanes_of<T>]) {
  constexpr int lanes = lanes_of<T>;
  typedef typename std::conditional<sizeof(T) == 4, int32_t, int64_t>::type place;
  typedef place places __attribute__((vector_size(register_bytes)));
  // swaps the off-diagonal halves of ever smaller squares
#pragma GCC unroll 4
  for (int s = lanes / 2; s > 0; s /= 2) {
    places low, high;
#pragma GCC unroll 16
    for (int j = 0; j < lanes; j++) {
      low[j] = j & s ? lanes + j - s : j;
      high[j] = j & s ? lanes + j : j + s;
    }
#pragma GCC unroll 16
    for (int i = 0; i < lanes; i++) {
      if (i & s) continue;
      vector<T> a = v[i], b = v[i + s];
      v[i] = __builtin_shuffle(a, b, low);
      v[i + s] = __builtin_shuffle(a, b, high);
    }
  }
}

// Columns c0 .. c0 + lanes - 1 of m (rows, cols) as rows of t, which are `stride` long and zero from
// `rows` on; row(r) is the vector of m's row r from column c0 on.
template <typename T, typename Row>
WEFT_MATH void transpose_columns(const Row& row, T* t, int64_t rows, int64_t c0, int64_t cols,
                                 int64_t stride) {
  constexpr int lanes = lanes_of<T>;
  for (int64_t r0 = 0; r0 < stride; r0 += lanes) {
    int64_t height = r0 < rows ? smaller(lanes, rows - r0) : 0;
    vector<T> v[lanes];
#pragma GCC unroll 16
    for (int i = 0; i < lanes; i++) v[i] = i < height ? row(r0 + i) : vector<T>{};
    transpose_square<T>(v);
#pragma GCC unroll 16
    for (int i = 0; i < lanes; i++) {
      if (i < cols - c0) put_vector(t + (c0 + i) * stride + r0, v[i]);
    }
  }
}

#if defined(__AVX512BF16__)
// 32 floats rounded, in order: 16 pairs of neighbours
WEFT_MATH vector<float> neighbours(vector<float> low, vector<float> high) {
  return (vector<float>)_mm512_cvtne2ps_pbh((__m512)high, (__m512)low);
}

// 16 floats of one row and of the next: 16 pairs of one above the other
WEFT_MATH vector<float> stacked(vector<float> upper, vector<float> lower) {
  alignas(64) static constexpr uint16_t order[32] = {0,  16, 1,  17, 2,  18, 3,  19, 4,  20, 5,
                                                     21, 6,  22, 7,  23, 8,  24, 9,  25, 10, 26,
                                                     11, 27, 12, 28, 13, 29, 14, 30, 15, 31};
  __m512i both = (__m512i)neighbours(upper, lower);
  return (vector<float>)_mm512_permutexvar_epi16(_mm512_load_si512(order), both);
}

// The first `width` of 32 floats, as neighbours.
WEFT_MATH vector<float> first_neighbours(const float* x, int64_t width) {
  if (width >= 32) return neighbours(load(x), load(x + 16));
  if (width > 16) return neighbours(load(x), first_lanes<float>(width - 16).load(x + 16));
  return neighbours(first_lanes<float>(width).load(x), vector<float>{});
}
#endif

}  // namespace
}  // namespace WEFT_ISA
}  // namespace weft
#endif  // WEFT_CPU_TRANSPOSITION_H
