// SPDX-License-Identifier: Apache-2.0
//
// How a kernel says that it cannot run; weft_run turns it into a return value and weft_error().
#ifndef WEFT_CPU_FAILURE_H
#define WEFT_CPU_FAILURE_H

namespace weft {

struct failure {
  char sentence[256];
};

// Throws failure. Never from inside a parallel region.
[[noreturn]] __attribute__((format(printf, 1, 2))) void fail(const char* format, ...);

}  // namespace weft
#endif  // WEFT_CPU_FAILURE_H
