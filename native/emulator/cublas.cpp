// SPDX-License-Identifier: Apache-2.0
//
// libcublas.so.12 over a host matrix product: what JCublas2 calls for Weft. A function that is
// missing here ends the process with its name when it is first called.
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

constexpr int MATH_MODE_TF32 = 3, DISALLOW_REDUCED_PRECISION_REDUCTION = 16;

struct Handle {
  CUstream stream = nullptr;
  int math_mode = 0;
  bool has_workspace = false;  // of the user
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

double scale_at(const void* address, bool wide) {
  return wide ? *(const double*)address : *(const float*)address;
}

// The part of memory that a stored matrix with so many rows and columns takes up; read: what is in
// it, too.
CUresult check_matrix(const char* name, const Matrix& matrix, int64_t rows, int64_t columns,
                      bool read) {
  if (rows == 0 || columns == 0) return CUDA_SUCCESS;
  int64_t last = (columns - 1) * matrix.stride + rows, bytes = bytes_of(matrix.type);
  CUresult result = weft_emulator_check_range(name, matrix.data, (uint64_t)(last * bytes));
  for (int64_t j = 0; read && !result && j < columns; j++) {
    uint64_t column = matrix.data + (uint64_t)(j * matrix.stride * bytes);
    result = weft_emulator_check_written(name, column, (uint64_t)(rows * bytes));
  }
  return result;
}

// Whether two matrices have memory in common, that between their columns included.
bool overlap(const Matrix& x, int64_t x_rows, int64_t x_columns, const Matrix& y, int64_t y_rows,
             int64_t y_columns) {
  auto end = [](const Matrix& a, int64_t rows, int64_t columns) {
    int64_t elements = rows && columns ? (columns - 1) * a.stride + rows : 0;
    return a.data + (uint64_t)(elements * bytes_of(a.type));
  };
  return x.data < end(y, y_rows, y_columns) && y.data < end(x, x_rows, x_columns);
}

CUresult run_one(const Product& g) {
  int64_t a_rows = g.a.transposed ? g.k : g.m, b_rows = g.b.transposed ? g.n : g.k;
  CUresult result = check_matrix("gemm's a", g.a, a_rows, g.m + g.k - a_rows, true);
  if (!result) result = check_matrix("gemm's b", g.b, b_rows, g.k + g.n - b_rows, true);
  if (!result) result = check_matrix("gemm's c", g.c, g.m, g.n, g.beta != 0);
  if (result) return CUDA_ERROR_ILLEGAL_ADDRESS;
  for (const Matrix* matrix : {&g.a, &g.b, &g.c}) {
    if (matrix->data % (uint64_t)bytes_of(matrix->type) == 0) continue;
    weft_emulator_explain("gemm: a matrix is not aligned to its type");
    return CUDA_ERROR_MISALIGNED_ADDRESS;
  }
  if (overlap(g.c, g.m, g.n, g.a, a_rows, g.m + g.k - a_rows) ||
      overlap(g.c, g.m, g.n, g.b, b_rows, g.k + g.n - b_rows)) {
    weft_emulator_explain("gemm: the result lies where an operand does");
    return CUDA_ERROR_LAUNCH_FAILED;
  }
  multiply(g);
  int64_t bytes = bytes_of(g.c.type);
  for (int64_t j = 0; j < g.n; j++) {
    uint64_t column = g.c.data + (uint64_t)(j * g.c.stride * bytes);
    weft_emulator_note_written(column, (uint64_t)(g.m * bytes));
  }
  return CUDA_SUCCESS;
}

// Products whose matrices lie so many elements apart.
struct Batch {
  Product first;
  int64_t count, a_step, b_step, c_step;
};

CUresult run(const void* data) {
  const Batch& batch = *(const Batch*)data;
  Product g = batch.first;
  auto step = [](Matrix& matrix, int64_t elements) {
    matrix.data += (uint64_t)(elements * bytes_of(matrix.type));
  };
  for (int64_t i = 0; i < batch.count; i++) {
    CUresult result = run_one(g);
    if (result) return result;
    step(g.a, batch.a_step);
    step(g.b, batch.b_step);
    step(g.c, batch.c_step);
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
    default: {
      bool tf32 = (math_mode & ~DISALLOW_REDUCED_PRECISION_REDUCTION) == MATH_MODE_TF32;
      return compute == COMPUTE_32F && tf32 ? Rounding::TF32 : Rounding::NONE;
    }
  }
}

// What cuBLAS may do, where a kernel is checked; else what is easiest to test against.
Sums sums_of(int c_type, int math_mode) {
  if (!weft_emulator_checks() || c_type == (int)Type::F64) return Sums::EXACT;
  bool reduces = c_type == (int)Type::BF16 && !(math_mode & DISALLOW_REDUCED_PRECISION_REDUCTION);
  return reduces ? Sums::REDUCED : Sums::FLOAT;
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

WEFT_EXPORT int cublasSetStream_v2(Handle* handle, CUstream stream) {
  WEFT_NEED(handle);
  handle->stream = stream;
  handle->has_workspace = false;
  return SUCCESS;
}

WEFT_EXPORT int cublasSetWorkspace_v2(Handle* handle, void* workspace, size_t bytes) {
  WEFT_NEED(handle);
  handle->has_workspace = false;
  if (!workspace || !bytes) return SUCCESS;
  if ((uint64_t)workspace % 256)
    return explain(INVALID_VALUE, "a workspace not aligned to 256 bytes");
  if (weft_emulator_check_range("workspace", (uint64_t)workspace, bytes)) return INVALID_VALUE;
  handle->has_workspace = true;
  return SUCCESS;
}

WEFT_EXPORT int cublasSetMathMode(Handle* handle, int mode) {
  WEFT_NEED(handle);
  if (mode < 0 || (mode & ~DISALLOW_REDUCED_PRECISION_REDUCTION) > MATH_MODE_TF32)
    return INVALID_VALUE;
  handle->math_mode = mode;
  return SUCCESS;
}

WEFT_EXPORT int cublasGemmStridedBatchedEx(Handle* handle, int op_a, int op_b, int m, int n, int k,
                                           const void* alpha, const void* a, int a_type, int lda,
                                           long long a_step, const void* b, int b_type, int ldb,
                                           long long b_step, const void* beta, void* c, int c_type,
                                           int ldc, long long c_step, int count, int compute,
                                           int algorithm) {
  WEFT_NEED(handle);
  if (weft_emulator_does_nothing()) return SUCCESS;
  if (op_a < 0 || op_a > 2 || op_b < 0 || op_b > 2 || m < 0 || n < 0 || k < 0 || count < 0 ||
      !alpha || !beta) {
    return explain(INVALID_VALUE, "gemm: an operation, a size or a scale is not valid");
  }
  bool ta = op_a != 0, tb = op_b != 0;
  if (lda < std::max(1, ta ? k : m) || ldb < std::max(1, tb ? n : k) || ldc < std::max(1, m)) {
    char text[160];
    snprintf(text, sizeof text, "gemm: lda %d, ldb %d or ldc %d is too small for m %d n %d k %d",
             lda, ldb, ldc, m, n, k);
    return explain(INVALID_VALUE, text);
  }
  if (!supported(compute, a_type, b_type, c_type)) {
    return explain(NOT_SUPPORTED, "gemm: this compute type does not go with these types");
  }
  if (!(algorithm >= -1 && algorithm <= 23) && !(algorithm >= 99 && algorithm <= 115)) {
    return explain(INVALID_VALUE, "gemm: there is no such algorithm");
  }
  if (count > 1 && c_step < (n - 1LL) * ldc + m) {
    return explain(INVALID_VALUE, "gemm: the results of a batch overlap");
  }
  if (m == 0 || n == 0 || count == 0) return SUCCESS;
  // cuBLAS would allocate one of its own, which the graph then outlives
  if (!handle->has_workspace && weft_emulator_captures(handle->stream)) {
    return explain(
        NOT_SUPPORTED,
        "gemm: captured with no workspace of the user's; setting a stream takes it away");
  }
  bool wide_scale = c_type == (int)Type::F64;
  Product product = {m,
                     n,
                     k,
                     scale_at(alpha, wide_scale),
                     scale_at(beta, wide_scale),
                     {(uint64_t)a, (Type)a_type, lda, ta},
                     {(uint64_t)b, (Type)b_type, ldb, tb},
                     {(uint64_t)c, (Type)c_type, ldc, false},
                     rounding_of(compute, handle->math_mode),
                     sums_of(c_type, handle->math_mode)};
  Batch batch = {product, count, a_step, b_step, c_step};
  CUresult result = weft_emulator_submit("gemm", handle->stream, run, &batch, sizeof batch);
  return result == CUDA_SUCCESS ? SUCCESS : EXECUTION_FAILED;
}

WEFT_EXPORT int cublasGemmEx(Handle* handle, int op_a, int op_b, int m, int n, int k,
                             const void* alpha, const void* a, int a_type, int lda, const void* b,
                             int b_type, int ldb, const void* beta, void* c, int c_type, int ldc,
                             int compute, int algorithm) {
  return cublasGemmStridedBatchedEx(handle, op_a, op_b, m, n, k, alpha, a, a_type, lda, 0, b,
                                    b_type, ldb, 0, beta, c, c_type, ldc, 0, 1, compute, algorithm);
}
