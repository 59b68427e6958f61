// SPDX-License-Identifier: Apache-2.0
#ifndef WEFT_HARNESS_OPTIONS_H
#define WEFT_HARNESS_OPTIONS_H

#include <regex>
#include <string>

namespace weft::harness {

struct Options {
  bool check = true, time = true, list = false, exact = false;
  std::regex only{""}, except{"$^"};  // of the names of rows; the latter matches nothing
  int repeats = 9;
  double megabytes = 256;
  std::string types = "f32,bf16";
  std::string driver, kernels, cases, json;

  // not inline: each file that compiles a use of std::regex takes seconds for it
  Options();
  bool wants(const std::string& row) const;
};

// Returns -1 where the program goes on, else its exit code.
int parse(int count, char** words, Options& options);

}  // namespace weft::harness
#endif  // WEFT_HARNESS_OPTIONS_H
