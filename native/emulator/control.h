// SPDX-License-Identifier: Apache-2.0
//
// How a test steers the emulator. Plain C functions of libcuda.so.1, for Java's foreign function
// interface.
#ifndef WEFT_EMULATOR_CONTROL_H
#define WEFT_EMULATOR_CONTROL_H

#include "driver_api.h"

// The n-th call of its kind from now fails once; 0 takes it back. Kinds: allocations of device
// memory (out of memory), graphs made ready (out of memory), kernel launches and cuBLAS calls
// (launch failed), copies and fills (illegal address). What a graph replays counts one by one.
WEFT_EXPORT void weft_emulator_fail_allocation(int64_t n);
WEFT_EXPORT void weft_emulator_fail_launch(int64_t n);
WEFT_EXPORT void weft_emulator_fail_copy(int64_t n);
WEFT_EXPORT void weft_emulator_fail_instantiation(int64_t n);

// 1: launches, copies, fills, graph launches and cuBLAS calls return at once with success. What
// can be measured then is the host's cost.
WEFT_EXPORT void weft_emulator_do_nothing(int on);

// 1: allocations from now on end where their last page ends, so that a kernel that reads past them
// faults at once; they are aligned to 16 bytes only.
WEFT_EXPORT void weft_emulator_exact(int on);

// 1: blocks and threads run in descending order. A kernel whose result changes lacks a barrier or
// writes one place twice.
WEFT_EXPORT void weft_emulator_reverse(int on);

// 1: what a stream is given runs as late as CUDA allows: when the stream, an event after it or the
// context is waited for. A host buffer that is used again too early, or read too early, then
// shows; so does a missing wait between streams, or for what a plain copy from pageable memory
// (cuMemcpyHtoD) still has on its way when it returns. Errors come from the call that waits. 0 runs
// all that is left.
WEFT_EXPORT void weft_emulator_deferred(int on);

// 1: after an error of a kernel every call that needs the context answers with that error, as a
// real driver does; otherwise the device stays usable.
WEFT_EXPORT void weft_emulator_sticky(int on);

// 1: kernels tell of each access, and one ends with an error that leaves its allocation by as
// little as a byte, reads what nobody has written, or touches what another thread or block may be
// writing at that time. They are contracted to FMA and products are summed in float32, as on a
// GPU, so that numbers are as far from the host's as there. Of allocations made before, only the
// bounds are known. 0 where the checked kernels could not be loaded.
WEFT_EXPORT int weft_emulator_check(int on);

// Device memory there is; 8 GiB at first.
WEFT_EXPORT void weft_emulator_total_memory(int64_t bytes);

WEFT_EXPORT int64_t weft_emulator_live_bytes(void);
WEFT_EXPORT int64_t weft_emulator_live_allocations(void);
WEFT_EXPORT int64_t weft_emulator_live_streams(void);
WEFT_EXPORT int64_t weft_emulator_live_events(void);
WEFT_EXPORT int64_t weft_emulator_live_graphs(void);  // graphs and executable graphs

// What was still there when its context was destroyed, which freed it: device memory; and streams,
// events, graphs and modules.
WEFT_EXPORT int64_t weft_emulator_leaked_allocations(void);
WEFT_EXPORT int64_t weft_emulator_leaked_bytes(void);
WEFT_EXPORT int64_t weft_emulator_leaked_objects(void);

// Kernels and cuBLAS calls that ran, those in a graph counted one by one.
WEFT_EXPORT int64_t weft_emulator_launches(void);

// The last failure as a sentence; the text stays until this thread's next call.
WEFT_EXPORT const char* weft_emulator_last_error(void);

// All switches off, all counters of failures, launches and leaks at 0. Frees nothing.
WEFT_EXPORT void weft_emulator_reset(void);

#endif  // WEFT_EMULATOR_CONTROL_H
