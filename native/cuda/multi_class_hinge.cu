// SPDX-License-Identifier: Apache-2.0
//
// Multi-class hinge loss: loss, gradient and hit of every row.
#include "../math/value_loss.h"
#include "held_row.cuh"

namespace weft::cuda {

static_assert(multi_class_hinge_shape::threads == row_threads, "one way to share out rows");

template <int PACKS, typename S>
WEFT_DEVICE void hinge_rows(const weft_multi_class_hinge& a, thread_team team) {
  using T = compute<S>;
  __shared__ T shared[3][row_warps];
  const int64_t r = row_of(team);
  const bool own = r < a.rows;
  const int64_t label = own ? static_cast<const int32_t*>(a.labels)[r] : -1;
  const bool wide =
      a.classes % 4 == 0 && aligned(static_cast<const S*>(a.x), static_cast<const S*>(a.dx));
  const held_row<PACKS, S> x(team, a.x, r, a.classes, own ? a.classes : 0, wide);
  const auto n = x.cols;
  const T labelled = is_row(label, n) ? T(x.x[label]) : T(NAN), margin = T(a.margin);
  T loss = T(0), count = T(0), larger = T(0);  // what stands ahead of the label, or is no number
  x.each([&](int u, auto c) {
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
  if (!own) return;

  if (labelled != labelled) loss = T(NAN);
  const T weight = a.weights ? static_cast<const T*>(a.weights)[r] : T(1);
  if (team.lane() == 0) {
    static_cast<T*>(a.losses)[r] = weighted(weight, loss);
    if (a.hits) static_cast<T*>(a.hits)[r] = loss == loss && larger == T(0) ? T(1) : T(0);
  }
  if (!a.dx) return;
  S* dx = static_cast<S*>(a.dx) + r * a.classes;
  const T scale = gradient_scale(weight, T(a.scale), loss);
  x.each([&](int u, auto c) {
    pack<T> v = x.at(u, c);
#pragma unroll
    for (int j = 0; j < 4; j++) {
      const T slope = positive_part(margin + (v.at[j] - labelled)).slope;
      v.at[j] = weighted(scale, c + j == label ? -count : slope);
    }
    store(dx, c, n, wide, v);
  });
}

template <typename S>
WEFT_DEVICE void multi_class_hinge(const weft_multi_class_hinge& a) {
  choose_row_team(a.classes, [&](thread_team team, auto packs) { hinge_rows<packs, S>(a, team); });
}

}  // namespace weft::cuda

// losses, dx and hits (=); dx may be x. Rows as held_row.cuh says. 256 threads: a block of eight
// warps holds a row of 4096 classes in four packs a thread.
WEFT_KERNEL(multi_class_hinge, multi_class_hinge)
