// SPDX-License-Identifier: Apache-2.0
#include "gemm.h"

#include <math.h>
#include <string.h>

#include <algorithm>
#include <vector>

namespace weft::emulator {
namespace {

constexpr int ROWS = 8, COLUMNS = 6;  // of a tile of c: a column is one vector, or two of AVX2

uint32_t bits_of(float x) {
  uint32_t bits;
  memcpy(&bits, &x, sizeof bits);
  return bits;
}

float float_of(uint32_t bits) {
  float x;
  memcpy(&x, &bits, sizeof x);
  return x;
}

// Keeps so many bits of the mantissa, to the nearest, ties to even.
float round_mantissa(float x, int kept) {
  uint32_t bits = bits_of(x), dropped = 23u - (uint32_t)kept;
  if ((bits & 0x7f800000u) == 0x7f800000u) return x;  // infinite or NaN
  uint32_t half = (1u << (dropped - 1)) - 1 + (bits >> dropped & 1u);
  return float_of((bits + half) >> dropped << dropped);
}

float half_to_float(uint16_t h) {
  uint32_t sign = (uint32_t)(h & 0x8000u) << 16, exponent = h >> 10 & 31u, mantissa = h & 1023u;
  if (exponent == 31) return float_of(sign | 0x7f800000u | mantissa << 13);
  if (exponent) return float_of(sign | (exponent + 112) << 23 | mantissa << 13);
  float value = ldexpf((float)mantissa, -24);
  return sign ? -value : value;
}

uint16_t float_to_half(float x) {
  uint16_t sign = (uint16_t)(bits_of(x) >> 16 & 0x8000u);
  float size = fabsf(x);
  if (size != size) return sign | 0x7e00u;
  if (size >= 65520.0f) return sign | 0x7c00u;
  if (size < ldexpf(1, -14)) return sign | (uint16_t)nearbyintf(ldexpf(size, 24));
  uint32_t bits = bits_of(round_mantissa(size, 10));
  return sign | (uint16_t)((bits >> 13) - (112u << 10));
}

double round_input(float x, Rounding rounding) {
  switch (rounding) {
    case Rounding::TF32: return round_mantissa(x, 10);
    case Rounding::BF16: return round_mantissa(x, 7);
    case Rounding::F16: return half_to_float(float_to_half(x));
    default: return x;
  }
}

double read(const Matrix& matrix, int64_t i, Rounding rounding) {
  switch (matrix.type) {
    case Type::F64: return ((const double*)matrix.data)[i];
    case Type::F16: return half_to_float(((const uint16_t*)matrix.data)[i]);
    case Type::BF16: return float_of((uint32_t)((const uint16_t*)matrix.data)[i] << 16);
    default: {
      float x = ((const float*)matrix.data)[i];
      return rounding == Rounding::NONE ? x : round_input(x, rounding);
    }
  }
}

void write(const Matrix& matrix, int64_t i, double value) {
  switch (matrix.type) {
    case Type::F64: ((double*)matrix.data)[i] = value; break;
    case Type::F16: ((uint16_t*)matrix.data)[i] = float_to_half((float)value); break;
    case Type::BF16:
      ((uint16_t*)matrix.data)[i] = (uint16_t)(bits_of(round_mantissa((float)value, 7)) >> 16);
      break;
    default: ((float*)matrix.data)[i] = (float)value;
  }
}

// Packs a strip of op(matrix): for each p of k, `width` entries along the other axis, 0 past the
// end. along: stored elements from one such entry to the next; across: from p to p + 1.
void pack(const Matrix& matrix, int64_t first, int64_t count, int width, int64_t k, int64_t along,
          int64_t across, Rounding rounding, double* strip) {
  int used = (int)std::min<int64_t>(width, count - first);
  // the inner loop follows the memory
  if (along == 1) {
    for (int64_t p = 0; p < k; p++)
      for (int i = 0; i < width; i++)
        strip[p * width + i] = i < used ? read(matrix, first + i + p * across, rounding) : 0.0;
    return;
  }
  for (int i = 0; i < width; i++)
    for (int64_t p = 0; p < k; p++)
      strip[p * width + i] =
          i < used ? read(matrix, (first + i) * along + p * across, rounding) : 0.0;
}

using Vector = double __attribute__((vector_size(64)));

// tile (ROWS, COLUMNS) = strip of a times strip of b. A macro, since vectors of the compiler's own
// kind take the widest registers only where the function itself names its target.
#define WEFT_MULTIPLY_TILE(name, target)                                               \
  target void name(const double* a, const double* b, int64_t k, double* tile) {        \
    Vector sum[COLUMNS] = {};                                                          \
    for (int64_t p = 0; p < k; p++, a += ROWS, b += COLUMNS) {                         \
      Vector column;                                                                   \
      memcpy(&column, a, sizeof column);                                               \
      for (int j = 0; j < COLUMNS; j++) sum[j] += column * b[j];                       \
    }                                                                                  \
    for (int j = 0; j < COLUMNS; j++) memcpy(tile + j * ROWS, &sum[j], sizeof sum[j]); \
  }

WEFT_MULTIPLY_TILE(multiply_tile_baseline, )
#if defined(__x86_64__)
WEFT_MULTIPLY_TILE(multiply_tile_avx2, __attribute__((target("avx2,fma"))))
WEFT_MULTIPLY_TILE(multiply_tile_avx512, __attribute__((target("avx512f"))))
#endif

// The same with sums in float32, a quarter of k at a time.
void multiply_tile_in_float(const double* a, const double* b, int64_t k, bool reduced,
                            double* tile) {
  constexpr int SLICES = 4, SIZE = ROWS * COLUMNS;
  float sums[SLICES][SIZE] = {};
  for (int s = 0; s < SLICES; s++) {
    for (int64_t p = s * k / SLICES; p < (s + 1) * k / SLICES; p++)
      for (int j = 0; j < COLUMNS; j++)
        for (int i = 0; i < ROWS; i++)
          sums[s][j * ROWS + i] =
              fmaf((float)a[p * ROWS + i], (float)b[p * COLUMNS + j], sums[s][j * ROWS + i]);
    if (!reduced) continue;
    for (float& sum : sums[s]) sum = round_mantissa(sum, 7);
  }
  for (int i = 0; i < SIZE; i++) tile[i] = sums[0][i] + sums[2][i] + (sums[1][i] + sums[3][i]);
}

using MultiplyTile = void (*)(const double* a, const double* b, int64_t k, double* tile);

MultiplyTile choose_multiply_tile() {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512f")) return multiply_tile_avx512;
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return multiply_tile_avx2;
#endif
  return multiply_tile_baseline;
}

}  // namespace

int64_t bytes_of(Type type) { return type == Type::F64 ? 8 : type == Type::F32 ? 4 : 2; }

void multiply(const Product& g) {
  static const MultiplyTile multiply_tile = choose_multiply_tile();
  static thread_local std::vector<double> strips_b, strip_a;
  int64_t k = g.alpha == 0.0 ? 0 : g.k;
  int64_t column_tiles = (g.n + COLUMNS - 1) / COLUMNS;
  strips_b.resize((size_t)(column_tiles * k * COLUMNS));
  strip_a.resize((size_t)(k * ROWS));
  for (int64_t t = 0; t < column_tiles && k; t++) {
    pack(g.b, t * COLUMNS, g.n, COLUMNS, k, g.b.transposed ? 1 : g.b.stride,
         g.b.transposed ? g.b.stride : 1, g.rounding, strips_b.data() + t * k * COLUMNS);
  }
  alignas(64) double tile[ROWS * COLUMNS];
  for (int64_t row = 0; row < g.m; row += ROWS) {
    if (k) {
      pack(g.a, row, g.m, ROWS, k, g.a.transposed ? g.a.stride : 1, g.a.transposed ? 1 : g.a.stride,
           g.rounding, strip_a.data());
    }
    int64_t rows = std::min<int64_t>(ROWS, g.m - row);
    for (int64_t t = 0; t < column_tiles; t++) {
      const double* strip_b = strips_b.data() + t * k * COLUMNS;
      if (g.sums == Sums::EXACT) {
        multiply_tile(strip_a.data(), strip_b, k, tile);
      } else {
        multiply_tile_in_float(strip_a.data(), strip_b, k, g.sums == Sums::REDUCED, tile);
      }
      int64_t columns = std::min<int64_t>(COLUMNS, g.n - t * COLUMNS);
      for (int64_t j = 0; j < columns; j++)
        for (int64_t i = 0; i < rows; i++) {
          int64_t at = row + i + (t * COLUMNS + j) * g.c.stride;
          double value = g.alpha * tile[j * ROWS + i];
          if (g.beta != 0.0) value += g.beta * read(g.c, at, Rounding::NONE);
          write(g.c, at, value);
        }
    }
  }
}

}  // namespace weft::emulator
