// SPDX-License-Identifier: Apache-2.0
#include "stream.h"

namespace weft::emulator {

Registry<CUstream>& streams = *new Registry<CUstream>;  // never destroyed: threads may outlive main

CUresult resolve_stream(CUcontext context, CUstream handle, CUstream* stream) {
  *stream = nullptr;
  if (!handle || handle == CU_STREAM_LEGACY) return CUDA_SUCCESS;
  if (handle == CU_STREAM_PER_THREAD) {
    return fail(CUDA_ERROR_NOT_SUPPORTED, "the emulator has no per-thread default stream");
  }
  if (!streams.has(handle)) {
    return fail(CUDA_ERROR_INVALID_HANDLE, "%p is not a live stream", (void*)handle);
  }
  if (handle->owner != context) {
    return fail(CUDA_ERROR_INVALID_CONTEXT, "a stream of another context than this thread's");
  }
  *stream = handle;
  return CUDA_SUCCESS;
}

CUresult finish(CUstream stream, uint64_t position) {
  CUresult first = CUDA_SUCCESS;
  while (!stream->pending.empty() && stream->finished < position) {
    Work work = std::move(stream->pending.front());
    stream->pending.pop_front();
    stream->finished++;
    CUresult result = work.run();
    if (first == CUDA_SUCCESS) first = result;
  }
  return first;
}

CUresult finish_all(CUcontext context) {
  CUresult first = CUDA_SUCCESS;
  for (CUstream stream : streams.live) {
    if (stream->owner != context) continue;
    CUresult result = finish(stream);
    if (first == CUDA_SUCCESS) first = result;
  }
  return first;
}

CUresult enqueue(CUstream stream, Work work) {
  if (!controls.deferred) return work.run();
  stream->pending.push_back(std::move(work));
  return CUDA_SUCCESS;
}

namespace {

uint64_t next_stream_id = 1;

CUresult create(CUstream* stream, unsigned flags, int priority) {
  WEFT_ENTER(context);
  if (!stream || flags > CU_STREAM_NON_BLOCKING) {
    return fail(CUDA_ERROR_INVALID_VALUE, "cuStreamCreate: stream %p, flags %u", (void*)stream,
                flags);
  }
  *stream = streams.add(new CUstream_st(context, flags, priority, next_stream_id++));
  return CUDA_SUCCESS;
}

// Waiting for a stream that is being captured would wait for work that never runs.
CUresult check_can_wait(CUcontext context, CUstream handle, const char* call, CUstream* stream) {
  WEFT_TRY(resolve_stream(context, handle, stream));
  if (!*stream) return enter_legacy_stream(call);
  if (!(*stream)->capture) return CUDA_SUCCESS;
  (*stream)->capture->invalid = true;
  return fail(CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED, "%s on a stream that is being captured", call);
}

}  // namespace

int64_t drop_streams(CUcontext owner) { return streams.drop(owner) + events.drop(owner); }

}  // namespace weft::emulator

using namespace weft::emulator;

WEFT_EXPORT CUresult cuStreamCreate(CUstream* stream, unsigned flags) {
  return create(stream, flags, 0);
}

WEFT_EXPORT CUresult cuStreamCreateWithPriority(CUstream* stream, unsigned flags, int priority) {
  return create(stream, flags, priority);
}

WEFT_EXPORT CUresult cuStreamDestroy_v2(CUstream handle) {
  WEFT_ENTER(context);
  CUstream stream = nullptr;
  WEFT_TRY(resolve_stream(context, handle, &stream));
  if (!stream) return fail(CUDA_ERROR_INVALID_HANDLE, "the default stream cannot be destroyed");
  if (stream->capture) stream->capture->invalid = true;
  CUresult result = finish(stream);
  streams.live.erase(stream);
  delete stream;
  return result;
}

WEFT_EXPORT CUresult cuStreamSynchronize(CUstream handle) {
  WEFT_ENTER(context);
  CUstream stream = nullptr;
  WEFT_TRY(check_can_wait(context, handle, "cuStreamSynchronize", &stream));
  return stream ? finish(stream) : CUDA_SUCCESS;
}

// Work that was put off runs now, and is found to be done the next time.
WEFT_EXPORT CUresult cuStreamQuery(CUstream handle) {
  WEFT_ENTER(context);
  CUstream stream = nullptr;
  WEFT_TRY(check_can_wait(context, handle, "cuStreamQuery", &stream));
  if (!stream || stream->pending.empty()) return CUDA_SUCCESS;
  WEFT_TRY(finish(stream));
  return CUDA_ERROR_NOT_READY;
}

WEFT_EXPORT CUresult cuCtxSynchronize(void) {
  WEFT_ENTER(context);
  WEFT_TRY(enter_legacy_stream("cuCtxSynchronize"));
  WEFT_TRY(check_unsafe_call("cuCtxSynchronize"));
  return finish_all(context);
}

WEFT_EXPORT CUresult cuStreamGetFlags(CUstream handle, unsigned* flags) {
  WEFT_ENTER(context);
  CUstream stream = nullptr;
  WEFT_TRY(resolve_stream(context, handle, &stream));
  *flags = stream ? stream->flags : 0;
  return CUDA_SUCCESS;
}

WEFT_EXPORT CUresult cuStreamGetPriority(CUstream handle, int* priority) {
  WEFT_ENTER(context);
  CUstream stream = nullptr;
  WEFT_TRY(resolve_stream(context, handle, &stream));
  *priority = stream ? stream->priority : 0;
  return CUDA_SUCCESS;
}

WEFT_EXPORT CUresult cuStreamGetCtx(CUstream handle, CUcontext* owner) {
  WEFT_ENTER(context);
  CUstream stream = nullptr;
  WEFT_TRY(resolve_stream(context, handle, &stream));
  *owner = context;
  return CUDA_SUCCESS;
}

WEFT_EXPORT CUresult cuStreamGetId(CUstream handle, unsigned long long* id) {
  WEFT_ENTER(context);
  CUstream stream = nullptr;
  WEFT_TRY(resolve_stream(context, handle, &stream));
  *id = stream ? stream->id : 0;
  return CUDA_SUCCESS;
}
