// SPDX-License-Identifier: Apache-2.0
//
// From float to bfloat16 and back.
#include "device.cuh"

namespace weft::cuda {

static_assert(f32_to_bf16_shape::threads == elementwise_threads &&
                  f32_to_bf16_shape::items == elementwise_items &&
                  bf16_to_f32_shape::threads == elementwise_threads &&
                  bf16_to_f32_shape::items == elementwise_items,
              "shape of elementwise kernels");

// The mapping is that of what is written, so that a warp writes side by side: float in two packs
// far apart, bfloat16 in eight neighbours.
template <typename From, typename To>
WEFT_DEVICE void cast(const weft_cast& a) {
  const From* x = static_cast<const From*>(a.x);
  To* y = static_cast<To*>(a.y);
  const bool wide_x = aligned(x), wide_y = aligned(y);
  elementwise<To>(a.n, [&](int64_t first) {
    batch<To> v;
#pragma unroll
    for (int k = 0; k < batch<To>::packs; k++) {
      v.part[k] = load(x, first + k * batch<To>::stride, a.n, wide_x);
    }
    put_batch(y, first, a.n, wide_y, a.accumulate != 0, v);
  });
}

}  // namespace weft::cuda

// y = x or y += x, rounded. Elementwise mapping. Block size: see elementwise_threads.
extern "C" __global__ void __launch_bounds__(weft::cuda::f32_to_bf16_shape::threads)
    f32_to_bf16(const weft_cast a) {
  weft::cuda::cast<float, weft::bf16>(a);
}

// y = x or y += x, exact where it is `=`. Same mapping.
extern "C" __global__ void __launch_bounds__(weft::cuda::bf16_to_f32_shape::threads)
    bf16_to_f32(const weft_cast a) {
  weft::cuda::cast<weft::bf16, float>(a);
}
