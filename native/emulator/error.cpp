// SPDX-License-Identifier: Apache-2.0
#include "driver_api.h"

namespace {

struct Text {
  CUresult result;
  const char *name, *sentence;
};

#define WEFT_ERROR(name, sentence) \
  { CUDA_##name, "CUDA_" #name, sentence }
constexpr Text TEXTS[] = {
    WEFT_ERROR(SUCCESS, "no error"),
    WEFT_ERROR(ERROR_INVALID_VALUE, "invalid argument"),
    WEFT_ERROR(ERROR_OUT_OF_MEMORY, "out of memory"),
    WEFT_ERROR(ERROR_NOT_INITIALIZED, "initialization error"),
    WEFT_ERROR(ERROR_NO_DEVICE, "no CUDA-capable device is detected"),
    WEFT_ERROR(ERROR_INVALID_DEVICE, "invalid device ordinal"),
    WEFT_ERROR(ERROR_INVALID_IMAGE, "device kernel image is invalid"),
    WEFT_ERROR(ERROR_INVALID_CONTEXT, "invalid device context"),
    WEFT_ERROR(ERROR_INVALID_HANDLE, "invalid resource handle"),
    WEFT_ERROR(ERROR_ILLEGAL_STATE, "the operation cannot be performed in the present state"),
    WEFT_ERROR(ERROR_NOT_FOUND, "named symbol not found"),
    WEFT_ERROR(ERROR_NOT_READY, "device not ready"),
    WEFT_ERROR(ERROR_ILLEGAL_ADDRESS, "an illegal memory access was encountered"),
    WEFT_ERROR(ERROR_LAUNCH_OUT_OF_RESOURCES, "too many resources requested for launch"),
    WEFT_ERROR(ERROR_CONTEXT_IS_DESTROYED, "context is destroyed"),
    WEFT_ERROR(ERROR_ASSERT, "device-side assert triggered"),
    WEFT_ERROR(ERROR_HOST_MEMORY_ALREADY_REGISTERED,
               "part or all of the requested memory range is already mapped"),
    WEFT_ERROR(ERROR_HOST_MEMORY_NOT_REGISTERED,
               "pointer does not correspond to a registered memory region"),
    WEFT_ERROR(ERROR_MISALIGNED_ADDRESS, "misaligned address"),
    WEFT_ERROR(ERROR_LAUNCH_FAILED, "unspecified launch failure"),
    WEFT_ERROR(ERROR_NOT_SUPPORTED, "operation not supported"),
    WEFT_ERROR(ERROR_STREAM_CAPTURE_UNSUPPORTED,
               "operation not permitted when stream is capturing"),
    WEFT_ERROR(ERROR_STREAM_CAPTURE_INVALIDATED,
               "operation failed due to a previous error during capture"),
    WEFT_ERROR(ERROR_STREAM_CAPTURE_MERGE,
               "operation would result in a merge of separate capture sequences"),
    WEFT_ERROR(ERROR_STREAM_CAPTURE_UNJOINED, "capturing stream has unjoined work"),
    WEFT_ERROR(ERROR_STREAM_CAPTURE_IMPLICIT, "dependency created on the legacy default stream"),
    WEFT_ERROR(ERROR_CAPTURED_EVENT,
               "operation not permitted on an event last recorded in a capturing stream"),
    WEFT_ERROR(ERROR_STREAM_CAPTURE_WRONG_THREAD,
               "attempt to terminate a thread-local capture sequence from another thread"),
    WEFT_ERROR(ERROR_UNKNOWN, "unknown error"),
};

CUresult find(CUresult result, const char** text, const char* Text::* member) {
  *text = nullptr;
  for (const Text& known : TEXTS)
    if (known.result == result) *text = known.*member;
  return *text ? CUDA_SUCCESS : CUDA_ERROR_INVALID_VALUE;
}

}  // namespace

WEFT_EXPORT CUresult cuGetErrorName(CUresult result, const char** text) {
  return find(result, text, &Text::name);
}

WEFT_EXPORT CUresult cuGetErrorString(CUresult result, const char** text) {
  return find(result, text, &Text::sentence);
}
