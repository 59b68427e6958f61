// SPDX-License-Identifier: Apache-2.0
#include "options.h"

#include <unistd.h>

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <map>
#include <stdexcept>

namespace weft::harness {

namespace {

constexpr char HELP[] =
    R"(weft-harness: are Weft's CUDA kernels right, and how fast are they?

  --check           replay the case file: poisoned outputs, every element compared
  --time            time kernels beside copies of the driver (neither option: both)
  --list            say what would be run; needs no device
  --only REGEX      rows whose name contains a match: 'adam', 'relu, 256 MB', 'bf16.*256 KiB'
  --except REGEX    not these rows
  --types LIST      precisions that are timed (f32,bf16); f64 is known, too
  --repeats N       measurements of which the median is printed (9); 1: one call, after the first
  --quick           3 repeats
  --exact           an allocation for each buffer, as large as it: for compute-sanitizer
  --json FILE       all rows, rewritten after each
  --kernels FOLDER  the kernels and their index.txt (kernels/ beside this program)
  --cases FILE      the case file (cases.bin beside this program)
  --driver FILE     the CUDA driver (WEFT_CUDA_DRIVER, else libcuda.so.1)

Exit code: 0 all PASS, 1 a row FAILs, 2 options or files, 3 no device or a device that was lost.
)";

std::string beside(const char* name) {
  char path[4096];
  ssize_t length = readlink("/proc/self/exe", path, sizeof path);
  std::string self(path, length > 0 ? (size_t)length : 0);
  return self.substr(0, self.rfind('/') + 1) + name;
}

double positive(const std::string& text) {
  char* end = nullptr;
  double value = strtod(text.c_str(), &end);
  if (*end || !(value > 0)) throw std::runtime_error("must be positive, is " + text);
  return value;
}

std::string types(const std::string& list) {
  if (!Pattern("^(f32|f64|bf16)(,(f32|f64|bf16))*$").matches(list)) {
    throw std::runtime_error("there are f32, bf16 and f64, with commas between");
  }
  return list;
}

}  // namespace

Pattern::Pattern(const std::string& text)
    : compiled(new regex_t{}, [](regex_t* one) {
        regfree(one);
        delete one;
      }) {
  if (int code = regcomp(compiled.get(), text.c_str(), REG_EXTENDED | REG_NOSUB)) {
    char why[200];
    regerror(code, compiled.get(), why, sizeof why);
    throw std::runtime_error("'" + text + "' is no regular expression: " + why);
  }
}

bool Pattern::matches(const std::string& text) const {
  return regexec(compiled.get(), text.c_str(), 0, nullptr, 0) == 0;
}

bool Options::wants(const std::string& row) const {
  return (!only || only.matches(row)) && !(except && except.matches(row));
}

int parse(int count, char** words, Options& o) {
  bool check = false, time = false;
  const std::map<std::string, std::function<void()>> flags = {
      {"--check", [&] { check = true; }},   {"--time", [&] { time = true; }},
      {"--list", [&] { o.list = true; }},   {"--quick", [&] { o.repeats = 3; }},
      {"--exact", [&] { o.exact = true; }},
  };
  using Text = const std::string&;
  const std::map<std::string, std::function<void(Text)>> values = {
      {"--only", [&](Text text) { o.only = Pattern(text); }},
      {"--except", [&](Text text) { o.except = Pattern(text); }},
      {"--types", [&](Text text) { o.types = types(text); }},
      {"--repeats", [&](Text text) { o.repeats = (int)std::ceil(positive(text)); }},
      {"--json", [&](Text text) { o.json = text; }},
      {"--kernels", [&](Text text) { o.kernels = text; }},
      {"--cases", [&](Text text) { o.cases = text; }},
      {"--driver", [&](Text text) { o.driver = text; }},
  };
  const char* named = getenv("WEFT_CUDA_DRIVER");
  o.driver = named && *named ? named : "libcuda.so.1";
  o.kernels = beside("kernels");
  o.cases = beside("cases.bin");
  for (int i = 1; i < count; i++) {
    std::string word = words[i];
    if (word == "-h" || word == "--help") {
      fputs(HELP, stdout);
      return 0;
    }
    try {
      if (auto flag = flags.find(word); flag != flags.end()) {
        flag->second();
      } else if (auto value = values.find(word); value != values.end() && i + 1 < count) {
        value->second(words[++i]);
      } else {
        throw std::runtime_error(values.count(word) ? "it needs a value"
                                                    : "there is no such option");
      }
    } catch (const std::exception& e) {
      fprintf(stderr, "weft-harness: %s: %s\n", word.c_str(), e.what());
      return 2;
    }
  }
  if (check || time) {
    o.check = check;
    o.time = time;
  }
  return -1;
}

}  // namespace weft::harness
