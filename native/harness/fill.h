// SPDX-License-Identifier: Apache-2.0
#ifndef WEFT_HARNESS_FILL_H
#define WEFT_HARNESS_FILL_H

#include <map>

#include "driver.h"
#include "timed_cases.h"

namespace weft::harness {

// Fills large operands: random numbers are made once on the host, a block of each kind, and
// repeated on the device.
class Filler {
 public:
  explicit Filler(Driver& driver) : driver_(driver) {}
  void fill(const Operand& operand, Address address);

 private:
  struct Block {
    Address address;
    size_t bytes;
  };
  const Block& block(const Operand& operand);

  Driver& driver_;
  std::map<std::pair<Type, Fill>, Block> blocks_;
};

}  // namespace weft::harness
#endif  // WEFT_HARNESS_FILL_H
