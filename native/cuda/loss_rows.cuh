// SPDX-License-Identifier: Apache-2.0
//
// How losses that read one matrix, or two, share its rows among threads: eight lanes take a row of up
// to 32 classes, a warp one of up to 512, a block a longer one. Up to 4096 classes registers hold a
// row; a longer one is read again in each pass over it, from the cache.
#ifndef WEFT_CUDA_LOSS_ROWS_CUH
#define WEFT_CUDA_LOSS_ROWS_CUH

#include "../math/value_loss.h"
#include "device.cuh"

namespace weft::cuda {

constexpr int loss_threads = 256;
constexpr int loss_warps = loss_threads / 32;

// The team of a row, and the packs of it that a thread holds: 0 where it holds none.
template <typename F>
WEFT_DEVICE void choose_loss_team(int64_t classes, F f) {
  if (classes <= 32) return f(thread_team{3}, std::integral_constant<int, 1>());
  if (classes <= 128) return f(thread_team{5}, std::integral_constant<int, 1>());
  if (classes <= 512) return f(thread_team{5}, std::integral_constant<int, 4>());
  if (classes <= 1024) return f(thread_team{8}, std::integral_constant<int, 1>());
  if (classes <= 4096) return f(thread_team{8}, std::integral_constant<int, 4>());
  return f(thread_team{8}, std::integral_constant<int, 0>());
}

// The row of a team. What is surplus in a warp, or in a larger team, takes the last row and stores
// nothing, since folds are of whole warps and blocks.
struct loss_row {
  int64_t r;
  bool own, surplus;

  WEFT_DEVICE loss_row(thread_team team, int64_t rows) {
    const int64_t place = (int64_t)blockIdx.x * (loss_threads >> team.shift) + team.number();
    own = place < rows;
    r = own ? place : rows - 1;
    surplus = team.size() <= 32 && place - ((int)threadIdx.x % 32 >> team.shift) >= rows;
  }
};

// Calls f(u, c) for each pack of a row that is this thread's: entries c to c + 3.
template <int PACKS, typename F>
WEFT_DEVICE void each_pack(thread_team team, int64_t classes, F f) {
  if constexpr (PACKS > 0) {
#pragma unroll
    for (int u = 0; u < PACKS; u++) {
      const int c = 4 * (team.lane() + u * team.size());
      if (c < classes) f(u, (int64_t)c);
    }
  } else {
    for (int64_t c = 4 * team.lane(); c < classes; c += 4 * team.size()) f(0, c);
  }
}

// A row's entries: from registers, or from memory where they hold none; pad behind the end.
template <int PACKS, typename S>
struct row_entries {
  using T = compute<S>;
  const S* x;
  int64_t classes;
  bool wide;
  T pad;
  pack<T> held[PACKS > 0 ? PACKS : 1];

  WEFT_DEVICE row_entries(const void* matrix, int64_t r, int64_t classes, thread_team team, T pad)
      : x(static_cast<const S*>(matrix) + r * classes),
        classes(classes),
        wide(classes % 4 == 0 && aligned(static_cast<const S*>(matrix))),
        pad(pad) {
    if constexpr (PACKS > 0) {
      each_pack<PACKS>(team, classes,
                       [&](int u, int64_t c) { held[u] = load(x, c, classes, wide, pad); });
    }
  }

  WEFT_DEVICE pack<T> at(int u, int64_t c) const {
    return PACKS > 0 ? held[u] : load(x, c, classes, wide, pad);
  }
};

template <typename T>
WEFT_DEVICE T fold_sum(thread_team team, T v, T (&shared)[loss_warps]) {
  return team.fold(v, shared, [](T p, T q) { return p + q; });
}

}  // namespace weft::cuda
#endif  // WEFT_CUDA_LOSS_ROWS_CUH
