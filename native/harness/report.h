// SPDX-License-Identifier: Apache-2.0
//
// Rows of results: printed as they come, and kept in a JSON file that is complete at every moment.
#ifndef WEFT_HARNESS_REPORT_H
#define WEFT_HARNESS_REPORT_H

#include <cmath>
#include <map>
#include <string>
#include <vector>

#include "driver.h"

namespace weft::harness {

struct Row {
  std::string part;     // check, time
  std::string kernel;   // its symbol
  std::string variant;  // "relu", "32000 classes"
  std::string size;     // "256 MB"
  bool pass = true;
  std::string message;  // why not
  int cases = 0;
  double error = NAN, allowed = NAN;  // the largest, as a share of a number or of 1
  double microseconds = NAN, low = NAN, high = NAN;
  int sets = 1;         // of operands, in turn
  int calls = 0;        // of a measurement, or in a graph
  int64_t repeats = 0;  // how many periods of outputs are compared with their first ones
  double bytes = NAN, flops = NAN;
  double gigabytes = NAN;  // a second
  double share = NAN;      // of a copy's
  double predicted = NAN;  // microseconds that bytes and flops take
};

class Report {
 public:
  explicit Report(std::string json) : json_(std::move(json)) {}

  void device(const DeviceFacts& facts);
  // A line of its own.
  void say(const std::string& line);
  // Which row is being made, for a file that is read after the program was killed.
  void begin(const std::string& row);
  // A timed row repeats what its kernel's check has found.
  void add(Row row);
  // Of timed rows: what follows, and the names of columns.
  void heading(const std::string& line);
  // Something that is no row's: the file or the device.
  void fail(const std::string& message);
  // Whether there is neither a row nor a failure.
  bool is_empty() const { return rows_.empty() && failures_.empty(); }
  // The last line. Returns the number of failures.
  int finish();

 private:
  void write();

  std::string json_, device_, running_;
  std::vector<Row> rows_;
  std::map<std::string, Row> checks_;
  std::vector<std::string> failures_;
  bool complete_ = false;
};

}  // namespace weft::harness
#endif  // WEFT_HARNESS_REPORT_H
