// SPDX-License-Identifier: Apache-2.0
//
// Softmax cross-entropy against distributions: loss, gradient and hit of every row.
#include "../math/softmax.h"
#include "../math/value_loss.h"
#include "held_row.cuh"

namespace weft::cuda {

static_assert(softmax_cross_entropy_distribution_shape::threads == row_threads,
              "one way to share out rows");

// Whether the first largest logit of a row is at its first largest probability.
template <int PACKS, typename S, typename T>
WEFT_DEVICE bool same_place(const held_row<PACKS, S>& x, const held_row<PACKS, T>& q, T largest) {
  __shared__ T shared[row_warps];
  __shared__ int64_t places[2][row_warps];
  const auto n = x.cols;
  T most = T(-INFINITY);
  q.each([&](int u, auto c) {
    const pack<T> p = q.at(u, c);
#pragma unroll
    for (int j = 0; j < 4; j++) most = c + j < n ? std::fmax(most, p.at[j]) : most;
  });
  most = fold_largest(x.team, most, shared);
  int64_t of_x = n, of_q = n;
  x.each([&](int u, auto c) {
    const pack<T> v = x.at(u, c), p = q.at(u, c);
#pragma unroll
    for (int j = 3; j >= 0; j--) {
      if (v.at[j] == largest && c + j < of_x) of_x = c + j;
      if (p.at[j] == most && c + j < of_q) of_q = c + j;
    }
  });
  auto first = [](int64_t a, int64_t b) { return min(a, b); };
  of_x = x.team.fold(of_x, places[0], first);
  of_q = x.team.fold(of_q, places[1], first);
  return of_x == of_q;
}

template <int PACKS, typename S>
WEFT_DEVICE void distribution_rows(const weft_softmax_cross_entropy_distribution& a,
                                   thread_team team) {
  using T = compute<S>;
  __shared__ T shared[4][row_warps];
  const int64_t r = row_of(team);
  const bool own = r < a.rows;
  const int64_t entries = own ? a.classes : 0;
  const bool wide =
      a.classes % 4 == 0 &&
      aligned(static_cast<const S*>(a.x), static_cast<const T*>(a.q), static_cast<const S*>(a.dx));
  held_row<PACKS, S> x(team, a.x, r, a.classes, entries, wide);
  const held_row<PACKS, T> q(team, a.q, a.distributions == 1 ? 0 : r, a.classes, entries, wide);
  const auto n = x.cols;

  T largest = T(-INFINITY);
  x.each([&](int u, auto c) {
    const pack<T> v = x.at(u, c);
#pragma unroll
    for (int j = 0; j < 4; j++) largest = c + j < n ? std::fmax(largest, v.at[j]) : largest;
  });
  largest = fold_largest(team, largest, shared[0]);
  const bool hit = a.hits && same_place(x, q, largest);

  const T reference = softmax_reference(largest);
  T total = T(0), mass = T(0), terms = T(0);
  x.each([&](int u, auto c) {
    pack<T> v = x.at(u, c);
    const pack<T> p = q.at(u, c);
#pragma unroll
    for (int j = 0; j < 4; j++) {
      if (c + j >= n) continue;
      terms += softmax_term(p.at[j], reference - v.at[j], a.entropy != 0);
      mass += p.at[j];
      v.at[j] = math::exp(v.at[j] - reference);
      total += v.at[j];
    }
    if constexpr (PACKS > 0) x.held[u] = v;  // one exponential for each logit
  });
  total = fold_sum(team, total, shared[1]);
  mass = fold_sum(team, mass, shared[2]);
  terms = fold_sum(team, terms, shared[3]);
  if (!own) return;

  const T loss = math::log(total) * mass + terms;
  const T weight = a.weights ? static_cast<const T*>(a.weights)[r] : T(1);
  if (team.lane() == 0) {
    static_cast<T*>(a.losses)[r] = weighted(weight, loss);
    if (a.hits) static_cast<T*>(a.hits)[r] = hit && loss == loss ? T(1) : T(0);
  }
  if (!a.dx) return;
  S* dx = static_cast<S*>(a.dx) + r * a.classes;
  const T inverse = mass / total, scale = gradient_scale(weight, T(a.scale), loss);
  x.each([&](int u, auto c) {
    pack<T> v = x.at(u, c);
    const pack<T> p = q.at(u, c);
#pragma unroll
    for (int j = 0; j < 4; j++) {
      const T exponential = PACKS > 0 ? v.at[j] : math::exp(v.at[j] - reference);
      v.at[j] = weighted(scale, softmax_difference(exponential, inverse, p.at[j]));
    }
    store(dx, c, n, wide, v);
  });
}

template <typename S>
WEFT_DEVICE void softmax_cross_entropy_distribution(
    const weft_softmax_cross_entropy_distribution& a) {
  choose_row_team(a.classes,
                  [&](thread_team team, auto packs) { distribution_rows<packs, S>(a, team); });
}

}  // namespace weft::cuda

// losses, dx and hits (=); dx may be x. Rows as held_row.cuh says, both matrices alike. 256 threads: a
// block of eight warps holds a row of 4096 classes in four packs of each matrix a thread.
WEFT_KERNEL(softmax_cross_entropy_distribution, softmax_cross_entropy_distribution)
