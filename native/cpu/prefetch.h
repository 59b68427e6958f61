// SPDX-License-Identifier: Apache-2.0
//
// Rows asked for ahead of their turn: those that lie anywhere, where no processor guesses them, and
// those whose time comes after much arithmetic. They may lie beyond what there is.
#ifndef WEFT_CPU_PREFETCH_H
#define WEFT_CPU_PREFETCH_H

#include "kernel.h"

namespace weft {
namespace WEFT_ISA {
namespace {

// How many rows ahead.
constexpr int64_t rows_ahead = 8;

template <typename T>
WEFT_MATH void prefetch_row(const T* row, int64_t cols) {
  constexpr int64_t line = 64, most = 1024;
  int64_t bytes = smaller(most, cols * (int64_t)sizeof(T));
  for (int64_t b = 0; b < bytes; b += line) __builtin_prefetch((const char*)row + b);
}

}  // namespace
}  // namespace WEFT_ISA
}  // namespace weft
#endif  // WEFT_CPU_PREFETCH_H
