// SPDX-License-Identifier: Apache-2.0
//
// What libweft_cpu.so exports. Plain C; Java calls these through the foreign function interface.
#ifndef WEFT_ABI_LIBRARY_H
#define WEFT_ABI_LIBRARY_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

// One kernel call: its number in weft_abi_table() and its argument struct.
typedef struct weft_record {
  int64_t kernel;
  const void* arguments;
} weft_record;

// The contract as text, one line each, tab-separated, static storage:
//   struct  NAME  BYTES
//   field   STRUCT  NAME  P|I|D  OFFSET
//   enum    TYPE  NAME  VALUE                 (TYPE: activation, unary, binary, reduction; lower case)
//   kernel  NUMBER  SYMBOL  STRUCT  THREADS  ITEMS   (SYMBOL with its _f32 / _f64)
const char* weft_abi_table(void);

// Runs the records in order. Returns 0, or k + 1 where record k failed and the rest did not run;
// weft_error() then says why.
int64_t weft_run(const weft_record* records, int64_t count);

// The same, with the monotonic clock in nanoseconds before each record and after the last:
// count + 1 values.
int64_t weft_run_timed(const weft_record* records, int64_t count, int64_t* nanoseconds);

// The last failure on this thread, as a sentence.
const char* weft_error(void);

// 64-byte aligned memory, 0 when there is none; uninitialised.
void* weft_allocate(int64_t bytes);
void weft_free(void* memory);

// The instruction set chosen at load: "avx512", "avx2" or "baseline". WEFT_MAX_ISA caps it; a value
// that is none of these makes weft_isa() return 0 and weft_error() say so.
const char* weft_isa(void);

// Threads that kernels use from now on; 0 asks only. Returns the number in force.
int64_t weft_threads(int64_t threads);

#ifdef __cplusplus
}
#endif
#endif  // WEFT_ABI_LIBRARY_H
