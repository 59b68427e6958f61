// SPDX-License-Identifier: Apache-2.0
//
// What the emulated cuBLAS needs of the emulated driver. Exported by libcuda.so.1, for it alone.
#ifndef WEFT_EMULATOR_INTEROP_H
#define WEFT_EMULATOR_INTEROP_H

#include "driver_api.h"

// Runs run(data) as a kernel of the library: on the stream, so that it is captured where that is
// being captured, counted as a launch, and failing where a test asks for it. data is copied.
WEFT_EXPORT CUresult weft_emulator_submit(const char* name, CUstream stream,
                                          CUresult (*run)(const void* data), const void* data,
                                          size_t bytes);

// [address, address + bytes) must be device memory.
WEFT_EXPORT CUresult weft_emulator_check_range(const char* what, uint64_t address, uint64_t bytes);

// Where accesses are looked at: the bytes must have been written by somebody; they were.
WEFT_EXPORT CUresult weft_emulator_check_written(const char* what, uint64_t address,
                                                 uint64_t bytes);
WEFT_EXPORT void weft_emulator_note_written(uint64_t address, uint64_t bytes);

// Whether this thread has a current context.
WEFT_EXPORT CUresult weft_emulator_check_context(void);

// Keeps a sentence for weft_emulator_last_error.
WEFT_EXPORT void weft_emulator_explain(const char* sentence);

WEFT_EXPORT int weft_emulator_does_nothing(void);

// Whether a stream is being captured.
WEFT_EXPORT int weft_emulator_captures(CUstream stream);

// Whether accesses are looked at.
WEFT_EXPORT int weft_emulator_checks(void);

#endif  // WEFT_EMULATOR_INTEROP_H
