// SPDX-License-Identifier: Apache-2.0
//
// What libcuda.so.1 and the library of checked kernels have of each other.
#ifndef WEFT_EMULATOR_CHECKED_H
#define WEFT_EMULATOR_CHECKED_H

#include "kernels.h"

// In the library of checked kernels: one of them, and where the memory is that its blocks share.
WEFT_EXPORT const weft::emulator::Kernel* weft_checked_kernel(const char* name);
WEFT_EXPORT void weft_checked_shared_memory(uintptr_t* begin, uintptr_t* end);

// In libcuda.so.1: an access of the running thread; 0 reads, 1 writes, 2 is atomic. pc: where.
WEFT_EXPORT void weft_emulator_access(const void* address, unsigned bytes, unsigned access,
                                      const void* pc);

namespace weft::emulator {

// Loads the library, which lies beside this one. False, with a sentence for
// weft_emulator_last_error, where it cannot be loaded.
bool load_checked_kernels();

// After load_checked_kernels: the kernel of a name that find_kernel knows.
const Kernel& checked_kernel(const char* name);

}  // namespace weft::emulator
#endif  // WEFT_EMULATOR_CHECKED_H
