// SPDX-License-Identifier: Apache-2.0
//
// Runs a kernel: blocks in turn, the threads of a block as fibers. A thread is a plain call until
// it meets a barrier or a warp collective, and only then do other threads run. One launch at a
// time.
#ifndef WEFT_EMULATOR_EXECUTION_H
#define WEFT_EMULATOR_EXECUTION_H

#include <string>

#include "accesses.h"
#include "driver_api.h"

namespace weft::emulator {

struct Size3 {
  unsigned x, y, z;
  uint64_t volume() const { return (uint64_t)x * y * z; }
};

using KernelBody = void (*)(const void* arguments);

// Runs it to its end. Threads run in ascending order, or in descending order when reverse is true.
// On failure why is a sentence that names the kernel, the block and the thread.
CUresult execute(const char* kernel, KernelBody body, const void* arguments, Size3 grid,
                 Size3 block, bool reverse, std::string* why);

// For what looks at accesses: ends the launch of the running thread with a sentence that names it;
// and who that thread is, and when.
[[noreturn]] void fail_kernel(CUresult result, const char* format, ...)
    __attribute__((format(printf, 2, 3)));
Touch running_touch();

}  // namespace weft::emulator
#endif  // WEFT_EMULATOR_EXECUTION_H
