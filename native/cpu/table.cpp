// SPDX-License-Identifier: Apache-2.0
//
// The kernels of one instruction set behind one signature, in the order of weft_abi_table().
#include "kernel.h"

namespace weft {
namespace WEFT_ISA {
namespace {

template <typename A, void (*F)(const A&)>
void call(const void* arguments) {
  F(*static_cast<const A*>(arguments));
}

}  // namespace

#define WEFT_SYMBOL(symbol, name, arguments, ...) call<weft_##arguments, symbol>,
const kernel kernels[] = {WEFT_KERNELS(WEFT_EACH_SYMBOL)};

}  // namespace WEFT_ISA
}  // namespace weft
