// SPDX-License-Identifier: Apache-2.0
//
// The driver and its one device. It answers as an H200 would, but for its name.
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "driver.h"
#include "launch.h"
#include "memory.h"

namespace weft::emulator {

namespace {

constexpr const char* NAME = "Weft emulator (not a GPU)";

struct Attribute {
  int number, value;
};
constexpr Attribute ATTRIBUTES[] = {
    {1, MAX_THREADS},        // max threads per block
    {2, MAX_THREADS},        // max block x
    {3, MAX_THREADS},        // max block y
    {4, MAX_BLOCK_Z},        // max block z
    {5, MAX_GRID_X},         // max grid x
    {6, MAX_GRID_YZ},        // max grid y
    {7, MAX_GRID_YZ},        // max grid z
    {8, SHARED_BYTES},       // shared memory per block
    {9, 65536},              // constant memory
    {10, 32},                // warp size
    {12, 65536},             // registers per block
    {13, 1980000},           // clock, kHz
    {14, 512},               // texture alignment
    {15, 1},                 // copies overlap kernels
    {16, 132},               // multiprocessors
    {17, 0},                 // kernel timeout
    {18, 0},                 // integrated
    {19, 1},                 // can map host memory
    {20, 0},                 // compute mode
    {31, 1},                 // concurrent kernels
    {32, 1},                 // ECC
    {33, 0},                 // PCI bus
    {34, 0},                 // PCI device
    {35, 0},                 // TCC
    {36, 3201000},           // memory clock, kHz
    {37, 6144},              // memory bus, bits
    {38, 62914560},          // L2 cache
    {39, 2048},              // threads per multiprocessor
    {40, 3},                 // copy engines
    {41, 1},                 // unified addressing
    {50, 0},                 // PCI domain
    {75, 9},                 // compute capability, major
    {76, 0},                 // compute capability, minor
    {78, 1},                 // stream priorities
    {81, 233472},            // shared memory per multiprocessor
    {82, 65536},             // registers per multiprocessor
    {83, 0},                 // managed memory
    {95, 0},                 // cooperative launch
    {97, MAX_SHARED_BYTES},  // shared memory per block, opt-in
    {106, 32},               // blocks per multiprocessor
    {111, 1024},             // reserved shared memory per block
    {115, 1},                // cuMemAllocAsync
};

}  // namespace
}  // namespace weft::emulator

using namespace weft::emulator;

WEFT_EXPORT CUresult cuInit(unsigned flags) {
  if (flags) return fail(CUDA_ERROR_INVALID_VALUE, "cuInit: flags %u", flags);
  if (!initialised && !switch_from_environment()) return CUDA_ERROR_INVALID_VALUE;
  initialised = true;
  return CUDA_SUCCESS;
}

WEFT_EXPORT CUresult cuDriverGetVersion(int* version) {
  *version = 13000;
  return CUDA_SUCCESS;
}

WEFT_EXPORT CUresult cuDeviceGetCount(int* count) {
  WEFT_TRY(check_device(0));
  *count = 1;
  return CUDA_SUCCESS;
}

WEFT_EXPORT CUresult cuDeviceGet(CUdevice* device, int ordinal) {
  WEFT_TRY(check_device(ordinal));
  *device = ordinal;
  return CUDA_SUCCESS;
}

WEFT_EXPORT CUresult cuDeviceGetName(char* name, int length, CUdevice device) {
  WEFT_TRY(check_device(device));
  snprintf(name, (size_t)length, "%s", NAME);
  return CUDA_SUCCESS;
}

WEFT_EXPORT CUresult cuDeviceGetUuid(CUuuid* uuid, CUdevice device) {
  WEFT_TRY(check_device(device));
  memcpy(uuid->bytes, "weft-emulator-00", sizeof uuid->bytes);
  return CUDA_SUCCESS;
}

WEFT_EXPORT CUresult cuDeviceGetAttribute(int* value, int attribute, CUdevice device) {
  WEFT_TRY(check_device(device));
  for (const Attribute& known : ATTRIBUTES) {
    if (known.number != attribute) continue;
    *value = known.value;
    return CUDA_SUCCESS;
  }
  if (attribute < 1 || attribute > 150) {
    return fail(CUDA_ERROR_INVALID_VALUE, "device attribute %d", attribute);
  }
  *value = 0;  // as for a feature that a device lacks
  return CUDA_SUCCESS;
}

WEFT_EXPORT CUresult cuDeviceComputeCapability(int* major, int* minor, CUdevice device) {
  WEFT_TRY(cuDeviceGetAttribute(major, 75, device));
  return cuDeviceGetAttribute(minor, 76, device);
}

WEFT_EXPORT CUresult cuDeviceGetPCIBusId(char* id, int length, CUdevice device) {
  WEFT_TRY(check_device(device));
  snprintf(id, (size_t)length, "0000:00:00.0");
  return CUDA_SUCCESS;
}

WEFT_EXPORT CUresult cuDeviceTotalMem_v2(size_t* bytes, CUdevice device) {
  WEFT_TRY(check_device(device));
  *bytes = memory().total;
  return CUDA_SUCCESS;
}

// What the emulator exports, by its plain or its versioned name.
WEFT_EXPORT CUresult cuGetProcAddress_v2(const char* symbol, void** function, int, uint64_t,
                                         int* status) {
  void* found = nullptr;
  for (const char* suffix : {"_v2", ""}) {
    char name[128];
    snprintf(name, sizeof name, "%s%s", symbol, suffix);
    Dl_info self;
    if (!dladdr((void*)cuInit, &self)) break;
    void* library = dlopen(self.dli_fname, RTLD_NOLOAD | RTLD_NOW);
    if (library && (found = dlsym(library, name))) break;
  }
  *function = found;
  if (status) *status = found ? 0 : 1;
  return found ? CUDA_SUCCESS : fail(CUDA_ERROR_NOT_FOUND, "there is no function %s", symbol);
}
