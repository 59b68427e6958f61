// SPDX-License-Identifier: Apache-2.0
//
// Sums and means of bags of rows.
#include "prefetch.h"

namespace weft {
namespace WEFT_ISA {
namespace {

// The rows of a bag; known where they are rows of the batch.
struct bag_range {
  int64_t begin, end;
  bool known;
};

bag_range range_of(const int32_t* offsets, int64_t bags, int64_t rows, int64_t bag) {
  int64_t begin = offsets[bag], end = bag + 1 < bags ? offsets[bag + 1] : rows;
  return {begin, end, 0 <= begin && begin <= end && end <= rows};
}

template <typename S>
void embedding_bag_forward(const weft_embedding_bag_forward& a) {
  using T = compute<S>;
  const S* table = as<S>(a.table);
  const int32_t *ids = as<int32_t>(a.ids), *offsets = as<int32_t>(a.offsets);
  S* y = as<S>(a.y);
  bool mean = a.function == WEFT_BAG_MEAN;
  auto body = [=, rows = a.rows, cols = a.cols, there = a.table_rows, bags = a.bags](
                  int64_t bag, int64_t begin, int64_t end) {
    T total[1024];  // a piece of a row
    int64_t count = end - begin;
    bag_range range = range_of(offsets, bags, rows, bag);
    for (int64_t c = 0; c < count; c++) total[c] = range.known ? T(0) : T(NAN);
    for (int64_t p = range.begin; range.known && p < range.end; p++) {
      int64_t soon = p + rows_ahead;
      if (soon < rows && is_row(ids[soon], there)) {
        prefetch_row(table + ids[soon] * cols + begin, count);
      }
      if (!is_row(ids[p], there)) {
        for (int64_t c = 0; c < count; c++) total[c] = T(NAN);
        break;
      }
      const S* from = table + ids[p] * cols + begin;
#pragma omp simd
      for (int64_t c = 0; c < count; c++) total[c] += T(from[c]);
    }
    T divisor = mean && range.end > range.begin ? T(range.end - range.begin) : T(1);
    S* to = y + bag * cols + begin;
#pragma omp simd
    for (int64_t c = 0; c < count; c++) put<false>(to[c], total[c] / divisor);
  };
  parallel_rows(a.bags, a.cols, 1 + a.rows / (a.bags + 1), body);
}

template <typename S>
void embedding_bag_backward(const weft_embedding_bag_backward& a) {
  using T = compute<S>;
  const int32_t* offsets = as<int32_t>(a.offsets);
  const S* dy = as<S>(a.dy);
  S* drows = as<S>(a.drows);
  bool mean = a.function == WEFT_BAG_MEAN;
  auto body = [=, rows = a.rows, cols = a.cols, bags = a.bags](int64_t row, int64_t begin,
                                                               int64_t end) {
    // bisection, as on a GPU: offsets that run backwards find the same bag
    int64_t bag = -1, past = bags;
    while (past - bag > 1) {
      int64_t middle = (bag + past) / 2;
      (offsets[middle] <= row ? bag : past) = middle;
    }
    S* to = drows + row * cols;
    bag_range range = bag < 0 ? bag_range{} : range_of(offsets, bags, rows, bag);
    if (!range.known || row >= range.end) {
      for (int64_t c = begin; c < end; c++) to[c] = S(T(0));
      return;
    }
    const S* from = dy + bag * cols;
    T divisor = mean ? T(range.end - range.begin) : T(1);
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
