// SPDX-License-Identifier: Apache-2.0
#include "interop.h"

#include <vector>

#include "memory.h"
#include "stream.h"

using namespace weft::emulator;

WEFT_EXPORT CUresult weft_emulator_submit(const char* name, CUstream stream,
                                          CUresult (*run)(const void* data), const void* data,
                                          size_t bytes) {
  WEFT_ENTER(context);
  std::vector<char> copy((const char*)data, (const char*)data + bytes);
  return submit(context, stream, CU_GRAPH_NODE_TYPE_KERNEL, name,
                [name, run, copy = std::move(copy)]() -> CUresult {
                  if (controls.do_nothing) return CUDA_SUCCESS;
                  if (controls.launch.hit()) {
                    return ended(fail(CUDA_ERROR_LAUNCH_FAILED,
                                      "%s: fails because a test asked for it", name));
                  }
                  controls.launches++;
                  return ended(run(copy.data()));
                });
}

WEFT_EXPORT CUresult weft_emulator_check_range(const char* what, uint64_t address, uint64_t bytes) {
  Lock lock(driver_mutex);
  return memory().check(what, address, bytes);
}

WEFT_EXPORT CUresult weft_emulator_check_written(const char* what, uint64_t address,
                                                 uint64_t bytes) {
  Lock lock(driver_mutex);
  return memory().check_written(what, address, bytes);
}

WEFT_EXPORT void weft_emulator_note_written(uint64_t address, uint64_t bytes) {
  Lock lock(driver_mutex);
  memory().note_written(address, bytes);
}

WEFT_EXPORT CUresult weft_emulator_check_context(void) {
  WEFT_ENTER(context);
  return CUDA_SUCCESS;
}

WEFT_EXPORT void weft_emulator_explain(const char* sentence) { fail(CUDA_SUCCESS, "%s", sentence); }

WEFT_EXPORT int weft_emulator_does_nothing(void) {
  return controls.do_nothing.load(std::memory_order_relaxed);
}

WEFT_EXPORT int weft_emulator_captures(CUstream stream) {
  Lock lock(driver_mutex);
  return streams.has(stream) && stream->capture;
}

WEFT_EXPORT int weft_emulator_checks(void) {
  return controls.checked.load(std::memory_order_relaxed);
}
