// SPDX-License-Identifier: Apache-2.0
#include <cstdio>

#include "check.h"
#include "contract.h"
#include "timed_cases.h"
#include "timing.h"

using namespace weft::harness;

namespace {

std::string joined(const std::vector<std::string>& words) {
  std::string line;
  for (const std::string& word : words) line += (line.empty() ? "" : ", ") + word;
  return line;
}

void run(Driver& driver, const Options& options, Report& report) {
  const DeviceFacts& device = driver.device();
  report.device(device);
  char line[200];
  snprintf(line, sizeof line, "%s, sm_%d, driver for CUDA %d.%d, %d SMs, %d MHz, L2 %zu MB, %.0f GB",
           device.name.c_str(), device.capability, device.driver / 1000, device.driver % 1000 / 10,
           device.processors, device.clock_khz / 1000, device.l2_bytes >> 20,
           (double)device.memory_bytes / 1e9);
  report.say(line);
  driver.load(read_file(options.kernels));
  report.say("left out: " + joined(library_kernels()) + ", which a library has");
  if (options.check) check(driver, read_cases(read_file(options.cases)), options, report);
  if (options.time) time(driver, options, report);
}

}  // namespace

int main(int count, char** words) {
  Options options;
  if (int code = parse(count, words, options); code >= 0) return code;
  Report report(options.json);
  int code = 0;
  try {
    Driver driver(options.driver);
    try {
      run(driver, options, report);
    } catch (const DriverError& e) {
      report.fail(e.what());
      code = 3;
    }
  } catch (const DriverError& e) {
    report.fail(e.what());
    code = 3;
  } catch (const std::exception& e) {
    report.fail(e.what());
    code = 2;
  }
  int failures = report.finish();
  return code ? code : failures ? 1 : 0;
}
