// SPDX-License-Identifier: Apache-2.0
//
// The buffers of a case on the device.
#ifndef WEFT_HARNESS_MEMORY_H
#define WEFT_HARNESS_MEMORY_H

#include "cases.h"
#include "driver.h"

namespace weft::harness {

// They lie in one stretch of memory, with a guard before and behind each; what the case does not
// fill, outputs and guards, is poison. So one copy back shows everything that was written. Or each
// has an allocation of exactly its size, whose ends a sanitizer watches.
class CaseMemory {
 public:
  CaseMemory(Driver& driver, const Case& one, bool exact);
  ~CaseMemory();
  CaseMemory(const CaseMemory&) = delete;
  CaseMemory& operator=(const CaseMemory&) = delete;

  // Queues one of the case's launches. Throws where no module has it.
  void launch(const Launch& launch) const;

  // Waits, and copies back what a launch may have written.
  void fetch();
  // The content of a buffer when it was fetched.
  const char* content(size_t buffer) const { return after_.data() + offsets_[buffer]; }
  // What is wrong with the guards, else empty.
  std::string guards() const;

 private:
  Driver& driver_;
  const Case& case_;
  bool exact_;
  std::vector<size_t> offsets_;  // of the buffers in the stretch
  std::vector<Address> addresses_, taken_;
  std::string before_, after_;  // the whole stretch
};

}  // namespace weft::harness
#endif  // WEFT_HARNESS_MEMORY_H
