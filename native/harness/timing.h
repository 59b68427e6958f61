// SPDX-License-Identifier: Apache-2.0
#ifndef WEFT_HARNESS_TIMING_H
#define WEFT_HARNESS_TIMING_H

#include "driver.h"
#include "options.h"
#include "report.h"

namespace weft::harness {

// Times every kernel over large operands, of which no call finds one in the cache, and in a graph
// over small ones. Throws DriverError where the device was lost.
void time(Driver& driver, const Options& options, Report& report);

}  // namespace weft::harness
#endif  // WEFT_HARNESS_TIMING_H
