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

namespace {

uint64_t next_stream_id = 1;

CUresult create(CUstream* stream, unsigned flags, int priority) {
  WEFT_ENTER(context);
  if (!stream || flags > CU_STREAM_NON_BLOCKING) {
    return fail(CUDA_ERROR_INVALID_VALUE, "cuStreamCreate: stream %p, flags %u", (void*)stream,
                flags);
  }
  *stream = streams.add(new CUstream_st{context, flags, priority, next_stream_id++, nullptr});
  return CUDA_SUCCESS;
}

// Waiting for a stream that is being captured would wait for work that never runs.
CUresult check_can_wait(CUstream handle, const char* call) {
  WEFT_ENTER(context);
  CUstream stream = nullptr;
  WEFT_TRY(resolve_stream(context, handle, &stream));
  if (!stream) return check_legacy_stream(call);
  if (!stream->capture) return CUDA_SUCCESS;
  stream->capture->invalid = true;
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
  streams.live.erase(stream);
  delete stream;
  return CUDA_SUCCESS;
}

WEFT_EXPORT CUresult cuStreamSynchronize(CUstream stream) {
  return check_can_wait(stream, "cuStreamSynchronize");
}

WEFT_EXPORT CUresult cuStreamQuery(CUstream stream) {
  return check_can_wait(stream, "cuStreamQuery");
}

WEFT_EXPORT CUresult cuCtxSynchronize(void) {
  WEFT_ENTER(context);
  WEFT_TRY(check_legacy_stream("cuCtxSynchronize"));
  return check_unsafe_call("cuCtxSynchronize");
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
