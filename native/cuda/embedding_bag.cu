// SPDX-License-Identifier: Apache-2.0
//
// Sums and means of bags of rows.
#include "device.cuh"

namespace weft::cuda {

static_assert(embedding_bag_forward_shape::threads == embedding_bag_forward_shape::items &&
                  embedding_bag_backward_shape::threads == embedding_bag_backward_shape::items,
              "a thread a work item");

// The rows of a bag; known where they are rows of the batch.
struct bag_range {
  int64_t begin, end;
  bool known;
};

template <typename A>
WEFT_DEVICE bag_range range_of(const A& a, int64_t bag) {
  const int32_t* offsets = static_cast<const int32_t*>(a.offsets);
  const int64_t begin = offsets[bag], end = bag + 1 < a.bags ? offsets[bag + 1] : a.rows;
  return {begin, end, 0 <= begin && begin <= end && end <= a.rows};
}

// Four rows are under way at a time.
template <typename S>
WEFT_DEVICE void embedding_bag_forward(const weft_embedding_bag_forward& a) {
  using T = compute<S>;
  constexpr int ahead = 4;
  const int64_t packs = (a.cols + 3) / 4;
  const int64_t i = (int64_t)blockIdx.x * embedding_bag_forward_shape::items + threadIdx.x;
  const int64_t bag = i / packs, c = 4 * (i - bag * packs);
  if (bag >= a.bags) return;
  const S* table = static_cast<const S*>(a.table);
  const int32_t* ids = static_cast<const int32_t*>(a.ids);
  S* y = static_cast<S*>(a.y);
  const bool wide = a.cols % 4 == 0 && aligned(table, y);
  const bag_range range = range_of(a, bag);
  bool known = range.known;
  pack<T> total = {};
  for (int64_t p = range.begin; known && p < range.end; p += ahead) {
    pack<T> v[ahead];
#pragma unroll
    for (int k = 0; k < ahead; k++) {
      v[k] = {};
      if (p + k >= range.end) continue;
      const int32_t row = ids[p + k];
      if (is_row(row, a.table_rows)) {
        v[k] = load(table + row * a.cols, c, a.cols, wide);
      } else {
        known = false;
      }
    }
#pragma unroll
    for (int k = 0; k < ahead; k++) {
#pragma unroll
      for (int j = 0; j < 4; j++) total.at[j] += v[k].at[j];
    }
  }
  const int64_t count = range.end - range.begin;
  const T divisor = a.function == WEFT_BAG_MEAN && count > 0 ? T(count) : T(1);
#pragma unroll
  for (int j = 0; j < 4; j++) total.at[j] = known ? total.at[j] / divisor : T(NAN);
  store(y + bag * a.cols, c, a.cols, wide, total);
}

template <typename S>
WEFT_DEVICE void embedding_bag_backward(const weft_embedding_bag_backward& a) {
  using T = compute<S>;
  const int64_t packs = (a.cols + 3) / 4;
  const int64_t i = (int64_t)blockIdx.x * embedding_bag_backward_shape::items + threadIdx.x;
  const int64_t row = i / packs, c = 4 * (i - row * packs);
  if (row >= a.rows) return;
  const int32_t* offsets = static_cast<const int32_t*>(a.offsets);
  const S* dy = static_cast<const S*>(a.dy);
  S* drows = static_cast<S*>(a.drows);
  const bool wide = a.cols % 4 == 0 && aligned(dy, drows);
  int64_t bag = -1, past = a.bags;
  while (past - bag > 1) {
    const int64_t middle = (bag + past) / 2;
    (offsets[middle] <= row ? bag : past) = middle;
  }
  pack<T> v = {};
  if (bag >= 0) {
    const bag_range range = range_of(a, bag);
    if (range.known && row < range.end) {
      v = load(dy + bag * a.cols, c, a.cols, wide);
      const T divisor = a.function == WEFT_BAG_MEAN ? T(range.end - range.begin) : T(1);
#pragma unroll
      for (int j = 0; j < 4; j++) v.at[j] /= divisor;
    }
  }
  store(drows + row * a.cols, c, a.cols, wide, v);
}

}  // namespace weft::cuda

// y (=). A thread walks a bag for four columns, its neighbours the next four. 64 threads: a batch of
// 256 bags of 128 columns is 128 blocks.
WEFT_KERNEL(embedding_bag_forward, embedding_bag_forward)

// drows (=). A thread has four columns of a row, whose bag it finds by bisection.
WEFT_KERNEL(embedding_bag_backward, embedding_bag_backward)
