// SPDX-License-Identifier: Apache-2.0
//
// libcublas.so.12 over a host matrix product: what JCublas2 calls for Weft. A function that is missing
// here ends the process with its name when it is first called.
#include <stdio.h>

#include <algorithm>
#include <mutex>
#include <set>

#include "gemm.h"
#include "interop.h"

#ifndef WEFT_CUBLAS_VERSION
#define WEFT_CUBLAS_VERSION 120600
#endif

using namespace weft::emulator;

namespace {

enum Status : int {
  SUCCESS = 0,
  NOT_INITIALIZED = 1,
  INVALID_VALUE = 7,
  EXECUTION_FAILED = 13,
  NOT_SUPPORTED = 15,
};

enum Compute : int {
  COMPUTE_32F = 68,
  COMPUTE_32F_PEDANTIC = 69,
  COMPUTE_64F = 70,
  COMPUTE_64F_PEDANTIC = 71,
  COMPUTE_32F_FAST_16F = 74,
  COMPUTE_32F_FAST_16BF = 75,
  COMPUTE_32F_FAST_TF32 = 77,
};

constexpr int POINTER_MODE_HOST = 0, POINTER_MODE_DEVICE = 1, MATH_MODE_TF32 = 3;

struct Handle {
  CUstream stream = nullptr;
  int math_mode = 0, pointer_mode = POINTER_MODE_HOST, atomics_mode = 0;
};

auto& handles_mutex = *new std::mutex;
auto& handles = *new std::set<Handle*>;  // never destroyed: threads may outlive main

Status explain(Status status, const char* sentence) {
  weft_emulator_explain(sentence);
  return status;
}

bool live(Handle* handle) {
  std::lock_guard<std::mutex> lock(handles_mutex);
  return handles.count(handle) != 0;
}

#define WEFT_NEED(handle) \
  if (!live(handle)) return explain(NOT_INITIALIZED, "not a live cuBLAS handle")

struct Batch {
  Product product;
  int64_t stride_a, stride_b, stride_c;  // in elements
  int count;
  uint64_t alpha, beta;  // where they are, in device pointer mode
  bool wide_scale;       // they are double
};

double scale_at(uint64_t address, bool wide) {
  return wide ? *(const double*)address : *(const float*)address;
}

// The part of memory that a stored matrix with so many rows and columns takes up.
CUresult check_matrix(const char* name, const Matrix& matrix, int64_t rows, int64_t columns,
                      int64_t stride, int count) {
  if (rows == 0 || columns == 0) return CUDA_SUCCESS;
  int64_t last = (columns - 1) * matrix.stride + rows + (count - 1) * stride;
  return weft_emulator_check_range(name, matrix.data, (uint64_t)(last * bytes_of(matrix.type)));
}

CUresult run(const void* data) {
  Batch batch = *(const Batch*)data;
  Product& g = batch.product;
  if (batch.alpha) {
    int64_t bytes = batch.wide_scale ? 8 : 4;
    for (uint64_t scale : {batch.alpha, batch.beta})
      if (CUresult r = weft_emulator_check_range("gemm's alpha or beta", scale, (uint64_t)bytes))
        return r;
    g.alpha = scale_at(batch.alpha, batch.wide_scale);
    g.beta = scale_at(batch.beta, batch.wide_scale);
  }
  int64_t a_rows = g.a.transposed ? g.k : g.m, b_rows = g.b.transposed ? g.n : g.k;
  CUresult result =
      check_matrix("gemm's a", g.a, a_rows, g.m + g.k - a_rows, batch.stride_a, batch.count);
  if (!result)
    result = check_matrix("gemm's b", g.b, b_rows, g.k + g.n - b_rows, batch.stride_b, batch.count);
  if (!result) result = check_matrix("gemm's c", g.c, g.m, g.n, batch.stride_c, batch.count);
  if (result) return CUDA_ERROR_ILLEGAL_ADDRESS;
  for (int i = 0; i < batch.count; i++) {
    multiply(g);
    g.a.data += (uint64_t)(batch.stride_a * bytes_of(g.a.type));
    g.b.data += (uint64_t)(batch.stride_b * bytes_of(g.b.type));
    g.c.data += (uint64_t)(batch.stride_c * bytes_of(g.c.type));
  }
  return CUDA_SUCCESS;
}

// The combinations of types that cuBLAS has and Weft could ask for.
bool supported(int compute, int a, int b, int c) {
  int f32 = (int)Type::F32, f64 = (int)Type::F64;
  switch (compute) {
    case COMPUTE_64F:
    case COMPUTE_64F_PEDANTIC: return a == f64 && b == f64 && c == f64;
    case COMPUTE_32F_FAST_16F:
    case COMPUTE_32F_FAST_16BF:
    case COMPUTE_32F_FAST_TF32: return a == f32 && b == f32 && c == f32;
    case COMPUTE_32F:
    case COMPUTE_32F_PEDANTIC: {
      bool narrow = a == (int)Type::F16 || a == (int)Type::BF16;
      return a == b && (a == f32 ? c == f32 : narrow && (c == a || c == f32));
    }
    default: return false;
  }
}

Rounding rounding_of(int compute, int math_mode) {
  switch (compute) {
    case COMPUTE_32F_FAST_16F: return Rounding::F16;
    case COMPUTE_32F_FAST_16BF: return Rounding::BF16;
    case COMPUTE_32F_FAST_TF32: return Rounding::TF32;
    default:
      return compute == COMPUTE_32F && math_mode == MATH_MODE_TF32 ? Rounding::TF32
                                                                   : Rounding::NONE;
  }
}

int gemm(Handle* handle, int op_a, int op_b, int64_t m, int64_t n, int64_t k, const void* alpha,
         const void* a, int a_type, int64_t lda, int64_t stride_a, const void* b, int b_type,
         int64_t ldb, int64_t stride_b, const void* beta, void* c, int c_type, int64_t ldc,
         int64_t stride_c, int count, int compute) {
  WEFT_NEED(handle);
  if (weft_emulator_does_nothing()) return SUCCESS;
  if (op_a < 0 || op_a > 2 || op_b < 0 || op_b > 2 || m < 0 || n < 0 || k < 0 || count < 0 ||
      !alpha || !beta) {
    return explain(INVALID_VALUE, "gemm: an operation, a size or a scale is not valid");
  }
  bool ta = op_a != 0, tb = op_b != 0;
  if (lda < std::max<int64_t>(1, ta ? k : m) || ldb < std::max<int64_t>(1, tb ? n : k) ||
      ldc < std::max<int64_t>(1, m)) {
    char text[160];
    snprintf(text, sizeof text,
             "gemm: lda %lld, ldb %lld or ldc %lld is too small for m %lld n %lld k %lld",
             (long long)lda, (long long)ldb, (long long)ldc, (long long)m, (long long)n,
             (long long)k);
    return explain(INVALID_VALUE, text);
  }
  if (!supported(compute, a_type, b_type, c_type)) {
    return explain(NOT_SUPPORTED, "gemm: this compute type does not go with these types");
  }
  if (m == 0 || n == 0 || count == 0) return SUCCESS;
  Batch batch = {};
  batch.wide_scale = c_type == (int)Type::F64;
  batch.count = count;
  batch.stride_a = stride_a, batch.stride_b = stride_b, batch.stride_c = stride_c;
  batch.product = {m,
                   n,
                   k,
                   0,
                   0,
                   {(uint64_t)a, (Type)a_type, lda, ta},
                   {(uint64_t)b, (Type)b_type, ldb, tb},
                   {(uint64_t)c, (Type)c_type, ldc, false},
                   rounding_of(compute, handle->math_mode)};
  if (handle->pointer_mode == POINTER_MODE_DEVICE) {
    batch.alpha = (uint64_t)alpha;
    batch.beta = (uint64_t)beta;
  } else {
    batch.product.alpha = scale_at((uint64_t)alpha, batch.wide_scale);
    batch.product.beta = scale_at((uint64_t)beta, batch.wide_scale);
  }
  CUresult result = weft_emulator_submit("gemm", handle->stream, run, &batch, sizeof batch);
  return result == CUDA_SUCCESS ? SUCCESS : EXECUTION_FAILED;
}

}  // namespace

WEFT_EXPORT int cublasCreate_v2(Handle** handle) {
  if (!handle) return INVALID_VALUE;
  if (weft_emulator_check_context() != CUDA_SUCCESS) return NOT_INITIALIZED;
  std::lock_guard<std::mutex> lock(handles_mutex);
  handles.insert(*handle = new Handle);
  return SUCCESS;
}

WEFT_EXPORT int cublasDestroy_v2(Handle* handle) {
  WEFT_NEED(handle);
  std::lock_guard<std::mutex> lock(handles_mutex);
  handles.erase(handle);
  delete handle;
  return SUCCESS;
}

WEFT_EXPORT int cublasGetVersion_v2(Handle*, int* version) {
  return *version = WEFT_CUBLAS_VERSION, SUCCESS;
}

WEFT_EXPORT size_t cublasGetCudartVersion(void) { return 12060; }

WEFT_EXPORT int cublasSetStream_v2(Handle* handle, CUstream stream) {
  WEFT_NEED(handle);
  handle->stream = stream;
  return SUCCESS;
}

WEFT_EXPORT int cublasGetStream_v2(Handle* handle, CUstream* stream) {
  WEFT_NEED(handle);
  *stream = handle->stream;
  return SUCCESS;
}

WEFT_EXPORT int cublasSetWorkspace_v2(Handle* handle, void* workspace, size_t bytes) {
  WEFT_NEED(handle);
  if (!workspace || !bytes) return SUCCESS;
  if ((uint64_t)workspace % 256)
    return explain(INVALID_VALUE, "a workspace not aligned to 256 bytes");
  return weft_emulator_check_range("workspace", (uint64_t)workspace, bytes) ? INVALID_VALUE
                                                                            : SUCCESS;
}

#define WEFT_MODE(Name, field, last)                            \
  WEFT_EXPORT int cublasSet##Name(Handle* handle, int mode) {   \
    WEFT_NEED(handle);                                          \
    if (mode < 0 || (mode & 15) > (last)) return INVALID_VALUE; \
    handle->field = mode;                                       \
    return SUCCESS;                                             \
  }                                                             \
  WEFT_EXPORT int cublasGet##Name(Handle* handle, int* mode) {  \
    WEFT_NEED(handle);                                          \
    *mode = handle->field;                                      \
    return SUCCESS;                                             \
  }
WEFT_MODE(MathMode, math_mode, 3)
WEFT_MODE(PointerMode_v2, pointer_mode, POINTER_MODE_DEVICE)
WEFT_MODE(AtomicsMode, atomics_mode, 1)

WEFT_EXPORT int cublasGemmEx(Handle* handle, int op_a, int op_b, int m, int n, int k,
                             const void* alpha, const void* a, int a_type, int lda, const void* b,
                             int b_type, int ldb, const void* beta, void* c, int c_type, int ldc,
                             int compute, int) {
  return gemm(handle, op_a, op_b, m, n, k, alpha, a, a_type, lda, 0, b, b_type, ldb, 0, beta, c,
              c_type, ldc, 0, 1, compute);
}

WEFT_EXPORT int cublasGemmStridedBatchedEx(Handle* handle, int op_a, int op_b, int m, int n, int k,
                                           const void* alpha, const void* a, int a_type, int lda,
                                           long long stride_a, const void* b, int b_type, int ldb,
                                           long long stride_b, const void* beta, void* c,
                                           int c_type, int ldc, long long stride_c, int count,
                                           int compute, int) {
  return gemm(handle, op_a, op_b, m, n, k, alpha, a, a_type, lda, stride_a, b, b_type, ldb,
              stride_b, beta, c, c_type, ldc, stride_c, count, compute);
}

WEFT_EXPORT int cublasSgemm_v2(Handle* handle, int op_a, int op_b, int m, int n, int k,
                               const float* alpha, const float* a, int lda, const float* b, int ldb,
                               const float* beta, float* c, int ldc) {
  return gemm(handle, op_a, op_b, m, n, k, alpha, a, 0, lda, 0, b, 0, ldb, 0, beta, c, 0, ldc, 0, 1,
              COMPUTE_32F);
}

WEFT_EXPORT int cublasDgemm_v2(Handle* handle, int op_a, int op_b, int m, int n, int k,
                               const double* alpha, const double* a, int lda, const double* b,
                               int ldb, const double* beta, double* c, int ldc) {
  return gemm(handle, op_a, op_b, m, n, k, alpha, a, 1, lda, 0, b, 1, ldb, 0, beta, c, 1, ldc, 0, 1,
              COMPUTE_64F);
}

WEFT_EXPORT const char* cublasGetStatusName(int status) {
  switch (status) {
    case SUCCESS: return "CUBLAS_STATUS_SUCCESS";
    case NOT_INITIALIZED: return "CUBLAS_STATUS_NOT_INITIALIZED";
    case INVALID_VALUE: return "CUBLAS_STATUS_INVALID_VALUE";
    case EXECUTION_FAILED: return "CUBLAS_STATUS_EXECUTION_FAILED";
    case NOT_SUPPORTED: return "CUBLAS_STATUS_NOT_SUPPORTED";
    default: return "unknown cuBLAS status";
  }
}

WEFT_EXPORT const char* cublasGetStatusString(int status) { return cublasGetStatusName(status); }
