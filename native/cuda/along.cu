// SPDX-License-Identifier: Apache-2.0
//
// Entries taken and put by their place along an axis, and places as rows of ones.
#include "device.cuh"

namespace weft::cuda {

static_assert(one_hot_shape::threads == elementwise_threads &&
                  one_hot_shape::items == elementwise_items &&
                  gather_along_shape::threads == elementwise_threads &&
                  gather_along_shape::items == elementwise_items,
              "shape of elementwise kernels");

template <typename S>
WEFT_DEVICE void one_hot(const weft_one_hot& a) {
  using T = compute<S>;
  const int32_t* ids = static_cast<const int32_t*>(a.ids);
  S* y = static_cast<S*>(a.y);
  const int64_t n = a.rows * a.classes;
  const T on = T(a.on), off = T(a.off);
  const bool wide = aligned(y);
  elementwise<S>(n, [&](int64_t first) {
    batch<S> v;
    each<S>(first, [&](int k, int j, int64_t place) {
      const int64_t i = min(place, n - 1), r = i / a.classes, id = ids[r];
      v.part[k].at[j] = !is_row(id, a.classes) ? T(NAN) : (id == i - r * a.classes ? on : off);
    });
    store_batch(y, first, n, wide, v);
  });
}

template <typename S>
WEFT_DEVICE void gather_along(const weft_gather_along& a) {
  using T = compute<S>;
  const S* x = static_cast<const S*>(a.x);
  const int32_t* index = static_cast<const int32_t*>(a.index);
  S* y = static_cast<S*>(a.y);
  const int64_t n = a.outer * a.taken * a.inner;
  const T missing = T(a.missing);
  const bool wide = aligned(y);
  elementwise<S>(n, [&](int64_t first) {
    batch<S> v;
    each<S>(first, [&](int k, int j, int64_t place) {
      const int64_t i = min(place, n - 1), row = i / a.inner, from = index[i];
      const int64_t at = (row / a.taken * a.count + from) * a.inner + (i - row * a.inner);
      v.part[k].at[j] = is_row(from, a.count) ? T(x[at]) : missing;
    });
    put_batch(y, first, n, wide, a.accumulate != 0, v);
  });
}

constexpr int scatter_threads = scatter_add_along_shape::threads;
static_assert(scatter_threads == scatter_add_along_shape::items, "a thread a column");

template <typename S>
WEFT_DEVICE void scatter_add_along(const weft_scatter_add_along& a) {
  using T = compute<S>;
  const int64_t column = (int64_t)blockIdx.x * scatter_threads + threadIdx.x;
  if (column >= a.outer * a.inner) return;
  const int64_t o = column / a.inner, i = column - o * a.inner;
  const S* values = static_cast<const S*>(a.values) + o * a.taken * a.inner + i;
  const int32_t* index = static_cast<const int32_t*>(a.index) + o * a.taken * a.inner + i;
  T* y = static_cast<T*>(a.y) + o * a.count * a.inner + i;
#pragma unroll 1
  for (int64_t t = 0; t < a.taken; t++) {
    const int64_t place = index[t * a.inner];
    if (!is_row(place, a.count)) continue;
    y[place * a.inner] += T(values[t * a.inner]);
  }
}

}  // namespace weft::cuda

// y (=). Elementwise mapping, see elementwise_threads.
WEFT_KERNEL(one_hot, one_hot)

// y = or y +=. Same mapping.
WEFT_KERNEL(gather_along, gather_along)

// y +=. A thread owns a column (outer, inner) of y and adds to it what belongs there, in order: the
// sums are the same each time. Neighbours read neighbouring indices where inner > 1.
WEFT_KERNEL(scatter_add_along, scatter_add_along)
