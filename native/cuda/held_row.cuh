// SPDX-License-Identifier: Apache-2.0
//
// Rows of a matrix that teams of threads hold in registers.
#ifndef WEFT_CUDA_HELD_ROW_CUH
#define WEFT_CUDA_HELD_ROW_CUH

#include <type_traits>

#include "device.cuh"

namespace weft::cuda {

constexpr int row_threads = 256;  // in a block
constexpr int row_warps = row_threads / 32;
constexpr int row_packs = 4;  // of a row, that a thread holds

// f(team, packs): eight lanes take a row of up to 32 columns, a warp one of up to 512, two warps one
// of up to 1024, the block a longer one; above 4096 columns no registers hold it, and packs is 0.
// Each size is code of its own: one that is known when the kernel runs costs up to a third. Up to 128
// columns two share theirs, since with a sixth the registers of sm_120 do not suffice.
template <typename F>
WEFT_DEVICE void choose_row_team(int64_t cols, F f) {
  std::integral_constant<int, row_packs> several;
  if (cols <= 128) {
    f(thread_team{cols <= 32 ? 3 : 5}, std::integral_constant<int, 1>());
  } else if (cols <= 512) {
    f(thread_team{5}, several);
  } else if (cols <= 1024) {
    f(thread_team{6}, several);
  } else if (cols <= 4096) {
    f(thread_team{8}, several);
  } else {
    f(thread_team{8}, std::integral_constant<int, 0>());
  }
}

// The row of a team; there may be none for the last ones, which take an empty row.
WEFT_DEVICE int64_t row_of(thread_team team) {
  return (int64_t)blockIdx.x * (row_threads >> team.shift) + team.number();
}

template <typename T>
WEFT_DEVICE T fold_sum(thread_team team, T v, T (&shared)[row_warps]) {
  return team.fold(v, shared, [](T p, T q) { return p + q; });
}

template <typename T>
WEFT_DEVICE T fold_largest(thread_team team, T v,
                           T (&shared)[row_warps]) {  // a number where one is NaN
  return team.fold(v, shared, [](T p, T q) { return std::fmax(p, q); });
}

// The packs of a row that a thread of its team has: with PACKS held in registers, zeros where the
// row ends; with 0 any number of them, read anew each time.
template <int PACKS, typename S>
struct held_row {
  static constexpr int places = PACKS > 0 ? PACKS : 1;
  using T = compute<S>;
  using column = std::conditional_t<(PACKS > 0), int, int64_t>;

  thread_team team;
  const S* x;
  column cols;
  bool wide;
  pack<T> held[places];

  WEFT_DEVICE held_row(thread_team by, const void* matrix, int64_t row, int64_t width,
                       int64_t entries, bool whole)
      : team(by),
        x(static_cast<const S*>(matrix) + row * width),
        cols((column)entries),
        wide(whole) {
    if constexpr (PACKS > 0) {
      if (wide) {  // no branch between the loads, so that they are in flight together
        each([&](int u, column c) {
          held[u] = {};
          if (c < cols) held[u] = load_whole(x + c);
        });
      } else {
        each([&](int u, column c) { held[u] = load(x, c, cols, false); });
      }
    }
  }

  // f(place, first column)
  template <typename F>
  WEFT_DEVICE void each(F f) const {
    const int first = 4 * team.lane(), step = 4 * team.size();
    if constexpr (PACKS > 0) {
#pragma unroll
      for (int u = 0; u < PACKS; u++) f(u, first + u * step);
    } else {
#pragma unroll 1
      for (int64_t c = first; c < cols; c += step) f(0, c);
    }
  }

  WEFT_DEVICE pack<T> at(int u, int64_t c) const {
    return PACKS > 0 ? held[u] : load(x, c, cols, wide);
  }
};

template <typename T>
WEFT_DEVICE T sum_of_pack(const pack<T>& v) {
  return (v.at[0] + v.at[1]) + (v.at[2] + v.at[3]);
}

}  // namespace weft::cuda
#endif  // WEFT_CUDA_HELD_ROW_CUH
