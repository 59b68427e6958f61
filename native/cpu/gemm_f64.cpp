// SPDX-License-Identifier: Apache-2.0
//
// float64 products: blocked and packed as in Goto and van de Geijn, "Anatomy of high-performance
// matrix multiplication" (2008). Every element of c is the sum over k in order, whatever the number
// of threads, which share out blocks of c and never k.
#include <stdlib.h>
#include <string.h>

#include "kernel.h"

namespace weft {
namespace WEFT_ISA {
namespace {

// A tile of c stays in registers: of the 32 (AVX-512) or 16 there are, tile_rows * tile_vectors
// hold sums, tile_vectors a row of b and one an element of a.
constexpr int tile_rows = register_bytes == 64 ? 8 : 4, tile_vectors = register_bytes > 16 ? 3 : 2;
typedef double vector __attribute__((vector_size(register_bytes)));
constexpr int width = register_bytes / 8, tile_cols = tile_vectors * width;

// A packed panel of a (64 x 256, 128 kB) and of b (256 x 96, 192 kB) stay in the second-level
// cache; 64 and 96 are multiples of every tile.
constexpr int64_t block_m = 64, block_n = 96, block_k = 256;
static_assert(block_m % tile_rows == 0 && block_n % tile_cols == 0, "blocks hold whole tiles");

struct operand {
  const double* data;
  int64_t row_stride, column_stride;
  double at(int64_t r, int64_t c) const { return data[r * row_stride + c * column_stride]; }
};

// a[r0.., k0..] as tiles of tile_rows, k by k; rows that do not exist are 0
void pack_a(const operand& a, int64_t r0, int64_t rows, int64_t k0, int64_t depth, double* to) {
  for (int64_t tile = 0; tile < rows; tile += tile_rows) {
    for (int64_t k = 0; k < depth; k++) {
      for (int64_t r = tile; r < tile + tile_rows; r++) {
        *to++ = r < rows ? a.at(r0 + r, k0 + k) : 0;
      }
    }
  }
}

void pack_b(const operand& b, int64_t k0, int64_t depth, int64_t c0, int64_t cols, double* to) {
  for (int64_t tile = 0; tile < cols; tile += tile_cols) {
    for (int64_t k = 0; k < depth; k++) {
      for (int64_t c = tile; c < tile + tile_cols; c++) {
        *to++ = c < cols ? b.at(k0 + k, c0 + c) : 0;
      }
    }
  }
}

// result (tile_rows, tile_cols) = a tile of a times a tile of b
void multiply_tile(const double* a, const double* b, int64_t depth, double* result) {
  vector sum[tile_rows][tile_vectors] = {};
  for (int64_t k = 0; k < depth; k++) {
    vector row[tile_vectors];
    memcpy(row, b + k * tile_cols, sizeof row);
#pragma GCC unroll 8
    for (int r = 0; r < tile_rows; r++) {
      double factor = a[k * tile_rows + r];
#pragma GCC unroll 3
      for (int v = 0; v < tile_vectors; v++) sum[r][v] += factor * row[v];
    }
  }
  memcpy(result, sum, sizeof sum);
}

// The first block of k applies beta, the others add.
void add_tile(const weft_gemm& a, const double* result, int64_t r0, int64_t c0, bool first) {
  double* c = as<double>(a.c);
  for (int64_t r = 0; r < smaller(tile_rows, a.m - r0); r++) {
    double* to = c + (r0 + r) * a.ldc + c0;
    const double* from = result + r * tile_cols;
    for (int64_t j = 0; j < smaller(tile_cols, a.n - c0); j++) {
      double before = !first ? to[j] : a.beta == 0 ? 0 : a.beta * to[j];
      to[j] = before + a.alpha * from[j];
    }
  }
}

// Packed panels of one thread; kept, so that a replayed step allocates nothing.
struct panels {
  alignas(64) double a[block_m * block_k];
  alignas(64) double b[block_n * block_k];
};

void multiply_block(const weft_gemm& a, int64_t r0, int64_t c0, panels& p) {
  operand left = {as<double>(a.a), a.transpose_a ? 1 : a.lda, a.transpose_a ? a.lda : 1};
  operand right = {as<double>(a.b), a.transpose_b ? 1 : a.ldb, a.transpose_b ? a.ldb : 1};
  int64_t rows = smaller(block_m, a.m - r0), cols = smaller(block_n, a.n - c0);
  alignas(64) double result[tile_rows * tile_cols];
  for (int64_t k0 = 0; k0 < a.k || k0 == 0; k0 += block_k) {
    int64_t depth = smaller(block_k, a.k - k0);
    pack_a(left, r0, rows, k0, depth, p.a);
    pack_b(right, k0, depth, c0, cols, p.b);
    for (int64_t c = 0; c < cols; c += tile_cols) {
      for (int64_t r = 0; r < rows; r += tile_rows) {
        multiply_tile(p.a + r * depth, p.b + c * depth, depth, result);
        add_tile(a, result, r0 + r, c0 + c, k0 == 0);
      }
    }
  }
}

}  // namespace

void gemm_f64(const weft_gemm& a) {
  if (a.m <= 0 || a.n <= 0) return;
  int64_t across = (a.n + block_n - 1) / block_n, down = (a.m + block_m - 1) / block_m;
  int64_t blocks = across * down;
  // 8 multiplications take as long as one cheap element
  parallel_units(a.batch * blocks, block_m * block_n * a.k / 8, [&](int64_t begin, int64_t end) {
    static thread_local panels p;
    for (int64_t unit = begin; unit < end; unit++) {
      int64_t product = unit / blocks, block = unit % blocks;
      weft_gemm one = a;
      one.a = as<double>(a.a) + product * a.a_step;
      one.b = as<double>(a.b) + product * a.b_step;
      one.c = as<double>(a.c) + product * a.c_step;
      multiply_block(one, block / across * block_m, block % across * block_n, p);
    }
  });
}

}  // namespace WEFT_ISA
}  // namespace weft
