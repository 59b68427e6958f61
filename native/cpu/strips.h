// SPDX-License-Identifier: Apache-2.0
//
// Matrices in strips of 16 columns, and vectors of which only a part is there.
#ifndef WEFT_CPU_STRIPS_H
#define WEFT_CPU_STRIPS_H

#include <string.h>

#include "kernel.h"
#include "lanes.h"

#if defined(__AVX2__)
#include <immintrin.h>
#endif

namespace weft {
namespace WEFT_ISA {
namespace {

// A tall matrix (rows, width) lies in strips of 16 columns: element (r, c) at c / 16 * block + 16 r
// + c % 16, block = 16 * the rows of the whole matrix, or a little more. So a row's 16 columns are
// one or more whole vectors, the rows of a strip are a run of memory, and any place in a tile of
// rows is a constant away from its first.
constexpr int64_t strip = 16;

template <typename T>
constexpr int lanes_of = register_bytes / (int)sizeof(T);

WEFT_MATH int64_t strips(int64_t width) { return (width + strip - 1) / strip; }

// The place of column c in row 0.
WEFT_MATH int64_t column(int64_t c, int64_t block) { return c / strip * block + c % strip; }

template <typename T>
WEFT_MATH void put_vector(T* to, vector<T> v) {
  memcpy(to, &v, sizeof v);
}

template <typename T>
WEFT_MATH vector<T> widened(const T* from) {
  return load(from);
}

// As many bytes as a vector has elements. Left to the compiler, 16 of them become four short
// vectors.
template <typename T>
WEFT_MATH vector<T> widened(const uint8_t* from) {
#if defined(__AVX512F__)
  if constexpr (sizeof(T) == 4) {
    __m128i bytes = _mm_loadu_si128((const __m128i*)from);
    return (vector<T>)_mm512_maskz_cvtepi32_ps(0xffff, _mm512_maskz_cvtepu8_epi32(0xffff, bytes));
  } else {
    return (vector<T>)_mm512_maskz_cvtepu32_pd(
        0xff, _mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i*)from)));
  }
#elif defined(__AVX2__)
  if constexpr (sizeof(T) == 4) {
    __m128i bytes = _mm_loadl_epi64((const __m128i*)from);
    return (vector<T>)_mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(bytes));
  } else {
    int32_t bytes;
    memcpy(&bytes, from, sizeof bytes);
    return (vector<T>)_mm256_cvtepi32_pd(_mm_cvtepu8_epi32(_mm_cvtsi32_si128(bytes)));
  }
#else
  vector<T> v;
  for (int i = 0; i < lanes_of<T>; i++) v[i] = T(from[i]);
  return v;
#endif
}

// The first `count` elements of a vector, 1 to all of them; the others are 0 and not touched.
template <typename T>
struct first_lanes {
#if defined(__AVX512F__)
  unsigned mask;
  explicit first_lanes(int64_t count) : mask((1u << count) - 1) {}
  WEFT_MATH vector<T> load(const T* from) const {
    if constexpr (sizeof(T) == 4) {
      return (vector<T>)_mm512_maskz_loadu_ps((__mmask16)mask, from);
    } else {
      return (vector<T>)_mm512_maskz_loadu_pd((__mmask8)mask, from);
    }
  }
  WEFT_MATH void store(T* to, vector<T> v) const {
    if constexpr (sizeof(T) == 4) {
      _mm512_mask_storeu_ps(to, (__mmask16)mask, (__m512)v);
    } else {
      _mm512_mask_storeu_pd(to, (__mmask8)mask, (__m512d)v);
    }
  }
#elif defined(__AVX2__)
  __m256i mask;
  explicit first_lanes(int64_t count) {
    std::conditional_t<sizeof(T) == 4, int32_t, int64_t> chosen[lanes_of<T>];
    for (int i = 0; i < lanes_of<T>; i++) chosen[i] = i < count ? -1 : 0;
    memcpy(&mask, chosen, sizeof mask);
  }
  WEFT_MATH vector<T> load(const T* from) const {
    if constexpr (sizeof(T) == 4) {
      return (vector<T>)_mm256_maskload_ps(from, mask);
    } else {
      return (vector<T>)_mm256_maskload_pd(from, mask);
    }
  }
  WEFT_MATH void store(T* to, vector<T> v) const {
    if constexpr (sizeof(T) == 4) {
      _mm256_maskstore_ps(to, mask, (__m256)v);
    } else {
      _mm256_maskstore_pd(to, mask, (__m256d)v);
    }
  }
#else
  int64_t count;
  explicit first_lanes(int64_t count) : count(count) {}
  WEFT_MATH vector<T> load(const T* from) const {
    vector<T> v = {};
    for (int i = 0; i < lanes_of<T>; i++) {
      if (i < count) v[i] = from[i];
    }
    return v;
  }
  WEFT_MATH void store(T* to, vector<T> v) const {
    for (int i = 0; i < lanes_of<T>; i++) {
      if (i < count) to[i] = v[i];
    }
  }
#endif
};

}  // namespace
}  // namespace WEFT_ISA
}  // namespace weft
#endif  // WEFT_CPU_STRIPS_H
