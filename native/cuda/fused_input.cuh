// SPDX-License-Identifier: Apache-2.0
//
// What a block of the fused step has in shared memory, and how the inputs of a layer get there.
#ifndef WEFT_CUDA_FUSED_INPUT_CUH
#define WEFT_CUDA_FUSED_INPUT_CUH

#include "fused.cuh"

namespace weft::cuda {

// Inputs of a block's rows that are in shared memory at a time: 16 KB of float, 8 KB of double.
template <typename T>
constexpr int fused_depth = sizeof(T) == 4 ? 1024 : 256;

template <typename T>
struct fused_memory {
  pack<T> x[fused_depth<T>];                     // at[r]: an input of row r
  T part[fused_warps][fused_rows][fused_width];  // a warp's share of the sums
};

// The row of the data set that is row r of the batch; -1 where there is none.
template <typename A>
WEFT_DEVICE int64_t fused_source(const A& a, int64_t r) {
  if (r >= a.rows) return -1;
  const weft_step_state* state = static_cast<const weft_step_state*>(a.state);
  int64_t row = static_cast<const int32_t*>(a.index)[state->cursor + r];
  return (uint64_t)row < (uint64_t)a.source_rows ? row : -1;
}

// Four values of a source row from column c on, 0 from cols on.
template <typename T, typename S>
WEFT_DEVICE pack<T> fused_take(const weft_fused_pass& a, const S* row, int64_t c) {
  struct alignas(sizeof(S) == 1 ? 4 : 16) quartet {
    S at[4];
  };
  const T scale = T(a.scale), shift = T(a.shift);
  pack<T> v;
  if (c + 4 <= a.cols && reinterpret_cast<uintptr_t>(row + c) % alignof(quartet) == 0) {
    const quartet q = *reinterpret_cast<const quartet*>(row + c);
#pragma unroll
    for (int j = 0; j < 4; j++) v.at[j] = scale * T(q.at[j]) + shift;
  } else {
#pragma unroll
    for (int j = 0; j < 4; j++) v.at[j] = c + j < a.cols ? scale * T(row[c + j]) + shift : T(0);
  }
  return v;
}

// Brings inputs of a layer, from k0 on, to shared memory; those of the first layer come
// from the data set and go to scratch, too.
template <typename T>
WEFT_DEVICE void fused_bring(const weft_fused_pass& a, const weft_fused_layer& layer, bool first,
                             int64_t r0, int64_t k0, fused_memory<T>& m) {
  const int64_t stride = fused_stride(layer.in);
  // to the end of the row in scratch: what is beyond its inputs is read, too, and must be a number
  const int packs = (int)min((int64_t)fused_depth<T>, stride - k0) / 4;
  T* x = static_cast<T*>(a.scratch) + layer.x;
  for (int i = (int)threadIdx.x; i < fused_rows * packs; i += fused_threads) {
    const int r = i / packs, k = i % packs * 4;
    const int64_t place = (r0 + r) * stride + k0 + k;
    pack<T> v = {};
    if (r0 + r < a.rows) {
      if (first) {
        const int64_t row = fused_source(a, r0 + r);
        if (row < 0) {
#pragma unroll
          for (int j = 0; j < 4; j++) v.at[j] = T(NAN);
        } else if (a.source_u8) {
          v = fused_take<T>(a, static_cast<const uint8_t*>(a.source) + row * a.cols, k0 + k);
        } else {
          v = fused_take<T>(a, static_cast<const T*>(a.source) + row * a.cols, k0 + k);
        }
        put(x + place, v);
      } else {
        v = load_whole(x + place);
      }
    }
#pragma unroll
    for (int j = 0; j < 4; j++) m.x[k + j].at[r] = v.at[j];
  }
}

}  // namespace weft::cuda
#endif  // WEFT_CUDA_FUSED_INPUT_CUH
