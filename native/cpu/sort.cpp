// SPDX-License-Identifier: Apache-2.0
//
// Numbers of rows sorted, stably, by the bits in which they differ, those of least weight first.
#include <string.h>

#include <vector>

#include "kernel.h"

namespace weft {
namespace WEFT_ISA {
namespace {

// Ids, and the place that each came from.
struct pairs {
  int32_t *ids, *order;
};

constexpr int64_t chunk = 1024;

// to = from, sorted; spare is as much memory again, where passes go to and fro. Large slices count
// and move what is theirs side by side, and each knows where the ones ahead of it end.
void radix_sort(pairs from, int64_t n, pairs to, pairs spare, std::vector<int32_t>& counts) {
  constexpr uint32_t sign = 1u << 31;  // flipped, numbers are in the order of their bits
  constexpr int most = 11;
  constexpr int64_t slice = 1 << 15;  // shorter ones save less than it takes to wake a thread
  uint32_t any = 0, all = ~0u;
  for (int64_t i = 0; i < n; i++) any |= (uint32_t)from.ids[i], all &= (uint32_t)from.ids[i];
  uint32_t differ = any & ~all;
  int low = differ ? __builtin_ctz(differ) : 0,
      bits = differ ? 32 - __builtin_clz(differ) - low : 1;
  int passes = (bits + most - 1) / most, digit = (bits + passes - 1) / passes;
  int64_t digits = 1 << digit, slices = (n + slice - 1) / slice;
  counts.resize(slices * digits);
  for (int pass = 0; pass < passes; pass++) {
    pairs into = (passes - pass) % 2 ? to : spare;  // the last goes to `to`
    auto digit_of = [=, shift = low + pass * digit](int32_t id) {
      return ((uint32_t)id ^ sign) >> shift & (uint32_t)(digits - 1);
    };
    int32_t* all_next = counts.data();
    parallel_units(slices, 4 * slice, [=](int64_t begin, int64_t end) {
      for (int64_t s = begin; s < end; s++) {
        int32_t* next = all_next + s * digits;
        memset(next, 0, digits * sizeof(int32_t));
        for (int64_t i = s * slice; i < smaller(n, (s + 1) * slice); i++) {
          next[digit_of(from.ids[i])]++;
        }
      }
    });
    int32_t sum = 0;
    for (int64_t d = 0; d < digits; d++) {
      for (int64_t s = 0; s < slices; s++) {
        int32_t& next = all_next[s * digits + d];
        int32_t count = next;
        next = sum;
        sum += count;
      }
    }
    parallel_units(slices, 4 * slice, [=](int64_t begin, int64_t end) {
      for (int64_t s = begin; s < end; s++) {
        int32_t* next = all_next + s * digits;
        for (int64_t i = s * slice; i < smaller(n, (s + 1) * slice); i++) {
          int32_t place = next[digit_of(from.ids[i])]++;
          into.ids[place] = from.ids[i];
          into.order[place] = from.order[i];
        }
      }
    });
    from = into;
  }
}

}  // namespace

// One sort of all is faster than chunks and then their merge (8,192 ids: 80 us of 165), which is the
// order of a GPU's two launches.
void sort_chunks(const weft_sort_chunks& a) {
  int32_t *ids = as<int32_t>(a.ids), *sorted = as<int32_t>(a.sorted), *order = as<int32_t>(a.order);
  if (a.n > chunk) {
    parallel(a.n, 2, [=](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; i++) sorted[i] = ids[i], order[i] = (int32_t)i;
    });
    return;
  }
  static thread_local std::vector<int32_t> counts;
  int32_t places[chunk], spare[2][chunk];
  for (int64_t i = 0; i < chunk; i++) places[i] = (int32_t)i;
  radix_sort({ids, places}, a.n, {sorted, order}, {spare[0], spare[1]}, counts);
}

void merge_chunks(const weft_merge_chunks& a) {
  static thread_local std::vector<int32_t> spare, counts;
  if ((int64_t)spare.size() < 2 * a.n) spare.resize(2 * a.n);
  radix_sort({as<int32_t>(a.chunk_sorted), as<int32_t>(a.chunk_order)}, a.n,
             {as<int32_t>(a.sorted), as<int32_t>(a.order)}, {spare.data(), spare.data() + a.n},
             counts);
}

}  // namespace WEFT_ISA
}  // namespace weft
