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

// The mapping is that of bfloat16 on both sides: eight neighbours a thread.
template <typename From, typename To>
WEFT_DEVICE void cast(const weft_cast& a) {
  const From* x = static_cast<const From*>(a.x);
  To* y = static_cast<To*>(a.y);
  const bool wide_x = aligned(x), wide_y = aligned(y);
  elementwise<bf16>(a.n, [&](int64_t first) {
    auto read = [&](const auto* from, bool wide) {
      if constexpr (sizeof(*from) == 2) {
        return load_batch(from, first, a.n, wide);
      } else {
        return batch<bf16>{{load(from, first, a.n, wide), load(from, first + 4, a.n, wide)}};
      }
    };
    batch<bf16> v = read(x, wide_x);
    if (a.accumulate) {
      batch<bf16> old = read(y, wide_y);
      each<bf16>(0, [&](int k, int j, int64_t) { v.part[k].at[j] += old.part[k].at[j]; });
    }
    if constexpr (sizeof(To) == 2) {
      store_batch(y, first, a.n, wide_y, v);
    } else {
      store(y, first, a.n, wide_y, v.part[0]);
      store(y, first + 4, a.n, wide_y, v.part[1]);
    }
  });
}

}  // namespace weft::cuda

// y = x or y += x, rounded. A thread owns eight neighbours. 6 bytes and no flops an element (+= 8 and
// 1): expected 94 us for 256 MB of float in and 128 MB out at 4.3 TB/s. Block size: see
// elementwise_threads.
extern "C" __global__ void __launch_bounds__(weft::cuda::f32_to_bf16_shape::threads)
    f32_to_bf16(const weft_cast a) {
  weft::cuda::cast<float, weft::bf16>(a);
}

// y = x or y += x, exact where it is `=`. Same mapping. 6 bytes and no flops an element (+= 10 and 1):
// expected 94 us for 128 MB in and 256 MB of float out.
extern "C" __global__ void __launch_bounds__(weft::cuda::bf16_to_f32_shape::threads)
    bf16_to_f32(const weft_cast a) {
  weft::cuda::cast<weft::bf16, float>(a);
}
