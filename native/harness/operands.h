// SPDX-License-Identifier: Apache-2.0
//
// Large operands on the device.
#ifndef WEFT_HARNESS_OPERANDS_H
#define WEFT_HARNESS_OPERANDS_H

#include <map>

#include "cases.h"
#include "driver.h"

namespace weft::harness {

// One stretch of memory that all timed cases use in turn, and blocks of random numbers that were
// made once on the host and are repeated on the device, anew with each period of an operand.
class Pool {
 public:
  explicit Pool(Driver& driver) : driver_(driver) {}
  ~Pool();
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;

  // Bytes that reserve may ask for.
  size_t room();
  // At least so many; what was reserved before is gone.
  Address reserve(size_t bytes);
  void fill(const Buffer& operand, Address address);

 private:
  Address block(const Buffer& operand);

  Driver& driver_;
  Address base_ = 0;
  size_t reserved_ = 0;
  std::map<std::pair<Type, Fill>, Address> blocks_;
};

// The operands of one case that are made here, several times over, and the argument structs that name them.
class Sets {
 public:
  Sets(Pool& pool, const Case& one, int count);

  int count() const { return (int)addresses_.size(); }
  const void* arguments(int call) const { return arguments_[place(call)].data(); }
  Address address(int call, size_t operand) const { return addresses_[place(call)][operand]; }

 private:
  size_t place(int call) const { return (size_t)call % addresses_.size(); }

  std::vector<std::vector<Address>> addresses_;   // by set, by operand
  std::vector<std::vector<uint64_t>> arguments_;  // by set
};

// Bytes that a set takes.
size_t set_bytes(const Case& one);

}  // namespace weft::harness
#endif  // WEFT_HARNESS_OPERANDS_H
