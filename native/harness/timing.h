// SPDX-License-Identifier: Apache-2.0
#ifndef WEFT_HARNESS_TIMING_H
#define WEFT_HARNESS_TIMING_H

#include "cases.h"
#include "driver.h"
#include "options.h"
#include "report.h"

namespace weft::harness {

// Times every kernel over large operands, of which no call finds one in the cache, and in a graph
// over small ones; those whose operands only a case file has, in a graph alone. Throws DriverError
// where the device was lost.
void time_kernels(Driver& driver, const CaseFile& file, const Options& options, Report& report);

// A row for everything that would be timed; needs no device.
void list_timed(const CaseFile& file, const Options& options, Report& report);

}  // namespace weft::harness
#endif  // WEFT_HARNESS_TIMING_H
