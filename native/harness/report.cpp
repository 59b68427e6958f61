// SPDX-License-Identifier: Apache-2.0
#include "report.h"

#include <cstdio>
#include <cstring>

namespace weft::harness {

namespace {

constexpr size_t COLUMNS = 100;

std::string format(const char* pattern, double value) {
  char text[64];
  snprintf(text, sizeof text, pattern, value);
  return text;
}

// A figure for people, four digits of it; "-" where there is none.
std::string figure(double value) {
  if (std::isnan(value)) return "-";
  if (value >= 1000) return format("%.0f", value);
  return format(value >= 100 ? "%.1f" : value >= 10 ? "%.2f" : "%.3f", value);
}

std::string small(double value) { return std::isnan(value) ? "-" : format("%.1e", value); }

std::string percent(double share) {
  return std::isnan(share) ? "-" : format("%.0f %%", share * 100);
}

std::string text(const std::string& content) {
  std::string quoted = "\"";
  for (unsigned char c : content) {
    if (c == '"' || c == '\\') {
      quoted += '\\';
      quoted += (char)c;
    } else if (c < 32 || c > 126) {  // what a damaged file holds need not be UTF-8
      char escape[8];
      snprintf(escape, sizeof escape, "\\u%04x", c);
      quoted += escape;
    } else {
      quoted += (char)c;
    }
  }
  return quoted + '"';
}

// A field of an object; JSON has neither NaN nor infinity.
std::string field(const char* name, double value) {
  return std::string(", \"") + name +
         "\": " + (std::isfinite(value) ? format("%.9g", value) : "null");
}

std::string object(const Row& row) {
  std::string line = "{\"part\": " + text(row.part) + ", \"kernel\": " + text(row.kernel) +
                     ", \"variant\": " + text(row.variant) + ", \"size\": " + text(row.size) +
                     ", \"verdict\": " + (row.pass ? "\"PASS\"" : "\"FAIL\"");
  line += ", \"cases\": " + std::to_string(row.cases);
  line += field("error", row.error) + field("allowed", row.allowed);
  if (row.part != "check") line += ", \"repeats\": " + std::to_string(row.repeats);
  if (row.part == "list") {
    line += field("bytes", row.bytes) + field("flops", row.flops);
  }
  if (row.part == "time") {
    line += ", \"sets\": " + std::to_string(row.sets) + ", \"calls\": " + std::to_string(row.calls);
    line += field("us", row.microseconds) + field("us_low", row.low) + field("us_high", row.high) +
            field("bytes", row.bytes) + field("flops", row.flops) +
            field("gb_per_s", row.gigabytes) + field("copy_share", row.share) +
            field("predicted_us", row.predicted) + field("ratio", row.microseconds / row.predicted);
  }
  return line + ", \"message\": " + text(row.message) + "}";
}

// Broken between words; what follows the first line is indented.
void print_folded(const std::string& content) {
  std::string rest = content;
  while (rest.size() > COLUMNS) {
    size_t space = rest.rfind(' ', COLUMNS);
    size_t end = space == std::string::npos || space < 20 ? COLUMNS : space;
    printf("%s\n", rest.substr(0, end).c_str());
    rest = "      " + rest.substr(rest[end] == ' ' ? end + 1 : end);
  }
  printf("%s\n", rest.c_str());
}

const char* verdict(const Row& row) { return row.pass ? "PASS" : "FAIL"; }

using Text = const std::string&;
void print_timed(Text name, Text is, Text error, Text us, Text rate, Text copy, Text predicted,
                 Text ratio) {
  const bool fits = name.size() <= 41;
  if (!fits) printf("%s\n", name.c_str());
  printf("%-41s %-4s %8s %10s %8s %6s %9s %6s\n", fits ? name.c_str() : "", is.c_str(),
         error.c_str(), us.c_str(), rate.c_str(), copy.c_str(), predicted.c_str(), ratio.c_str());
}

}  // namespace

void Report::device(const DeviceFacts& facts) {
  device_ = "{\"name\": " + text(facts.name) + field("driver", facts.driver) +
            field("capability", facts.capability) + field("processors", facts.processors) +
            field("clock_mhz", facts.clock_khz / 1e3) + field("l2_bytes", (double)facts.l2_bytes) +
            field("memory_bytes", (double)facts.memory_bytes) + "}";
}

void Report::say(const std::string& line) {
  print_folded(line);
  fflush(stdout);
}

void Report::begin(const std::string& row) {
  running_ = row;
  write();
}

void Report::heading(const std::string& line) {
  printf("\n%s\n", line.c_str());
  print_timed("kernel", "is", "error", "us", "GB/s", "copy", "predicted", "ratio");
}

void Report::add(Row row) {
  std::string name = row.kernel + (row.variant.empty() ? "" : " " + row.variant);
  if (row.part == "check") {
    checks_[row.kernel] = row;
    printf("%s  %-32s %4d cases, largest error %s of %s\n", verdict(row), name.c_str(), row.cases,
           small(row.error).c_str(), small(row.allowed).c_str());
  } else if (row.part == "list") {
    printf("%-41s %12.4g bytes %12.4g flops\n", name.c_str(), row.bytes, row.flops);
  } else {
    auto checked = checks_.find(row.kernel);
    if (checked != checks_.end()) {
      row.error = checked->second.error;
      row.allowed = checked->second.allowed;
      if (row.pass && !checked->second.pass) {
        row.pass = false;
        row.message = "its cases fail, see above";
      }
    }
    print_timed(name, verdict(row), small(row.error), figure(row.microseconds),
                figure(row.gigabytes), percent(row.share), figure(row.predicted),
                figure(row.microseconds / row.predicted));
  }
  if (!row.pass) {
    std::string size = row.size.empty() ? "" : row.size + ", ";
    failures_.push_back(row.kernel + ": " + size + row.message);
    print_folded("FAIL  " + failures_.back());
  }
  fflush(stdout);
  rows_.push_back(row);
  running_.clear();
  write();
}

void Report::fail(const std::string& message) {
  failures_.push_back(message);
  print_folded("FAIL  " + message);
  fflush(stdout);
  write();
}

int Report::finish() {
  complete_ = true;
  running_.clear();
  write();
  size_t failures = failures_.size();
  printf("%s: %zu rows, %zu failures\n", failures ? "FAIL" : "PASS", rows_.size(), failures);
  fflush(stdout);
  return (int)failures;
}

// Beside the file first: whoever is killed here leaves the file before.
void Report::write() {
  if (json_.empty()) return;
  std::string draft = json_ + ".new";
  FILE* file = fopen(draft.c_str(), "w");
  if (!file) {
    fprintf(stderr, "weft-harness: cannot write %s: %s\n", draft.c_str(), strerror(errno));
    json_.clear();
    failures_.push_back("the JSON file could not be written");
    return;
  }
  fprintf(file, "{\"device\": %s, \"complete\": %s, \"running\": %s,\n\"failures\": [",
          device_.empty() ? "null" : device_.c_str(), complete_ ? "true" : "false",
          text(running_).c_str());
  for (size_t i = 0; i < failures_.size(); i++) {
    fprintf(file, "%s%s", i ? ",\n" : "\n", text(failures_[i]).c_str());
  }
  fprintf(file, "],\n\"rows\": [");
  for (size_t i = 0; i < rows_.size(); i++) {
    fprintf(file, "%s%s", i ? ",\n" : "\n", object(rows_[i]).c_str());
  }
  fprintf(file, "]}\n");
  fclose(file);
  rename(draft.c_str(), json_.c_str());
}

}  // namespace weft::harness
