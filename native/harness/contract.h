// SPDX-License-Identifier: Apache-2.0
//
// The kernels of native/abi/kernels.h as a table: every symbol that the modules must have.
#ifndef WEFT_HARNESS_CONTRACT_H
#define WEFT_HARNESS_CONTRACT_H

#include <string>
#include <vector>

#include "../abi/kernels.h"

namespace weft::harness {

struct Kernel {
  std::string symbol;
  unsigned threads, items;  // of a block
};

inline const std::vector<Kernel>& kernels() {
#define WEFT_ROW(name, arguments, threads, items) {#name, threads, items},
#define WEFT_ROW_WIDE(name, arguments, threads, items) \
  {#name "_f32", threads, items}, {#name "_f64", threads, items},
#define WEFT_ROW_TYPED(name, arguments, threads, items) \
  WEFT_ROW_WIDE(name, arguments, threads, items){#name "_bf16", threads, items},
  static const std::vector<Kernel> all = {WEFT_TYPED_KERNELS(WEFT_ROW_TYPED) WEFT_WIDE_KERNELS(
      WEFT_ROW_WIDE) WEFT_UNTYPED_KERNELS(WEFT_ROW)};
#undef WEFT_ROW_TYPED
#undef WEFT_ROW_WIDE
#undef WEFT_ROW
  return all;
}

inline bool is_kernel(const std::string& symbol) {
  for (const Kernel& kernel : kernels()) {
    if (kernel.symbol == symbol) return true;
  }
  return false;
}

// Those that a library has: no symbol in a module, no case here.
inline const std::vector<std::string>& library_kernels() {
#define WEFT_ROW(name, ...) #name,
  static const std::vector<std::string> all = {WEFT_LIBRARY_KERNELS(WEFT_ROW)};
#undef WEFT_ROW
  return all;
}

}  // namespace weft::harness
#endif  // WEFT_HARNESS_CONTRACT_H
