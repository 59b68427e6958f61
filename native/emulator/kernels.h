// SPDX-License-Identifier: Apache-2.0
//
// The kernels by name: the .cu sources, compiled for the host.
#ifndef WEFT_EMULATOR_KERNELS_H
#define WEFT_EMULATOR_KERNELS_H

#include <vector>

#include "execution.h"

namespace weft::emulator {

// A pointer in an argument struct, with what the contract says of it.
struct Operand {
  const char* name;
  CUdeviceptr address;
  uint64_t bytes;  // 0 where the contract does not tell
  bool races;      // threads may meet there
};

struct Kernel {
  const char* name;
  KernelBody body;
  const char* structure;
  size_t bytes;      // of the argument struct
  unsigned threads;  // the kernel's launch bound
  unsigned items;    // of work in a block; 0: any number of blocks
  int64_t (*work)(const void* arguments);
  std::vector<Operand> (*operands)(const void* arguments);
};

// Null when there is no kernel of this name.
const Kernel* find_kernel(const char* name);

}  // namespace weft::emulator
#endif  // WEFT_EMULATOR_KERNELS_H
