// SPDX-License-Identifier: Apache-2.0
//
// The kernels once more, compiled so that each access calls here first: with -fsanitize=thread,
// whose functions these are, in place of the compiler's own. What is found out is in accesses.cpp.
#include "checked.h"

#include <string.h>

// where the linker put static variables, which is where the kernels' shared memory is
extern "C" __attribute__((visibility("hidden"))) char __bss_start, _end;

extern "C" void weft_checked_shared_memory(uintptr_t* begin, uintptr_t* end) {
  *begin = (uintptr_t)&__bss_start;
  *end = (uintptr_t)&_end;
}

extern "C" const weft::emulator::Kernel* weft_checked_kernel(const char* name) {
  return weft::emulator::find_kernel(name);
}

#define WEFT_TOLD extern "C" __attribute__((visibility("hidden"))) void
#define WEFT_HERE __builtin_return_address(0)

#define WEFT_ACCESS(bytes)                                                                       \
  WEFT_TOLD __tsan_read##bytes(void* p) { weft_emulator_access(p, bytes, 0, WEFT_HERE); }         \
  WEFT_TOLD __tsan_write##bytes(void* p) { weft_emulator_access(p, bytes, 1, WEFT_HERE); }        \
  WEFT_TOLD __tsan_unaligned_read##bytes(void* p) {                                              \
    weft_emulator_access(p, bytes, 0, WEFT_HERE);                                                \
  }                                                                                              \
  WEFT_TOLD __tsan_unaligned_write##bytes(void* p) {                                             \
    weft_emulator_access(p, bytes, 1, WEFT_HERE);                                                \
  }
WEFT_ACCESS(1)
WEFT_ACCESS(2)
WEFT_ACCESS(4)
WEFT_ACCESS(8)
WEFT_ACCESS(16)

WEFT_TOLD __tsan_read_range(void* p, size_t bytes) {
  weft_emulator_access(p, (unsigned)bytes, 0, WEFT_HERE);
}
WEFT_TOLD __tsan_write_range(void* p, size_t bytes) {
  weft_emulator_access(p, (unsigned)bytes, 1, WEFT_HERE);
}

// Atomics of the device are a read and a write that are told of as atomic; see device/threads.h.
#define WEFT_ATOMIC_ACCESS(bits, T)                                                              \
  extern "C" __attribute__((visibility("hidden"))) T __tsan_atomic##bits##_load(const T* p, int) { \
    weft_emulator_access(p, bits / 8, 2, WEFT_HERE);                                             \
    return *p;                                                                                   \
  }                                                                                              \
  WEFT_TOLD __tsan_atomic##bits##_store(T* p, T value, int) { *p = value; }
WEFT_ATOMIC_ACCESS(8, uint8_t)
WEFT_ATOMIC_ACCESS(16, uint16_t)
WEFT_ATOMIC_ACCESS(32, uint32_t)
WEFT_ATOMIC_ACCESS(64, uint64_t)

WEFT_TOLD __tsan_init() {}
WEFT_TOLD __tsan_func_entry(void*) {}
WEFT_TOLD __tsan_func_exit() {}
