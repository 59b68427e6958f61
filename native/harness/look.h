// SPDX-License-Identifier: Apache-2.0
//
// Whether a timed call has done its work, as far as that shows without a second implementation.
#ifndef WEFT_HARNESS_LOOK_H
#define WEFT_HARNESS_LOOK_H

#include <string>
#include <vector>

#include "operands.h"

namespace weft::harness {

// Looks at the first of the sets before and after a call worked on it.
class Look {
 public:
  Look(Driver& driver, const Case& one, const Sets& sets);

  // Waits. Throws where an output still is poison or holds what is no number; where a tenth of what
  // the call was to change is as before; or where what is written does not repeat as it must, so
  // that an array is right in its first period and wrong behind it.
  void after() const;

 private:
  std::string first_period(size_t operand) const;
  void changed(size_t operand) const;
  void repeats(size_t operand) const;

  Driver& driver_;
  const Case& case_;
  const Sets& sets_;
  std::vector<std::string> before_;  // the first period of each that is changed in place
};

}  // namespace weft::harness
#endif  // WEFT_HARNESS_LOOK_H
