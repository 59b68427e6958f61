// SPDX-License-Identifier: Apache-2.0
//
// Numbers of rows sorted, stably: chunks by counting, then all by searching in each other's chunks.
// Nothing is atomic, and a place is the same every time.
#include <limits.h>

#include "device.cuh"

namespace weft::cuda {

constexpr int chunk = 1024;
constexpr int own = sort_chunks_shape::items;            // ids whose places a block finds
constexpr int parts = sort_chunks_shape::threads / own;  // threads that count for one of them
static_assert(4 * sort_chunks_shape::threads == chunk && own % 32 == 0, "a thread loads four ids");

// How many ids of its part of the chunk go before id, whose place there is `mine`: smaller ones, and
// equal ones ahead of it. Which of the two comparisons it takes depends on the block alone for most.
WEFT_DEVICE int count_before(const int4* ids, int part, int begin, int32_t id, int mine) {
  int count = 0;
#pragma unroll 4
  for (int k = part * (chunk / parts / 4); k < (part + 1) * (chunk / parts / 4); k++) {
    const int4 other = ids[k];
    if (4 * k < begin) {
      count += (other.x <= id) + (other.y <= id) + (other.z <= id) + (other.w <= id);
    } else if (4 * k >= begin + own) {
      count += (other.x < id) + (other.y < id) + (other.z < id) + (other.w < id);
    } else {
      const int left = mine - 4 * k;
      count += (other.x < id || (other.x == id && left > 0)) +
               (other.y < id || (other.y == id && left > 1)) +
               (other.z < id || (other.z == id && left > 2)) +
               (other.w < id || (other.w == id && left > 3));
    }
  }
  return count;
}

constexpr int group = 8;  // chunks that a thread searches at a time

static_assert(merge_chunks_shape::threads == merge_chunks_shape::items, "a thread an id");

// How many ids of chunks `first` up to `first + group` go before an id of chunk `home`: smaller ones,
// and of earlier chunks equal ones. The searches go step by step together, their loads at a time.
WEFT_DEVICE int search_chunks(const int32_t* ids, int64_t n, int64_t first, int64_t home,
                              int32_t id) {
  const int32_t* from[group];
  int found[group], length[group];
#pragma unroll
  for (int k = 0; k < group; k++) {
    const int64_t start = (first + k) * chunk;
    found[k] = 0;
    length[k] = start >= n || first + k == home ? 0 : (int)min(n - start, (int64_t)chunk);
    from[k] = ids + (start < n ? start : 0);
  }
#pragma unroll 1
  for (int step = chunk; step > 0; step /= 2) {
    int32_t other[group];
#pragma unroll
    for (int k = 0; k < group; k++) {
      other[k] = from[k][found[k] + step <= length[k] ? found[k] + step - 1 : 0];
    }
#pragma unroll
    for (int k = 0; k < group; k++) {
      const bool ahead = first + k < home ? other[k] <= id : other[k] < id;
      if (ahead && found[k] + step <= length[k]) found[k] += step;
    }
  }
  int sum = 0;
#pragma unroll
  for (int k = 0; k < group; k++) sum += found[k];
  return sum;
}

}  // namespace weft::cuda

// sorted and order are assigned, each element once. A block has a chunk's ids in shared memory and
// finds the places of 64 of them; four threads share the 1,024 comparisons for each. With 64 ids a
// block, 8,192 ids keep 128 multiprocessors busy.
extern "C" __global__ void __launch_bounds__(weft::cuda::sort_chunks_shape::threads)
    sort_chunks(const weft_sort_chunks a) {
  using namespace weft::cuda;
  __shared__ int4 ids[chunk / 4];
  __shared__ int counts[parts][own];
  const int64_t block = (int64_t)blockIdx.x * own, start = block / chunk * chunk;
  const int begin = (int)(block - start);  // of its own ids, in the chunk
  const int32_t* from = static_cast<const int32_t*>(a.ids) + start;
  const int left = (int)min(a.n - start, (int64_t)chunk);
  const int thread = threadIdx.x, first = 4 * thread;
  if (aligned(from) && first + 4 <= left) {
    ids[thread] = *reinterpret_cast<const int4*>(from + first);
  } else {
    // what stands past the end goes before none
    ids[thread] = make_int4(
        first < left ? from[first] : INT_MAX, first + 1 < left ? from[first + 1] : INT_MAX,
        first + 2 < left ? from[first + 2] : INT_MAX, first + 3 < left ? from[first + 3] : INT_MAX);
  }
  __syncthreads();
  const int one = thread % own, part = thread / own, mine = begin + one;
  const int32_t id = (&ids[0].x)[mine];
  counts[part][one] = count_before(ids, part, begin, id, mine);
  __syncthreads();
  if (part != 0 || mine >= left) return;
  int64_t place = start;
#pragma unroll
  for (int k = 0; k < parts; k++) place += counts[k][one];
  static_cast<int32_t*>(a.sorted)[place] = id;
  static_cast<int32_t*>(a.order)[place] = (int32_t)(start + mine);
}

// sorted and order are assigned, each element once, and not where the chunks are. A thread takes an
// id, whose neighbours in a warp search nearly the same places. 128 threads, since it is bound by
// latency: 8,192 ids are 64 blocks.
extern "C" __global__ void __launch_bounds__(weft::cuda::merge_chunks_shape::threads)
    merge_chunks(const weft_merge_chunks a) {
  using namespace weft::cuda;
  const int64_t p = (int64_t)blockIdx.x * merge_chunks_shape::items + threadIdx.x;
  if (p >= a.n) return;
  const int32_t* ids = static_cast<const int32_t*>(a.chunk_sorted);
  const int32_t id = ids[p];
  int64_t place = p % chunk;
#pragma unroll 1
  for (int64_t first = 0; first * chunk < a.n; first += group) {
    place += search_chunks(ids, a.n, first, p / chunk, id);
  }
  static_cast<int32_t*>(a.sorted)[place] = id;
  static_cast<int32_t*>(a.order)[place] = static_cast<const int32_t*>(a.chunk_order)[p];
}
