// SPDX-License-Identifier: Apache-2.0
//
// Streams, events and capture. Work runs at the call that enqueues it or, where a test wants that,
// as late as CUDA allows: when something waits for it.
#ifndef WEFT_EMULATOR_STREAM_H
#define WEFT_EMULATOR_STREAM_H

#include <pthread.h>

#include <deque>
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
  CUstream_st(CUcontext owner_, unsigned flags_, int priority_, uint64_t id_)
      : owner(owner_), flags(flags_), priority(priority_), id(id_) {}
  CUcontext owner;
  unsigned flags;
  int priority;
  uint64_t id;
  std::shared_ptr<weft::emulator::Capture> capture;  // null where it is not captured
  uint64_t captured_work = 0;                        // counts what happened to it in the capture
  std::deque<weft::emulator::Work> pending;          // enqueued and not run
  uint64_t finished = 0;                             // how much has run
  bool joined = true;                                // false: the origin does not yet wait for it

  bool legacy() const { return id == 0; }  // the default stream of its context
  bool blocking() const { return !(flags & CU_STREAM_NON_BLOCKING); }
};

struct CUevent_st {
  CUevent_st(CUcontext owner_, unsigned flags_) : owner(owner_), flags(flags_) {}
  CUcontext owner;
  unsigned flags;
  bool recorded = false;
  double milliseconds = 0;
  CUstream stream = nullptr;  // where it was recorded, and after how much work; 0 when all had run
  uint64_t position = 0;
  bool captured = false;  // recorded in a capture: then position counts captured work
  std::weak_ptr<weft::emulator::Capture> capture;
};

namespace weft::emulator {

extern Registry<CUstream>& streams;
extern Registry<CUevent>& events;

// The legacy default stream of a context. It is none of those in the registry.
CUstream legacy_stream(CUcontext context);

// Whether it is a stream that was not destroyed.
bool is_live(CUstream stream);

// The stream behind a handle (0 is the legacy default stream), or an error.
CUresult resolve_stream(CUcontext context, CUstream handle, CUstream* stream);

// What may not happen while something is captured: allocation, synchronous copies, and the like.
CUresult check_unsafe_call(const char* call);

// The legacy default stream waits for all blocking streams, so none of them may be capturing.
CUresult enter_legacy_stream(const char* call);

// Runs what is pending on the stream until so much of its work has finished, or all of it; on every
// stream of the context, or of all. Returns the first error, and runs the rest all the same.
CUresult finish(CUstream stream, uint64_t position = UINT64_MAX);
CUresult finish_all(CUcontext context);
CUresult finish_all();

// Runs what a wait for the stream waits for: the legacy stream stands for all blocking ones, too.
CUresult synchronize(CUstream stream);

// Takes work that is not captured: runs it, or puts it off. Work on the legacy stream comes after
// what blocking streams were given before, and the other way round.
CUresult enqueue(CUstream stream, Work work);

// Records the work when the stream is being captured, runs it otherwise.
template <typename F>
CUresult submit(CUcontext context, CUstream handle, CUgraphNodeType type, const char* call,
                F&& work) {
  CUstream stream = nullptr;
  WEFT_TRY(resolve_stream(context, handle, &stream));
  if (stream->legacy()) WEFT_TRY(enter_legacy_stream(call));
  if (!stream->capture) {
    if (!controls.deferred) return work();
    return enqueue(stream, {type, std::function<CUresult()>(std::forward<F>(work))});
  }
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
