// SPDX-License-Identifier: Apache-2.0
//
// What all kernels share: how one is declared, how a thread finds its elements and moves them in
// 16-byte accesses, how a warp or a block folds values in a fixed order.
//
// Kernels use plain CUDA C++ only (no PTX, no cooperative groups, no dynamic shared memory),
// because the host's compiler builds the same sources for the emulator.
#ifndef WEFT_CUDA_DEVICE_CUH
#define WEFT_CUDA_DEVICE_CUH

#include <stdint.h>

#include <type_traits>

#include "../abi/kernels.h"
#include "../math/bf16.h"
#include "../math/portable.h"

#if defined(__CUDACC__)
#define WEFT_DEVICE __device__ __forceinline__
#else
#define WEFT_DEVICE inline
#endif

// name_shape::threads and name_shape::items, from the contract
namespace weft::cuda {
#define WEFT_SHAPE(kind, name, structure, threads_, items_, ...) \
  struct name##_shape {                                          \
    static constexpr int threads = threads_;                     \
    static constexpr int items = items_;                         \
  };
WEFT_KERNELS(WEFT_SHAPE)
#undef WEFT_SHAPE
}  // namespace weft::cuda

// The entry points of a typed kernel; the device function weft::cuda::name<S> does the work, S
// being the type that elements are stored in; they are computed in compute<S>. blocks: resident on
// a multiprocessor at least, which caps the registers of a thread; sm_75 holds 1024 threads, others
// 1536 or more.
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ < 800
#define WEFT_RESIDENT(threads, blocks) ((blocks) * (threads) > 1024 ? 1024 / (threads) : (blocks))
#else
#define WEFT_RESIDENT(threads, blocks) (blocks)
#endif
#define WEFT_KERNEL_BLOCKS(name, structure, S, suffix, blocks)                           \
  extern "C" __global__ void __launch_bounds__(                                          \
      weft::cuda::name##_shape::threads,                                                 \
      WEFT_RESIDENT(weft::cuda::name##_shape::threads, blocks))                          \
      name##_##suffix(const weft_##structure a) {                                        \
    weft::cuda::name<S>(a);                                                              \
  }
#define WEFT_KERNEL_WIDE(name, structure)            \
  WEFT_KERNEL_BLOCKS(name, structure, float, f32, 1) \
  WEFT_KERNEL_BLOCKS(name, structure, double, f64, 1)
#define WEFT_KERNEL(name, structure) \
  WEFT_KERNEL_WIDE(name, structure)  \
  WEFT_KERNEL_BLOCKS(name, structure, weft::bf16, bf16, 1)

namespace weft::cuda {

// ---- four values ----

// Four values as they are computed with: one 16-byte access of floats, two of doubles, half a one
// of bfloat16.
template <typename T>
struct alignas(16) pack {
  T at[4];
};

// Two bfloat16 neighbours are one word, the first in its lower half.
WEFT_DEVICE unsigned join(float first, float second) {
#if defined(__CUDA_ARCH__)
  __nv_bfloat162 both = __floats2bfloat162_rn(first, second);
  return *reinterpret_cast<unsigned*>(&both);
#else
  return bf16(first).bits | (unsigned)bf16(second).bits << 16;
#endif
}
WEFT_DEVICE void split(unsigned word, float& first, float& second) {
  first = math::from_bits<float>(word << 16);
  second = math::from_bits<float>(word & 0xffff0000u);
}

// Writes a pack to an aligned place. By an intrinsic, because nvcc takes a plain store of four
// values now and then for four stores.
WEFT_DEVICE void put(float* y, const pack<float>& v) {
  __stwb(reinterpret_cast<float4*>(y), make_float4(v.at[0], v.at[1], v.at[2], v.at[3]));
}
WEFT_DEVICE void put(double* y, const pack<double>& v) {
  __stwb(reinterpret_cast<double2*>(y), make_double2(v.at[0], v.at[1]));
  __stwb(reinterpret_cast<double2*>(y) + 1, make_double2(v.at[2], v.at[3]));
}
WEFT_DEVICE void put(bf16* y, const pack<float>& v) {
  __stwb(reinterpret_cast<uint2*>(y), make_uint2(join(v.at[0], v.at[1]), join(v.at[2], v.at[3])));
}

// true where every pointer allows 16-byte accesses; a null pointer does
template <typename... P>
WEFT_DEVICE bool aligned(const P*... pointers) {
  return ((uintptr_t(0) | ... | reinterpret_cast<uintptr_t>(pointers)) & 15) == 0;
}

// x[0 .. 3]; x is aligned to 16 bytes (bfloat16: 8)
template <typename S>
WEFT_DEVICE pack<compute<S>> load_whole(const S* x) {
  if constexpr (sizeof(S) == 2) {
    const uint2 words = *reinterpret_cast<const uint2*>(x);
    pack<float> v;
    split(words.x, v.at[0], v.at[1]);
    split(words.y, v.at[2], v.at[3]);
    return v;
  } else {
    return *reinterpret_cast<const pack<S>*>(x);
  }
}

// x[i .. i+3], pad at and after n. wide: x + i is aligned to 16 bytes (bfloat16: 8).
template <typename S>
WEFT_DEVICE pack<compute<S>> load(const S* x, int64_t i, int64_t n, bool wide,
                                  compute<S> pad = compute<S>(0)) {
  if (wide && i + 4 <= n) return load_whole(x + i);
  pack<compute<S>> v;
#pragma unroll
  for (int j = 0; j < 4; j++) v.at[j] = i + j < n ? compute<S>(x[i + j]) : pad;
  return v;
}

template <typename S>
WEFT_DEVICE void store(S* y, int64_t i, int64_t n, bool wide, const pack<compute<S>>& v) {
  if (wide && i + 4 <= n) {
    put(y + i, v);
    return;
  }
#pragma unroll
  for (int j = 0; j < 4; j++) {
    if (i + j < n) y[i + j] = S(v.at[j]);
  }
}

// How many of the n entries of x lie ahead of the first place that a pack can be read from: for
// rows of any length.
template <typename S>
WEFT_DEVICE int64_t entries_ahead(const S* x, int64_t n) {
  constexpr int grain = sizeof(S) == 8 ? 2 : 4;
  return min((int64_t)(-(reinterpret_cast<uintptr_t>(x) / sizeof(S)) % grain), n);
}

WEFT_DEVICE bool is_row(int64_t index, int64_t rows) { return (uint64_t)index < (uint64_t)rows; }

// ---- elementwise kernels ----

// 128 threads and 1024 elements a block: eight floats a thread are two independent 16-byte loads
// per argument, and the eight blocks or more that 64 registers leave on a multiprocessor keep 32 KB
// in flight per argument (latency times bandwidth is about 25 KB on an H200); yet 64 K elements
// already spread over 64 multiprocessors.
constexpr int elementwise_threads = 128;
constexpr int elementwise_items = 1024;

// The elements of one thread in one turn: pack k starts at first + k stride. float has two packs,
// far apart, and one turn; double one pack and two turns, which halves its registers; bfloat16 two
// packs side by side, which are one 16-byte access, and one turn.
template <typename S>
struct batch {
  static constexpr int packs = sizeof(S) == 8 ? 1 : 2;
  static constexpr int side = sizeof(S) == 2 ? 8 : 4;  // elements side by side
  static constexpr int stride = sizeof(S) == 2 ? 4 : 4 * elementwise_threads;
  pack<compute<S>> part[packs];
};

// Calls f(k, j, i) for the elements of a batch: value part[k].at[j] is element i.
template <typename S, typename F>
WEFT_DEVICE void each(int64_t first, F f) {
#pragma unroll
  for (int k = 0; k < batch<S>::packs; k++) {
#pragma unroll
    for (int j = 0; j < 4; j++) f(k, j, first + k * batch<S>::stride + j);
  }
}

// The elements of a batch as they were loaded. bfloat16 becomes float only by opened: what is
// computed before another load is asked for has waited for this one.
template <typename S>
struct raw_batch {
  batch<S> values;
};
template <>
struct raw_batch<bf16> {
  unsigned words[4];
};

template <typename S>
WEFT_DEVICE batch<S> opened(const raw_batch<S>& v) {
  return v.values;
}
WEFT_DEVICE batch<bf16> opened(const raw_batch<bf16>& v) {
  batch<bf16> values;
#pragma unroll
  for (int k = 0; k < 2; k++) {
#pragma unroll
    for (int j = 0; j < 4; j += 2) {
      split(v.words[2 * k + j / 2], values.part[k].at[j], values.part[k].at[j + 1]);
    }
  }
  return values;
}

template <typename S>
WEFT_DEVICE void read_whole(raw_batch<S>& v, const S* x) {
#pragma unroll
  for (int k = 0; k < batch<S>::packs; k++) {
    v.values.part[k] = load_whole(x + k * batch<S>::stride);
  }
}
WEFT_DEVICE void read_whole(raw_batch<bf16>& v, const bf16* x) {
  const uint4 words = *reinterpret_cast<const uint4*>(x);
  v = {{words.x, words.y, words.z, words.w}};
}

// x[0 .. left-1], and zeros
template <typename S>
WEFT_DEVICE void read_singly(raw_batch<S>& v, const S* x, int left) {
  each<S>(0, [&](int k, int j, int64_t i) { v.values.part[k].at[j] = i < left ? x[i] : S(0); });
}
WEFT_DEVICE void read_singly(raw_batch<bf16>& v, const bf16* x, int left) {
#pragma unroll
  for (int w = 0; w < 4; w++) {
    v.words[w] = 2 * w < left ? x[2 * w].bits : 0;
    if (2 * w + 1 < left) v.words[w] |= (unsigned)x[2 * w + 1].bits << 16;
  }
}

// how far the elements of a batch reach
template <typename S>
constexpr int batch_reach = (batch<S>::packs - 1) * batch<S>::stride + 4;

template <typename S>
WEFT_DEVICE bool whole_batch(int64_t first, int64_t n) {
  return first + batch_reach<S> <= n;
}

template <typename S>
WEFT_DEVICE int left_of_batch(int64_t first, int64_t n) {
  return (int)min(n - first, (int64_t)batch_reach<S>);
}

template <typename S>
WEFT_DEVICE raw_batch<S> load_raw(const S* x, int64_t first, int64_t n, bool wide) {
  raw_batch<S> v;
  if (wide && whole_batch<S>(first, n)) {
    read_whole(v, x + first);
  } else {
    read_singly(v, x + first, left_of_batch<S>(first, n));
  }
  return v;
}

template <typename S>
WEFT_DEVICE batch<S> load_batch(const S* x, int64_t first, int64_t n, bool wide) {
  return opened(load_raw(x, first, n, wide));
}

// Loads several arguments; one that is null is left out, and zero. Whether 16-byte
// accesses will do is asked once, since a load does not begin before a branch ahead of it: so the
// loads of all arguments are in flight together.
template <typename S, int N>
WEFT_DEVICE void load_batches(raw_batch<S> (&v)[N], const S* const (&x)[N], int64_t first,
                              int64_t n, bool wide) {
#pragma unroll
  for (int u = 0; u < N; u++) v[u] = {};
  if (wide && whole_batch<S>(first, n)) {
#pragma unroll
    for (int u = 0; u < N; u++) {
      if (x[u]) read_whole(v[u], x[u] + first);
    }
  } else {
#pragma unroll
    for (int u = 0; u < N; u++) {
      if (x[u]) read_singly(v[u], x[u] + first, left_of_batch<S>(first, n));
    }
  }
}

template <typename S>
WEFT_DEVICE void store_batch(S* y, int64_t first, int64_t n, bool wide, const batch<S>& v) {
  y += first;
  if (!wide || !whole_batch<S>(first, n)) {
    const int left = left_of_batch<S>(first, n);
    each<S>(0, [&](int k, int j, int64_t i) {
      if (i < left) y[i] = S(v.part[k].at[j]);
    });
    return;
  }
  if constexpr (sizeof(S) == 2) {
    const pack<float>&p = v.part[0], &q = v.part[1];
    __stwb(reinterpret_cast<uint4*>(y), make_uint4(join(p.at[0], p.at[1]), join(p.at[2], p.at[3]),
                                                   join(q.at[0], q.at[1]), join(q.at[2], q.at[3])));
  } else {
#pragma unroll
    for (int k = 0; k < batch<S>::packs; k++) put(y + k * batch<S>::stride, v.part[k]);
  }
}

// y = v, or y += v
template <typename S>
WEFT_DEVICE void put_batch(S* y, int64_t first, int64_t n, bool wide, bool accumulate,
                           batch<S>& v) {
  if (accumulate) {
    batch<S> old = load_batch(y, first, n, wide);
#pragma unroll
    for (int k = 0; k < batch<S>::packs; k++) {
#pragma unroll
      for (int j = 0; j < 4; j++) v.part[k].at[j] += old.part[k].at[j];
    }
  }
  store_batch(y, first, n, wide, v);
}

// Calls body(first) for each turn of this thread; elements at and after n are body's to leave out.
template <typename S, typename Body>
WEFT_DEVICE void elementwise(int64_t n, Body body) {
  constexpr int turn = batch<S>::packs * 4 * elementwise_threads;
  int64_t first = (int64_t)blockIdx.x * elementwise_items + batch<S>::side * (int)threadIdx.x;
#pragma unroll 1
  for (int k = 0; k < elementwise_items / turn; k++, first += turn) {
    if (first < n) body(first);
  }
}

// ---- functions of the contract's lists ----

// choose_unary_function(number, f) calls f(constant) for the entry with that number, and so on. The
// switch is over a list of the contract: an entry cannot be left out.
#define WEFT_CASE(name, ...) \
  case WEFT_##name: return f(std::integral_constant<int, WEFT_##name>());
#define WEFT_DEFINE_CHOOSE(name, VALUES, ...)              \
  template <typename F>                                    \
  WEFT_DEVICE void choose_##name(int64_t number, F f) {    \
    switch (number) { VALUES(WEFT_CASE) }                  \
  }
WEFT_ELEMENTWISE_ENUMS(WEFT_DEFINE_CHOOSE)
#undef WEFT_DEFINE_CHOOSE
#undef WEFT_CASE

// ---- folding ----

constexpr unsigned all_lanes = 0xffffffffu;

// Folds over the 32 lanes of a warp, always in the same order; every lane gets the result.
template <typename T, typename Combine>
WEFT_DEVICE T fold_warp(T v, Combine combine) {
#pragma unroll
  for (int mask = 16; mask > 0; mask >>= 1) v = combine(v, __shfl_xor_sync(all_lanes, v, mask));
  return v;
}

// 2^shift neighbours of a block. With a constant for shift, its loops unroll.
struct thread_team {
  int shift;

  WEFT_DEVICE int size() const { return 1 << shift; }
  WEFT_DEVICE int lane() const { return threadIdx.x & (size() - 1); }
  WEFT_DEVICE int number() const { return threadIdx.x >> shift; }

  // Folds over the team, always in the same order; every thread gets the result. The block's warps
  // have one place each in shared, MOST a team at most.
  template <int MOST, typename T, typename Combine>
  WEFT_DEVICE T fold(T v, T (&shared)[MOST], Combine combine) const {
#pragma unroll
    for (int mask = 16; mask > 0; mask >>= 1) {
      if (mask < size()) v = combine(v, __shfl_xor_sync(all_lanes, v, mask));
    }
    if (size() > 32) {
      if (threadIdx.x % 32 == 0) shared[threadIdx.x / 32] = v;
      __syncthreads();
      const T* own = shared + (number() << (shift - 5));
      v = own[0];
#pragma unroll
      for (int w = 1; w < MOST; w++) {
        if (w < size() / 32) v = combine(v, own[w]);
      }
    }
    return v;
  }
};

}  // namespace weft::cuda
#endif  // WEFT_CUDA_DEVICE_CUH
