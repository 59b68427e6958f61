// SPDX-License-Identifier: Apache-2.0
//
// A pass over the entries of a row, or of rows side by side, by vectors. `visit` is given the place
// where it is and gets and sets entries there: of memory that is both read and written, first all
// that it reads, since a load waits for a store before it to the same place of another page.
#ifndef WEFT_CPU_ROW_PASS_H
#define WEFT_CPU_ROW_PASS_H

#include <array>

#include "lanes.h"
#include "strips.h"

namespace weft {
namespace WEFT_ISA {
namespace {

// A whole vector from entry i on.
template <typename T>
struct at_vector {
  int64_t i;
  template <typename S>
  WEFT_MATH vector<T> get(const S* row) const {
    return load(row + i);
  }
  template <typename S>
  WEFT_MATH void set(S* row, vector<T> v) const {
    store(row + i, v);
  }
};

// The last entries of a row, fewer than a vector has; its other lanes are 0, and not written.
template <typename T>
struct at_end {
  int64_t i, count;
  first_lanes<T> there;
  template <typename S>
  WEFT_MATH vector<T> get(const S* row) const {
    if constexpr (std::is_same_v<S, T>) {
      return there.load(row + i);
    } else {
      S all[lanes_of<T>] = {};
#if defined(__AVX512BW__)
      const __m256i halves = _mm256_maskz_loadu_epi16((__mmask16)there.mask, row + i);
      memcpy(all, &halves, sizeof all);
#else
      for (int64_t k = 0; k < count; k++) all[k] = row[i + k];
#endif
      return load(all);
    }
  }
  template <typename S>
  WEFT_MATH void set(S* row, vector<T> v) const {
    if constexpr (std::is_same_v<S, T>) {
      there.store(row + i, v);
    } else {
      S all[lanes_of<T>];
      store(all, v);
#if defined(__AVX512BW__)
      __m256i halves;
      memcpy(&halves, all, sizeof all);
      _mm256_mask_storeu_epi16(row + i, (__mmask16)there.mask, halves);
#else
      for (int64_t k = 0; k < count; k++) row[i + k] = all[k];
#endif
    }
  }
};

// visit(at) for entries 0 up to n, 128 bytes of T a turn: on rows in memory a turn of 64 or of 256
// bytes takes up to a tenth longer, the compiler's own loop a quarter.
template <typename T, typename Visit>
WEFT_MATH void over_row(int64_t n, const Visit& visit) {
  constexpr int64_t width = lanes_of<T>, together = 128 / register_bytes;
  int64_t i = 0;
  for (; i + together * width <= n; i += together * width) {
#pragma GCC unroll 8
    for (int64_t k = 0; k < together; k++) visit(at_vector<T>{i + k * width});
  }
  for (; i + width <= n; i += width) visit(at_vector<T>{i});
  if (i < n) visit(at_end<T>{i, n - i, first_lanes<T>(n - i)});
}

// Likewise, with Count sums: visit(total, at) adds to total[k] what belongs to sum k. The lanes of a
// sum are Bytes wide; their order is that of `fold`.
template <typename T, int Count, int Bytes, typename Visit>
WEFT_MATH std::array<T, Count> sums_over_row(int64_t n, const Visit& visit) {
  constexpr int64_t width = lanes_of<T>, together = Bytes / register_bytes;
  vector<T> part[together][Count] = {};
  int64_t i = 0;
  for (; i + together * width <= n; i += together * width) {
#pragma GCC unroll 16
    for (int64_t k = 0; k < together; k++) visit(part[k], at_vector<T>{i + k * width});
  }
  if (i < n) {
    vector<T> rest[together][Count];  // in memory, which `part` then need not be
#pragma GCC unroll 16
    for (int64_t k = 0; k < together; k++) {
#pragma GCC unroll 4
      for (int s = 0; s < Count; s++) rest[k][s] = part[k][s];
    }
    int64_t k = 0;
    for (; i + width <= n; i += width) visit(rest[k++], at_vector<T>{i});
    if (i < n) {
      const at_end<T> end = {i, n - i, first_lanes<T>(n - i)};
      vector<T> total[Count] = {};
      visit(total, end);
      for (int s = 0; s < Count; s++) rest[k][s] += end.there.load((const T*)&total[s]);
    }
#pragma GCC unroll 16
    for (int64_t k = 0; k < together; k++) {
#pragma GCC unroll 4
      for (int s = 0; s < Count; s++) part[k][s] = rest[k][s];
    }
  }
  std::array<T, Count> sums;
#pragma GCC unroll 4
  for (int s = 0; s < Count; s++) {
    vector<T> own[together];
#pragma GCC unroll 16
    for (int64_t k = 0; k < together; k++) own[k] = part[k][s];
    sums[s] = folded<add, T>(own, together);
  }
  return sums;
}

}  // namespace
}  // namespace WEFT_ISA
}  // namespace weft
#endif  // WEFT_CPU_ROW_PASS_H
