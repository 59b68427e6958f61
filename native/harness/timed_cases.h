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

// What is drawn on the host, at most, and repeated on the device.
constexpr size_t BLOCK_BYTES = 16 << 20;

// What an operand holds before it is worked on.
enum class Fill {
  POISON,
  SIGNED,    // numbers in [-1, 1)
  POSITIVE,  // numbers in [0.1, 1)
  BYTES,     // any
  LABELS,    // int32, less than bound
  ORDER,     // int32, every number less than the count once, by period the same ones modulo it
  STATE,     // a weft_step_state
};

struct Operand {
  std::string name;
  Type type;
  Role role;
  Fill fill;
  int64_t count, bound;
  // It is so many lines, of each of which so many elements repeat with a period: what it holds
  // before, and an output where the call is right. 0: it does not repeat.
  int64_t period = 0, repeated = 0, lines = 1;

  uint64_t bytes() const { return (uint64_t)count * size_of(type); }
  bool is_written() const { return role == Role::OUTPUT || role == Role::INOUT; }
  // How often the first period must come again in what is written.
  int64_t repeats() const {
    return is_written() && period ? (repeated + period - 1) / period - 1 : 0;
  }
};

struct TimedCase {
  std::string kernel, variant;
  Launch launch;
  std::vector<Operand> operands;
  double flops = 0;
  bool small = false;  // only there: no large operands

  // Every operand once, those that are read and written twice; the state is not counted.
  double bytes() const;
  // Of all its operands.
  int64_t repeats() const;
};

// The calls over matrices (rows, cols) of about so many bytes; type: f32, f64 or bf16.
std::vector<TimedCase> timed_cases(const std::string& type, double operand_bytes);

}  // namespace weft::harness
#endif  // WEFT_HARNESS_TIMED_CASES_H
