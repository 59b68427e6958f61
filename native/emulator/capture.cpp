// SPDX-License-Identifier: Apache-2.0
#include "graph.h"
#include "stream.h"

namespace weft::emulator {
namespace {

uint64_t next_capture = 1;
thread_local CUstreamCaptureMode thread_mode = CU_STREAM_CAPTURE_MODE_GLOBAL;

template <typename F>
void each_capture(F f) {
  for (CUstream stream : streams.live)
    if (stream->capture && stream->capture->origin == stream) f(*stream->capture);
}

// The capture is over for every stream that took part. Returns whether all had come back.
bool release(const std::shared_ptr<Capture>& capture) {
  bool joined = true;
  for (CUstream stream : streams.live) {
    if (stream->capture != capture) continue;
    if (stream != capture->origin) joined &= stream->joined;
    stream->capture = nullptr;
    stream->joined = true;
    stream->captured_work = 0;
  }
  return joined;
}

}  // namespace

CUresult check_unsafe_call(const char* call) {
  if (thread_mode == CU_STREAM_CAPTURE_MODE_RELAXED) return CUDA_SUCCESS;
  bool forbidden = false;
  each_capture([&](Capture& capture) {
    bool own = pthread_equal(capture.thread, pthread_self());
    bool forbids = own ? capture.mode != CU_STREAM_CAPTURE_MODE_RELAXED
                       : capture.mode == CU_STREAM_CAPTURE_MODE_GLOBAL &&
                             thread_mode == CU_STREAM_CAPTURE_MODE_GLOBAL;
    if (!forbids) return;
    forbidden = capture.invalid = true;
  });
  if (!forbidden) return CUDA_SUCCESS;
  return fail(CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED, "%s is not allowed while a stream is captured",
              call);
}

CUresult enter_legacy_stream(const char* call) {
  bool forbidden = false;
  for (CUstream stream : streams.live) {
    if (!stream->capture || stream->flags & CU_STREAM_NON_BLOCKING) continue;
    forbidden = stream->capture->invalid = true;
  }
  if (!forbidden) return CUDA_SUCCESS;
  return fail(CUDA_ERROR_STREAM_CAPTURE_IMPLICIT,
              "%s on the legacy default stream would wait for a stream that is being captured",
              call);
}

}  // namespace weft::emulator

using namespace weft::emulator;

WEFT_EXPORT CUresult cuStreamBeginCapture_v2(CUstream handle, CUstreamCaptureMode mode) {
  WEFT_ENTER(context);
  CUstream stream = nullptr;
  WEFT_TRY(resolve_stream(context, handle, &stream));
  if (stream->legacy()) {
    return fail(CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED,
                "the legacy default stream cannot be captured");
  }
  if (mode < CU_STREAM_CAPTURE_MODE_GLOBAL || mode > CU_STREAM_CAPTURE_MODE_RELAXED) {
    return fail(CUDA_ERROR_INVALID_VALUE, "capture mode %d", (int)mode);
  }
  if (stream->capture)
    return fail(CUDA_ERROR_ILLEGAL_STATE, "the stream is being captured already");
  stream->capture = std::make_shared<Capture>();
  stream->capture->id = next_capture++;
  stream->capture->origin = stream;
  stream->capture->mode = mode;
  stream->capture->thread = pthread_self();
  return CUDA_SUCCESS;
}

WEFT_EXPORT CUresult cuStreamEndCapture(CUstream handle, CUgraph* graph) {
  WEFT_ENTER(context);
  *graph = nullptr;
  CUstream stream = nullptr;
  WEFT_TRY(resolve_stream(context, handle, &stream));
  if (!stream->capture) {
    return fail(CUDA_ERROR_ILLEGAL_STATE, "the stream is not being captured");
  }
  std::shared_ptr<Capture> capture = stream->capture;
  if (capture->origin != stream) {
    capture->invalid = true;
    return fail(CUDA_ERROR_STREAM_CAPTURE_UNJOINED, "the capture began on another stream");
  }
  if (capture->mode != CU_STREAM_CAPTURE_MODE_RELAXED &&
      !pthread_equal(capture->thread, pthread_self())) {
    return fail(CUDA_ERROR_STREAM_CAPTURE_WRONG_THREAD, "the capture began on another thread");
  }
  bool joined = release(capture);
  if (capture->invalid) {
    return fail(CUDA_ERROR_STREAM_CAPTURE_INVALIDATED, "a call in the capture has failed");
  }
  if (!joined) {
    return fail(
        CUDA_ERROR_STREAM_CAPTURE_UNJOINED,
        "a stream that the capture took in was not waited for by the stream where it began");
  }
  *graph = make_graph(context, std::move(capture->work));
  return CUDA_SUCCESS;
}

WEFT_EXPORT CUresult cuStreamIsCapturing(CUstream handle, CUstreamCaptureStatus* status) {
  WEFT_ENTER(context);
  CUstream stream = nullptr;
  WEFT_TRY(resolve_stream(context, handle, &stream));
  *status = !stream->capture           ? CU_STREAM_CAPTURE_STATUS_NONE
            : stream->capture->invalid ? CU_STREAM_CAPTURE_STATUS_INVALIDATED
                                       : CU_STREAM_CAPTURE_STATUS_ACTIVE;
  return CUDA_SUCCESS;
}

WEFT_EXPORT CUresult cuStreamGetCaptureInfo_v2(CUstream handle, CUstreamCaptureStatus* status,
                                               uint64_t* id, CUgraph* graph,
                                               const CUgraphNode** dependencies, size_t* count) {
  if (CUresult result = cuStreamIsCapturing(handle, status)) return result;
  Lock lock(driver_mutex);
  if (*status == CU_STREAM_CAPTURE_STATUS_ACTIVE && id) *id = handle->capture->id;
  if (graph) *graph = nullptr;
  if (dependencies) *dependencies = nullptr;
  if (count) *count = 0;
  return CUDA_SUCCESS;
}

WEFT_EXPORT CUresult cuThreadExchangeStreamCaptureMode(CUstreamCaptureMode* mode) {
  if (!mode || *mode < CU_STREAM_CAPTURE_MODE_GLOBAL || *mode > CU_STREAM_CAPTURE_MODE_RELAXED) {
    return fail(CUDA_ERROR_INVALID_VALUE, "cuThreadExchangeStreamCaptureMode");
  }
  std::swap(*mode, thread_mode);
  return CUDA_SUCCESS;
}
