// SPDX-License-Identifier: Apache-2.0
//
// Softmax cross-entropy against distributions: loss, gradient and hit of every row.
#include "../math/softmax.h"
#include "loss_rows.cuh"

namespace weft::cuda {

static_assert(softmax_cross_entropy_distribution_shape::threads == loss_threads,
              "shape of losses of rows");

// Whether the first largest logit of a row is at its first largest probability.
template <int PACKS, typename S, typename T>
WEFT_DEVICE bool same_place(const row_entries<PACKS, S>& x, const row_entries<PACKS, T>& q,
                            thread_team team, T largest) {
  __shared__ T shared[loss_warps];
  __shared__ int64_t places[2][loss_warps];
  T most = T(-INFINITY);
  each_pack<PACKS>(team, x.classes, [&](int u, int64_t c) {
    const pack<T> p = q.at(u, c);
#pragma unroll
    for (int j = 0; j < 4; j++) most = std::fmax(most, p.at[j]);
  });
  most = team.fold(most, shared, [](T a, T b) { return std::fmax(a, b); });
  int64_t of_x = x.classes, of_q = x.classes;
  each_pack<PACKS>(team, x.classes, [&](int u, int64_t c) {
    const pack<T> v = x.at(u, c), p = q.at(u, c);
#pragma unroll
    for (int j = 3; j >= 0; j--) {
      if (v.at[j] == largest) of_x = min(of_x, c + j);
      if (p.at[j] == most) of_q = min(of_q, c + j);
    }
  });
  auto first = [](int64_t a, int64_t b) { return min(a, b); };
  of_x = team.fold(of_x, places[0], first);
  of_q = team.fold(of_q, places[1], first);
  return of_x == of_q;
}

template <int PACKS, typename S>
WEFT_DEVICE void distribution_rows(const weft_softmax_cross_entropy_distribution& a,
                                   thread_team team) {
  using T = compute<S>;
  __shared__ T shared[4][loss_warps];
  const loss_row row(team, a.rows);
  if (row.surplus) return;
  const int64_t n = a.classes;
  row_entries<PACKS, S> x(a.x, row.r, n, team, T(-INFINITY));
  const row_entries<PACKS, T> q(a.q, a.distributions == 1 ? 0 : row.r, n, team, T(0));

  T largest = T(-INFINITY);
  each_pack<PACKS>(team, n, [&](int u, int64_t c) {
    const pack<T> v = x.at(u, c);
#pragma unroll
    for (int j = 0; j < 4; j++) largest = std::fmax(largest, v.at[j]);  // a number where one is NaN
  });
  largest = team.fold(largest, shared[0], [](T p, T q) { return std::fmax(p, q); });
  const bool hit = a.hits && same_place(x, q, team, largest);

  const T reference = softmax_reference(largest);
  T total = T(0), mass = T(0), terms = T(0);
  each_pack<PACKS>(team, n, [&](int u, int64_t c) {
    pack<T> v = x.at(u, c);
    const pack<T> p = q.at(u, c);
#pragma unroll
    for (int j = 0; j < 4; j++) {
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
  __syncwarp();  // what is surplus in it has read the last row before anybody writes dx
  if (!row.own) return;

  const T loss = math::log(total) * mass + terms;
  const T weight = a.weights ? static_cast<const T*>(a.weights)[row.r] : T(1);
  if (team.lane() == 0) {
    static_cast<T*>(a.losses)[row.r] = weighted(weight, loss);
    if (a.hits) static_cast<T*>(a.hits)[row.r] = hit && loss == loss ? T(1) : T(0);
  }
  if (!a.dx) return;
  S* dx = static_cast<S*>(a.dx) + row.r * n;
  const bool wide = n % 4 == 0 && aligned(static_cast<const S*>(a.dx));
  const T inverse = mass / total, scale = loss == loss ? T(a.scale) : T(NAN);
  each_pack<PACKS>(team, n, [&](int u, int64_t c) {
    pack<T> v = x.at(u, c);
    const pack<T> p = q.at(u, c);
#pragma unroll
    for (int j = 0; j < 4; j++) {
      const T exponential = PACKS > 0 ? v.at[j] : math::exp(v.at[j] - reference);
      v.at[j] = weighted(weight, scale * softmax_difference(exponential, inverse, p.at[j]));
    }
    store(dx, c, n, wide, v);
  });
}

template <typename S>
WEFT_DEVICE void softmax_cross_entropy_distribution(
    const weft_softmax_cross_entropy_distribution& a) {
  choose_loss_team(a.classes,
                   [&](thread_team team, auto packs) { distribution_rows<packs, S>(a, team); });
}

}  // namespace weft::cuda

// losses, dx and hits (=); dx may be x. Rows as loss_rows.cuh says, both matrices alike. 256 threads: a
// block of eight warps holds a row of 4096 classes in four packs of each matrix a thread.
WEFT_KERNEL(softmax_cross_entropy_distribution, softmax_cross_entropy_distribution)
