// SPDX-License-Identifier: Apache-2.0
//
// Whether a row's label is among the k of the largest logits.
#include "device.cuh"

namespace weft::cuda {

static_assert(top_hits_shape::threads == 32 * top_hits_shape::items, "a warp a row");

template <typename S>
WEFT_DEVICE void top_hits(const weft_top_hits& a) {
  using T = compute<S>;
  const int lane = threadIdx.x % 32;
  const int64_t r = (int64_t)blockIdx.x * top_hits_shape::items + threadIdx.x / 32;
  if (r >= a.rows) return;  // the whole warp
  const int64_t n = a.classes, label = static_cast<const int32_t*>(a.labels)[r];
  T* hit = static_cast<T*>(a.hits) + r;
  if (!is_row(label, n)) {  // likewise
    if (lane == 0) *hit = T(0);
    return;
  }
  const S* x = static_cast<const S*>(a.x) + r * n;
  const T own = T(x[label]);
  int larger = 0;    // logits ahead of the label's
  bool odd = false;  // one that leaves no softmax
  auto look = [&](T value, int64_t c) {
    larger += value > own || (value == own && c < label) ? 1 : 0;
    odd |= !(value < T(INFINITY));
  };
  const int64_t head = entries_ahead(x, n);
  if (lane < head) look(T(x[lane]), lane);
#pragma unroll 4
  for (int64_t c = head + 4 * lane; c < n; c += 128) {
    const pack<T> v = load(x, c, n, true, T(-INFINITY));
#pragma unroll
    for (int j = 0; j < 4; j++) look(v.at[j], c + j);
  }
  larger = fold_warp(larger, [](int p, int q) { return p + q; });
  odd = __any_sync(all_lanes, odd);
  if (lane == 0) *hit = !odd && larger < a.k ? T(1) : T(0);
}

}  // namespace weft::cuda

// hits (=). A warp takes a row, a lane every 32nd pack of four, lane 0 to 2 what lies ahead of the
// first. 128 threads, so that 512 rows already reach 128 multiprocessors, as argmax.
WEFT_KERNEL(top_hits, top_hits)
