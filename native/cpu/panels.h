// SPDX-License-Identifier: Apache-2.0
//
// How the operands of a product lie that are made anew before it: once, instead of within the
// product by every thread for itself.
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

// A matrix (rows, cols) that is copied from one type and row stride to another.
struct conversion {
  const void* from;
  int64_t from_stride;
  void* to;
  int64_t to_stride, rows, cols;
};

// How one instruction set lays operands out.
struct packer {
  void (*panels_f32)(const panels& p);
  void (*panels_bf16)(const panels& p);  // rounds to bf16
  void (*to_bf16)(const conversion& c);  // from floats
  void (*to_f32)(const conversion& c);   // from bf16
};

// oneDNN, which does its own dispatch
void gemm_f32(const weft_gemm& a, const packer& pack);
void gemm_bf16(const weft_gemm& a, const packer& pack);

}  // namespace weft
#endif  // WEFT_CPU_PANELS_H
