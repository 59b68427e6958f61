// SPDX-License-Identifier: Apache-2.0
//
// A libcublas.so.12 for machines that have only cuBLAS 13. JCublas2 is linked against cuBLAS 12; the
// functions that Weft calls through it have the same arguments in both, so each is handed on. The
// others that JCublas2 asks for are there, so that it loads also where all symbols are bound at once
// (LD_BIND_NOW), but say their name and that they are not supported.
#include <dlfcn.h>
#include <pthread.h>
#include <stddef.h>
#include <stdio.h>

#define WEFT_EXPORT extern "C" __attribute__((visibility("default")))

using status = int;
using handle = struct cublasContext*;
using stream = struct CUstream_st*;
using in = const void*;
using step = long long;

static constexpr status NOT_INITIALIZED = 1;
static constexpr status NOT_SUPPORTED = 15;

// name, parameters, arguments
#define WEFT_FORWARDED(F)                                                                      \
  F(cublasCreate_v2, (handle * h), (h))                                                        \
  F(cublasDestroy_v2, (handle h), (h))                                                         \
  F(cublasGetVersion_v2, (handle h, int* version), (h, version))                               \
  F(cublasSetStream_v2, (handle h, stream s), (h, s))                                          \
  F(cublasSetWorkspace_v2, (handle h, void* workspace, size_t bytes), (h, workspace, bytes))   \
  F(cublasSetMathMode, (handle h, int mode), (h, mode))                                        \
  F(cublasGemmEx,                                                                              \
    (handle h, int ta, int tb, int m, int n, int k, in alpha, in a, int a_type, int lda, in b, \
     int b_type, int ldb, in beta, void* c, int c_type, int ldc, int compute, int algorithm),  \
    (h, ta, tb, m, n, k, alpha, a, a_type, lda, b, b_type, ldb, beta, c, c_type, ldc, compute, \
     algorithm))                                                                               \
  F(cublasGemmStridedBatchedEx,                                                                \
    (handle h, int ta, int tb, int m, int n, int k, in alpha, in a, int a_type, int lda,       \
     step a_step, in b, int b_type, int ldb, step b_step, in beta, void* c, int c_type,        \
     int ldc, step c_step, int count, int compute, int algorithm),                             \
    (h, ta, tb, m, n, k, alpha, a, a_type, lda, a_step, b, b_type, ldb, b_step, beta, c,       \
     c_type, ldc, c_step, count, compute, algorithm))

#define WEFT_FIELD(name, parameters, arguments) status(*name) parameters;
static struct {
  WEFT_FORWARDED(WEFT_FIELD)  // where each function is
} target;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int loaded;  // 1 when every field of target is set
static char error[512];

static void* find(void* library, const char* name, int* missing) {
  void* found = dlsym(library, name);
  if (!found && !*missing) {
    snprintf(error, sizeof error, "%s", dlerror());
    *missing = 1;
  }
  return found;
}

// Names the cuBLAS 13 to hand on to. Returns 1 when it is loaded (the first one stays), 0 when it
// cannot be, and weft_cublas12_error says why.
WEFT_EXPORT int weft_cublas12_target(const char* path) {
  pthread_mutex_lock(&lock);
  if (!loaded) {
    void* library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    int missing = 0;
    if (library) {
#define WEFT_FIND(name, parameters, arguments) \
  target.name = (status(*) parameters)find(library, #name, &missing);
      WEFT_FORWARDED(WEFT_FIND)
      __atomic_store_n(&loaded, !missing, __ATOMIC_RELEASE);
      if (missing) dlclose(library);
    } else {
      snprintf(error, sizeof error, "%s", dlerror());
    }
  }
  int result = loaded;
  pthread_mutex_unlock(&lock);
  return result;
}

// What the loader said when it failed last.
WEFT_EXPORT const char* weft_cublas12_error(void) { return error; }

// Without a target every call fails.
#define WEFT_DEFINE(name, parameters, arguments)                                                 \
  WEFT_EXPORT status name parameters {                                                           \
    return __atomic_load_n(&loaded, __ATOMIC_ACQUIRE) ? target.name arguments : NOT_INITIALIZED; \
  }
WEFT_FORWARDED(WEFT_DEFINE)

static status absent(const char* name) {
  fprintf(stderr, "weft: %s is not handed on to cuBLAS 13\n", name);
  return NOT_SUPPORTED;
}

#define F(name) \
  WEFT_EXPORT status name(void) { return absent(#name); }
#include "absent.inc"
