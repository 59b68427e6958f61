// SPDX-License-Identifier: Apache-2.0
//
// Functions of two operands, element by element; they broadcast by strides of 0.
#include "../math/elementwise.h"

#include "kernel.h"

namespace weft {
namespace WEFT_ISA {
namespace {

// Up to four dimensions with the strides of two operands. Axes that follow one another in both
// operands are merged, so that the innermost loop is as long as it can be.
struct view {
  int64_t extent[4] = {1, 1, 1, 1}, a[4] = {0, 0, 0, 0}, b[4] = {0, 0, 0, 0};

  template <typename Arguments>
  explicit view(const Arguments& s) {
    const int64_t extents[] = {s.d0, s.d1, s.d2, s.d3};
    const int64_t of_a[] = {s.a0, s.a1, s.a2, s.a3}, of_b[] = {s.b0, s.b1, s.b2, s.b3};
    int last = 3;
    bool any = false;
    for (int axis = 3; axis >= 0; axis--) {
      if (extents[axis] == 1) continue;
      if (any && a[last] * extent[last] == of_a[axis] && b[last] * extent[last] == of_b[axis]) {
        extent[last] *= extents[axis];
        continue;
      }
      if (any) last--;
      extent[last] = extents[axis], a[last] = of_a[axis], b[last] = of_b[axis];
      any = true;
    }
  }

  view swapped() const {
    view v = *this;
    for (int axis = 0; axis < 4; axis++) v.a[axis] = b[axis], v.b[axis] = a[axis];
    return v;
  }

  int64_t rows() const { return extent[0] * extent[1] * extent[2]; }

  // where row r of the merged shape starts
  static int64_t offset(const int64_t (&extent)[4], const int64_t (&stride)[4], int64_t r) {
    int64_t k = r % extent[2], j = r / extent[2] % extent[1], i = r / extent[2] / extent[1];
    return i * stride[0] + j * stride[1] + k * stride[2];
  }
};

// body(place in y, element of a, element of b) for every element of y. The strides along a run are
// constants where they are 0 or 1, which vectorises; no_constant stands for all others.
constexpr int no_constant = -1;

template <int A, int B, typename S, typename Body>
void over_runs(const view& v, const S* a, const S* b, const Body& body) {
  parallel_rows(v.rows(), v.extent[3], 1, [=, &body](int64_t row, int64_t begin, int64_t end) {
    int64_t as = A == no_constant ? v.a[3] : A, bs = B == no_constant ? v.b[3] : B;
    const S* from_a = a + view::offset(v.extent, v.a, row) + begin * as;
    const S* from_b = b + view::offset(v.extent, v.b, row) + begin * bs;
    int64_t first = row * v.extent[3] + begin, length = end - begin;
#pragma omp simd
    for (int64_t i = 0; i < length; i++) {
      body(first + i, compute<S>(from_a[i * as]), compute<S>(from_b[i * bs]));
    }
  });
}

// Each loop here is compiled for every operation, type and instruction set: only those that body can
// tell apart. What it does not read may have any stride.
template <bool ReadsA = true, bool ReadsB = true, typename S, typename Body>
void over_pairs(const view& v, const S* a, const S* b, const Body& body) {
  static_assert(ReadsB || !ReadsA, "b alone may be read, not a alone");
  if constexpr (!ReadsB) {
    over_runs<0, 0>(v, a, b, body);
  } else {
    const int64_t bs = v.b[3], as = ReadsA ? v.a[3] : bs == 1 ? 0 : 1;
    if (as == 1 && bs == 0) return over_runs<1, 0>(v, a, b, body);
    if (as == 0 && bs == 1) return over_runs<0, 1>(v, a, b, body);
    if constexpr (ReadsA) {
      if (as == 1 && bs == 1) return over_runs<1, 1>(v, a, b, body);
    }
    over_runs<no_constant, no_constant>(v, a, b, body);
  }
}

// y = f(a, b)
template <typename S>
void binary_forward(const weft_binary_forward& s) {
  using T = compute<S>;
  S* y = as<S>(s.y);
  T alpha = T(s.alpha);
  choose<WEFT_BINARY_FUNCTIONS>("binary operation", s.operation, [&](auto kind) {
    constexpr int F = kind;
    over_pairs(view(s), as<S>(s.a), as<S>(s.b),
               [=](int64_t i, T a, T b) { put<false>(y[i], binary<F>(a, b, alpha)); });
  });
}

// dx (+)= dy df/da, with OfB dy df/db
template <int F, bool OfB, typename S>
void partial(const view& v, const S* a, const S* b, const S* dy, S* dx, int64_t accumulated) {
  using T = compute<S>;
  constexpr bool chooses = F == WEFT_KEEP || F == WEFT_DROP;
  constexpr bool reads_b =
      F != WEFT_ADD && F != WEFT_SUBTRACT && !is_comparison<F> && !(chooses && OfB);
  constexpr bool reads_a = reads_b && F != WEFT_MULTIPLY && (F != WEFT_DIVIDE || OfB) && !chooses;
  choose_flag(accumulated, [&](auto accumulate) {
    constexpr bool add = accumulate;
    over_pairs<reads_a, reads_b>(v, a, b, [=](int64_t i, T x, T z) {
      T g = T(dy[i]);
      put<add>(dx[i], OfB ? binary_gradient_b<F>(g, x, z) : binary_gradient_a<F>(g, x, z));
    });
  });
}

// da (+)= dy df/da, db (+)= dy df/db
template <typename S>
void binary_backward(const weft_binary_backward& s) {
  const S *a = as<S>(s.a), *b = as<S>(s.b), *dy = as<S>(s.dy);
  S *da = as<S>(s.da), *db = as<S>(s.db);
  view v(s);
  choose<WEFT_BINARY_FUNCTIONS>("binary operation", s.operation, [&](auto kind) {
    constexpr int F = kind;
    // of a - b as of a + b
    if (da) partial<F == WEFT_SUBTRACT ? WEFT_ADD : F, false>(v, a, b, dy, da, s.accumulate_a);
    if (!db) return;
    if constexpr (F == WEFT_ADD || F == WEFT_MULTIPLY || F == WEFT_MAXIMUM || F == WEFT_MINIMUM) {
      // f(a, b) is f(b, a)
      partial<F, false>(v.swapped(), b, a, dy, db, s.accumulate_b);
    } else {
      partial<F, true>(v, a, b, dy, db, s.accumulate_b);
    }
  });
}

}  // namespace

WEFT_DEFINE_TYPED(binary_forward, binary_forward)
WEFT_DEFINE_TYPED(binary_backward, binary_backward)

}  // namespace WEFT_ISA
}  // namespace weft
