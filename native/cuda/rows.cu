// SPDX-License-Identifier: Apache-2.0
//
// Gathering rows and labels by index, and adding gradients back to the rows they came from.
#include "device.cuh"

namespace weft::cuda {

static_assert(gather_rows_shape::threads == elementwise_threads &&
                  gather_rows_shape::items == elementwise_items &&
                  gather_rows_u8_shape::threads == elementwise_threads &&
                  gather_rows_u8_shape::items == elementwise_items,
              "shape of elementwise kernels");

WEFT_DEVICE int64_t start_of(const void* state) {
  return state ? static_cast<const weft_step_state*>(state)->cursor : 0;
}

WEFT_DEVICE bool is_row(int64_t index, int64_t rows) { return (uint64_t)index < (uint64_t)rows; }

// Four values of the source in one access: 4 bytes of uint8, 16 of float, two times 16 of double.
template <typename S>
struct alignas(sizeof(S) == 1 ? 4 : 16) source_pack {
  S at[4];
};

// y = scale * source + shift, NaN for a row that the source has not. Places past the end are moved
// onto the last pack, and not stored, so that no branch parts the loads.
template <typename S, typename T>
WEFT_DEVICE void gather(const weft_gather_rows& a) {
  const S* source = static_cast<const S*>(a.source);
  const int64_t start = start_of(a.state);
  const int32_t* index = static_cast<const int32_t*>(a.index) + start;
  T* y = static_cast<T*>(a.y);
  const int64_t n = a.rows * a.cols;
  const T scale = T(a.scale), shift = T(a.shift);
  const bool wide = aligned(y);
  const bool whole =
      a.cols % 4 == 0 && reinterpret_cast<uintptr_t>(source) % alignof(source_pack<S>) == 0;
  constexpr int packs = batch<T>::packs;
  elementwise<T>(n, [&](int64_t first) {
    batch<T> v;
    if (whole) {
      const S* from[packs];
#pragma unroll
      for (int k = 0; k < packs; k++) {
        int64_t i = min(first + k * batch<T>::stride, n - 4), r = i / a.cols, row = index[r];
        bool known = is_row(row, a.source_rows);
        from[k] = known ? source + row * a.cols + (i - r * a.cols) : nullptr;
      }
      source_pack<S> s[packs] = {};
#pragma unroll
      for (int k = 0; k < packs; k++) {
        if (from[k]) s[k] = *reinterpret_cast<const source_pack<S>*>(from[k]);
      }
      each<T>(first, [&](int k, int j, int64_t) {
        v.part[k].at[j] = scale * T(s[k].at[j]) + (from[k] ? shift : T(NAN));
      });
    } else {
      each<T>(first, [&](int k, int j, int64_t place) {
        int64_t i = min(place, n - 1), r = i / a.cols, row = index[r];
        bool known = is_row(row, a.source_rows);
        S value = known ? source[row * a.cols + (i - r * a.cols)] : S(0);
        v.part[k].at[j] = scale * T(value) + (known ? shift : T(NAN));
      });
    }
    store_batch(y, first, n, wide, v);
  });
}

template <typename T>
WEFT_DEVICE void gather_rows(const weft_gather_rows& a) {
  gather<T, T>(a);
}

template <typename T>
WEFT_DEVICE void gather_rows_u8(const weft_gather_rows& a) {
  gather<uint8_t, T>(a);
}

constexpr int scatter_warps = gather_rows_backward_shape::threads / 32;

// A block takes 32 columns and, of the target rows, one slice of as many as there are blocks for; a
// warp owns the target rows that leave its number when divided by all warps that share its columns.
// It looks at 32 indexes at a time and takes its own in order: no two warps meet, and equal rows add
// up in order.
template <typename T>
WEFT_DEVICE void gather_rows_backward(const weft_gather_rows_backward& a) {
  static_assert(gather_rows_backward_shape::items == 1, "as many blocks as columns");
  const int32_t* index = static_cast<const int32_t*>(a.index);
  const T* dy = static_cast<const T*>(a.dy);
  T* dsource = static_cast<T*>(a.dsource);
  const T scale = T(a.scale);
  const unsigned strips = (unsigned)((a.cols + 31) / 32), slices = (unsigned)a.cols / strips;
  const unsigned slice = blockIdx.x / strips, warps = slices * scatter_warps;
  if (slice >= slices) return;
  const int lane = threadIdx.x % 32;
  const unsigned warp = slice * scatter_warps + threadIdx.x / 32;
  const int64_t c = blockIdx.x % strips * 32 + lane;
  int32_t next = lane < a.rows ? index[lane] : 0;
  for (int64_t base = 0; base < a.rows; base += 32) {
    const int32_t mine = next;
    const int64_t ahead = base + 32 + lane;
    next = ahead < a.rows ? index[ahead] : 0;
    const bool known = base + lane < a.rows && is_row(mine, a.source_rows);
    unsigned own = __ballot_sync(all_lanes, known && (unsigned)mine % warps == warp);
    while (own) {
      const int j = __ffs((int)own) - 1;
      own &= own - 1;
      const int64_t row = __shfl_sync(all_lanes, mine, j);
      if (c < a.cols) dsource[row * a.cols + c] += scale * dy[(base + j) * a.cols + c];
    }
  }
}

constexpr int gather_labels_items = gather_labels_shape::items;
static_assert(gather_labels_shape::threads == gather_labels_items, "a thread a label");

}  // namespace weft::cuda

// y is assigned. Elementwise mapping; a pack lies in one row of the source where cols is a multiple
// of four, and is then read in one access. 8 bytes an element of float: expected 125 us for 256 MB
// at 4.3 TB/s where rows are 128 bytes or longer. Block size: see elementwise_threads.
WEFT_KERNEL(gather_rows, gather_rows)

// The same from uint8: 5 bytes an element of float, expected 78 us for a y of 256 MB; a batch of
// 128 images of 784 bytes is 98 blocks and bound by latency, expected 2 to 3 us.
WEFT_KERNEL(gather_rows_u8, gather_rows)

// dsource +=. A lane takes a column, 32 columns a block, and the blocks that share columns share out
// the target rows. 256 threads: 8 warps a block and as many blocks as columns make 256 rows move at
// once where rows have 128 columns. Bound by latency and by reading the indexes once a warp:
// expected 30 us for 8,192 rows of 128 with evenly spread targets, 6 ms with all the same target.
WEFT_KERNEL(gather_rows_backward, gather_rows_backward)

// y (=): a thread a label. 12 bytes and no arithmetic: bound by latency, expected 2 us for a batch.
extern "C" __global__ void __launch_bounds__(weft::cuda::gather_labels_shape::threads)
    gather_labels(const weft_gather_labels a) {
  const int64_t r = (int64_t)blockIdx.x * weft::cuda::gather_labels_items + threadIdx.x;
  if (r >= a.rows) return;
  const int32_t* index = static_cast<const int32_t*>(a.index) + weft::cuda::start_of(a.state);
  const int32_t row = index[r];
  static_cast<int32_t*>(a.y)[r] =
      weft::cuda::is_row(row, a.source_rows) ? static_cast<const int32_t*>(a.source)[row] : -1;
}
