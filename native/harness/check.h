// SPDX-License-Identifier: Apache-2.0
#ifndef WEFT_HARNESS_CHECK_H
#define WEFT_HARNESS_CHECK_H

#include "cases.h"
#include "driver.h"
#include "options.h"
#include "report.h"

namespace weft::harness {

// Replays the cases, a row for each kernel of the contract: one that has no case fails, as one that
// no module has. Throws DriverError where the device was lost.
void check_kernels(Driver& driver, const CaseFile& file, const Options& options, Report& report);

}  // namespace weft::harness
#endif  // WEFT_HARNESS_CHECK_H
