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

#define WEFT_ENTRY(name, arguments, threads, items) call<weft_##arguments, name>,
#define WEFT_ENTRY_WIDE(name, arguments, threads, items) \
  call<weft_##arguments, name##_f32>, call<weft_##arguments, name##_f64>,
#define WEFT_ENTRY_TYPED(name, arguments, threads, items) \
  WEFT_ENTRY_WIDE(name, arguments, threads, items) call<weft_##arguments, name##_bf16>,
const kernel kernels[] = {WEFT_TYPED_KERNELS(WEFT_ENTRY_TYPED) WEFT_WIDE_KERNELS(
    WEFT_ENTRY_WIDE) WEFT_UNTYPED_KERNELS(WEFT_ENTRY) WEFT_LIBRARY_KERNELS(WEFT_ENTRY_TYPED)};

}  // namespace WEFT_ISA
}  // namespace weft
