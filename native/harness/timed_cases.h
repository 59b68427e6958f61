// SPDX-License-Identifier: Apache-2.0
//
// The calls that are timed: each kernel, and each of its operations that costs something else, over
// operands of any size that are made when it runs.
#ifndef WEFT_HARNESS_TIMED_CASES_H
#define WEFT_HARNESS_TIMED_CASES_H

#include <string>
#include <vector>

#include "cases.h"

namespace weft::harness {

// What an operand holds before it is worked on.
enum class Fill {
  POISON,
  SIGNED,    // numbers in [-1, 1)
  POSITIVE,  // numbers in [0.1, 1)
  BYTES,     // any
  LABELS,    // int32, less than bound
  ORDER,     // int32, every number less than the count once
  STATE,     // a weft_step_state, with a rate that leaves values where they are
};

struct Operand {
  std::string name;
  Type type;
  Role role;
  Fill fill;
  int64_t count, bound;

  uint64_t bytes() const { return (uint64_t)count * size_of(type); }
};

struct TimedCase {
  std::string kernel, variant;
  Launch launch;
  std::vector<Operand> operands;
  double flops = 0;
  bool small = false;  // only there: no large operands

  // Every operand once, those that are read and written twice; the state is not counted.
  double bytes() const;
};

// The calls over matrices (rows, cols) of about so many bytes; type: f32, f64 or bf16.
std::vector<TimedCase> timed_cases(const std::string& type, double operand_bytes);

}  // namespace weft::harness
#endif  // WEFT_HARNESS_TIMED_CASES_H
