// SPDX-License-Identifier: Apache-2.0
//
// Softmax cross-entropy: loss, gradient and hit of a row, the logits read once.
#include <type_traits>

#include "../math/value_loss.h"
#include "softmax.cuh"

namespace weft::cuda {

constexpr int softmax_threads = softmax_cross_entropy_shape::threads;
constexpr int softmax_warps = softmax_threads / 32;

// A thread holds so many packs of its row in registers; a row takes one, two, four or eight warps
// by its length, and a longer one has two passes.
constexpr int softmax_packs = 4;
constexpr int64_t softmax_warp_classes = 32 * 4 * softmax_packs;

// Packs of a longer row that a thread keeps in shared memory between the two passes: 32 KB a block,
// 8192 classes of float; what is beyond is read again, from the last pack to the first. With 32,000
// classes the 528 blocks of an H200 keep 17 of their 68 MB; of the 50 MB read again, L2 (60 MB) has
// met the nearest last, so that most of them come from there. To keep all of a row would take a
// block of the whole multiprocessor and dynamic shared memory.
template <typename T>
constexpr int softmax_kept = sizeof(T) == 4 ? 8 : 4;

// Packs that a thread loads before it looks at one; double is for checking and stays small.
template <typename T>
constexpr int softmax_group = sizeof(T) == 4 ? 4 : 1;

// What a row's loss and gradient depend on beside its logits.
template <typename T>
struct softmax_target {
  int32_t label;
  T smoothing, elsewhere, here;  // q at the label is here
  T weight;
  bool known;

  WEFT_DEVICE softmax_target(const weft_softmax_cross_entropy& a, int64_t r)
      : label(static_cast<const int32_t*>(a.labels)[r]),
        smoothing(T(a.smoothing)),
        elsewhere(smoothing / T(a.classes)),
        here(T(1) - smoothing + elsewhere),
        weight(a.weights ? static_cast<const T*>(a.weights)[r] : T(1)),
        known(label >= 0 && label < a.classes) {}
};

template <typename T>
WEFT_DEVICE void put_loss(const weft_softmax_cross_entropy& a, int64_t r, T loss, bool hit) {
  static_cast<T*>(a.losses)[r] = loss;
  if (a.hits) static_cast<T*>(a.hits)[r] = hit ? T(1) : T(0);
}

// ---- rows that registers hold ----

// A row for every team of the block, of PACKS packs each and one entry that no pack holds:
// of those ahead of the first 16-byte boundary (bfloat16: 8-byte, a pack's) and behind the last.
// The largest logit is known before the first exponential, so that there is one for each logit.
template <int PACKS, typename S>
WEFT_DEVICE void cross_entropy_held(const weft_softmax_cross_entropy& a, thread_team team) {
  using T = compute<S>;
  __shared__ T shared[4][softmax_warps];
  const int lane = team.lane();
  const int64_t place = (int64_t)blockIdx.x * (softmax_threads >> team.shift) + team.number();
  // a surplus warp has nothing to do, but that larger teams meet at barriers; what else is surplus
  // takes the last row and stores nothing
  if (team.size() <= 32 && place - ((int)threadIdx.x % 32 >> team.shift) >= a.rows) return;
  const bool own = place < a.rows;
  const int64_t r = own ? place : a.rows - 1;
  const int classes = (int)a.classes;
  const S* x = static_cast<const S*>(a.x) + r * classes;
  const softmax_target<T> target(a, r);  // looked at when the row is under way
  const int head = (int)entries_ahead(x, classes);
  const int whole = (classes - head) / 4 * 4, tail = classes - head - whole;
  const int alone = lane < head ? lane : lane < head + tail ? whole + lane : -1;

  pack<T> v[PACKS];
#pragma unroll
  for (int u = 0; u < PACKS; u++) {
    const int c = 4 * (lane + u * team.size());
#pragma unroll
    for (int j = 0; j < 4; j++) v[u].at[j] = T(-INFINITY);
    if (c < whole) v[u] = load_whole(x + head + c);
  }
  T edge = alone >= 0 ? T(x[alone]) : T(-INFINITY);

  // calls f(value, there, ahead) for this thread's entries: whether it is one (else it is
  // -infinity), and how far ahead of it the label stands
  const int label = target.known ? target.label : -1;
  auto entries = [&](auto f) {
    f(edge, alone >= 0, label - alone);
#pragma unroll
    for (int u = 0; u < PACKS; u++) {
      const int first = 4 * (lane + u * team.size());
#pragma unroll
      for (int j = 0; j < 4; j++) f(v[u].at[j], first < whole, label - (head + first + j));
    }
  };
  auto add = [](T p, T q) { return p + q; };
  T largest = T(-INFINITY);
  auto larger = [](T p, T q) { return std::fmax(p, q); };  // a number where one is NaN
  entries([&](T value, bool, int) { largest = larger(largest, value); });
  largest = team.fold(largest, shared[0], larger);

  T labelled = T(NAN);
  if (lane == 0 && label >= 0) labelled = T(x[label]);  // before anybody writes dx
  T earlier = T(0), sum = T(0), total = T(0);
  if (a.hits) {  // whether entries that are as large come before the label
    entries([&](T value, bool there, int ahead) {
      earlier += value == largest && there && ahead > 0 ? T(1) : T(0);
    });
    earlier = team.fold(earlier, shared[1], add);
  }
  if (target.smoothing > T(0)) {
    entries([&](T value, bool there, int) { sum += there ? value : T(0); });
    sum = team.fold(sum, shared[2], add);
  }
  const T reference = softmax_reference(largest);
  entries([&](T& value, bool, int) {
    value = math::exp(value - reference);
    total += value;
  });
  total = team.fold(total, shared[3], add);
  __syncwarp();
  if (!own) return;

  if (lane == 0) {
    const softmax_state<T> state = {largest, total, 0};
    const T loss = softmax_loss(state, labelled, target.smoothing, sum / T(classes));
    put_loss(a, place, weighted(target.weight, loss),
             total == total && labelled == largest && earlier == T(0));
  }
  if (!a.dx) return;
  S* dx = static_cast<S*>(a.dx) + (x - static_cast<const S*>(a.x));
  const T scale = target.weight * T(a.scale), inverse = target.known ? T(1) / total : T(NAN);
  entries([&](T& value, bool, int ahead) {
    const T q = ahead == 0 ? target.here : target.elsewhere;
    value = weighted(scale, softmax_difference(value, inverse, q));
  });
  const bool wide = (reinterpret_cast<uintptr_t>(x) ^ reinterpret_cast<uintptr_t>(dx)) % 16 == 0;
#pragma unroll
  for (int u = 0; u < PACKS; u++) {
    const int c = 4 * (lane + u * team.size());
    if (c < whole) store(dx, head + c, c + head + 4, wide, v[u]);
  }
  if (alone >= 0) dx[alone] = S(edge);
}

// ---- longer rows ----
// Folds state and sum over the block; every thread gets the results. Reads of x before it are done
// before writes after it.
template <typename T>
WEFT_DEVICE void fold_softmax(softmax_state<T>& state, T& sum) {
  __shared__ softmax_state<T> states[softmax_warps];
  __shared__ T sums[softmax_warps];
  state = fold_softmax_warp(state);
  sum = fold_warp(sum, [](T a, T b) { return a + b; });
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

constexpr int softmax_turn = 4 * softmax_threads;  // entries in a pack of every thread

// Calls body(k, count, c) for the packs c, c + softmax_turn, ... of this thread, GROUP at a time
// while all of them are whole, else one; k is the number of the first.
template <int GROUP, typename Body>
WEFT_DEVICE void each_group(int64_t head, int64_t classes, Body body) {
  int64_t c = head + 4 * (int)threadIdx.x;
  int k = 0;
  if constexpr (GROUP > 1) {
#pragma unroll 1
    for (; c + (GROUP - 1) * softmax_turn + 4 <= classes; c += GROUP * softmax_turn) {
      body(k, std::integral_constant<int, GROUP>(), c);
      k += GROUP;
    }
  }
#pragma unroll 1
  for (; c < classes; c += softmax_turn) body(k++, std::integral_constant<int, 1>(), c);
}

// The same packs from the last to the first, but that those which fill no group come first of all:
// what each_group read last, which the cache still holds, is read first.
template <int GROUP, typename Body>
WEFT_DEVICE void each_group_reversed(int64_t head, int64_t classes, Body body) {
  constexpr int turn = GROUP * softmax_turn;
  const int64_t first = head + 4 * (int)threadIdx.x;
  const int64_t room =
      classes - first - (turn - softmax_turn) - 4;  // of the last group's beginning
  const int groups = GROUP > 1 && room >= 0 ? (int)(room / turn) + 1 : 0;
  int k = groups * GROUP;
  int64_t c = first + (int64_t)groups * turn;
#pragma unroll 1
  for (; c < classes; c += softmax_turn) body(k++, std::integral_constant<int, 1>(), c);
  k = groups * GROUP - GROUP;
  c = first + (int64_t)k * softmax_turn;
#pragma unroll 1
  for (; k >= 0; k -= GROUP, c -= turn) body(k, std::integral_constant<int, GROUP>(), c);
}

// N packs from x[c] on, softmax_turn apart. More than one are whole and aligned: then there is no
// branch between the loads, and they are in flight together.
template <int N, typename S>
WEFT_DEVICE void load_group(pack<compute<S>> (&v)[N], const S* x, int64_t c, int64_t classes) {
#pragma unroll
  for (int u = 0; u < N; u++) {
    int64_t i = c + u * softmax_turn;
    v[u] = N > 1 ? load_whole(x + i) : load(x, i, classes, true, compute<S>(-INFINITY));
  }
}

// Row r by the block. kept: this thread's first shared pack, the next ones softmax_threads further.
template <typename S, typename T = compute<S>>
WEFT_DEVICE void cross_entropy_long(const weft_softmax_cross_entropy& a, int64_t r, pack<T>* kept) {
  const int64_t classes = a.classes;
  const S* x = static_cast<const S*>(a.x) + r * classes;
  const softmax_target<T> target(a, r);  // looked at when the row was read

  // thread 0 takes the entries ahead of the first boundary
  const int64_t head = entries_ahead(x, classes);
  pack<T> front = load(x, 0, threadIdx.x == 0 ? head : 0, false, T(-INFINITY));

  softmax_state<T> state = softmax_start<T>();
  T sum = T(0);
  auto add = [&](const pack<T>& v, int64_t c, int64_t end) {
    softmax_add(state, v.at, (int32_t)c);
    if (target.smoothing > T(0)) {
#pragma unroll
      for (int j = 0; j < 4; j++) sum += c + j < end ? v.at[j] : T(0);
    }
  };
  add(front, 0, threadIdx.x == 0 ? head : 0);
  each_group<softmax_group<T>>(head, classes, [&](int k, auto count, int64_t c) {
    constexpr int n = decltype(count)::value;
    pack<T> v[n];
    load_group<n>(v, x, c, classes);
#pragma unroll
    for (int u = 0; u < n; u++) {
      if (k + u < softmax_kept<T>) kept[(k + u) * softmax_threads] = v[u];
      add(v[u], c + u * softmax_turn, classes);
    }
  });
  const T labelled = target.known ? T(x[target.label]) : T(NAN);
  fold_softmax(state, sum);

  if (threadIdx.x == 0) {
    const T loss = softmax_loss(state, labelled, target.smoothing, sum / T(classes));
    put_loss(a, r, weighted(target.weight, loss),
             state.total == state.total && state.place == target.label);
  }
  if (!a.dx) return;

  S* dx = static_cast<S*>(a.dx) + r * classes;
  const T scale = target.weight * T(a.scale);
  const T inverse = target.known ? T(1) / state.total : T(NAN);
  const bool wide = (reinterpret_cast<uintptr_t>(x) ^ reinterpret_cast<uintptr_t>(dx)) % 16 == 0;
  auto differentiate = [&](pack<T>& v, int64_t c) {
#pragma unroll
    for (int j = 0; j < 4; j++) {
      const T q = c + j == target.label ? target.here : target.elsewhere;
      v.at[j] = weighted(scale, softmax_gradient(v.at[j], state.largest, inverse, q));
    }
  };
  differentiate(front, 0);
  store(dx, 0, threadIdx.x == 0 ? head : 0, false, front);
  each_group_reversed<softmax_group<T>>(head, classes, [&](int k, auto count, int64_t c) {
    constexpr int n = decltype(count)::value;
    pack<T> v[n];
    if (k + n <= softmax_kept<T>) {
#pragma unroll
      for (int u = 0; u < n; u++) v[u] = kept[(k + u) * softmax_threads];
    } else {
      load_group<n>(v, x, c, classes);
    }
#pragma unroll
    for (int u = 0; u < n; u++) {
      const int64_t i = c + u * softmax_turn;
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
  if (a.classes <= 32) {
    cross_entropy_held<1, S>(a, {3});
  } else if (a.classes <= 128) {
    cross_entropy_held<1, S>(a, {5});
  } else if (a.classes <= softmax_warp_classes) {
    cross_entropy_held<softmax_packs, S>(a, {5});
  } else if (a.classes <= 2 * softmax_warp_classes) {
    cross_entropy_held<softmax_packs, S>(a, {6});
  } else if (a.classes <= 4 * softmax_warp_classes) {
    cross_entropy_held<softmax_packs, S>(a, {7});
  } else if (a.classes <= 8 * softmax_warp_classes) {
    cross_entropy_held<softmax_packs, S>(a, {8});
  } else if (blockIdx.x < a.rows) {
    cross_entropy_long<S>(a, blockIdx.x, kept + threadIdx.x);
  }
}

}  // namespace weft::cuda

// losses, dx and hits are assigned; dx may be x. A thread holds up to 16 logits: eight lanes take a
// row of up to 32 classes, a warp one of up to 512, two, four or eight warps one of up to 1024,
// 2048 or 4096, and a block a longer one. A thread owns every 8th to 256th pack of four. The order
// of a sum depends on classes and on the row's place relative to 16 bytes, on nothing else. 256
// threads: four blocks a multiprocessor (64 registers, 33 KB shared) with four 16-byte loads each
// thread keep 64 KB in flight. About 40 flops an element, one exponential among them (2.3 above
// 4096 classes); L2 serves what is read again.
WEFT_KERNEL_BLOCKS(softmax_cross_entropy, softmax_cross_entropy, float, f32, 4)
WEFT_KERNEL_BLOCKS(softmax_cross_entropy, softmax_cross_entropy, double, f64, 1)
WEFT_KERNEL_BLOCKS(softmax_cross_entropy, softmax_cross_entropy, weft::bf16, bf16, 4)
