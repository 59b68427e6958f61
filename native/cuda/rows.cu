// SPDX-License-Identifier: Apache-2.0
//
// Gathering rows and ids by index.
#include "device.cuh"

namespace weft::cuda {

static_assert(gather_rows_shape::threads == elementwise_threads &&
                  gather_rows_shape::items == elementwise_items,
              "shape of elementwise kernels");

WEFT_DEVICE int64_t start_of(const void* state) {
  return state ? static_cast<const weft_step_state*>(state)->cursor : 0;
}

// y = scale * source + shift, NaN for a row that the source has not. Places past the end are moved
// onto the last pack, and not stored, so that no branch parts the loads.
template <typename S>
WEFT_DEVICE void gather_rows(const weft_gather_rows& a) {
  using T = compute<S>;
  const S* source = static_cast<const S*>(a.source);
  const int32_t* index = static_cast<const int32_t*>(a.index) + start_of(a.state);
  S* y = static_cast<S*>(a.y);
  const int64_t n = a.rows * a.cols;
  const T scale = T(a.scale), shift = T(a.shift);
  const bool wide = aligned(y);
  const bool whole = a.cols % 4 == 0 && aligned(source);  // a pack lies in one row
  constexpr int packs = batch<S>::packs;
  elementwise<S>(n, [&](int64_t first) {
    batch<S> v;
    if (sizeof(S) == 2 && a.cols % 8 == 0 && whole && wide) {
      // both packs side by side in one row
      const int64_t r = first / a.cols, row = index[r];
      raw_batch<S> raw = {};
      const bool known = is_row(row, a.source_rows);
      if (known) read_whole(raw, source + row * a.cols + (first - r * a.cols));
      v = opened(raw);
      each<S>(first, [&](int k, int j, int64_t) {
        v.part[k].at[j] = scale * v.part[k].at[j] + (known ? shift : T(NAN));
      });
    } else if (whole) {
      const S* from[packs];
#pragma unroll
      for (int k = 0; k < packs; k++) {
        int64_t i = min(first + k * batch<S>::stride, n - 4), r = i / a.cols, row = index[r];
        bool known = is_row(row, a.source_rows);
        from[k] = known ? source + row * a.cols + (i - r * a.cols) : nullptr;
      }
#pragma unroll
      for (int k = 0; k < packs; k++) {
        v.part[k] = {};
        if (from[k]) v.part[k] = load_whole(from[k]);
      }
      each<S>(first, [&](int k, int j, int64_t) {
        v.part[k].at[j] = scale * v.part[k].at[j] + (from[k] ? shift : T(NAN));
      });
    } else {
      each<S>(first, [&](int k, int j, int64_t place) {
        int64_t i = min(place, n - 1), r = i / a.cols, row = index[r];
        bool known = is_row(row, a.source_rows);
        T value = known ? T(source[row * a.cols + (i - r * a.cols)]) : T(0);
        v.part[k].at[j] = scale * value + (known ? shift : T(NAN));
      });
    }
    store_batch(y, first, n, wide, v);
  });
}

constexpr int byte_threads = gather_rows_u8_shape::threads;
constexpr int byte_items = gather_rows_u8_shape::items;
static_assert(byte_items == 16 * byte_threads, "sixteen bytes a thread");

// The same from bytes. Where sixteen of them lie in one row a thread reads them in one access, and
// the lanes of a warp exchange words, so that neighbours write neighbouring packs; else it gathers
// them one by one.
template <typename S>
WEFT_DEVICE void gather_rows_u8(const weft_gather_rows& a) {
  using T = compute<S>;
  __shared__ uint4 exchange[byte_threads];
  const uint8_t* source = static_cast<const uint8_t*>(a.source);
  const int32_t* index = static_cast<const int32_t*>(a.index) + start_of(a.state);
  S* y = static_cast<S*>(a.y);
  const int64_t n = a.rows * a.cols;
  const T scale = T(a.scale), shift = T(a.shift);
  const int lane = threadIdx.x % 32, warp = threadIdx.x / 32;
  const int64_t begin = (int64_t)blockIdx.x * byte_items + warp * 512;  // of this warp
  if (a.cols % 16 == 0 && aligned(source, y)) {
    const int64_t i = begin + 16 * lane, r = i / a.cols, row = i < n ? index[r] : -1;
    const bool known = is_row(row, a.source_rows);
    uint4 bytes = {0, 0, 0, 0};
    if (known) {
      bytes = *reinterpret_cast<const uint4*>(source + row * a.cols + (i - r * a.cols));
    }
    exchange[threadIdx.x] = bytes;
    const unsigned rows = __ballot_sync(all_lanes, known);
    __syncwarp();
    const unsigned* words = &exchange[warp * 32].x;
#pragma unroll
    for (int k = 0; k < 4; k++) {
      const unsigned word = words[32 * k + lane];
      const T base = rows >> (8 * k + lane / 4) & 1 ? shift : T(NAN);
      pack<T> v;
#pragma unroll
      for (int j = 0; j < 4; j++) v.at[j] = scale * T(word >> (8 * j) & 255) + base;
      const int64_t place = begin + 128 * k + 4 * lane;
      if (place < n) put(y + place, v);
    }
    return;
  }
#pragma unroll 1
  for (int k = 0; k < 4; k++) {
    const int64_t first = begin + 128 * k + 4 * lane;
    pack<T> v;
#pragma unroll
    for (int j = 0; j < 4; j++) {
      const int64_t i = min(first + j, n - 1), r = i / a.cols, row = index[r];
      const bool known = is_row(row, a.source_rows);
      const uint8_t value = known ? source[row * a.cols + (i - r * a.cols)] : 0;
      v.at[j] = scale * T(value) + (known ? shift : T(NAN));
    }
    store(y, first, n, aligned(y), v);
  }
}

static_assert(gather_ids_shape::threads == gather_ids_shape::items, "a thread an id");

}  // namespace weft::cuda

// y is assigned. Elementwise mapping; a pack lies in one row of the source where cols is a multiple
// of four, and is then read in one access.
WEFT_KERNEL(gather_rows, gather_rows)

// The same from uint8. A batch of 128 images of 784 bytes is 98 blocks and bound by latency. 64
// threads: with 16 bytes each a block is 1,024 elements, as few as the other kernels', and the 32
// blocks of a multiprocessor keep 32 KB in flight.
WEFT_KERNEL(gather_rows_u8, gather_rows)

// y (=): a thread an id. Bound by latency, so that a label a row is spared the division.
extern "C" __global__ void __launch_bounds__(weft::cuda::gather_ids_shape::threads)
    gather_ids(const weft_gather_ids a) {
  const int64_t i = (int64_t)blockIdx.x * weft::cuda::gather_ids_shape::items + threadIdx.x;
  if (i >= a.rows * a.cols) return;
  const int32_t* index = static_cast<const int32_t*>(a.index) + weft::cuda::start_of(a.state);
  const int64_t r = a.cols == 1 ? i : i / a.cols, row = index[r];
  const int32_t* source = static_cast<const int32_t*>(a.source);
  static_cast<int32_t*>(a.y)[i] =
      weft::cuda::is_row(row, a.source_rows) ? source[row * a.stride + (i - r * a.cols)] : -2;
}
