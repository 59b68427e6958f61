// SPDX-License-Identifier: Apache-2.0
//
// The gradients of a fused bias and activation in one pass: dx, and the sums of its columns.
#include "../math/activation.h"
#include "device.cuh"

namespace weft::cuda {

constexpr int gradients_threads = bias_activation_gradients_shape::threads;
constexpr int gradients_items = bias_activation_gradients_shape::items;
constexpr int gradients_lanes = gradients_items / 4;
constexpr int gradients_groups = gradients_threads / gradients_lanes;

// Thread (lane, group) owns four sums side by side and every gradients_groups-th row of their part.
template <int A, typename S>
WEFT_DEVICE void differentiate(const weft_bias_activation_gradients& a,
                               compute<S> (&shared)[gradients_groups][gradients_items + 1]) {
  using T = compute<S>;
  const S* b = static_cast<const S*>(derivative_needs_x(A) ? a.b : nullptr);
  const S* source = static_cast<const S*>(derivative_needs_x(A) ? a.x : a.y);
  const S* dy = static_cast<const S*>(a.dy);
  S* dx = static_cast<S*>(a.dx);
  const T alpha = T(a.alpha);
  const int lane = threadIdx.x % gradients_lanes, group = threadIdx.x / gradients_lanes;
  const int64_t sums = a.parts * a.cols, length = (a.rows + a.parts - 1) / a.parts;
  const int64_t first = (int64_t)blockIdx.x * gradients_items, own = first + 4 * lane;
  if (a.cols % 4 == 0 && aligned(source, b, dy, dx)) {  // the four are of one part
    pack<T> total = {};
    const int64_t part = own / a.cols, c = own - part * a.cols;
    const int64_t last = own < sums ? min((part + 1) * length, a.rows) : 0;
    pack<T> bias = {};
    if (b && own < sums) bias = load_whole(b + c);
#pragma unroll 2
    for (int64_t r = part * length + group; r < last; r += gradients_groups) {
      const int64_t i = r * a.cols + c;
      pack<T> v = load_whole(dy + i);
      if constexpr (A != WEFT_IDENTITY) {
        const pack<T> s = load_whole(source + i);
#pragma unroll
        for (int j = 0; j < 4; j++) {
          const T value = s.at[j] + bias.at[j];
          v.at[j] *= activation_derivative<A>(value, value, alpha);
        }
      }
      put(dx + i, v);
#pragma unroll
      for (int j = 0; j < 4; j++) total.at[j] += v.at[j];
    }
#pragma unroll
    for (int j = 0; j < 4; j++) shared[group][4 * lane + j] = total.at[j];
  } else {
#pragma unroll 1
    for (int j = 0; j < 4; j++) {
      if (own + j >= sums) break;
      const int64_t part = (own + j) / a.cols, c = own + j - part * a.cols;
      const int64_t last = min((part + 1) * length, a.rows);
      const T bias = b ? T(b[c]) : T(0);
      T sum = T(0);
      for (int64_t r = part * length + group; r < last; r += gradients_groups) {
        const int64_t i = r * a.cols + c;
        T v = T(dy[i]);
        if constexpr (A != WEFT_IDENTITY) {
          const T value = T(source[i]) + bias;
          v *= activation_derivative<A>(value, value, alpha);
        }
        dx[i] = S(v);
        sum += v;
      }
      shared[group][4 * lane + j] = sum;
    }
  }
}

template <typename S>
WEFT_DEVICE void bias_activation_gradients(const weft_bias_activation_gradients& a) {
  using T = compute<S>;
  __shared__ T shared[gradients_groups][gradients_items + 1];
  choose_nonlinearity(a.activation, [&](auto kind) { differentiate<kind, S>(a, shared); });
  __syncthreads();
  const int64_t output = (int64_t)blockIdx.x * gradients_items + threadIdx.x;
  if (threadIdx.x < gradients_items && output < a.parts * a.cols) {
    T sum = shared[0][threadIdx.x];
    for (int g = 1; g < gradients_groups; g++) sum += shared[g][threadIdx.x];
    T* db = static_cast<T*>(a.db) + output;
    *db = a.accumulate ? *db + sum : sum;
  }
}

}  // namespace weft::cuda

// dx (=), db = or db +=; dx may be dy. A block owns 32 sums: eight lanes of four columns, 32 groups
// along the rows of a part, then one thread a sum adds the groups in order. 256 threads: 32 rows of
// 128 bytes are in flight at once. With one part, up to a few hundred rows, the bias gradient costs
// no launch of its own. 128 x 512 are 16 blocks and bound by latency.
WEFT_KERNEL_BLOCKS(bias_activation_gradients, bias_activation_gradients, float, f32, 3)
WEFT_KERNEL_BLOCKS(bias_activation_gradients, bias_activation_gradients, double, f64, 1)
WEFT_KERNEL_BLOCKS(bias_activation_gradients, bias_activation_gradients, weft::bf16, bf16, 3)
