// SPDX-License-Identifier: Apache-2.0
//
// Streams, events and capture. Work runs at the call that enqueues it, so a stream is always empty;
// what a stream adds is capture, and the rules that CUDA has for it.
#ifndef WEFT_EMULATOR_STREAM_H
#define WEFT_EMULATOR_STREAM_H

#include <pthread.h>

#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "driver.h"

namespace weft::emulator {

struct Work {
  CUgraphNodeType type;
  std::function<CUresult()> run;
};

struct Capture {
  uint64_t id;
  CUstream origin;
  CUstreamCaptureMode mode;
  pthread_t thread;
  bool invalid = false;
  std::vector<Work> work;  // in the order of the calls, which respects every dependency
};

}  // namespace weft::emulator

struct CUstream_st {
  CUcontext owner;
  unsigned flags;
  int priority;
  uint64_t id;
  std::shared_ptr<weft::emulator::Capture> capture;  // null where it is not captured
  uint64_t captured_work = 0;                        // counts what happened to it in the capture
  bool joined = true;                                // false: the origin does not yet wait for it
};

struct CUevent_st {
  CUevent_st(CUcontext owner_, unsigned flags_) : owner(owner_), flags(flags_) {}
  CUcontext owner;
  unsigned flags;
  bool recorded = false;
  double milliseconds = 0;
  // where it was recorded, when that was in a capture
  std::weak_ptr<weft::emulator::Capture> capture;
  bool captured = false;
  CUstream stream = nullptr;
  uint64_t captured_work = 0;
};

namespace weft::emulator {

extern Registry<CUstream>& streams;
extern Registry<CUevent>& events;

// The stream behind a handle (0 is the legacy default stream: null comes back), or an error.
CUresult resolve_stream(CUcontext context, CUstream handle, CUstream* stream);

// What may not happen while something is captured: allocation, synchronous copies, and the like.
CUresult check_unsafe_call(const char* call);

// The legacy default stream waits for all blocking streams, so none of them may be capturing.
CUresult check_legacy_stream(const char* call);

// Records the work when the stream is being captured, runs it otherwise.
template <typename F>
CUresult submit(CUcontext context, CUstream handle, CUgraphNodeType type, const char* call,
                F&& work) {
  CUstream stream = nullptr;
  WEFT_TRY(resolve_stream(context, handle, &stream));
  if (!stream) {
    WEFT_TRY(check_legacy_stream(call));
    return work();
  }
  if (!stream->capture) return work();
  if (stream->capture->invalid) {
    return fail(CUDA_ERROR_STREAM_CAPTURE_INVALIDATED, "%s on a stream whose capture has failed",
                call);
  }
  stream->capture->work.push_back({type, std::function<CUresult()>(std::forward<F>(work))});
  stream->captured_work++;
  if (stream != stream->capture->origin) stream->joined = false;
  return CUDA_SUCCESS;
}

}  // namespace weft::emulator
#endif  // WEFT_EMULATOR_STREAM_H
