// SPDX-License-Identifier: Apache-2.0
//
// Multi-class hinge loss: loss, gradient and hit of every row.
#include "loss_rows.cuh"

namespace weft::cuda {

static_assert(multi_class_hinge_shape::threads == loss_threads, "shape of losses of rows");

template <int PACKS, typename S>
WEFT_DEVICE void hinge_rows(const weft_multi_class_hinge& a, thread_team team) {
  using T = compute<S>;
  __shared__ T shared[3][loss_warps];
  const loss_row row(team, a.rows);
  if (row.surplus) return;
  const int64_t n = a.classes, label = static_cast<const int32_t*>(a.labels)[row.r];
  const row_entries<PACKS, S> x(a.x, row.r, n, team, T(-INFINITY));
  const T labelled = is_row(label, n) ? T(x.x[label]) : T(NAN), margin = T(a.margin);
  T loss = T(0), count = T(0), larger = T(0);  // what stands ahead of the label, or is no number
  each_pack<PACKS>(team, n, [&](int u, int64_t c) {
    const pack<T> v = x.at(u, c);
#pragma unroll
    for (int j = 0; j < 4; j++) {
      if (c + j >= n) continue;
      const T value = v.at[j];
      const bool before = value == labelled && c + j < label;
      larger += value > labelled || before || !(value < T(INFINITY)) ? T(1) : T(0);
      if (c + j == label) continue;
      const value_loss_of<T> part = positive_part(margin + (value - labelled));
      loss += part.loss;
      count += part.slope;
    }
  });
  loss = fold_sum(team, loss, shared[0]);
  count = fold_sum(team, count, shared[1]);
  if (a.hits) larger = fold_sum(team, larger, shared[2]);
  __syncwarp();  // the label's logit is read before anybody writes dx
  if (!row.own) return;

  if (labelled != labelled) loss = T(NAN);
  const T weight = a.weights ? static_cast<const T*>(a.weights)[row.r] : T(1);
  if (team.lane() == 0) {
    static_cast<T*>(a.losses)[row.r] = weighted(weight, loss);
    if (a.hits) {
      static_cast<T*>(a.hits)[row.r] = labelled == labelled && larger == T(0) ? T(1) : T(0);
    }
  }
  if (!a.dx) return;
  S* dx = static_cast<S*>(a.dx) + row.r * n;
  const bool wide = n % 4 == 0 && aligned(static_cast<const S*>(a.dx));
  const T scale = loss == loss ? T(a.scale) : T(NAN);
  each_pack<PACKS>(team, n, [&](int u, int64_t c) {
    pack<T> v = x.at(u, c);
#pragma unroll
    for (int j = 0; j < 4; j++) {
      const T slope = positive_part(margin + (v.at[j] - labelled)).slope;
      v.at[j] = weighted(weight, scale * (c + j == label ? -count : slope));
    }
    store(dx, c, n, wide, v);
  });
}

template <typename S>
WEFT_DEVICE void multi_class_hinge(const weft_multi_class_hinge& a) {
  choose_loss_team(a.classes, [&](thread_team team, auto packs) { hinge_rows<packs, S>(a, team); });
}

}  // namespace weft::cuda

// losses, dx and hits (=); dx may be x. Rows as loss_rows.cuh says. 256 threads: a block of eight
// warps holds a row of 4096 classes in four packs a thread.
WEFT_KERNEL(multi_class_hinge, multi_class_hinge)
