// SPDX-License-Identifier: Apache-2.0
//
// Modules: any image of the right kind will do, since the kernels are in this library.
#include <stdlib.h>
#include <string.h>

#include <sstream>
#include <string>

#include "launch.h"
#include "stream.h"

namespace weft::emulator {

Registry<CUmodule>& modules = *new Registry<CUmodule>;  // never destroyed: threads may outlive main

int64_t drop_modules(CUcontext owner) { return modules.drop(owner); }

// An ELF file or PTX; or 64 zeros, by which a build with no kernels for this chip asks for these.
CUresult check_image(const unsigned char* image) {
  static const unsigned char none[64] = {};
  if (memcmp(image,
             "\x7f"
             "ELF",
             4) == 0 ||
      memcmp(image, "//", 2) == 0 || memcmp(image, none, sizeof none) == 0) {
    return CUDA_SUCCESS;
  }
  return fail(CUDA_ERROR_INVALID_IMAGE, "cuModuleLoadData: neither a cubin nor PTX");
}

CUresult check_function(CUfunction function) {
  for (CUmodule module : modules.live)
    for (auto& entry : module->functions)
      if (&entry.second == function) return CUDA_SUCCESS;
  return fail(CUDA_ERROR_INVALID_HANDLE, "%p is not a function of a live module", (void*)function);
}

// The kernel of a name, unless WEFT_EMULATOR_KERNELS, such as "fill_f32=probe_null,adam_f32=", has
// another stand in for it, or none.
static const Kernel* kernel_or_stand_in(const std::string& name) {
  const char* stand_ins = getenv("WEFT_EMULATOR_KERNELS");
  std::stringstream list(stand_ins ? stand_ins : "");
  for (std::string pair; std::getline(list, pair, ',');) {
    if (pair.compare(0, name.size() + 1, name + "=") != 0) continue;
    return find_kernel(pair.c_str() + name.size() + 1);
  }
  return find_kernel(name.c_str());
}

}  // namespace weft::emulator

using namespace weft::emulator;

WEFT_EXPORT CUresult cuModuleLoadData(CUmodule* module, const void* image) {
  WEFT_ENTER(context);
  if (!module || !image) return fail(CUDA_ERROR_INVALID_VALUE, "cuModuleLoadData: null");
  WEFT_TRY(check_unsafe_call("cuModuleLoadData"));
  WEFT_TRY(check_image((const unsigned char*)image));
  *module = modules.add(new CUmod_st{context, {}});
  return CUDA_SUCCESS;
}

WEFT_EXPORT CUresult cuModuleLoadDataEx(CUmodule* module, const void* image, unsigned, int*,
                                        void**) {
  return cuModuleLoadData(module, image);
}

WEFT_EXPORT CUresult cuModuleLoadFatBinary(CUmodule* module, const void* image) {
  return cuModuleLoadData(module, image);
}

WEFT_EXPORT CUresult cuModuleUnload(CUmodule module) {
  WEFT_ENTER(context);
  if (!modules.has(module)) return fail(CUDA_ERROR_INVALID_HANDLE, "not a live module");
  CUresult result = finish_all(context);
  modules.live.erase(module);
  delete module;
  return result;
}

WEFT_EXPORT CUresult cuModuleGetLoadingMode(int* mode) {
  *mode = 2;  // lazy
  return CUDA_SUCCESS;
}

WEFT_EXPORT CUresult cuModuleGetFunction(CUfunction* function, CUmodule module, const char* name) {
  WEFT_ENTER(context);
  if (!modules.has(module)) return fail(CUDA_ERROR_INVALID_HANDLE, "not a live module");
  if (!function || !name) return fail(CUDA_ERROR_INVALID_VALUE, "cuModuleGetFunction: null");
  const Kernel* kernel = kernel_or_stand_in(name);
  if (!kernel) return fail(CUDA_ERROR_NOT_FOUND, "there is no kernel %s", name);
  *function = &module->functions.try_emplace(name, CUfunc_st{kernel, module}).first->second;
  return CUDA_SUCCESS;
}

WEFT_EXPORT CUresult cuFuncGetModule(CUmodule* module, CUfunction function) {
  WEFT_ENTER(context);
  WEFT_TRY(check_function(function));
  *module = function->module;
  return CUDA_SUCCESS;
}

WEFT_EXPORT CUresult cuFuncGetAttribute(int* value, int attribute, CUfunction function) {
  WEFT_ENTER(context);
  WEFT_TRY(check_function(function));
  switch (attribute) {
    case 0:  // max threads per block
      *value = (int)function->kernel->threads;
      return CUDA_SUCCESS;
    case 4:  // registers
      *value = 32;
      return CUDA_SUCCESS;
    case 5:  // ptx version
    case 6:  // binary version
      *value = 90;
      return CUDA_SUCCESS;
    case 8:  // max dynamic shared memory
      *value = (int)function->dynamic_shared_limit;
      return CUDA_SUCCESS;
    case 1:  // static shared memory
    case 2:  // constant memory
    case 3:  // local memory
    case 7:  // cache mode
      *value = 0;
      return CUDA_SUCCESS;
    default: return fail(CUDA_ERROR_INVALID_VALUE, "function attribute %d", attribute);
  }
}

WEFT_EXPORT CUresult cuFuncSetAttribute(CUfunction function, int attribute, int value) {
  WEFT_ENTER(context);
  WEFT_TRY(check_function(function));
  if (attribute != 8) return CUDA_SUCCESS;
  if (value < 0 || (unsigned)value > MAX_SHARED_BYTES) {
    return fail(CUDA_ERROR_INVALID_VALUE, "%d bytes of dynamic shared memory", value);
  }
  function->dynamic_shared_limit = (unsigned)value;
  return CUDA_SUCCESS;
}

WEFT_EXPORT CUresult cuFuncSetCacheConfig(CUfunction function, int) {
  WEFT_ENTER(context);
  return check_function(function);
}

WEFT_EXPORT CUresult cuOccupancyMaxActiveBlocksPerMultiprocessor(int* blocks, CUfunction function,
                                                                 int threads, size_t) {
  WEFT_ENTER(context);
  WEFT_TRY(check_function(function));
  if (threads <= 0) return fail(CUDA_ERROR_INVALID_VALUE, "a block of %d threads", threads);
  int fit = 2048 / ((threads + 31) / 32 * 32);
  *blocks = (unsigned)threads > function->kernel->threads ? 0 : fit < 32 ? fit : 32;
  return CUDA_SUCCESS;
}
