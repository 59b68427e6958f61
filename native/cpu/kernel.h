// SPDX-License-Identifier: Apache-2.0
//
// What every family file shares: the declarations of all kernels of one instruction set and the way
// work is cut for threads. A family file is compiled once per instruction set, with WEFT_ISA set to
// avx512, avx2 or baseline. All it defines stands in that namespace or in an unnamed one, so that
// the linker can never take one set's copy of a function for another's.
#ifndef WEFT_CPU_KERNEL_H
#define WEFT_CPU_KERNEL_H

#include <type_traits>

#include "../abi/kernels.h"
#include "../math/bf16.h"
#include "../math/portable.h"
#include "failure.h"
#include "pool.h"

namespace weft {

using kernel = void (*)(const void* arguments);

namespace WEFT_ISA {

// in the order of weft_abi_table()
extern const kernel kernels[];

#define WEFT_SYMBOL(symbol, name, arguments, ...) void symbol(const weft_##arguments& a);
WEFT_KERNELS(WEFT_EACH_SYMBOL)
#undef WEFT_SYMBOL

// Defines the kernels of a name by a template `name<S>`, S being the type that elements are stored
// in; they are computed in compute<S>.
#define WEFT_DEFINE_WIDE(name, arguments)                        \
  void name##_f32(const weft_##arguments& a) { name<float>(a); } \
  void name##_f64(const weft_##arguments& a) { name<double>(a); }
#define WEFT_DEFINE_TYPED(name, arguments) \
  WEFT_DEFINE_WIDE(name, arguments)        \
  void name##_bf16(const weft_##arguments& a) { name<bf16>(a); }

namespace {

#if defined(__AVX512F__)
constexpr int register_bytes = 64;
#elif defined(__AVX2__)
constexpr int register_bytes = 32;
#else
constexpr int register_bytes = 16;
#endif

// Work is counted in elements of a cheap loop: relu on floats in cache.
constexpr int64_t elements_per_nanosecond = 20;

WEFT_MATH int64_t smaller(int64_t a, int64_t b) { return a < b ? a : b; }

WEFT_MATH bool is_row(int64_t index, int64_t rows) { return index >= 0 && index < rows; }

// How many cheap elements one exp or tanh weighs (0.15-0.22 ns against 0.04).
constexpr int64_t transcendental = 4;

// The one compiled copy of a loop. Inlined twice, for one thread and for many, it could round
// differently, as the compiler chooses anew where to contract a product and a sum.
template <typename Body>
__attribute__((noinline, noclone)) void run(const void* body, int64_t begin, int64_t end) {
  (*static_cast<const Body*>(body))(begin, end);
}

// A loop as the pool runs it, its units in whole multiples of `align`.
struct aligned_loop {
  int64_t n, align;
  void (*range)(const void*, int64_t, int64_t);
  const void* body;
};

inline void run_aligned(const void* context, int64_t begin, int64_t end) {
  const aligned_loop& loop = *static_cast<const aligned_loop*>(context);
  begin *= loop.align, end = smaller(loop.n, end * loop.align);
  if (begin < end) loop.range(loop.body, begin, end);
}

// What `parallel` does for every kind of body: compiled for each, it is most of a build's time.
__attribute__((noinline, noclone)) inline void share_out(int64_t n, int64_t cost, int64_t align,
                                                         void (*range)(const void*, int64_t,
                                                                       int64_t),
                                                         const void* body) {
  if (n <= 0) return;
  int64_t units = (n + align - 1) / align, time = n * cost / elements_per_nanosecond;
  int64_t threads = pool_threads(time, units);
  if (threads <= 1) {
    range(body, 0, n);
    return;
  }
  aligned_loop loop = {n, align, range, body};
  pool_run({run_aligned, &loop, units, pool_blocks(time, threads, units)}, threads);
}

// body(begin, end) over 0..n in ranges cut at multiples of 256: an element then has the same place
// in its vector whatever the number of threads, and no two threads write to one cache line. cost:
// elements of work per unit.
template <typename Body>
void parallel(int64_t n, int64_t cost, const Body& body, int64_t align = 256) {
  share_out(n, cost, align, run<Body>, &body);
}

// The same for units that are large and separate (rows, tiles): cuts anywhere.
template <typename Body>
void parallel_units(int64_t n, int64_t cost, const Body& body) {
  parallel(n, cost, body, 1);
}

// body(row, begin, end) over pieces of the rows of a (rows, cols) matrix. A row is cut at multiples
// of 1024 columns whatever the number of threads, for the reason given at `parallel`.
template <typename Body>
void parallel_rows(int64_t rows, int64_t cols, int64_t cost, const Body& body) {
  constexpr int64_t piece = 1024;
  int64_t pieces = (cols + piece - 1) / piece;
  parallel_units(rows * pieces, cost * smaller(cols, piece), [&](int64_t begin, int64_t end) {
    int64_t row = begin / pieces, p = begin % pieces;
    for (int64_t left = end - begin; left > 0; left--) {
      body(row, p * piece, smaller(cols, (p + 1) * piece));
      if (++p == pieces) p = 0, row++;
    }
  });
}

// How many columns of so many parts of rows a thread takes at once: up to the widest, and as many as
// leave every thread some. Whole rows are one run of memory: of 8192 columns they take 0.6 of the
// time of strips of 1024. A strip is a multiple of 256 columns, so that a column has one place in its
// vector, however wide the strip.
inline int64_t strip_of(int64_t parts, int64_t cols, int64_t widest) {
  int64_t strip = widest, threads = pool_limit::here();
  while (strip > 256 && parts * ((cols + strip - 1) / strip) < threads) strip /= 2;
  return strip;
}

// f(constant) with the constant K == value, for value in 0..Count-1: a loop then has no branch over
// the kind of its operation.
template <int Count, int K = 0, typename F>
void choose(const char* what, int64_t value, const F& f) {
  if constexpr (K == Count) {
    fail("%s has no number %lld; there are %d", what, (long long)value, Count);
  } else if (value == K) {
    f(std::integral_constant<int, K>{});
  } else {
    choose<Count, K + 1>(what, value, f);
  }
}

// f(constant), true where flag is not 0.
template <typename F>
void choose_flag(int64_t flag, const F& f) {
  if (flag) {
    f(std::true_type{});
  } else {
    f(std::false_type{});
  }
}

template <bool Accumulate, typename S>
WEFT_MATH void put(S& place, compute<S> value) {
  if constexpr (Accumulate) {
    place = S(compute<S>(place) + value);
  } else {
    place = S(value);
  }
}

template <typename T>
WEFT_MATH T* as(void* pointer) {
  return static_cast<T*>(pointer);
}

}  // namespace
}  // namespace WEFT_ISA
}  // namespace weft
#endif  // WEFT_CPU_KERNEL_H
