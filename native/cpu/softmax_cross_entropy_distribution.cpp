// SPDX-License-Identifier: Apache-2.0
//
// Softmax cross-entropy against distributions: loss, gradient and hit of every row.
#include "../math/softmax.h"
#include "kernel.h"
#include "lanes.h"
#include "prefetch.h"
#include "row_lanes.h"

namespace weft {
namespace WEFT_ISA {
namespace {

template <typename S>
struct distribution_task {
  using T = compute<S>;
  const S* x;
  const T* q;
  S* dx;
  int64_t rows, classes;
  bool one;  // all rows have the same q
  row_losses<T> results;

  const T* distribution(int64_t row) const { return q + (one ? 0 : row * classes); }
};

// Short rows, one to a lane.
template <bool Entropy, typename S>
struct narrow_distributions {
  using T = compute<S>;
  static constexpr int lanes = row_lanes<T>;
  distribution_task<S> t;
  lane_rows<T> e, q;

  void run(int64_t first, int count) {
    const int classes = (int)t.classes;
    T largest[lanes], most[lanes], mass[lanes], total[lanes], terms[lanes], inverse[lanes];
    int32_t place[lanes], place_of_most[lanes];
    T hit[lanes];
    e.load(t.x, classes, first, count);
    if (!t.one) {
      q.load(t.q, classes, first, count);
    } else {
      for (int c = 0; c < classes; c++) {
        for (int l = 0; l < lanes; l++) q.at[c][l] = t.q[c];
      }
    }
    for (int l = 0; l < lanes; l++) {
      largest[l] = most[l] = T(-INFINITY), place[l] = place_of_most[l] = classes;
      mass[l] = total[l] = terms[l] = T(0);
    }
    for (int c = 0; c < classes; c++) {
#pragma omp simd
      for (int l = 0; l < lanes; l++) {
        largest[l] = e.at[c][l] > largest[l] ? e.at[c][l] : largest[l];
        most[l] = q.at[c][l] > most[l] ? q.at[c][l] : most[l];
        mass[l] += q.at[c][l];
      }
    }
    for (int c = 0; t.results.hits && c < classes; c++) {
#pragma omp simd
      for (int l = 0; l < lanes; l++) {
        const int at = e.at[c][l] == largest[l] ? c : classes;
        const int at_most = q.at[c][l] == most[l] ? c : classes;
        place[l] = at < place[l] ? at : place[l];
        place_of_most[l] = at_most < place_of_most[l] ? at_most : place_of_most[l];
      }
    }
    for (int c = 0; c < classes; c++) {
#pragma omp simd
      for (int l = 0; l < lanes; l++) {
        const T below = softmax_reference(largest[l]) - e.at[c][l];
        terms[l] += softmax_term(q.at[c][l], below, Entropy);
        e.at[c][l] = math::exp_nonpositive(-below);
        total[l] += e.at[c][l];
      }
    }
#pragma omp simd
    for (int l = 0; l < lanes; l++) {
      terms[l] += math::log(total[l]) * mass[l];
      inverse[l] = mass[l] / total[l];
      hit[l] = place[l] == place_of_most[l] ? T(1) : T(0);
    }
    t.results.put(first, count, terms, hit);
    if (!t.dx) return;
    for (int c = 0; c < classes; c++) {
#pragma omp simd
      for (int l = 0; l < lanes; l++) {
        e.at[c][l] = weighted(terms[l], softmax_difference(e.at[c][l], inverse[l], q.at[c][l]));
      }
    }
    e.store(t.dx, classes, first, count);
  }
};

// The first place of value, n where there is none: by blocks, since a loop that ends early is no
// vector code.
template <typename S, typename T = compute<S>>
int64_t first_of(const S* x, int64_t n, T value) {
  constexpr int64_t block = 64;
  int64_t c = 0;
  for (; c + block <= n; c += block) {
    int found = 0;
#pragma omp simd reduction(| : found)
    for (int64_t j = 0; j < block; j++) found |= T(x[c + j]) == value;
    if (found) break;
  }
  while (c < n && T(x[c]) != value) c++;
  return c;
}

// The exponentials are left where the gradient goes, and scaled there; bfloat16 would lose digits of
// them, and takes them a second time.
template <bool Entropy, typename S>
void wide_distribution(const distribution_task<S>& t, int64_t row) {
  using T = compute<S>;
  constexpr bool kept = std::is_same_v<S, T>;
  const S* x = t.x + row * t.classes;
  const T* q = t.distribution(row);
  S* dx = t.dx ? t.dx + row * t.classes : nullptr;
  const T most = largest(x, t.classes), reference = softmax_reference(most);
  const bool hit = t.results.hits &&
                   first_of(x, t.classes, most) == first_of(q, t.classes, largest(q, t.classes));
  constexpr int64_t lanes = block_sum<T>::lanes;
  block_sum<T> totals, sums, masses;
  T scratch[lanes];
  for (int64_t c = 0; c < t.classes; c += lanes) {
    const int64_t length = smaller(lanes, t.classes - c);
    prefetch_row(x + t.classes + c, length);
    if (!t.one) prefetch_row(q + t.classes + c, length);
    T* to = scratch;
    if constexpr (kept) to = dx ? dx + c : scratch;
#pragma omp simd
    for (int64_t j = 0; j < length; j++) {
      const T above = T(x[c + j]) - reference;
      sums.part[j] += softmax_term(q[c + j], -above, Entropy);
      masses.part[j] += q[c + j];
      to[j] = math::exp_nonpositive(above);
      totals.part[j] += to[j];
    }
    for (block_sum<T>* of : {&totals, &sums, &masses}) of->end_of_block(c / lanes);
  }
  const T total = totals.value(), terms = sums.value(), mass = masses.value();
  const T loss = math::log(total) * mass + terms;
  const T scale = t.results.put(row, loss, hit), inverse = mass / total;
  if (!dx) return;
#pragma omp simd
  for (int64_t c = 0; c < t.classes; c++) {
    const T exponential = kept ? T(dx[c]) : math::exp_nonpositive(T(x[c]) - reference);
    put<false>(dx[c], weighted(scale, softmax_difference(exponential, inverse, q[c])));
  }
}

template <typename S>
void softmax_cross_entropy_distribution(const weft_softmax_cross_entropy_distribution& a) {
  using T = compute<S>;
  const row_losses<T> results = {as<T>(a.weights), as<T>(a.losses), as<T>(a.hits), T(a.scale)};
  distribution_task<S> t = {as<S>(a.x), as<T>(a.q),           as<S>(a.dx), a.rows,
                            a.classes,  a.distributions == 1, results};
  choose_flag(a.entropy, [&](auto entropy) {
    constexpr bool Entropy = decltype(entropy)::value;
    const int64_t cost = (Entropy ? 2 : 1) * transcendental;
    if (a.classes <= narrow_classes) {
      parallel_lanes<T>(a.rows, 2 * cost * a.classes, [=] {
        narrow_distributions<Entropy, S> group;
        group.t = t;
        return group;
      });
    } else {
      // a row costs some 50 elements beside its classes
      parallel_units(a.rows, cost * (a.classes + 50), [=](int64_t begin, int64_t end) {
        for (int64_t row = begin; row < end; row++) wide_distribution<Entropy>(t, row);
      });
    }
  });
}

}  // namespace

WEFT_DEFINE_TYPED(softmax_cross_entropy_distribution, softmax_cross_entropy_distribution)

}  // namespace WEFT_ISA
}  // namespace weft
