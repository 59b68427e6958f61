// SPDX-License-Identifier: Apache-2.0
#ifndef WEFT_HARNESS_OPTIONS_H
#define WEFT_HARNESS_OPTIONS_H

#include <regex.h>

#include <memory>
#include <string>

namespace weft::harness {

// A regular expression of POSIX (std::regex takes 10 s to compile), or none.
class Pattern {
 public:
  Pattern() = default;
  explicit Pattern(const std::string& text);  // throws where it is no regular expression
  explicit operator bool() const { return (bool)compiled; }
  bool matches(const std::string& text) const;

 private:
  std::shared_ptr<regex_t> compiled;
};

struct Options {
  bool check = true, time = true, list = false, exact = false;
  Pattern only, except;  // of the names of rows
  int repeats = 9;
  std::string types = "f32,bf16";
  std::string driver, kernels, cases, json;

  bool wants(const std::string& row) const;
};

// Returns -1 where the program goes on, else its exit code.
int parse(int count, char** words, Options& options);

}  // namespace weft::harness
#endif  // WEFT_HARNESS_OPTIONS_H
