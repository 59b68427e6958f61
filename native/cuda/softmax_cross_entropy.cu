// SPDX-License-Identifier: Apache-2.0
//
// Softmax cross-entropy: loss, gradient and hit of a row, the logits read once.
#include <type_traits>

#include "softmax.cuh"

namespace weft::cuda {

constexpr int softmax_threads = softmax_cross_entropy_shape::threads;
constexpr int softmax_warps = softmax_threads / 32;
constexpr int64_t softmax_warp_classes = 1024;  // up to here a warp takes a row, above a block

// Packs of its row that a thread keeps in shared memory between the two passes: 32 KB a block. For
// float a warp then keeps 1024 classes, a block 8192; what is beyond is read again, from the last
// pack to the first. With 32,000 classes the 528 blocks of an H200 keep 17 of their 68 MB; of the
// 50 MB read again, L2 (60 MB) has met the nearest last, so that most of them come from there. To
// keep all of a row would take a block of the whole multiprocessor and dynamic shared memory.
template <typename T>
constexpr int softmax_kept = sizeof(T) == 4 ? 8 : 4;

// Packs that a thread loads before it looks at one; double is for checking and stays small.
template <typename T>
constexpr int softmax_group = sizeof(T) == 4 ? 4 : 1;

// Folds state and sum over a team of 32 or softmax_threads lanes; every lane gets the results.
// Reads of x before it are done before writes after it.
template <int TEAM, typename T>
WEFT_DEVICE void fold_softmax(softmax_state<T>& state, T& sum) {
  state = fold_softmax_warp(state);
  sum = fold_warp(sum, [](T a, T b) { return a + b; });
  if constexpr (TEAM == 32) {
    __syncwarp();
  } else {
    __shared__ softmax_state<T> states[softmax_warps];
    __shared__ T sums[softmax_warps];
    if (threadIdx.x % 32 == 0) {
      states[threadIdx.x / 32] = state;
      sums[threadIdx.x / 32] = sum;
    }
    __syncthreads();
    state = states[0];
    sum = sums[0];
    for (int w = 1; w < softmax_warps; w++) {
      state = softmax_merge(state, states[w]);
      sum += sums[w];
    }
  }
}

// Calls body(k, count, c) for the packs c, c + 4 TEAM, ... of this lane, GROUP at a time while all
// of them are whole, else one; k is the number of the first.
template <int TEAM, int GROUP, typename Body>
WEFT_DEVICE void each_group(int64_t head, int64_t classes, int lane, Body body) {
  int64_t c = head + 4 * lane;
  int k = 0;
  if constexpr (GROUP > 1) {
#pragma unroll 1
    for (; c + (GROUP - 1) * 4 * TEAM + 4 <= classes; c += GROUP * 4 * TEAM) {
      body(k, std::integral_constant<int, GROUP>(), c);
      k += GROUP;
    }
  }
#pragma unroll 1
  for (; c < classes; c += 4 * TEAM) body(k++, std::integral_constant<int, 1>(), c);
}

// The same packs from the last to the first, but that those which fill no group come first of all:
// what each_group read last, which the cache still holds, is read first.
template <int TEAM, int GROUP, typename Body>
WEFT_DEVICE void each_group_reversed(int64_t head, int64_t classes, int lane, Body body) {
  constexpr int turn = GROUP * 4 * TEAM;
  const int64_t first = head + 4 * lane;
  const int64_t room = classes - first - (turn - 4 * TEAM) - 4;  // of the last group's beginning
  const int groups = GROUP > 1 && room >= 0 ? (int)(room / turn) + 1 : 0;
  int k = groups * GROUP;
  int64_t c = first + (int64_t)groups * turn;
#pragma unroll 1
  for (; c < classes; c += 4 * TEAM) body(k++, std::integral_constant<int, 1>(), c);
  k = groups * GROUP - GROUP;
  c = first + (int64_t)k * 4 * TEAM;
#pragma unroll 1
  for (; k >= 0; k -= GROUP, c -= turn) body(k, std::integral_constant<int, GROUP>(), c);
}

// N packs from x[c] on, 4 TEAM apart. More than one are whole and aligned: then there is no branch
// between the loads, and they are in flight together.
template <int N, int TEAM, typename S>
WEFT_DEVICE void load_group(pack<compute<S>> (&v)[N], const S* x, int64_t c, int64_t classes) {
#pragma unroll
  for (int u = 0; u < N; u++) {
    int64_t i = c + u * 4 * TEAM;
    v[u] = N > 1 ? load_whole(x + i) : load(x, i, classes, true, compute<S>(-INFINITY));
  }
}

// Row r by TEAM lanes. kept: this thread's first shared pack, the next ones softmax_threads
// further.
template <int TEAM, typename S, typename T = compute<S>>
WEFT_DEVICE void cross_entropy_row(const weft_softmax_cross_entropy& a, int64_t r, int lane,
                                   pack<T>* kept) {
  const int64_t classes = a.classes;
  const S* x = static_cast<const S*>(a.x) + r * classes;
  S* dx = a.dx ? static_cast<S*>(a.dx) + r * classes : nullptr;
  const T nan = T(NAN), smoothing = T(a.smoothing);
  const int64_t label = static_cast<const int32_t*>(a.labels)[r];
  const T labelled = label >= 0 && label < classes ? T(x[label]) : nan;

  // lane 0 takes the entries ahead of the first 16-byte boundary (bfloat16: 8-byte, a pack's)
  constexpr int per_access = sizeof(S) == 8 ? 2 : 4;
  const int64_t head =
      min((int64_t)(-(reinterpret_cast<uintptr_t>(x) / sizeof(S)) % per_access), classes);
  pack<T> front = load(x, 0, lane == 0 ? head : 0, false, T(-INFINITY));

  softmax_state<T> state = softmax_start<T>();
  T sum = T(0);
  auto add = [&](const pack<T>& v, int64_t c, int64_t end) {
    softmax_add(state, v.at, (int32_t)c);
    if (smoothing > T(0)) {
#pragma unroll
      for (int j = 0; j < 4; j++) sum += c + j < end ? v.at[j] : T(0);
    }
  };
  add(front, 0, lane == 0 ? head : 0);
  each_group<TEAM, softmax_group<T>>(head, classes, lane, [&](int k, auto count, int64_t c) {
    constexpr int n = decltype(count)::value;
    pack<T> v[n];
    load_group<n, TEAM>(v, x, c, classes);
#pragma unroll
    for (int u = 0; u < n; u++) {
      if (k + u < softmax_kept<T>) kept[(k + u) * softmax_threads] = v[u];
      add(v[u], c + u * 4 * TEAM, classes);
    }
  });
  fold_softmax<TEAM>(state, sum);

  const T loss = softmax_loss(state, labelled, smoothing, sum / T(classes));
  if (lane == 0) {
    static_cast<T*>(a.losses)[r] = loss;
    if (a.hits) {
      static_cast<T*>(a.hits)[r] = state.total == state.total && state.place == label ? T(1) : T(0);
    }
  }
  if (!dx) return;

  const T scale = T(a.scale), inverse = labelled == labelled ? T(1) / state.total : nan;
  const T elsewhere = smoothing / T(classes), here = T(1) - smoothing + elsewhere;
  const bool wide = (reinterpret_cast<uintptr_t>(x) ^ reinterpret_cast<uintptr_t>(dx)) % 16 == 0;
  auto differentiate = [&](pack<T>& v, int64_t c) {
#pragma unroll
    for (int j = 0; j < 4; j++) {
      T q = c + j == label ? here : elsewhere;
      v.at[j] = scale * softmax_gradient(v.at[j], state.largest, inverse, q);
    }
  };
  differentiate(front, 0);
  store(dx, 0, lane == 0 ? head : 0, false, front);
  each_group_reversed<TEAM, softmax_group<T>>(head, classes, lane,
                                              [&](int k, auto count, int64_t c) {
                                                constexpr int n = decltype(count)::value;
                                                pack<T> v[n];
                                                if (k + n <= softmax_kept<T>) {
#pragma unroll
                                                  for (int u = 0; u < n; u++)
                                                    v[u] = kept[(k + u) * softmax_threads];
                                                } else {
                                                  load_group<n, TEAM>(v, x, c, classes);
                                                }
#pragma unroll
                                                for (int u = 0; u < n; u++) {
                                                  const int64_t i = c + u * 4 * TEAM;
                                                  differentiate(v[u], i);
                                                  if (n > 1 && wide) {
                                                    put(dx + i, v[u]);
                                                  } else {
                                                    store(dx, i, classes, wide, v[u]);
                                                  }
                                                }
                                              });
}

template <typename S>
WEFT_DEVICE void softmax_cross_entropy(const weft_softmax_cross_entropy& a) {
  using T = compute<S>;
  __shared__ pack<T> kept[softmax_kept<T> * softmax_threads];
  const int thread = threadIdx.x;
  if (a.classes > softmax_warp_classes) {
    if (blockIdx.x < a.rows) {
      cross_entropy_row<softmax_threads, S>(a, blockIdx.x, thread, kept + thread);
    }
  } else {
    int64_t r = (int64_t)blockIdx.x * softmax_warps + thread / 32;
    if (r < a.rows) cross_entropy_row<32, S>(a, r, thread % 32, kept + thread);
  }
}

}  // namespace weft::cuda

// losses, dx and hits are assigned; dx may be x. Above 1024 classes a block takes a row, else a
// warp takes one and a block eight, so that ten classes do not hold 256 threads. A lane owns every
// 32nd or 256th pack of four. The order of a sum depends on classes and on the row's place relative
// to 16 bytes, on nothing else. 256 threads: four blocks a multiprocessor (64 registers, 33 KB
// shared) with four 16-byte loads each thread keep 64 KB in flight. 8 bytes an element of float and
// about 60 flops, 2.3 exponentials among them: expected 1.0 ms for 16,384 x 32,000 at 4.3 TB/s
// if L2 serves what is read again, 16 us for 8,192 x 1,000.
WEFT_KERNEL_BLOCKS(softmax_cross_entropy, softmax_cross_entropy, float, f32, 4)
WEFT_KERNEL_BLOCKS(softmax_cross_entropy, softmax_cross_entropy, double, f64, 1)
WEFT_KERNEL_BLOCKS(softmax_cross_entropy, softmax_cross_entropy, weft::bf16, bf16, 4)
