// SPDX-License-Identifier: Apache-2.0
//
// The second half of a fused training step: gradients of weights, straight into the optimizer's
// rule.
#include "../math/update.h"
#include "fused.cuh"

namespace weft::cuda {

constexpr int fused_tile = WEFT_FUSED_TILE;                   // rows of W
constexpr int fused_slices = fused_warps / (fused_tile / 4);  // of the batch

// value, first and second at place .. place + 3, those before end
template <typename T>
WEFT_DEVICE void fused_rule(const weft_fused_update& a, int64_t place, int64_t end, bool wide,
                            const pack<T>& g) {
  const weft_step_state& state = *static_cast<const weft_step_state*>(a.scratch);
  T* value = static_cast<T*>(a.value);
  T* first = static_cast<T*>(a.first);
  T* second = static_cast<T*>(a.second);
  const update_settings<T> shared(a, state);
  pack<T> w = load(value, place, end, wide), m = {}, v = {}, none = {};
  if (first) m = load(first, place, end, wide);
  const auto step = [&](const auto& rule) {
#pragma unroll
    for (int j = 0; j < 4; j++) {
      shared.template step<false>(rule, w.at[j], g.at[j], m.at[j], v.at[j], none.at[j],
                                  first != nullptr, false);
    }
  };
  if (a.rule == WEFT_FUSED_ADAM) {
    v = load(second, place, end, wide);
    step(adam_rule<T>(a, state));
    store(second, place, end, wide, v);
  } else {
    step(sgd_rule<T>(a, state));
  }
  if (first) store(first, place, end, wide, m);
  store(value, place, end, wide, w);
}

// The sum of x[0 .. n-1] for every thread of the block, in an order that depends on n alone.
template <typename T>
WEFT_DEVICE T fused_sum(const T* x, int64_t n, T* memory) {
  T sum = T(0);
  for (int64_t i = threadIdx.x; i < n; i += fused_threads) sum += x[i];
  sum = fold_warp(sum, [](T p, T q) { return p + q; });
  __syncthreads();
  if (threadIdx.x % 32 == 0) memory[threadIdx.x / 32] = sum;
  __syncthreads();
  sum = memory[0];
#pragma unroll
  for (int w = 1; w < fused_warps; w++) sum += memory[w];
  return sum;
}

template <typename T>
WEFT_DEVICE void fused_account(const weft_fused_update& a, T* memory) {
  const T mean =
      fused_sum(static_cast<const T*>(a.losses), a.rows, memory) * T(1.0 / (double)a.rows);
  const bool labels = a.loss == WEFT_FUSED_SOFTMAX_CROSS_ENTROPY;
  const T hits = labels ? fused_sum(static_cast<const T*>(a.hits), a.rows, memory) : T(0);
  if (threadIdx.x != 0) return;
  T* sums = static_cast<T*>(a.sums);
  static_cast<T*>(a.mean)[0] = mean;
  sums[0] += T(a.weight) * mean;
  if (labels) sums[1] += hits;
  // the other blocks read the copy in scratch
  end_step(*static_cast<weft_step_state*>(a.state), a.rows, true, a.rates, a.rate_count);
}

template <typename T>
WEFT_DEVICE void fused_update(const weft_fused_update& a) {
  __shared__ T part[fused_slices][fused_tile][fused_width];
  const weft_fused_layer* layers = static_cast<const weft_fused_layer*>(a.layers);
  int64_t tile = blockIdx.x, l = 0, tall = 0;
  for (; l < a.count; l++) {
    tall = layers[l].in + (layers[l].bias < 0 ? 0 : 1);
    const int64_t tiles = (tall + fused_tile - 1) / fused_tile;
    if (tile < tiles) break;
    tile -= tiles;
  }
  if (l == a.count) {
    if (tile == 0) fused_account(a, &part[0][0][0]);
    return;
  }
  const weft_fused_layer& layer = layers[l];
  const int warp = threadIdx.x / 32, c = threadIdx.x % 32 * 4;
  const int group = warp % (fused_tile / 4) * 4, slice = warp / (fused_tile / 4);
  const int64_t k0 = tile * fused_tile + group;
  const int64_t in_stride = fused_stride(layer.in), out_stride = fused_stride(layer.out);
  const T* x = static_cast<const T*>(a.scratch) + layer.x + k0;
  const T* dz = static_cast<const T*>(a.scratch) + layer.dz + c;
  T sum[4][4] = {};
  if (c < out_stride) {
#pragma unroll 4
    for (int64_t r = slice; r < a.rows; r += fused_slices) {
      const pack<T> d = load_whole(dz + r * out_stride);
      pack<T> h = {};
      if (k0 < in_stride) h = load_whole(x + r * in_stride);
#pragma unroll
      for (int i = 0; i < 4; i++) {
        const T left = k0 + i == layer.in ? T(1) : h.at[i];  // the bias's row
#pragma unroll
        for (int j = 0; j < 4; j++) sum[i][j] += left * d.at[j];
      }
    }
  }
#pragma unroll
  for (int i = 0; i < 4; i++) {
    pack<T> v;
#pragma unroll
    for (int j = 0; j < 4; j++) v.at[j] = sum[i][j];
    *reinterpret_cast<pack<T>*>(&part[slice][group + i][c]) = v;
  }
  __syncthreads();
  const int64_t k = tile * fused_tile + warp;
  static_assert(fused_warps == fused_tile, "a warp a row of W");
  if (k >= tall || c >= layer.out) return;
  pack<T> g = *reinterpret_cast<const pack<T>*>(&part[0][warp][c]);
#pragma unroll
  for (int s = 1; s < fused_slices; s++) {
    const pack<T> more = *reinterpret_cast<const pack<T>*>(&part[s][warp][c]);
#pragma unroll
    for (int j = 0; j < 4; j++) g.at[j] += more.at[j];
  }
  const int64_t row = k == layer.in ? layer.bias : layer.weight + k * layer.out;
  const bool wide =
      row % 4 == 0 && aligned(static_cast<const T*>(a.value), static_cast<const T*>(a.first),
                              static_cast<const T*>(a.second));
  fused_rule(a, row + c, row + layer.out, wide, g);
}

}  // namespace weft::cuda

// value, first, second, sums and state are updated in place, mean is assigned. A block takes 8 rows
// of W with 4 slices of the batch, whose sums it folds in order and hands to the rule at once: the
// gradient is never in memory. 784-100-100-10 has 126 blocks, one for each multiprocessor of an
// H200. Parameters and their moments are read and written once, dz and 8 columns of x a block come
// from L2.
WEFT_KERNEL_WIDE(fused_update, fused_update)
