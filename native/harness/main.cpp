// SPDX-License-Identifier: Apache-2.0
//
// weft-harness: are the CUDA kernels right, and how fast are they?
#include <cstdio>

#include "check.h"
#include "contract.h"
#include "images.h"
#include "timing.h"

using namespace weft::harness;

namespace {

CaseFile cases(const Options& options, Report& report) {
  try {
    return read_cases(read_file(options.cases));
  } catch (const std::runtime_error& e) {
    report.fail(e.what());  // timing needs it the least
    return {};
  }
}

void say_device(const DeviceFacts& device, Report& report) {
  report.device(device);
  char line[400];
  snprintf(line, sizeof line,
           "%s, sm_%d, driver for CUDA %d.%d, %d SMs, %d MHz, L2 %zu MiB, %.0f GB",
           device.name.c_str(), device.capability, device.driver / 1000, device.driver % 1000 / 10,
           device.processors, device.clock_khz / 1000, device.l2_bytes >> 20,
           (double)device.memory_bytes / 1e9);
  report.say(line);
}

void run(const Options& options, Report& report) {
  std::string left_out;
  for (const std::string& name : library_kernels()) left_out += " " + name;
  CaseFile file = cases(options, report);
  if (options.list) {
    list_timed(file, options, report);
    return;
  }
  Driver driver(options.driver);
  say_device(driver.device(), report);
  report.say("left out, since no code of ours runs them on a GPU:" + left_out);
  for (const std::string& file : kernel_files(options.kernels, driver.device().capability)) {
    driver.load(read_file(file));
  }
  if (options.check) check_kernels(driver, file, options, report);
  if (options.time) time_kernels(driver, file, options, report);
}

}  // namespace

int main(int count, char** words) {
  Options options;
  if (int code = parse(count, words, options); code >= 0) return code;
  Report report(options.json);
  int code = 0;
  try {
    run(options, report);
  } catch (const DriverError& e) {
    report.fail(e.what());
    code = 3;
  } catch (const std::exception& e) {
    report.fail(e.what());
    code = 2;
  }
  if (code == 0 && report.is_empty()) {
    report.fail("no row is left: none contains a match of --only and no match of --except");
    code = 2;
  }
  int failures = report.finish();
  return code ? code : failures ? 1 : 0;
}
