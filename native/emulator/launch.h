// SPDX-License-Identifier: Apache-2.0
//
// Modules, functions, and what a launch is checked against.
#ifndef WEFT_EMULATOR_LAUNCH_H
#define WEFT_EMULATOR_LAUNCH_H

#include <map>
#include <string>

#include "driver.h"
#include "kernels.h"

struct CUfunc_st {
  const weft::emulator::Kernel* kernel;
  CUmodule module;
  unsigned dynamic_shared_limit = 48 * 1024;
};

struct CUmod_st {
  CUcontext owner;
  std::map<std::string, CUfunc_st> functions;  // those that were asked for
};

namespace weft::emulator {

extern Registry<CUmodule>& modules;

// What an H100 or H200 allows.
constexpr unsigned MAX_THREADS = 1024, MAX_BLOCK_Z = 64, MAX_GRID_X = 2147483647,
                   MAX_GRID_YZ = 65535, SHARED_BYTES = 48 * 1024, MAX_SHARED_BYTES = 227 * 1024;

// Of a live module, or an error.
CUresult check_function(CUfunction function);

}  // namespace weft::emulator
#endif  // WEFT_EMULATOR_LAUNCH_H
