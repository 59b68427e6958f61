// SPDX-License-Identifier: Apache-2.0
//
// A training step of a narrow network in two kernels; no layer is wider than 128 but the input.
// Matrices of rows lie in scratch row by row, each row's length rounded up to a multiple of 16, so
// that every row can be moved in 16-byte accesses.
#ifndef WEFT_CUDA_FUSED_CUH
#define WEFT_CUDA_FUSED_CUH

#include "device.cuh"

namespace weft::cuda {

constexpr int fused_threads = fused_pass_shape::threads;
constexpr int fused_warps = fused_threads / 32;
constexpr int fused_rows = fused_pass_shape::items;
constexpr int fused_width = WEFT_FUSED_WIDTH;
static_assert(fused_width == 32 * 4, "a warp takes a row, a lane a pack of it");
static_assert(fused_rows == 4, "a pack holds one input of all rows of a block");
static_assert(fused_update_shape::threads == fused_threads && fused_update_shape::items == 1,
              "a tile a block");

WEFT_DEVICE int64_t fused_stride(int64_t width) { return (width + 15) / 16 * 16; }

}  // namespace weft::cuda
#endif  // WEFT_CUDA_FUSED_CUH
