// SPDX-License-Identifier: Apache-2.0
//
// The kernels by name: the .cu sources, compiled for the host.
#ifndef WEFT_EMULATOR_KERNELS_H
#define WEFT_EMULATOR_KERNELS_H

#include <vector>

#include "execution.h"

namespace weft::emulator {

struct PointerField {
  const char* name;
  size_t offset;
};

struct Kernel {
  const char* name;
  KernelBody body;
  const char* structure;
  size_t bytes;      // of the argument struct
  unsigned threads;  // the kernel's launch bound
  std::vector<PointerField> pointers;
};

// Null when there is no kernel of this name.
const Kernel* find_kernel(const char* name);

}  // namespace weft::emulator
#endif  // WEFT_EMULATOR_KERNELS_H
