// SPDX-License-Identifier: Apache-2.0
//
// The first half of a fused training step: a block takes a few rows through all layers and back.
#include "../math/activation.h"
#include "../math/philox.h"
#include "fused_input.cuh"
#include "fused_loss.cuh"

namespace weft::cuda {

template <typename T>
struct slope_and_value {
  T value, slope;
};

template <int A, typename T>
WEFT_DEVICE slope_and_value<T> activated(T x, T alpha) {
  T y = activation<A>(x, alpha);
  return {y, activation_derivative<A>(x, y, alpha)};
}

template <typename T>
WEFT_DEVICE slope_and_value<T> activated(int64_t kind, T x, T alpha) {
  slope_and_value<T> h = {x, T(1)};
  choose_nonlinearity(kind, [&](auto A) { h = activated<A>(x, alpha); });
  return h;
}

// part = this warp's share of x W: it takes every 8th input, a lane four outputs
template <typename T>
WEFT_DEVICE void fused_forward(const weft_fused_pass& a, const weft_fused_layer& layer, bool first,
                               int64_t r0, fused_memory<T>& m) {
  const int warp = threadIdx.x / 32, c = threadIdx.x % 32 * 4;
  const T* w = static_cast<const T*>(a.value) + layer.weight;
  const bool wide = layer.out % 4 == 0 && aligned(w);
  constexpr int ahead = sizeof(T) == 4 ? 8 : 2;  // packs of W under way at a time
  T sum[fused_rows][4] = {};
  for (int64_t k0 = 0; k0 < layer.in; k0 += fused_depth<T>) {
    const int count = (int)min((int64_t)fused_depth<T>, layer.in - k0);
    fused_bring(a, layer, first, r0, k0, m);
    __syncthreads();
#pragma unroll 1
    for (int k = warp; k < count; k += ahead * fused_warps) {
      pack<T> row[ahead];
#pragma unroll
      for (int u = 0; u < ahead; u++) {
        const int64_t at = k + u * fused_warps;
        const int64_t begin = (k0 + at) * layer.out;
        row[u] = load(w, begin + c, at < count ? begin + layer.out : 0, wide);
      }
#pragma unroll
      for (int u = 0; u < ahead; u++) {
        const int at = k + u * fused_warps;
        if (at >= count) break;
        const pack<T> x = m.x[at];
#pragma unroll
        for (int r = 0; r < fused_rows; r++) {
#pragma unroll
          for (int j = 0; j < 4; j++) sum[r][j] += x.at[r] * row[u].at[j];
        }
      }
    }
    __syncthreads();
  }
#pragma unroll
  for (int r = 0; r < fused_rows; r++) {
    pack<T> v;
#pragma unroll
    for (int j = 0; j < 4; j++) v.at[j] = sum[r][j];
    *reinterpret_cast<pack<T>*>(&m.part[warp][r][c]) = v;
  }
  __syncthreads();
}

// h of every element of the block: to the next layer's x, or to part[0] behind the last layer; the
// slope to scratch
template <typename T>
WEFT_DEVICE void fused_activate(const weft_fused_pass& a, const weft_fused_layer* layers, int64_t l,
                                int64_t r0, fused_memory<T>& m) {
  const weft_fused_layer& layer = layers[l];
  const weft_step_state* state = static_cast<const weft_step_state*>(a.state);
  T* scratch = static_cast<T*>(a.scratch);
  const T* bias = layer.bias < 0 ? nullptr : static_cast<const T*>(a.value) + layer.bias;
  const bool last = l + 1 == a.count;
  const int64_t stride = fused_stride(layer.out);
  const uint32_t threshold = dropout_threshold(layer.rate);
  const T kept = T(1.0 / (1.0 - layer.rate));
#pragma unroll 1
  for (int e = (int)threadIdx.x; e < fused_rows * fused_width; e += fused_threads) {
    const int r = e / fused_width, c = e % fused_width;
    slope_and_value<T> h = {T(0), T(0)};
    if (c < layer.out) {
      T z = bias ? bias[c] : T(0);
#pragma unroll
      for (int w = 0; w < fused_warps; w++) z += m.part[w][r][c];
      h = activated(layer.activation, z, T(layer.alpha));
      if (layer.rate > 0) {
        const int64_t i = (r0 + r) * layer.out + c;
        const philox_block words =
            philox(state->seed, state->step, (uint32_t)layer.operation, (uint32_t)(i / 4));
        uint32_t word = words.word[0];
#pragma unroll
        for (int j = 1; j < 4; j++) word = i % 4 == j ? words.word[j] : word;
        h.value = word < threshold ? T(0) : kept * h.value;
        h.slope = word < threshold ? T(0) : kept * h.slope;
      }
    }
    if (last) m.part[0][r][c] = h.value;  // its own place: nobody else reads it any more
    if (c < stride && r0 + r < a.rows) {
      const int64_t place = (r0 + r) * stride + c;
      scratch[layer.slope + place] = h.slope;
      if (!last) scratch[layers[l + 1].x + place] = h.value;
    }
  }
  __syncthreads();
}

// dz = part[0] * slope, to scratch and back to part[0]; what is beyond the layer's width becomes 0
template <typename T>
WEFT_DEVICE void fused_slope(const weft_fused_pass& a, const weft_fused_layer& layer, int64_t r0,
                             fused_memory<T>& m) {
  T* scratch = static_cast<T*>(a.scratch);
  const int64_t stride = fused_stride(layer.out);
  __syncthreads();
  for (int i = (int)threadIdx.x; i < fused_rows * fused_width / 4; i += fused_threads) {
    const int r = i / (fused_width / 4), c = i % (fused_width / 4) * 4;
    pack<T>& place = *reinterpret_cast<pack<T>*>(&m.part[0][r][c]);
    pack<T> v = place;
    const bool there = c < stride && r0 + r < a.rows;
    const int64_t at = (r0 + r) * stride + c;
    if (there) {
      const pack<T> slope = load_whole(scratch + layer.slope + at);
#pragma unroll
      for (int j = 0; j < 4; j++) v.at[j] = c + j < layer.out ? v.at[j] * slope.at[j] : T(0);
      put(scratch + layer.dz + at, v);
    } else {
      v = {};
    }
    place = v;
  }
  __syncthreads();
}

// part[0] = part[0] W^T: a warp takes every 8th row of W, and its lanes fold their products
template <typename T>
WEFT_DEVICE void fused_backward(const weft_fused_pass& a, const weft_fused_layer& layer,
                                fused_memory<T>& m) {
  const int warp = threadIdx.x / 32, lane = threadIdx.x % 32, c = 4 * lane;
  const T* w = static_cast<const T*>(a.value) + layer.weight;
  const bool wide = layer.out % 4 == 0 && aligned(w);
  pack<T> dz[fused_rows];
#pragma unroll
  for (int r = 0; r < fused_rows; r++) {
    dz[r] = *reinterpret_cast<const pack<T>*>(&m.part[0][r][c]);
  }
  __syncthreads();
#pragma unroll 2
  for (int64_t k = warp; k < layer.in; k += fused_warps) {
    const pack<T> row = load(w, k * layer.out + c, (k + 1) * layer.out, wide);
    T mine = T(0);
#pragma unroll
    for (int r = 0; r < fused_rows; r++) {
      T sum = T(0);
#pragma unroll
      for (int j = 0; j < 4; j++) sum += dz[r].at[j] * row.at[j];
      sum = fold_warp(sum, [](T x, T y) { return x + y; });
      mine = lane == r ? sum : mine;
    }
    if (lane < fused_rows) m.part[0][lane][k] = mine;
  }
}

template <typename T>
WEFT_DEVICE void fused_pass(const weft_fused_pass& a) {
  __shared__ fused_memory<T> m;
  const weft_fused_layer* layers = static_cast<const weft_fused_layer*>(a.layers);
  const int64_t r0 = (int64_t)blockIdx.x * fused_rows;
  if (r0 >= a.rows) return;
  if (blockIdx.x == 0 && threadIdx.x == 0) {
    *static_cast<weft_step_state*>(a.scratch) = *static_cast<const weft_step_state*>(a.state);
  }
#pragma unroll 1
  for (int64_t l = 0; l < a.count; l++) {
    fused_forward(a, layers[l], l == 0, r0, m);
    fused_activate(a, layers, l, r0, m);
  }
  fused_compare(a, layers[a.count - 1], r0, m);
  fused_slope(a, layers[a.count - 1], r0, m);
#pragma unroll 1
  for (int64_t l = a.count - 1; l > 0; l--) {
    fused_backward(a, layers[l], m);
    fused_slope(a, layers[l - 1], r0, m);
  }
}

}  // namespace weft::cuda

// x, dz, slope, losses and hits are assigned. A block takes four rows through all layers and back;
// its warps share out the inputs of a layer, so that a row of W is read once a block in one
// 512-byte access, and their sums are folded in the order of warps. 256 threads and 32 KB shared:
// 64 rows are 16 blocks, bound by latency, for each reads all weights from L2 (358 KB of
// 784-100-100-10) with 8 packs a thread under way. At 4096 rows 1024 blocks read 367 MB of weights
// from L2. float32 throughout, fast is 0: four rows a block do not fill the 16 of a tensor core's
// tile.
WEFT_KERNEL_WIDE(fused_pass, fused_pass)
