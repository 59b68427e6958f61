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

// What the runs of one program have shown, so that the next one uses as many threads as are fastest.
// All zero at first; for one thread at a time.
#define WEFT_PACE_LEVELS 11
typedef struct weft_pace {
  int64_t runs, threads;  // so far, and the threads of each run added up
  int64_t limit;          // of threads; at level l the program has limit >> l, at least one
  int64_t shares;         // whether it ever used more than one
  int64_t level, trial;   // chosen, and of the next run
  int64_t chosen;         // when the level was
  int64_t pause, next_trial, turn;
  int64_t phase_time;
  double phase_work;
  double times[WEFT_PACE_LEVELS];  // nanoseconds for a unit of work, at each level; 0 where unknown
} weft_pace;

// The contract as text, one line each, tab-separated, static storage:
//   struct  NAME  BYTES
//   field   STRUCT  NAME  P|I|D  OFFSET
//   enum    TYPE  NAME  VALUE                 (TYPE: activation, unary, binary, reduction; lower case)
//   kernel  NUMBER  SYMBOL  STRUCT  THREADS  ITEMS   (SYMBOL with its _f32 / _f64)
const char* weft_abi_table(void);

// Runs the records in order, on at most so many threads, the calling one among them, and on fewer
// where `pace` knows that to be faster; work: how much it is, where the records are not always the
// same. pace may be null. Returns 0, or k + 1 where record k failed and the rest did not run;
// weft_error() then says why.
int64_t weft_run(const weft_record* records, int64_t count, int64_t threads, weft_pace* pace,
                 double work);

// The same, with the monotonic clock in nanoseconds before each record and after the last:
// count + 1 values.
int64_t weft_run_timed(const weft_record* records, int64_t count, int64_t threads, weft_pace* pace,
                       int64_t* nanoseconds);

// The last failure on this thread, as a sentence.
const char* weft_error(void);

// 64-byte aligned memory, 0 when there is none; uninitialised.
void* weft_allocate(int64_t bytes);
void weft_free(void* memory);

// The instruction set chosen at load: "avx512", "avx2" or "baseline". WEFT_MAX_ISA caps it; a value
// that is none of these makes weft_isa() return 0 and weft_error() say so.
const char* weft_isa(void);

// Whoever runs records opens the threads before, and closes them: with the last they end.
void weft_open(void);
void weft_close(void);

// For tests: every loop on all threads that it may have, and a nap of a length drawn from this seed
// before each of its blocks; 0 ends it.
void weft_disturb(int64_t seed);

#ifdef __cplusplus
}
#endif
#endif  // WEFT_ABI_LIBRARY_H
