// SPDX-License-Identifier: Apache-2.0
//
// Results that go to memory past the caches: of a line that is written whole nothing is read before.
#ifndef WEFT_CPU_STREAM_H
#define WEFT_CPU_STREAM_H

#include <string.h>

#include "kernel.h"

#if defined(__SSE2__)
#include <immintrin.h>
#endif

namespace weft {
namespace WEFT_ISA {
namespace {

// Results of so many bytes have left most caches before anything reads them.
constexpr int64_t beyond_caches = 32 << 20;

constexpr int64_t line = 64;

WEFT_MATH bool is_line(const void* place) { return (uintptr_t)place % line == 0; }

// Copies a line; both places are of whole lines. Before others may read it: end_of_stream().
WEFT_MATH void stream_line(void* to, const void* from) {
#if defined(__AVX512F__)
  _mm512_stream_si512((__m512i*)to, _mm512_load_si512(from));
#elif defined(__AVX2__)
  for (int i = 0; i < 2; i++) {
    _mm256_stream_si256((__m256i*)to + i, _mm256_load_si256((const __m256i*)from + i));
  }
#elif defined(__SSE2__)
  for (int i = 0; i < 4; i++) {
    _mm_stream_si128((__m128i*)to + i, _mm_load_si128((const __m128i*)from + i));
  }
#else
  memcpy(to, from, line);
#endif
}

WEFT_MATH void end_of_stream() {
#if defined(__SSE2__)
  _mm_sfence();
#endif
}

}  // namespace
}  // namespace WEFT_ISA
}  // namespace weft
#endif  // WEFT_CPU_STREAM_H
