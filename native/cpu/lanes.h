// SPDX-License-Identifier: Apache-2.0
//
// Folds of a contiguous run in a fixed order, the same on every instruction set.
#ifndef WEFT_CPU_LANES_H
#define WEFT_CPU_LANES_H

#include <string.h>

#include <limits>
#include <utility>

#include "kernel.h"

#if defined(__SSE4_1__)
#include <immintrin.h>
#endif

namespace weft {
namespace WEFT_ISA {
namespace {

template <typename T>
struct vector_of {
  typedef T type __attribute__((vector_size(register_bytes)));
};
template <typename T>
using vector = typename vector_of<T>::type;

// The values of one vector from memory.
template <typename S>
WEFT_MATH vector<compute<S>> load(const S* from) {
  vector<compute<S>> v;
  if constexpr (std::is_same_v<S, bf16>) {
    // left to the compiler, other vectors than those of AVX-512 are made of two halves
#if defined(__AVX2__) && !defined(__AVX512F__)
    const __m256i words = _mm256_cvtepu16_epi32(_mm_loadu_si128((const __m128i*)from));
    v = (vector<float>)_mm256_slli_epi32(words, 16);
#elif defined(__SSE4_1__) && !defined(__AVX512F__)
    const __m128i halves = _mm_loadl_epi64((const __m128i*)from);
    v = (vector<float>)_mm_unpacklo_epi16(_mm_setzero_si128(), halves);
#else
    constexpr int count = register_bytes / 4;
    typedef uint16_t halves __attribute__((vector_size(2 * count)));
    typedef uint32_t words __attribute__((vector_size(4 * count)));
    halves h;
    memcpy(&h, from, sizeof h);
    words w = __builtin_convertvector(h, words) << 16;
    memcpy(&v, &w, sizeof v);
#endif
  } else {
    memcpy(&v, from, sizeof v);
  }
  return v;
}

// The values of one vector to memory, rounded as bf16's constructor has it.
template <typename S>
WEFT_MATH void store(S* to, vector<compute<S>> v) {
  if constexpr (std::is_same_v<S, bf16>) {
    constexpr int count = register_bytes / 4;
    typedef uint32_t words __attribute__((vector_size(4 * count)));
    const words whole = (words)v, odd = whole >> 16 & 1u;
    const words rounded = v == v ? (whole + 0x7fffu + odd) >> 16 : words{} + 0x7fffu;
#if defined(__AVX2__) && !defined(__AVX512F__)
    const __m256i all = (__m256i)rounded;
    const __m128i low = _mm256_castsi256_si128(all), high = _mm256_extracti128_si256(all, 1);
    _mm_storeu_si128((__m128i*)to, _mm_packus_epi32(low, high));
#elif defined(__SSE4_1__) && !defined(__AVX512F__)
    _mm_storel_epi64((__m128i*)to, _mm_packus_epi32((__m128i)rounded, (__m128i)rounded));
#else
    typedef uint16_t halves __attribute__((vector_size(2 * count)));
    const halves h = __builtin_convertvector(rounded, halves);
    memcpy(to, &h, sizeof h);
#endif
  } else {
    memcpy(to, &v, sizeof v);
  }
}

struct add {
  template <typename V>
  static WEFT_MATH V combine(V a, V b) {
    return a + b;
  }
};

struct add_squares : add {};

// NaN on either side is passed over
struct most {
  template <typename V>
  static WEFT_MATH V combine(V a, V b) {
    return b > a ? b : a;
  }
};

// NaN on either side wins
struct most_or_nan {
  template <typename V>
  static WEFT_MATH V combine(V a, V b) {
    V larger = b > a ? b : a;
    return b == b ? larger : b;  // where a is NaN, b > a is false and a stays
  }
};

// The lanes of a vector folded by halves.
template <typename Fold, typename T, typename V, int... Lane>
WEFT_MATH T folded(V all, std::integer_sequence<int, Lane...>) {
  constexpr int half = sizeof...(Lane);
  if constexpr (half == 1) {
    return Fold::combine(T(all[0]), T(all[1]));
  } else {
    typedef T halves __attribute__((vector_size(half * sizeof(T))));
    halves low = __builtin_shufflevector(all, all, Lane...);
    halves high = __builtin_shufflevector(all, all, half + Lane...);
    return folded<Fold, T>(Fold::combine(low, high), std::make_integer_sequence<int, half / 2>());
  }
}

// The lanes of some vectors folded by halves: lane k with lane k + half of all of them.
template <typename Fold, typename T>
WEFT_MATH T folded(vector<T>* part, int64_t registers) {
#pragma GCC unroll 4
  for (int64_t half = registers / 2; half > 0; half /= 2) {
#pragma GCC unroll 8
    for (int64_t k = 0; k < half; k++) part[k] = Fold::combine(part[k], part[k + half]);
  }
  constexpr int half = register_bytes / (int)sizeof(T) / 2;
  return folded<Fold, T>(part[0], std::make_integer_sequence<int, half>());
}

// Element i belongs to lane i % (256 bytes of lanes), the lanes are folded by halves. 256 bytes are
// 4 registers of AVX-512: an addition takes 3-4 cycles and two can start in each. That is also what
// keeps long sums accurate: 64 partial sums of floats, 32 of doubles.
template <typename Fold, typename S, typename T = compute<S>>
T fold(const S* x, int64_t n, compute<S> empty) {
  constexpr int64_t lanes = 256 / sizeof(T), registers = 256 / register_bytes;
  vector<T> part[registers];
  for (vector<T>& p : part) p = vector<T>{} + empty;
  auto take = [&part](const auto* from) {
#pragma GCC unroll 16
    for (int64_t k = 0; k < registers; k++) {
      vector<T> v = load(from + k * (lanes / registers));
      if constexpr (std::is_same_v<Fold, add_squares>) v *= v;
      part[k] = Fold::combine(part[k], v);
    }
  };
  int64_t i = 0;
  for (; i + lanes <= n; i += lanes) take(x + i);
  if (i < n) {
    T lane[lanes];
    for (T& l : lane) l = empty;
    for (int64_t j = 0; j < n - i; j++) lane[j] = T(x[i + j]);
    take(lane);
  }
  return folded<Fold, T>(part, registers);
}

// NaN is passed over; -infinity where there is nothing else
template <typename S>
WEFT_MATH compute<S> largest(const S* x, int64_t n) {
  return fold<most>(x, n, -std::numeric_limits<compute<S>>::infinity());
}

template <typename S>
WEFT_MATH compute<S> sum(const S* x, int64_t n) {
  return fold<add>(x, n, compute<S>(0));
}

// A sum of blocks of lanes, 256 bytes each: element j of a block is added to part[j]. Sixteen blocks
// are added up by themselves, since a long chain of additions is that much less accurate.
template <typename T>
struct block_sum {
  static constexpr int64_t lanes = 256 / sizeof(T);
  T part[lanes] = {}, whole[lanes] = {};

  void end_of_block(int64_t number) {
    if (number % 16 == 15) collect();
  }

  T value() {
    collect();
    return sum(whole, lanes);
  }

 private:
  void collect() {
    for (int64_t j = 0; j < lanes; j++) whole[j] += part[j], part[j] = T(0);
  }
};

// Terms made at a time: 2 kB of floats, which the sum still finds in the first-level cache.
constexpr int64_t terms_block = 512;

// The sum over a row of what make(to, c, length) leaves in to, for columns c up to c + length.
template <typename T, typename Make>
T sum_of_terms(int64_t cols, const Make& make) {
  T total = T(0), terms[terms_block];
  for (int64_t c = 0; c < cols; c += terms_block) {
    int64_t length = smaller(terms_block, cols - c);
    make(terms, c, length);
    total += sum(terms, length);
  }
  return total;
}

}  // namespace
}  // namespace WEFT_ISA
}  // namespace weft
#endif  // WEFT_CPU_LANES_H
