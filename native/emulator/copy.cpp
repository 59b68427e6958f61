// SPDX-License-Identifier: Apache-2.0
//
// cuMem*: allocation, copies, fills.
#include <stdlib.h>
#include <string.h>

#include <functional>
#include <map>
#include <vector>

#include "memory.h"
#include "stream.h"

namespace weft::emulator {
namespace {

// never destroyed: threads may outlive main
auto& pinned = *new std::map<void*, size_t>;
auto& registered = *new std::map<void*, size_t>;

CUresult allocate(CUcontext context, CUdeviceptr* address, size_t bytes) {
  if (!address) return fail(CUDA_ERROR_INVALID_VALUE, "cuMemAlloc: null");
  *address = 0;
  if (controls.allocation.hit()) {
    return fail(CUDA_ERROR_OUT_OF_MEMORY,
                "an allocation of %zu bytes fails because a test asked for it", bytes);
  }
  return memory().allocate(bytes, controls.exact, context, address);
}

enum class Side { HOST, DEVICE };

// Where an address lies that may be of either kind.
Side side_of(uint64_t address) {
  Lock lock(driver_mutex);
  return memory().holds(address) ? Side::DEVICE : Side::HOST;
}

CUresult check_side(const char* call, Side side, uint64_t address, size_t bytes) {
  if (side == Side::DEVICE) return memory().check(call, address, bytes);
  if (memory().holds(address))
    return fail(CUDA_ERROR_INVALID_VALUE, "%s: device memory where host memory is due", call);
  if (!address) return fail(CUDA_ERROR_INVALID_VALUE, "%s: null host memory", call);
  return CUDA_SUCCESS;
}

bool is_pinned(uint64_t address, size_t bytes) {
  for (const auto* ranges : {&pinned, &registered})
    for (const auto& range : *ranges) {
      auto start = (uint64_t)range.first;
      if (address >= start && address + bytes <= start + range.second) return true;
    }
  return false;
}

// One copy; checked when it is enqueued and again when it runs, which may be much later in a graph.
struct Copy {
  const char* call;
  Side to_side, from_side;
  uint64_t to, from;
  size_t bytes;

  CUresult check() const {
    if (bytes == 0) return CUDA_SUCCESS;
    WEFT_TRY(check_side(call, to_side, to, bytes));
    return check_side(call, from_side, from, bytes);
  }

  CUresult operator()() const {
    if (controls.do_nothing) return CUDA_SUCCESS;
    if (controls.copy.hit()) {
      return fail(CUDA_ERROR_ILLEGAL_ADDRESS, "%s fails because a test asked for it", call);
    }
    WEFT_TRY(check());
    WEFT_TRY(memory().check_written(call, from, bytes));
    memmove((void*)to, (const void*)from, bytes);
    memory().note_written(to, bytes);
    return CUDA_SUCCESS;
  }

  bool is_pageable() const {
    uint64_t host = to_side == Side::HOST ? to : from;
    return bytes != 0 && to_side != from_side && !is_pinned(host, bytes);
  }

  // Has read the host's memory when this returns, and writes when its turn comes.
  std::function<CUresult()> staged() const {
    std::vector<char> stage((const char*)from, (const char*)from + bytes);
    return [copy = *this, stage = std::move(stage)] {
      Copy from_stage = copy;
      from_stage.from = (uint64_t)stage.data();
      return from_stage();
    };
  }

  // From pageable memory a copy is staged before the call returns; to it, the call waits for the
  // copy.
  CUresult on(CUstream handle) const {
    if (controls.do_nothing.load(std::memory_order_relaxed)) return CUDA_SUCCESS;
    WEFT_ENTER(context);
    WEFT_TRY(check());
    CUstream stream = nullptr;
    WEFT_TRY(resolve_stream(context, handle, &stream));
    bool pageable = controls.deferred && !stream->capture && is_pageable();
    if (pageable && from_side == Side::HOST) {
      return submit(context, handle, CU_GRAPH_NODE_TYPE_MEMCPY, call, staged());
    }
    WEFT_TRY(submit(context, handle, CU_GRAPH_NODE_TYPE_MEMCPY, call, *this));
    return pageable ? finish(stream) : CUDA_SUCCESS;
  }

  // On the legacy default stream, which a non-blocking stream does not wait for. The host waits for
  // the copy unless it is between places of the device, or from pageable memory: then it waits for
  // what came before, and the bytes are on their way from the stage when the call returns.
  CUresult now() const {
    if (controls.do_nothing.load(std::memory_order_relaxed)) return CUDA_SUCCESS;
    WEFT_ENTER(context);
    WEFT_TRY(enter_legacy_stream(call));
    WEFT_TRY(check_unsafe_call(call));
    if (!controls.deferred) return (*this)();
    WEFT_TRY(check());
    CUstream stream = legacy_stream(context);
    if (from_side == Side::HOST && is_pageable()) {
      CUresult before = synchronize(stream);
      CUresult result = enqueue(stream, {CU_GRAPH_NODE_TYPE_MEMCPY, staged()});
      return before != CUDA_SUCCESS ? before : result;
    }
    WEFT_TRY(enqueue(stream, {CU_GRAPH_NODE_TYPE_MEMCPY, *this}));
    bool within_device = to_side == Side::DEVICE && from_side == Side::DEVICE;
    return within_device ? CUDA_SUCCESS : finish(stream);
  }
};

template <typename T>
struct Fill {
  const char* call;
  CUdeviceptr to;
  T value;
  size_t count;

  CUresult check() const {
    if (to % sizeof(T)) return fail(CUDA_ERROR_INVALID_VALUE, "%s: %#llx is not aligned", call, to);
    return count ? memory().check(call, to, count * sizeof(T)) : CUDA_SUCCESS;
  }

  CUresult operator()() const {
    if (controls.do_nothing) return CUDA_SUCCESS;
    if (controls.copy.hit()) {
      return fail(CUDA_ERROR_ILLEGAL_ADDRESS, "%s fails because a test asked for it", call);
    }
    WEFT_TRY(check());
    for (size_t i = 0; i < count; i++) ((T*)to)[i] = value;
    memory().note_written(to, count * sizeof(T));
    return CUDA_SUCCESS;
  }

  CUresult on(CUstream stream) const {
    if (controls.do_nothing.load(std::memory_order_relaxed)) return CUDA_SUCCESS;
    WEFT_ENTER(context);
    WEFT_TRY(check());
    return submit(context, stream, CU_GRAPH_NODE_TYPE_MEMSET, call, *this);
  }
};

uint64_t host(const void* pointer) { return (uint64_t)pointer; }

}  // namespace
}  // namespace weft::emulator

using namespace weft::emulator;

WEFT_EXPORT CUresult cuMemAlloc_v2(CUdeviceptr* address, size_t bytes) {
  WEFT_ENTER(context);
  WEFT_TRY(check_unsafe_call("cuMemAlloc"));
  return allocate(context, address, bytes);
}

WEFT_EXPORT CUresult cuMemFree_v2(CUdeviceptr address) {
  WEFT_ENTER(context);
  if (!address) return CUDA_SUCCESS;
  WEFT_TRY(check_unsafe_call("cuMemFree"));
  CUresult before = finish_all(context);  // cuMemFree waits for the device
  CUresult result = memory().free(address);
  return before != CUDA_SUCCESS ? before : result;
}

WEFT_EXPORT CUresult cuMemAllocAsync(CUdeviceptr* address, size_t bytes, CUstream handle) {
  WEFT_ENTER(context);
  CUstream stream = nullptr;
  WEFT_TRY(resolve_stream(context, handle, &stream));
  if (stream->capture) {
    return fail(CUDA_ERROR_NOT_SUPPORTED, "the emulator does not capture allocations");
  }
  return allocate(context, address, bytes);
}

WEFT_EXPORT CUresult cuMemFreeAsync(CUdeviceptr address, CUstream handle) {
  WEFT_ENTER(context);
  CUstream stream = nullptr;
  WEFT_TRY(resolve_stream(context, handle, &stream));
  if (stream->capture) {
    return fail(CUDA_ERROR_NOT_SUPPORTED, "the emulator does not capture allocations");
  }
  if (!address) return CUDA_SUCCESS;
  return submit(context, handle, CU_GRAPH_NODE_TYPE_MEMSET, "cuMemFreeAsync",
                [address] { return memory().free(address); });
}

WEFT_EXPORT CUresult cuMemGetInfo_v2(size_t* free, size_t* total) {
  WEFT_ENTER(context);
  *total = memory().total;
  *free = memory().total - std::min(memory().total, (uint64_t)memory().live_bytes());
  return CUDA_SUCCESS;
}

WEFT_EXPORT CUresult cuMemGetAddressRange_v2(CUdeviceptr* start, size_t* bytes,
                                             CUdeviceptr address) {
  WEFT_ENTER(context);
  const Allocation* found = memory().find(address);
  if (!found) return fail(CUDA_ERROR_NOT_FOUND, "%#llx is not device memory", address);
  if (start) *start = found->start;
  if (bytes) *bytes = found->bytes;
  return CUDA_SUCCESS;
}

WEFT_EXPORT CUresult cuMemHostAlloc(void** address, size_t bytes, unsigned) {
  WEFT_ENTER(context);
  WEFT_TRY(check_unsafe_call("cuMemHostAlloc"));
  if (!address || !bytes) return fail(CUDA_ERROR_INVALID_VALUE, "cuMemHostAlloc: %zu bytes", bytes);
  *address = aligned_alloc(4096, (bytes + 4095) / 4096 * 4096);
  if (!*address)
    return fail(CUDA_ERROR_OUT_OF_MEMORY, "the host has no memory for %zu bytes", bytes);
  pinned[*address] = bytes;
  return CUDA_SUCCESS;
}

WEFT_EXPORT CUresult cuMemAllocHost_v2(void** address, size_t bytes) {
  return cuMemHostAlloc(address, bytes, 0);
}

WEFT_EXPORT CUresult cuMemFreeHost(void* address) {
  WEFT_ENTER(context);
  if (!pinned.count(address)) {
    return fail(CUDA_ERROR_INVALID_VALUE, "%p was not allocated by cuMemHostAlloc", address);
  }
  CUresult result = finish_all(context);
  pinned.erase(address);
  ::free(address);
  return result;
}

WEFT_EXPORT CUresult cuMemHostRegister_v2(void* address, size_t bytes, unsigned) {
  WEFT_ENTER(context);
  if (!address || !bytes)
    return fail(CUDA_ERROR_INVALID_VALUE, "cuMemHostRegister: %zu bytes", bytes);
  if (!registered.emplace(address, bytes).second) {
    return fail(CUDA_ERROR_HOST_MEMORY_ALREADY_REGISTERED, "%p is registered already", address);
  }
  return CUDA_SUCCESS;
}

WEFT_EXPORT CUresult cuMemHostUnregister(void* address) {
  WEFT_ENTER(context);
  if (registered.erase(address)) return CUDA_SUCCESS;
  return fail(CUDA_ERROR_HOST_MEMORY_NOT_REGISTERED, "%p is not registered", address);
}

WEFT_EXPORT CUresult cuMemcpyHtoD_v2(CUdeviceptr to, const void* from, size_t bytes) {
  return Copy{"cuMemcpyHtoD", Side::DEVICE, Side::HOST, to, host(from), bytes}.now();
}
WEFT_EXPORT CUresult cuMemcpyDtoH_v2(void* to, CUdeviceptr from, size_t bytes) {
  return Copy{"cuMemcpyDtoH", Side::HOST, Side::DEVICE, host(to), from, bytes}.now();
}
WEFT_EXPORT CUresult cuMemcpyDtoD_v2(CUdeviceptr to, CUdeviceptr from, size_t bytes) {
  return Copy{"cuMemcpyDtoD", Side::DEVICE, Side::DEVICE, to, from, bytes}.now();
}
WEFT_EXPORT CUresult cuMemcpy(CUdeviceptr to, CUdeviceptr from, size_t bytes) {
  return Copy{"cuMemcpy", side_of(to), side_of(from), to, from, bytes}.now();
}
WEFT_EXPORT CUresult cuMemcpyHtoDAsync_v2(CUdeviceptr to, const void* from, size_t bytes,
                                          CUstream s) {
  return Copy{"cuMemcpyHtoDAsync", Side::DEVICE, Side::HOST, to, host(from), bytes}.on(s);
}
WEFT_EXPORT CUresult cuMemcpyDtoHAsync_v2(void* to, CUdeviceptr from, size_t bytes, CUstream s) {
  return Copy{"cuMemcpyDtoHAsync", Side::HOST, Side::DEVICE, host(to), from, bytes}.on(s);
}
WEFT_EXPORT CUresult cuMemcpyDtoDAsync_v2(CUdeviceptr to, CUdeviceptr from, size_t bytes,
                                          CUstream s) {
  return Copy{"cuMemcpyDtoDAsync", Side::DEVICE, Side::DEVICE, to, from, bytes}.on(s);
}
WEFT_EXPORT CUresult cuMemcpyAsync(CUdeviceptr to, CUdeviceptr from, size_t bytes, CUstream s) {
  return Copy{"cuMemcpyAsync", side_of(to), side_of(from), to, from, bytes}.on(s);
}

WEFT_EXPORT CUresult cuMemsetD8_v2(CUdeviceptr to, unsigned char value, size_t count) {
  return Fill<unsigned char>{"cuMemsetD8", to, value, count}.on(nullptr);
}
WEFT_EXPORT CUresult cuMemsetD16_v2(CUdeviceptr to, unsigned short value, size_t count) {
  return Fill<unsigned short>{"cuMemsetD16", to, value, count}.on(nullptr);
}
WEFT_EXPORT CUresult cuMemsetD32_v2(CUdeviceptr to, unsigned value, size_t count) {
  return Fill<unsigned>{"cuMemsetD32", to, value, count}.on(nullptr);
}
WEFT_EXPORT CUresult cuMemsetD8Async(CUdeviceptr to, unsigned char value, size_t count,
                                     CUstream s) {
  return Fill<unsigned char>{"cuMemsetD8Async", to, value, count}.on(s);
}
WEFT_EXPORT CUresult cuMemsetD16Async(CUdeviceptr to, unsigned short value, size_t count,
                                      CUstream s) {
  return Fill<unsigned short>{"cuMemsetD16Async", to, value, count}.on(s);
}
WEFT_EXPORT CUresult cuMemsetD32Async(CUdeviceptr to, unsigned value, size_t count, CUstream s) {
  return Fill<unsigned>{"cuMemsetD32Async", to, value, count}.on(s);
}
