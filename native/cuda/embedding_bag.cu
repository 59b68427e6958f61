// SPDX-License-Identifier: Apache-2.0
//
// Sums and means of bags of rows.
#include "../math/bags.h"
#include "device.cuh"

namespace weft::cuda {

static_assert(embedding_bag_forward_shape::threads == embedding_bag_forward_shape::items &&
                  embedding_bag_backward_shape::threads == embedding_bag_backward_shape::items,
              "a thread a work item");

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
  const bags_of all = {static_cast<const int32_t*>(a.offsets), a.bags, a.rows};
  const bag_range range = all.range(bag);
  bool known = range.known;
  int32_t count = 0;
  pack<T> total = {};
  for (int64_t p = range.begin; known && p < range.end; p += ahead) {
    pack<T> v[ahead];
#pragma unroll
    for (int k = 0; k < ahead; k++) {
      v[k] = {};
      const int32_t row = p + k < range.end ? ids[p + k] : padding;
      if (is_row(row, a.table_rows)) {
        v[k] = load(table + row * a.cols, c, a.cols, wide);
        count++;
      } else if (row != padding) {
        known = false;
      }
    }
#pragma unroll
    for (int k = 0; k < ahead; k++) {
#pragma unroll
      for (int j = 0; j < 4; j++) total.at[j] += v[k].at[j];
    }
  }
  if (c == 0) static_cast<int32_t*>(a.counts)[bag] = known ? count : -1;
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
  const S* dy = static_cast<const S*>(a.dy);
  S* drows = static_cast<S*>(a.drows);
  const bool wide = a.cols % 4 == 0 && aligned(dy, drows);
  const bags_of all = {static_cast<const int32_t*>(a.offsets), a.bags, a.rows};
  const int64_t bag = static_cast<const int32_t*>(a.ids)[row] < 0 ? -1 : all.at(row);
  const int32_t count = bag < 0 ? 0 : static_cast<const int32_t*>(a.counts)[bag];
  pack<T> v = {};
  if (count > 0 && row < all.begin(bag + 1)) {
    v = load(dy + bag * a.cols, c, a.cols, wide);
    const T divisor = a.function == WEFT_BAG_MEAN ? T(count) : T(1);
#pragma unroll
    for (int j = 0; j < 4; j++) v.at[j] /= divisor;
  }
  store(drows + row * a.cols, c, a.cols, wide, v);
}

}  // namespace weft::cuda

// y, counts (=). A thread walks a bag for four columns, its neighbours the next four. 64 threads: a
// batch of 256 bags of 128 columns is 128 blocks.
WEFT_KERNEL(embedding_bag_forward, embedding_bag_forward)

// drows (=). A thread has four columns of a row, whose bag it finds by bisection where they differ in
// length.
WEFT_KERNEL(embedding_bag_backward, embedding_bag_backward)
