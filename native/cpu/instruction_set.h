// SPDX-License-Identifier: Apache-2.0
//
// Which copy of the kernels this machine runs.
#ifndef WEFT_CPU_INSTRUCTION_SET_H
#define WEFT_CPU_INSTRUCTION_SET_H

namespace weft {

struct instruction_set {
  const char* name;                               // where kernels is 0, the reason as a sentence
  void (*const* kernels)(const void* arguments);  // in the order of weft_abi_table()
};

// The best set that this processor has and WEFT_MAX_ISA allows; settled at the first call.
const instruction_set& chosen_set();

}  // namespace weft
#endif  // WEFT_CPU_INSTRUCTION_SET_H
