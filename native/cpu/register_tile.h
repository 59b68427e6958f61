// SPDX-License-Identifier: Apache-2.0
//
// Small products with all their sums in registers: the innermost loops of the fused step of narrow
// networks.
#ifndef WEFT_CPU_REGISTER_TILE_H
#define WEFT_CPU_REGISTER_TILE_H

#include "strips.h"

namespace weft {
namespace WEFT_ISA {
namespace {

// How elements of type E are multiplied: a vector of them by one of them, added to sums.
template <typename E>
struct product_of {
  using sum = E;
  using operand = vector<E>;
  static WEFT_MATH operand spread(const E* x) { return *x - operand{}; }  // x + 0 is not x for -0
  static WEFT_MATH operand whole(const E* x) { return load(x); }
  static WEFT_MATH operand first(const first_lanes<E>& lanes, const E* x) { return lanes.load(x); }
  static WEFT_MATH vector<E> add(vector<E> c, operand left, operand right) {
    return c + left * right;
  }
};

// Two bfloat16 values whose products are added up in float: what fast products are made of. The
// lower half is the one that comes first in the sum.
struct pair {
  uint32_t bits;
};

#if defined(__AVX512BF16__)
template <>
struct product_of<pair> {
  using sum = float;
  using operand = __m512i;
  static WEFT_MATH operand spread(const pair* x) { return _mm512_set1_epi32((int)x->bits); }
  static WEFT_MATH operand whole(const pair* x) { return _mm512_loadu_si512(x); }
  static WEFT_MATH operand first(const first_lanes<float>&, const pair* x) { return whole(x); }
  static WEFT_MATH vector<float> add(vector<float> c, operand left, operand right) {
    return (vector<float>)_mm512_dpbf16_ps((__m512)c, (__m512bh)left, (__m512bh)right);
  }
};
#endif

template <typename E>
using sum_of = typename product_of<E>::sum;

// c[i][v] += sum over k of a(i, k) b(k, v): R rows of V vectors. a(i, k) = a[i ROW + k STEP], where
// after `run` values of k it goes on at a + hop; b(k, v) is the vector at b[k b_step + at[v]], of
// whose last one only `tail` is there if Masked. The order of each sum is that of k, whatever R and
// V are.
template <int R, int V, int ROW, int STEP, bool Masked, typename E>
WEFT_MATH void multiply_add(vector<sum_of<E>> (&c)[R][V], const E* a, int64_t run, int64_t hop,
                            const E* b, int64_t b_step, const int64_t (&at)[V], int64_t depth,
                            first_lanes<sum_of<E>> tail) {
  using product = product_of<E>;
  do {
    int64_t n = depth < run ? depth : run;
    const E* from = a;
    // do, not for: code for no product at all would need copies of all sums
    do {
      typename product::operand right[V];
#pragma GCC unroll 16
      for (int v = 0; v < V; v++) {
        right[v] =
            Masked && v == V - 1 ? product::first(tail, b + at[v]) : product::whole(b + at[v]);
      }
#pragma GCC unroll 16
      for (int i = 0; i < R; i++) {
        typename product::operand left = product::spread(from + i * ROW);
#pragma GCC unroll 16
        for (int v = 0; v < V; v++) c[i][v] = product::add(c[i][v], left, right[v]);
      }
      from += STEP;
      b += b_step;
    } while (--n > 0);
    a += hop;
    depth -= run;
  } while (depth > 0);
}

// Rows of a tile of V vectors: as many sums as the registers hold beside V vectors and one value,
// and no fewer than keep two multipliers busy, whose results take four cycles.
template <int V>
constexpr int most_rows = register_bytes == 64 ? (V == 1   ? 16
                                                  : V == 2 ? 12
                                                  : V == 3 ? 8
                                                           : 6)
                                               : (V == 1   ? 8
                                                  : V == 2 ? 5
                                                  : V == 3 ? 4
                                                           : 2);
constexpr int most_vectors = register_bytes == 64 ? 4 : 3;

// f(constant) with the constant N == n, 1 <= n <= Most
template <int Most, typename F>
WEFT_MATH void with_count(int64_t n, const F& f) {
  if constexpr (Most > 1) {
    if (n < Most) {
      with_count<Most - 1>(n, f);
      return;
    }
  }
  f(std::integral_constant<int, Most>{});
}

// f(first, constant) for parts of 0..n, as equal as can be, none larger than Most
template <int Most, typename F>
WEFT_MATH void in_parts(int64_t n, const F& f) {
  int64_t parts = (n + Most - 1) / Most, first = 0;
  for (int64_t p = 0; p < parts; p++) {
    int64_t next = n * (p + 1) / parts;
    with_count<Most>(next - first, [&](auto count) { f(first, count); });
    first = next;
  }
}

// A tile of R rows and V vectors of z += x w; z, x and w point to its corner.
template <int R, int V, bool Masked, typename E, typename T = sum_of<E>>
void product_tile(const E* x, const E* w, T* z, const int64_t (&place)[V], int64_t depth,
                  int64_t stride, int64_t block, first_lanes<T> tail) {
  int64_t at[V];
  vector<T> c[R][V];
#pragma GCC unroll 16
  for (int v = 0; v < V; v++) {
    at[v] = v * lanes_of<T>;
#pragma GCC unroll 16
    for (int i = 0; i < R; i++) c[i][v] = load(z + place[v] + i * strip);
  }
  multiply_add<R, V, strip, 1, Masked>(c, x, strip, block, w, stride, at, depth, tail);
#pragma GCC unroll 16
  for (int v = 0; v < V; v++) {
#pragma GCC unroll 16
    for (int i = 0; i < R; i++) put_vector(z + place[v] + i * strip, c[i][v]);
  }
}

template <int V, typename T>
WEFT_MATH void places(int64_t v0, int64_t block, int64_t (&place)[V]) {
  for (int v = 0; v < V; v++) place[v] = column((v0 + v) * lanes_of<T>, block);
}

// z (rows, width) += x (rows, depth) w, both in strips of the same rows; w (depth, width) has rows
// `stride` apart, and may be read up to a whole vector where padded.
template <typename E, typename T = sum_of<E>>
void add_product(const E* x, const E* w, T* z, int64_t rows, int64_t depth, int64_t width,
                 int64_t stride, int64_t block, bool padded) {
  constexpr int lanes = lanes_of<T>;
  // as much of w at a time as stays in the first-level cache beside its tile of x
  constexpr int64_t deep = 8 * strip;
  int64_t vectors = (width + lanes - 1) / lanes;
  first_lanes<T> tail(width - (vectors - 1) * lanes);
  bool ragged = !padded && width % lanes != 0;
  for (int64_t k = 0; k < depth; k += deep) {
    int64_t length = smaller(deep, depth - k);
    const E *left = x + column(k, block), *right = w + k * stride;
    in_parts<most_vectors>(vectors, [&](int64_t v0, auto v_count) {
      constexpr int V = decltype(v_count)::value;
      int64_t place[V];
      places<V, T>(v0, block, place);
      bool masked = ragged && v0 + V == vectors;
      in_parts<most_rows<V>>(rows, [&](int64_t r0, auto r_count) {
        constexpr int R = decltype(r_count)::value, N = decltype(v_count)::value;
        auto tile = product_tile<R, N, false, E>;
        if constexpr (std::is_same_v<E, T>) {
          if (masked) tile = product_tile<R, N, true, E>;
        }
        tile(left + r0 * strip, right + v0 * lanes_of<T>, z + r0 * strip, place, length, stride,
             block, tail);
      });
    });
  }
}

// R columns of x, transposed, times V vectors of dz; x, dz and g point to the corner.
template <int R, int V, typename E, typename T = sum_of<E>>
void gradient_tile(const E* x, const E* dz, const int64_t (&at)[V], T* g, int64_t rows,
                   int64_t width, bool ragged, first_lanes<T> tail) {
  vector<T> c[R][V] = {};
  multiply_add<R, V, 1, strip, false>(c, x, rows, 0, dz, strip, at, rows, tail);
#pragma GCC unroll 16
  for (int i = 0; i < R; i++) {
    T* to = g + i * width;
#pragma GCC unroll 16
    for (int v = 0; v < V; v++, to += lanes_of<T>) {
      if (ragged && v == V - 1) {
        tail.store(to, c[i][v]);
      } else {
        put_vector(to, c[i][v]);
      }
    }
  }
}

// g (count, width) = the first `count` columns of x (rows, ..), transposed, times dz (rows, width);
// count at most 16, g dense
template <typename E, typename T = sum_of<E>>
void transposed_product(const E* x, const E* dz, T* g, int64_t rows, int64_t count, int64_t width,
                        int64_t block) {
  constexpr int lanes = lanes_of<T>;
  int64_t vectors = (width + lanes - 1) / lanes;
  first_lanes<T> tail(width - (vectors - 1) * lanes);
  in_parts<most_vectors>(vectors, [&](int64_t v0, auto v_count) {
    constexpr int V = decltype(v_count)::value;
    int64_t place[V];
    places<V, T>(v0, block, place);
    bool ragged = v0 + V == vectors && width % lanes_of<T> != 0;
    in_parts<most_rows<V>>(count, [&](int64_t k0, auto k_count) {
      constexpr int R = decltype(k_count)::value, N = decltype(v_count)::value;
      gradient_tile<R, N, E>(x + k0, dz, place, g + k0 * width + v0 * lanes_of<T>, rows, width,
                             ragged, tail);
    });
  });
}

}  // namespace
}  // namespace WEFT_ISA
}  // namespace weft
#endif  // WEFT_CPU_REGISTER_TILE_H
