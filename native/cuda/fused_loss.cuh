// SPDX-License-Identifier: Apache-2.0
//
// The losses of the fused step.
#ifndef WEFT_CUDA_FUSED_LOSS_CUH
#define WEFT_CUDA_FUSED_LOSS_CUH

#include "fused_input.cuh"
#include "softmax.cuh"

namespace weft::cuda {

// part[0] = the loss's gradient at the outputs; a warp takes a row, a lane four outputs
template <typename T>
WEFT_DEVICE void fused_compare(const weft_fused_pass& a, const weft_fused_layer& layer, int64_t r0,
                               fused_memory<T>& m) {
  const int warp = threadIdx.x / 32, lane = threadIdx.x % 32, c = 4 * lane;
  const int64_t r = r0 + warp, outputs = layer.out;
  if (warp >= fused_rows || r >= a.rows) return;
  auto add = [](T x, T y) { return x + y; };
  const int64_t row = fused_source(a, r);
  pack<T>& place = *reinterpret_cast<pack<T>*>(&m.part[0][warp][c]);
  pack<T> y = place;
  T loss;
  if (a.loss == WEFT_FUSED_SOFTMAX_CROSS_ENTROPY) {
    const int64_t label = row < 0 ? -1 : static_cast<const int32_t*>(a.targets)[row];
    const bool known = label >= 0 && label < outputs;
    const T labelled = known ? m.part[0][warp][label] : T(NAN);
    const T smoothing = T(a.smoothing), scale = T(1.0 / (double)a.rows);
    T sum = T(0);
#pragma unroll
    for (int j = 0; j < 4; j++) {
      if (c + j < outputs) {
        sum += y.at[j];
      } else {
        y.at[j] = T(-INFINITY);
      }
    }
    __syncwarp();
    softmax_state<T> state = softmax_start<T>();
    softmax_add(state, y.at, c);
    state = fold_softmax_warp(state);
    sum = fold_warp(sum, add);
    loss = softmax_loss(state, labelled, smoothing, sum / T(outputs));
    if (lane == 0) {
      static_cast<T*>(a.hits)[r] = state.total == state.total && state.place == label ? T(1) : T(0);
    }
    const T inverse = known ? T(1) / state.total : T(NAN);
    const T elsewhere = smoothing / T(outputs), here = T(1) - smoothing + elsewhere;
#pragma unroll
    for (int j = 0; j < 4; j++) {
      T q = c + j == label ? here : elsewhere;
      y.at[j] = scale * softmax_gradient(y.at[j], state.largest, inverse, q);
    }
  } else {
    const T* target = static_cast<const T*>(a.targets) + row * outputs;
    const T scale = T(a.target_scale), shift = T(a.target_shift);
    const T twice = T(2.0 / (double)(a.rows * outputs));
    T sum = T(0);
#pragma unroll
    for (int j = 0; j < 4; j++) {
      if (c + j < outputs) {
        T difference = y.at[j] - (row < 0 ? T(NAN) : scale * target[c + j] + shift);
        sum += difference * difference;
        y.at[j] = twice * difference;
      }
    }
    loss = fold_warp(sum, add) / T(outputs);
  }
  if (lane == 0) static_cast<T*>(a.losses)[r] = loss;
  place = y;
}

}  // namespace weft::cuda
#endif  // WEFT_CUDA_FUSED_LOSS_CUH
