// SPDX-License-Identifier: Apache-2.0
//
// Sums and means of bags of rows.
#include "../math/bags.h"
#include "prefetch.h"

namespace weft {
namespace WEFT_ISA {
namespace {

template <typename S>
void embedding_bag_forward(const weft_embedding_bag_forward& a) {
  using T = compute<S>;
  const S* table = as<S>(a.table);
  const int32_t* ids = as<int32_t>(a.ids);
  int32_t* counts = as<int32_t>(a.counts);
  S* y = as<S>(a.y);
  bool mean = a.function == WEFT_BAG_MEAN;
  bags_of all = {as<int32_t>(a.offsets), a.bags, a.rows};
  auto body = [=, rows = a.rows, cols = a.cols, there = a.table_rows](int64_t bag, int64_t begin,
                                                                      int64_t end) {
    T total[1024];  // a piece of a row
    int64_t columns = end - begin;
    bag_range range = all.range(bag);
    int32_t count = range.known ? 0 : -1;
    for (int64_t c = 0; c < columns; c++) total[c] = T(0);
    for (int64_t p = range.begin; count >= 0 && p < range.end; p++) {
      int64_t soon = p + rows_ahead;
      if (soon < rows && is_row(ids[soon], there)) {
        prefetch_row(table + ids[soon] * cols + begin, columns);
      }
      if (ids[p] == padding) continue;
      if (!is_row(ids[p], there)) {
        count = -1;
        break;
      }
      count++;
      const S* from = table + ids[p] * cols + begin;
#pragma omp simd
      for (int64_t c = 0; c < columns; c++) total[c] += T(from[c]);
    }
    if (begin == 0) counts[bag] = count;
    T divisor = mean && count > 0 ? T(count) : T(1);
    S* to = y + bag * cols + begin;
#pragma omp simd
    for (int64_t c = 0; c < columns; c++)
      put<false>(to[c], count < 0 ? T(NAN) : total[c] / divisor);
  };
  parallel_rows(a.bags, a.cols, 1 + a.rows / (a.bags + 1), body);
}

template <typename S>
void embedding_bag_backward(const weft_embedding_bag_backward& a) {
  using T = compute<S>;
  const int32_t *ids = as<int32_t>(a.ids), *counts = as<int32_t>(a.counts);
  const S* dy = as<S>(a.dy);
  S* drows = as<S>(a.drows);
  bool mean = a.function == WEFT_BAG_MEAN;
  bags_of all = {as<int32_t>(a.offsets), a.bags, a.rows};
  auto body = [=, cols = a.cols](int64_t row, int64_t begin, int64_t end) {
    int64_t bag = ids[row] < 0 ? -1 : all.at(row);
    S* to = drows + row * cols;
    if (bag < 0 || counts[bag] <= 0 || row >= all.begin(bag + 1)) {
      for (int64_t c = begin; c < end; c++) to[c] = S(T(0));
      return;
    }
    const S* from = dy + bag * cols;
    T divisor = mean ? T(counts[bag]) : T(1);
#pragma omp simd
    for (int64_t c = begin; c < end; c++) put<false>(to[c], T(from[c]) / divisor);
  };
  parallel_rows(a.rows, a.cols, 1, body);
}

}  // namespace

WEFT_DEFINE_TYPED(embedding_bag_forward, embedding_bag_forward)
WEFT_DEFINE_TYPED(embedding_bag_backward, embedding_bag_backward)

}  // namespace WEFT_ISA
}  // namespace weft
