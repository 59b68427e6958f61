// SPDX-License-Identifier: Apache-2.0
//
// What the parts of the emulated driver share: errors, the lock, contexts, test controls.
#ifndef WEFT_EMULATOR_DRIVER_H
#define WEFT_EMULATOR_DRIVER_H

#include <atomic>
#include <mutex>
#include <set>

#include "driver_api.h"

namespace weft::emulator {

// Keeps the sentence for weft_emulator_last_error and returns the result.
CUresult fail(CUresult result, const char* format, ...) __attribute__((format(printf, 2, 3)));

// The same, and says it on stderr: for what a real device would report late or never.
CUresult report(CUresult result, const char* format, ...) __attribute__((format(printf, 2, 3)));

// Every entry point holds it: one thing happens at a time, so a run is the same each time.
extern std::recursive_mutex& driver_mutex;
using Lock = std::lock_guard<std::recursive_mutex>;

// Fails once when counted down to 0; 0 is off.
struct Countdown {
  std::atomic<int64_t> left{0};
  bool hit() {
    if (left.load(std::memory_order_relaxed) <= 0) return false;
    return left.fetch_sub(1) == 1;
  }
};

struct Controls {
  Countdown allocation, launch, copy, instantiation;
  std::atomic<bool> do_nothing{false}, exact{false}, reverse{false}, deferred{false},
      checked{false}, sticky{false};
  std::atomic<int> lost{CUDA_SUCCESS};  // the error that lost the device, where it is sticky
  std::atomic<int64_t> launches{0};
  // what was still there when its context was destroyed
  int64_t leaked_allocations = 0, leaked_bytes = 0, leaked_objects = 0;
};
extern Controls controls;

// Handles given out and not destroyed. A handle that is none of them is an error, not a crash.
template <typename Handle>
struct Registry {
  std::set<Handle> live;
  Handle add(Handle handle) { return live.insert(handle), handle; }
  bool has(Handle handle) const { return live.count(handle) != 0; }
  int64_t count() const { return (int64_t)live.size(); }

  // Removes and deletes what the context owned.
  int64_t drop(CUcontext owner) {
    int64_t dropped = 0;
    for (auto i = live.begin(); i != live.end();) {
      if ((*i)->owner != owner) {
        ++i;
        continue;
      }
      delete *i;
      i = live.erase(i);
      dropped++;
    }
    return dropped;
  }
};

// The context of this thread, or an error when it has none or the driver was not initialised.
CUresult current_context(CUcontext* context);

// What a kernel ended with. Where errors are sticky, one that a real device does not survive is
// from now on the answer to every call.
CUresult ended(CUresult result);

// Turns on the switches that WEFT_EMULATOR names, such as "check,reverse"; false where it names
// another.
bool switch_from_environment();

// cuInit was called and there is such a device.
CUresult check_device(CUdevice device);
extern std::atomic<bool> initialised;

// What a dying context takes along.
int64_t drop_streams(CUcontext owner);
int64_t drop_graphs(CUcontext owner);
int64_t drop_modules(CUcontext owner);

#define WEFT_TRY(call) \
  if (CUresult weft_result = (call)) return weft_result

// Opens an entry point that needs a context.
#define WEFT_ENTER(context)                       \
  ::weft::emulator::Lock weft_lock(driver_mutex); \
  CUcontext context = nullptr;                    \
  WEFT_TRY(current_context(&context))

}  // namespace weft::emulator
#endif  // WEFT_EMULATOR_DRIVER_H
