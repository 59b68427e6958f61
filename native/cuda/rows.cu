// SPDX-License-Identifier: Apache-2.0
//
// Gathering rows and labels by index, and adding gradients back to the rows they came from.
#include "device.cuh"

namespace weft::cuda {

static_assert(gather_rows_shape::threads == elementwise_threads &&
                  gather_rows_shape::items == elementwise_items,
              "shape of elementwise kernels");

WEFT_DEVICE int64_t start_of(const void* state) {
  return state ? static_cast<const weft_step_state*>(state)->cursor : 0;
}

WEFT_DEVICE bool is_row(int64_t index, int64_t rows) { return (uint64_t)index < (uint64_t)rows; }

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

constexpr int scatter_warps = gather_rows_backward_shape::threads / 32;
constexpr unsigned scatter_blocks = 528;  // four on each multiprocessor of an H200
static_assert((scatter_warps & (scatter_warps - 1)) == 0, "masks");

// A block takes a strip of 32 LANE columns and, of the target rows, one slice; a warp owns the
// target rows that leave its number when divided by all warps that share its columns. It looks at
// 32 indexes at a time and takes its own in order: no two warps meet, and equal rows add up in
// order. Every warp looks at all indexes, so there are no more slices than keep a GPU busy, and a
// power of two of them, for which a division is a mask.
template <int LANE, typename S>
WEFT_DEVICE void scatter_rows(const weft_gather_rows_backward& a) {
  using T = compute<S>;
  constexpr int strip = 32 * LANE;
  const int32_t* index = static_cast<const int32_t*>(a.index);
  const S* dy = static_cast<const S*>(a.dy);
  T* dsource = static_cast<T*>(a.dsource);
  const T scale = T(a.scale);
  const unsigned strips = (unsigned)((a.cols + strip - 1) / strip);
  const unsigned most = min((unsigned)a.cols, max(scatter_blocks, strips)) / strips;
  const unsigned slices = 1u << (31 - __clz((int)most));
  const unsigned slice = blockIdx.x / strips, warps = slices * scatter_warps;
  if (slice >= slices) return;
  const int lane = threadIdx.x % 32;
  const unsigned warp = slice * scatter_warps + threadIdx.x / 32;
  const int64_t c = (int64_t)(blockIdx.x % strips) * strip + LANE * lane;
  int32_t next = lane < a.rows ? index[lane] : 0;
  for (int64_t base = 0; base < a.rows; base += 32) {
    const int32_t mine = next;
    const int64_t ahead = base + 32 + lane;
    next = ahead < a.rows ? index[ahead] : 0;
    const bool known = base + lane < a.rows && is_row(mine, a.source_rows);
    unsigned own = __ballot_sync(all_lanes, known && ((unsigned)mine & (warps - 1)) == warp);
    while (own) {
      const int j = __ffs((int)own) - 1;
      own &= own - 1;
      const int64_t row = __shfl_sync(all_lanes, mine, j);
      if (c >= a.cols) continue;
      T* to = dsource + row * a.cols + c;
      const S* from = dy + (base + j) * a.cols + c;
      if constexpr (LANE == 4) {
        pack<T> sum = load_whole(to);
        const pack<T> v = load_whole(from);
#pragma unroll
        for (int u = 0; u < 4; u++) sum.at[u] += scale * v.at[u];
        put(to, sum);
      } else {
        *to += scale * T(*from);
      }
    }
  }
}

template <typename S>
WEFT_DEVICE void gather_rows_backward(const weft_gather_rows_backward& a) {
  static_assert(gather_rows_backward_shape::items == 1, "as many blocks as columns");
  if (a.cols % 4 == 0 && aligned(a.dy, a.dsource)) return scatter_rows<4, S>(a);
  scatter_rows<1, S>(a);
}

constexpr int gather_labels_items = gather_labels_shape::items;
static_assert(gather_labels_shape::threads == gather_labels_items, "a thread a label");

}  // namespace weft::cuda

// y is assigned. Elementwise mapping; a pack lies in one row of the source where cols is a multiple
// of four, and is then read in one access.
WEFT_KERNEL(gather_rows, gather_rows)

// The same from uint8. A batch of 128 images of 784 bytes is 98 blocks and bound by latency. 64
// threads: with 16 bytes each a block is 1,024 elements, as few as the other kernels', and the 32
// blocks of a multiprocessor keep 32 KB in flight.
WEFT_KERNEL(gather_rows_u8, gather_rows)

// dsource +=. A lane takes four columns (one, where cols allows no packs), 128 columns a block, and
// the blocks that share columns share out the target rows. 256 threads: 8 warps a block and as many
// blocks as columns make 1,024 rows move at once where rows have 128 columns. Bound by latency, and
// by far the slowest where all targets are the same.
WEFT_KERNEL(gather_rows_backward, gather_rows_backward)

// y (=): a thread a label. Bound by latency.
extern "C" __global__ void __launch_bounds__(weft::cuda::gather_labels_shape::threads)
    gather_labels(const weft_gather_labels a) {
  const int64_t r = (int64_t)blockIdx.x * weft::cuda::gather_labels_items + threadIdx.x;
  if (r >= a.rows) return;
  const int32_t* index = static_cast<const int32_t*>(a.index) + weft::cuda::start_of(a.state);
  const int32_t row = index[r];
  static_cast<int32_t*>(a.y)[r] =
      weft::cuda::is_row(row, a.source_rows) ? static_cast<const int32_t*>(a.source)[row] : -1;
}
