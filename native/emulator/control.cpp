// SPDX-License-Identifier: Apache-2.0
#include "control.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sstream>
#include <string>

#include "checked.h"
#include "driver.h"
#include "graph.h"
#include "memory.h"
#include "stream.h"

namespace weft::emulator {

std::recursive_mutex& driver_mutex = *new std::recursive_mutex;
Controls controls;

namespace {

char last_error[1024];

CUresult keep(CUresult result, const char* format, va_list list, bool aloud) {
  Lock lock(driver_mutex);
  vsnprintf(last_error, sizeof last_error, format, list);
  if (aloud) fprintf(stderr, "weft emulator: %s\n", last_error);
  return result;
}

}  // namespace

CUresult fail(CUresult result, const char* format, ...) {
  va_list list;
  va_start(list, format);
  keep(result, format, list, false);
  va_end(list);
  return result;
}

CUresult report(CUresult result, const char* format, ...) {
  va_list list;
  va_start(list, format);
  keep(result, format, list, true);
  va_end(list);
  return result;
}

CUresult ended(CUresult result) {
  if (controls.sticky && result != CUDA_SUCCESS) controls.lost = result;
  return result;
}

bool switch_from_environment() {
  const char* names = getenv("WEFT_EMULATOR");
  std::stringstream list(names ? names : "");
  for (std::string name; std::getline(list, name, ',');) {
    if (name == "exact") {
      weft_emulator_exact(1);
    } else if (name == "reverse") {
      weft_emulator_reverse(1);
    } else if (name == "deferred") {
      weft_emulator_deferred(1);
    } else if (name == "sticky") {
      weft_emulator_sticky(1);
    } else if (name == "check") {
      if (!weft_emulator_check(1)) return false;
    } else {
      report(CUDA_ERROR_INVALID_VALUE,
             "WEFT_EMULATOR names '%s'; there are exact, reverse, deferred, sticky and check",
             name.c_str());
      return false;
    }
  }
  return true;
}

}  // namespace weft::emulator

using namespace weft::emulator;

void weft_emulator_fail_allocation(int64_t n) { controls.allocation.left = n; }
void weft_emulator_fail_launch(int64_t n) { controls.launch.left = n; }
void weft_emulator_fail_copy(int64_t n) { controls.copy.left = n; }
void weft_emulator_fail_instantiation(int64_t n) { controls.instantiation.left = n; }
void weft_emulator_do_nothing(int on) { controls.do_nothing = on != 0; }
void weft_emulator_exact(int on) { controls.exact = on != 0; }
void weft_emulator_reverse(int on) { controls.reverse = on != 0; }

void weft_emulator_sticky(int on) { controls.sticky = on != 0; }

void weft_emulator_deferred(int on) {
  Lock lock(driver_mutex);
  controls.deferred = on != 0;
  if (!on) finish_all();
}

int weft_emulator_check(int on) {
  Lock lock(driver_mutex);
  controls.checked = on && load_checked_kernels();
  return controls.checked == (on != 0);
}

void weft_emulator_total_memory(int64_t bytes) {
  Lock lock(driver_mutex);
  memory().total = (uint64_t)bytes;
}

int64_t weft_emulator_live_bytes(void) {
  Lock lock(driver_mutex);
  return memory().live_bytes();
}

int64_t weft_emulator_live_allocations(void) {
  Lock lock(driver_mutex);
  return memory().live_allocations();
}

int64_t weft_emulator_live_streams(void) {
  Lock lock(driver_mutex);
  return streams.count();
}

int64_t weft_emulator_live_events(void) {
  Lock lock(driver_mutex);
  return events.count();
}

int64_t weft_emulator_live_graphs(void) {
  Lock lock(driver_mutex);
  return graphs.count() + graph_programs.count();
}

int64_t weft_emulator_leaked_allocations(void) { return controls.leaked_allocations; }
int64_t weft_emulator_leaked_bytes(void) { return controls.leaked_bytes; }
int64_t weft_emulator_leaked_objects(void) { return controls.leaked_objects; }
int64_t weft_emulator_launches(void) { return controls.launches; }

const char* weft_emulator_last_error(void) {
  static thread_local char copy[sizeof last_error];
  Lock lock(driver_mutex);
  memcpy(copy, last_error, sizeof copy);
  return copy;
}

void weft_emulator_reset(void) {
  Lock lock(driver_mutex);
  weft_emulator_deferred(0);
  for (Countdown* c :
       {&controls.allocation, &controls.launch, &controls.copy, &controls.instantiation}) {
    c->left = 0;
  }
  controls.do_nothing = controls.exact = controls.reverse = controls.checked = false;
  controls.sticky = false;
  controls.lost = CUDA_SUCCESS;
  controls.launches = 0;
  controls.leaked_allocations = controls.leaked_bytes = controls.leaked_objects = 0;
  memory().total = Memory().total;
  last_error[0] = 0;
}
