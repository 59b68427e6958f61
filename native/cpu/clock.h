// SPDX-License-Identifier: Apache-2.0
#ifndef WEFT_CPU_CLOCK_H
#define WEFT_CPU_CLOCK_H

#include <stdint.h>
#include <time.h>

namespace weft {

// Nanoseconds since some time before.
inline int64_t monotonic_time() {
  timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

}  // namespace weft
#endif  // WEFT_CPU_CLOCK_H
