// SPDX-License-Identifier: Apache-2.0
//
// The layout in which oneDNN reads the right operand of a product: laid out once beforehand, instead
// of within the product by every thread for itself.
#ifndef WEFT_CPU_PANELS_H
#define WEFT_CPU_PANELS_H

#include <stdint.h>

#include "../abi/kernels.h"

namespace weft {

// A matrix (rows, cols) in panels of `width` columns; rows and columns beyond the matrix are zeros.
// float: element (r, c) at (c / width * depth + r) * width + c % width. bf16: two rows lie next to
// each other, element (r, c) at ((c / width * depth / 2 + r / 2) * width + c % width) * 2 + r % 2.
struct panels {
  const float* from;
  int64_t rows, cols, stride;
  void* to;
  int64_t width;  // a multiple of 16
  int64_t depth;  // rows with those of zeros: a multiple of 16, of bf16 one of 32
};

// How one instruction set lays a matrix out.
struct packer {
  void (*f32)(const panels& p);
  void (*bf16)(const panels& p);  // rounds to bf16
};

// oneDNN, which does its own dispatch
void gemm_f32(const weft_gemm& a, const packer& pack);
void gemm_bf16(const weft_gemm& a, const packer& pack);

}  // namespace weft
#endif  // WEFT_CPU_PANELS_H
