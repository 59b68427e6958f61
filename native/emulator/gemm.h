// SPDX-License-Identifier: Apache-2.0
//
// Matrix product on the host, column-major as cuBLAS has it.
#ifndef WEFT_EMULATOR_GEMM_H
#define WEFT_EMULATOR_GEMM_H

#include <stdint.h>

namespace weft::emulator {

enum class Type : int { F32 = 0, F64 = 1, F16 = 2, BF16 = 14 };  // cudaDataType's values

// What the hardware does to float32 before it multiplies.
enum class Rounding { NONE, TF32, BF16, F16 };

enum class Sums {
  EXACT,    // in double: a float32 result is the exact one rounded once, but for the rare tie
  FLOAT,    // in float32, k in slices that are added up last: as hardware does it
  REDUCED,  // the same, and the slices' sums are rounded to the type of the result
};

struct Matrix {
  uint64_t data;
  Type type;
  int64_t stride;  // from column to column, in elements
  bool transposed;
};

struct Product {
  int64_t m, n, k;
  double alpha, beta;
  Matrix a, b, c;  // c (m, n) = alpha op(a) op(b) + beta c; with beta 0, c is not read
  Rounding rounding;
  Sums sums;
};

int64_t bytes_of(Type type);
void multiply(const Product& product);

}  // namespace weft::emulator
#endif  // WEFT_EMULATOR_GEMM_H
