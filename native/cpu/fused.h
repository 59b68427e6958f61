// SPDX-License-Identifier: Apache-2.0
//
// What the two halves of a fused step share: where a layer's numbers lie.
#ifndef WEFT_CPU_FUSED_H
#define WEFT_CPU_FUSED_H

#include "kernel.h"
#include "register_tile.h"

namespace weft {

#if defined(WEFT_FUSED_PAIRS)
// The copy of the two kernels for processors that multiply pairs of bfloat16; it has those with
// fast products alone.
namespace WEFT_FUSED_PAIRS {
void fused_pass_f32(const weft_fused_pass& a);
void fused_update_f32(const weft_fused_update& a);
}  // namespace WEFT_FUSED_PAIRS
#endif

namespace WEFT_ISA {
namespace {

#if defined(WEFT_FUSED_PAIRS)
bool has_pairs() {
  static const bool has = __builtin_cpu_supports("avx512bf16") != 0;
  return has;
}
#endif

constexpr int64_t widest = WEFT_FUSED_WIDTH;
static_assert(WEFT_FUSED_GRAIN % strip == 0, "scratch has room for whole strips");

// Rows that go through the network together: of the widest layer 16 kB.
constexpr int64_t tile_rows = 32;

// Products of a tile with weights in cache, two of them multiplied and added at once.
constexpr int64_t products_per_nanosecond = 64;

// Elements from strip to strip: an odd number of rows, because strips a power of two apart would
// all fall into one set of the first-level cache.
int64_t block_of(int64_t rows) { return (rows | 1) * strip; }

// body(begin, end) over so many units, each of them `products` products
template <typename Body>
void parallel_products(int64_t units, int64_t products, const Body& body) {
  parallel_units(units, products * elements_per_nanosecond / products_per_nanosecond, body);
}

// Where a layer's numbers lie in scratch. E is what products are made of: T itself, or pairs of
// bfloat16 for fast ones. x and dz are then there twice, as pairs of columns for the products of a
// row and as pairs of rows for those over the batch; so is W, whose copies are made every step.
template <typename T, typename E>
struct places_of {
  T *z, *slope;
  E *x, *x_rows, *dz, *dz_rows;  // dz is z where E is T
  E *w, *w_transposed;           // w only where E is not T
  int64_t block, row_block;      // of x, dz and of x_rows, dz_rows

  places_of(T* scratch, const weft_fused_layer& l, int64_t rows) : block(block_of(rows)) {
    z = scratch + l.dz;
    slope = scratch + l.slope;
    x = reinterpret_cast<E*>(scratch + l.x);
    w = w_transposed = reinterpret_cast<E*>(scratch + l.copies);
    if constexpr (std::is_same_v<E, T>) {
      x_rows = x;
      dz = dz_rows = z;
      row_block = block;
    } else {
      row_block = block_of((rows + 1) / 2);
      x_rows = x + strips((l.in + 1) / 2) * block;
      dz = reinterpret_cast<E*>(z + strips(l.out) * block);
      dz_rows = dz + strips((l.out + 1) / 2) * block;
      w_transposed = w + (l.in + 1) / 2 * strips(l.out) * strip;
    }
  }
};

// What all parts of the first half of a step look at.
template <typename T, typename E>
struct fused_context {
  static constexpr bool paired = !std::is_same_v<E, T>;
  using places = places_of<T, E>;

  const weft_fused_pass& a;
  const weft_fused_layer* layers;
  const T* value;
  const weft_step_state& state;
  int64_t block;

  explicit fused_context(const weft_fused_pass& a)
      : a(a),
        layers(as<weft_fused_layer>(a.layers)),
        value(as<T>(a.value)),
        state(*as<weft_step_state>(a.state)),
        block(block_of(a.rows)) {}

  places at(int64_t l) const { return places(as<T>(a.scratch), layers[l], a.rows); }

  // The row of the data set that is row r of the batch.
  int64_t source_row(int64_t row) const { return as<int32_t>(a.index)[state.cursor + row]; }
  bool known(int64_t row) const { return row >= 0 && row < a.source_rows; }
};

}  // namespace
}  // namespace WEFT_ISA
}  // namespace weft
#endif  // WEFT_CPU_FUSED_H
