// SPDX-License-Identifier: Apache-2.0
#include <time.h>

#include "stream.h"

namespace weft::emulator {

Registry<CUevent>& events = *new Registry<CUevent>;  // never destroyed: threads may outlive main

namespace {

double now_milliseconds() {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec * 1e3 + (double)now.tv_nsec * 1e-6;
}

CUresult check_event(CUevent event) {
  if (events.has(event)) return CUDA_SUCCESS;
  return fail(CUDA_ERROR_INVALID_HANDLE, "%p is not a live event", (void*)event);
}

// An event recorded in a capture stands for a place in a graph: there is nothing to wait for.
CUresult check_can_wait(CUevent event, const char* call) {
  WEFT_TRY(check_event(event));
  if (!event->captured) return CUDA_SUCCESS;
  if (auto capture = event->capture.lock()) capture->invalid = true;
  return fail(CUDA_ERROR_CAPTURED_EVENT, "%s on an event that was recorded in a capture", call);
}

// Whether the work before the event has still to run.
bool pending(CUevent event) {
  return event->stream && is_live(event->stream) && event->stream->finished < event->position;
}

// The stream goes on after the event: a stream that is not captured yet becomes part of the
// capture.
CUresult wait_in_capture(CUstream stream, CUevent event) {
  auto capture = event->capture.lock();
  if (!capture || capture->invalid) {
    return fail(CUDA_ERROR_INVALID_VALUE, "a wait for an event of a capture that has ended");
  }
  if (stream->legacy()) {
    capture->invalid = true;
    return fail(CUDA_ERROR_STREAM_CAPTURE_IMPLICIT, "the legacy default stream cannot be captured");
  }
  if (stream->capture && stream->capture != capture) {
    stream->capture->invalid = capture->invalid = true;
    return fail(CUDA_ERROR_STREAM_CAPTURE_MERGE, "a wait would merge two captures");
  }
  stream->capture = capture;
  stream->captured_work++;
  if (stream != capture->origin) stream->joined = false;
  CUstream source = event->stream;
  if (streams.has(source) && source != stream && source->captured_work == event->position) {
    source->joined = true;
  }
  return CUDA_SUCCESS;
}

}  // namespace
}  // namespace weft::emulator

using namespace weft::emulator;

WEFT_EXPORT CUresult cuEventCreate(CUevent* event, unsigned flags) {
  WEFT_ENTER(context);
  if (!event) return fail(CUDA_ERROR_INVALID_VALUE, "cuEventCreate: null");
  *event = events.add(new CUevent_st(context, flags));
  return CUDA_SUCCESS;
}

WEFT_EXPORT CUresult cuEventDestroy_v2(CUevent event) {
  WEFT_ENTER(context);
  WEFT_TRY(check_event(event));
  events.live.erase(event);
  delete event;
  return CUDA_SUCCESS;
}

WEFT_EXPORT CUresult cuEventRecord(CUevent event, CUstream handle) {
  WEFT_ENTER(context);
  WEFT_TRY(check_event(event));
  CUstream stream = nullptr;
  WEFT_TRY(resolve_stream(context, handle, &stream));
  if (stream->legacy()) WEFT_TRY(enter_legacy_stream("cuEventRecord"));
  event->recorded = true;
  event->stream = stream;
  event->captured = stream->capture != nullptr;
  if (event->captured) {
    if (stream->capture->invalid) {
      return fail(CUDA_ERROR_STREAM_CAPTURE_INVALIDATED,
                  "cuEventRecord in a capture that has failed");
    }
    event->capture = stream->capture;
    event->position = stream->captured_work;
    return CUDA_SUCCESS;
  }
  if (!controls.deferred) {
    event->stream = nullptr;
    event->milliseconds = now_milliseconds();
    return CUDA_SUCCESS;
  }
  WEFT_TRY(enqueue(stream, {CU_GRAPH_NODE_TYPE_MEMSET, [event] {
                              if (events.has(event)) event->milliseconds = now_milliseconds();
                              return CUDA_SUCCESS;
                            }}));
  event->position = stream->finished + stream->pending.size();
  return CUDA_SUCCESS;
}

// With EXTERNAL it becomes a node of the graph that is captured: each launch notes the time anew.
WEFT_EXPORT CUresult cuEventRecordWithFlags(CUevent event, CUstream handle, unsigned flags) {
  if (!flags) return cuEventRecord(event, handle);
  WEFT_ENTER(context);
  if (flags != CU_EVENT_RECORD_EXTERNAL) {
    return fail(CUDA_ERROR_INVALID_VALUE, "cuEventRecordWithFlags: flags %u", flags);
  }
  WEFT_TRY(check_event(event));
  CUstream stream = nullptr;
  WEFT_TRY(resolve_stream(context, handle, &stream));
  if (!stream->capture) {
    return fail(CUDA_ERROR_INVALID_VALUE, "an external record of an event outside a capture");
  }
  return submit(context, handle, CU_GRAPH_NODE_TYPE_EVENT_RECORD, "cuEventRecordWithFlags",
                [event] {
                  WEFT_TRY(check_event(event));
                  event->recorded = true;
                  event->captured = false;
                  event->stream = nullptr;
                  event->milliseconds = now_milliseconds();
                  return CUDA_SUCCESS;
                });
}

// Work that was put off runs now, and is found to be done the next time.
WEFT_EXPORT CUresult cuEventQuery(CUevent event) {
  WEFT_ENTER(context);
  WEFT_TRY(check_can_wait(event, "cuEventQuery"));
  if (!pending(event)) return CUDA_SUCCESS;
  WEFT_TRY(finish(event->stream, event->position));
  return CUDA_ERROR_NOT_READY;
}

WEFT_EXPORT CUresult cuEventSynchronize(CUevent event) {
  WEFT_ENTER(context);
  WEFT_TRY(check_can_wait(event, "cuEventSynchronize"));
  return pending(event) ? finish(event->stream, event->position) : CUDA_SUCCESS;
}

WEFT_EXPORT CUresult cuEventElapsedTime(float* milliseconds, CUevent start, CUevent end) {
  WEFT_ENTER(context);
  for (CUevent event : {start, end}) {
    WEFT_TRY(check_event(event));
    if (event->captured) return fail(CUDA_ERROR_CAPTURED_EVENT, "the time of a captured event");
    if (!event->recorded || event->flags & CU_EVENT_DISABLE_TIMING) {
      return fail(CUDA_ERROR_INVALID_HANDLE, "an event that was not recorded or has no timing");
    }
    if (pending(event)) return fail(CUDA_ERROR_NOT_READY, "an event that has not been reached");
  }
  *milliseconds = (float)(end->milliseconds - start->milliseconds);
  return CUDA_SUCCESS;
}

WEFT_EXPORT CUresult cuEventElapsedTime_v2(float* milliseconds, CUevent start, CUevent end) {
  return cuEventElapsedTime(milliseconds, start, end);
}

WEFT_EXPORT CUresult cuStreamWaitEvent(CUstream handle, CUevent event, unsigned) {
  WEFT_ENTER(context);
  WEFT_TRY(check_event(event));
  CUstream stream = nullptr;
  WEFT_TRY(resolve_stream(context, handle, &stream));
  if (event->captured) return wait_in_capture(stream, event);
  if (stream->capture && event->recorded) {
    stream->capture->invalid = true;
    return fail(CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED,
                "a captured stream waits for an event from outside its capture");
  }
  if (!pending(event) || event->stream == stream) return CUDA_SUCCESS;
  CUstream source = event->stream;
  return enqueue(stream, {CU_GRAPH_NODE_TYPE_MEMSET, [source, position = event->position] {
                            return is_live(source) ? finish(source, position) : CUDA_SUCCESS;
                          }});
}
