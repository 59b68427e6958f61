// SPDX-License-Identifier: Apache-2.0
//
// The one device's contexts: which is current on which thread, and what goes with one that dies.
#include <vector>

#include "driver.h"
#include "memory.h"
#include "stream.h"

struct CUctx_st {
  int retained;  // of the primary context; 1 for one that was created
  bool primary;
  unsigned flags;
};

namespace weft::emulator {

std::atomic<bool> initialised;

namespace {

auto& contexts = *new std::set<CUcontext>;  // never destroyed: threads may outlive main
CUcontext primary = nullptr;
unsigned primary_flags = 0;
thread_local std::vector<CUcontext> current;  // a stack; the top is current

CUresult check_context(CUcontext context) {
  if (contexts.count(context)) return CUDA_SUCCESS;
  return fail(CUDA_ERROR_INVALID_CONTEXT, "%p is not a live context", (void*)context);
}

void destroy(CUcontext context) {
  finish_all(context);
  controls.leaked_objects += drop_streams(context) + drop_graphs(context) + drop_modules(context);
  memory().free_all(context, &controls.leaked_allocations, &controls.leaked_bytes);
  contexts.erase(context);
  if (context == primary) primary = nullptr;
  delete context;
}

}  // namespace

CUresult check_device(CUdevice device) {
  if (!initialised) return fail(CUDA_ERROR_NOT_INITIALIZED, "cuInit was not called");
  if (device == 0) return CUDA_SUCCESS;
  return fail(CUDA_ERROR_INVALID_DEVICE, "there is no device %d", device);
}

CUresult current_context(CUcontext* context) {
  if (!initialised) return fail(CUDA_ERROR_NOT_INITIALIZED, "cuInit was not called");
  if (current.empty() || !current.back()) {
    return fail(CUDA_ERROR_INVALID_CONTEXT, "this thread has no current context");
  }
  if (!contexts.count(current.back())) {
    return fail(CUDA_ERROR_CONTEXT_IS_DESTROYED, "this thread's context was destroyed");
  }
  if (controls.lost) {
    return fail((CUresult)controls.lost.load(), "a kernel failed before, and the device is lost");
  }
  *context = current.back();
  return CUDA_SUCCESS;
}

}  // namespace weft::emulator

using namespace weft::emulator;

WEFT_EXPORT CUresult cuDevicePrimaryCtxRetain(CUcontext* context, CUdevice device) {
  Lock lock(driver_mutex);
  WEFT_TRY(check_device(device));
  if (!primary) {
    primary = new CUctx_st{0, true, primary_flags};
    contexts.insert(primary);
  }
  primary->retained++;
  *context = primary;
  return CUDA_SUCCESS;
}

WEFT_EXPORT CUresult cuDevicePrimaryCtxRelease_v2(CUdevice device) {
  Lock lock(driver_mutex);
  WEFT_TRY(check_device(device));
  if (!primary) return fail(CUDA_ERROR_INVALID_CONTEXT, "the primary context is not retained");
  if (--primary->retained == 0) destroy(primary);
  return CUDA_SUCCESS;
}

WEFT_EXPORT CUresult cuDevicePrimaryCtxReset_v2(CUdevice device) {
  Lock lock(driver_mutex);
  WEFT_TRY(check_device(device));
  if (primary) destroy(primary);
  return CUDA_SUCCESS;
}

WEFT_EXPORT CUresult cuDevicePrimaryCtxGetState(CUdevice device, unsigned* flags, int* active) {
  Lock lock(driver_mutex);
  WEFT_TRY(check_device(device));
  *flags = primary_flags;
  *active = primary != nullptr;
  return CUDA_SUCCESS;
}

WEFT_EXPORT CUresult cuDevicePrimaryCtxSetFlags_v2(CUdevice device, unsigned flags) {
  Lock lock(driver_mutex);
  WEFT_TRY(check_device(device));
  primary_flags = flags;
  return CUDA_SUCCESS;
}

WEFT_EXPORT CUresult cuCtxCreate_v2(CUcontext* context, unsigned flags, CUdevice device) {
  Lock lock(driver_mutex);
  WEFT_TRY(check_device(device));
  *context = new CUctx_st{1, false, flags};
  contexts.insert(*context);
  current.push_back(*context);
  return CUDA_SUCCESS;
}

WEFT_EXPORT CUresult cuCtxDestroy_v2(CUcontext context) {
  Lock lock(driver_mutex);
  WEFT_TRY(check_context(context));
  if (context->primary) return fail(CUDA_ERROR_INVALID_CONTEXT, "the primary context is released");
  if (!current.empty() && current.back() == context) current.pop_back();
  destroy(context);
  return CUDA_SUCCESS;
}

WEFT_EXPORT CUresult cuCtxSetCurrent(CUcontext context) {
  Lock lock(driver_mutex);
  if (!initialised) return fail(CUDA_ERROR_NOT_INITIALIZED, "cuInit was not called");
  if (context) WEFT_TRY(check_context(context));
  if (!current.empty()) current.pop_back();
  if (context) current.push_back(context);
  return CUDA_SUCCESS;
}

WEFT_EXPORT CUresult cuCtxGetCurrent(CUcontext* context) {
  Lock lock(driver_mutex);
  if (!initialised) return fail(CUDA_ERROR_NOT_INITIALIZED, "cuInit was not called");
  *context = current.empty() ? nullptr : current.back();
  return CUDA_SUCCESS;
}

WEFT_EXPORT CUresult cuCtxPushCurrent_v2(CUcontext context) {
  Lock lock(driver_mutex);
  WEFT_TRY(check_context(context));
  current.push_back(context);
  return CUDA_SUCCESS;
}

WEFT_EXPORT CUresult cuCtxPopCurrent_v2(CUcontext* context) {
  Lock lock(driver_mutex);
  if (current.empty())
    return fail(CUDA_ERROR_INVALID_CONTEXT, "this thread has no current context");
  if (context) *context = current.back();
  current.pop_back();
  return CUDA_SUCCESS;
}

WEFT_EXPORT CUresult cuCtxGetDevice(CUdevice* device) {
  WEFT_ENTER(context);
  *device = 0;
  return CUDA_SUCCESS;
}

WEFT_EXPORT CUresult cuCtxGetFlags(unsigned* flags) {
  WEFT_ENTER(context);
  *flags = context->flags;
  return CUDA_SUCCESS;
}

WEFT_EXPORT CUresult cuCtxGetApiVersion(CUcontext context, unsigned* version) {
  Lock lock(driver_mutex);
  if (context) WEFT_TRY(check_context(context));
  *version = 3020;
  return CUDA_SUCCESS;
}

WEFT_EXPORT CUresult cuCtxGetStreamPriorityRange(int* least, int* greatest) {
  WEFT_ENTER(context);
  if (least) *least = 0;
  if (greatest) *greatest = -5;
  return CUDA_SUCCESS;
}
