// SPDX-License-Identifier: Apache-2.0
//
// Hardware faults inside a kernel. The JVM lives by SIGSEGV too: a fault anywhere else goes on to
// the handler that was there before.
#ifndef WEFT_EMULATOR_FAULT_H
#define WEFT_EMULATOR_FAULT_H

#include "driver_api.h"

namespace weft::emulator {

// Called on the faulting stack; must not return.
using FaultAction = void (*)(CUresult result, const void* address);

// From now until release_faults a fault of this OS thread belongs to the kernel it runs.
void catch_faults(FaultAction action);
void release_faults();

}  // namespace weft::emulator
#endif  // WEFT_EMULATOR_FAULT_H
