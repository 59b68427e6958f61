// SPDX-License-Identifier: Apache-2.0
#include "stream.h"

#include <map>

namespace weft::emulator {

Registry<CUstream>& streams = *new Registry<CUstream>;  // never destroyed: threads may outlive main

namespace {

auto& legacy_streams = *new std::map<CUcontext, CUstream_st>;  // nor are these

// Puts off, until its turn on the stream, a wait for what the other one has been given so far.
void wait_for(CUstream stream, CUstream other) {
  if (other->pending.empty()) return;
  uint64_t position = other->finished + other->pending.size();
  stream->pending.push_back({CU_GRAPH_NODE_TYPE_MEMSET, [other, position] {
                               return is_live(other) ? finish(other, position) : CUDA_SUCCESS;
                             }});
}

// What comes next on the stream waits as the legacy stream and blocking ones do for each other.
void wait_for_others(CUstream stream) {
  if (stream->legacy()) {
    for (CUstream other : streams.live)
      if (other->owner == stream->owner && other->blocking()) wait_for(stream, other);
  } else if (stream->blocking()) {
    wait_for(stream, legacy_stream(stream->owner));
  }
}

}  // namespace

CUstream legacy_stream(CUcontext context) {
  return &legacy_streams.try_emplace(context, context, 0, 0, 0).first->second;
}

bool is_live(CUstream stream) {
  if (streams.has(stream)) return true;
  for (auto& legacy : legacy_streams)
    if (&legacy.second == stream) return true;
  return false;
}

CUresult resolve_stream(CUcontext context, CUstream handle, CUstream* stream) {
  *stream = legacy_stream(context);
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
  CUresult first = finish(legacy_stream(context));
  for (CUstream stream : streams.live) {
    if (stream->owner != context) continue;
    CUresult result = finish(stream);
    if (first == CUDA_SUCCESS) first = result;
  }
  return first;
}

CUresult finish_all() {
  CUresult first = CUDA_SUCCESS;
  for (auto& legacy : legacy_streams) {
    CUresult result = finish_all(legacy.first);
    if (first == CUDA_SUCCESS) first = result;
  }
  return first;
}

CUresult synchronize(CUstream stream) {
  if (stream->legacy()) wait_for_others(stream);
  return finish(stream);
}

CUresult enqueue(CUstream stream, Work work) {
  if (!controls.deferred) return work.run();
  wait_for_others(stream);
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
  if ((*stream)->legacy()) return enter_legacy_stream(call);
  if (!(*stream)->capture) return CUDA_SUCCESS;
  (*stream)->capture->invalid = true;
  return fail(CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED, "%s on a stream that is being captured", call);
}

}  // namespace

int64_t drop_streams(CUcontext owner) {
  legacy_streams.erase(owner);
  return streams.drop(owner) + events.drop(owner);
}

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
  if (stream->legacy()) {
    return fail(CUDA_ERROR_INVALID_HANDLE, "the default stream cannot be destroyed");
  }
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
  return synchronize(stream);
}

// Work that was put off runs now, and is found to be done the next time.
WEFT_EXPORT CUresult cuStreamQuery(CUstream handle) {
  WEFT_ENTER(context);
  CUstream stream = nullptr;
  WEFT_TRY(check_can_wait(context, handle, "cuStreamQuery", &stream));
  uint64_t finished = stream->finished;
  WEFT_TRY(synchronize(stream));
  return stream->finished == finished ? CUDA_SUCCESS : CUDA_ERROR_NOT_READY;
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
  *flags = stream->flags;
  return CUDA_SUCCESS;
}

WEFT_EXPORT CUresult cuStreamGetPriority(CUstream handle, int* priority) {
  WEFT_ENTER(context);
  CUstream stream = nullptr;
  WEFT_TRY(resolve_stream(context, handle, &stream));
  *priority = stream->priority;
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
  *id = stream->id;
  return CUDA_SUCCESS;
}
