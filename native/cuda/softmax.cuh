// SPDX-License-Identifier: Apache-2.0
//
// What the kernels that end in a softmax share.
#ifndef WEFT_CUDA_SOFTMAX_CUH
#define WEFT_CUDA_SOFTMAX_CUH

#include "../math/softmax.h"
#include "device.cuh"

namespace weft::cuda {

// The state of what all lanes of a warp have seen, for every lane.
template <typename T>
WEFT_DEVICE softmax_state<T> fold_softmax_warp(softmax_state<T> state) {
#pragma unroll
  for (int mask = 16; mask > 0; mask >>= 1) {
    softmax_state<T> other = {__shfl_xor_sync(all_lanes, state.largest, mask),
                              __shfl_xor_sync(all_lanes, state.total, mask),
                              __shfl_xor_sync(all_lanes, state.place, mask)};
    state = softmax_merge(state, other);
  }
  return state;
}

}  // namespace weft::cuda
#endif  // WEFT_CUDA_SOFTMAX_CUH
