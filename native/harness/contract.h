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
#define WEFT_SYMBOL(symbol, name, arguments, threads, items, ...) \
  if (threads > 0) table.push_back({#symbol, threads, items});
  static const std::vector<Kernel> all = [] {
    std::vector<Kernel> table;
    WEFT_KERNELS(WEFT_EACH_SYMBOL)
    return table;
  }();
#undef WEFT_SYMBOL
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
#define WEFT_ROW(kind, name, arguments, threads, ...) \
  if (threads == 0) names.push_back(#name);
  static const std::vector<std::string> all = [] {
    std::vector<std::string> names;
    WEFT_KERNELS(WEFT_ROW)
    return names;
  }();
#undef WEFT_ROW
  return all;
}

}  // namespace weft::harness
#endif  // WEFT_HARNESS_CONTRACT_H
