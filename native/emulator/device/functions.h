// SPDX-License-Identifier: Apache-2.0
//
// CUDA's device functions that <cmath> does not have. The fast ones (__expf and the like) are the
// exact ones here: a kernel that needs their errors to pass a test is not something to emulate.
#ifndef WEFT_EMULATOR_DEVICE_FUNCTIONS_H
#define WEFT_EMULATOR_DEVICE_FUNCTIONS_H

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <type_traits>

#include "types.h"

#define WEFT_MIN_MAX(T)                            \
  inline T min(T a, T b) { return b < a ? b : a; } \
  inline T max(T a, T b) { return a < b ? b : a; }
WEFT_MIN_MAX(int)
WEFT_MIN_MAX(unsigned)
WEFT_MIN_MAX(long)
WEFT_MIN_MAX(unsigned long)
WEFT_MIN_MAX(long long)
WEFT_MIN_MAX(unsigned long long)
#undef WEFT_MIN_MAX
// as on the device, NaN loses
inline float min(float a, float b) { return fminf(a, b); }
inline float max(float a, float b) { return fmaxf(a, b); }
inline double min(double a, double b) { return fmin(a, b); }
inline double max(double a, double b) { return fmax(a, b); }

inline float rsqrtf(float x) { return 1.0f / sqrtf(x); }
inline double rsqrt(double x) { return 1.0 / sqrt(x); }
inline float __expf(float x) { return expf(x); }
inline float __exp10f(float x) { return powf(10.0f, x); }
inline float __logf(float x) { return logf(x); }
inline float __log2f(float x) { return log2f(x); }
inline float __powf(float x, float y) { return powf(x, y); }
inline float __sinf(float x) { return sinf(x); }
inline float __cosf(float x) { return cosf(x); }
inline float __tanf(float x) { return tanf(x); }
inline void __sincosf(float x, float* s, float* c) { *s = sinf(x), *c = cosf(x); }
inline float __fdividef(float a, float b) { return a / b; }
inline float __frcp_rn(float x) { return 1.0f / x; }
inline float __fsqrt_rn(float x) { return sqrtf(x); }
inline float __frsqrt_rn(float x) { return 1.0f / sqrtf(x); }
inline float __saturatef(float x) { return x > 0.0f ? (x < 1.0f ? x : 1.0f) : 0.0f; }
inline float __fadd_rn(float a, float b) { return a + b; }
inline float __fsub_rn(float a, float b) { return a - b; }
inline float __fmul_rn(float a, float b) { return a * b; }
inline float __fdiv_rn(float a, float b) { return a / b; }
inline float __fmaf_rn(float a, float b, float c) { return fmaf(a, b, c); }
inline double __dadd_rn(double a, double b) { return a + b; }
inline double __dsub_rn(double a, double b) { return a - b; }
inline double __dmul_rn(double a, double b) { return a * b; }
inline double __ddiv_rn(double a, double b) { return a / b; }
inline double __dsqrt_rn(double x) { return sqrt(x); }
inline double __fma_rn(double a, double b, double c) { return fma(a, b, c); }
inline float normcdff(float x) { return 0.5f * erfcf(x * -0.70710678118654752440f); }
inline double normcdf(double x) { return 0.5 * erfc(x * -0.70710678118654752440); }
inline void sincospif(float x, float* s, float* c) {
  double angle = fmod((double)x, 2.0) * 3.14159265358979323846;
  *s = (float)sin(angle), *c = (float)cos(angle);
}
inline void sincospi(double x, double* s, double* c) {
  double angle = fmod(x, 2.0) * 3.14159265358979323846;
  *s = sin(angle), *c = cos(angle);
}

template <typename To, typename From>
inline To weft_bits(From from) {
  static_assert(sizeof(To) == sizeof(From), "same size");
  To to;
  memcpy(&to, &from, sizeof to);
  return to;
}
inline int __float_as_int(float x) { return weft_bits<int>(x); }
inline unsigned __float_as_uint(float x) { return weft_bits<unsigned>(x); }
inline float __int_as_float(int x) { return weft_bits<float>(x); }
inline float __uint_as_float(unsigned x) { return weft_bits<float>(x); }
inline long long __double_as_longlong(double x) { return weft_bits<long long>(x); }
inline double __longlong_as_double(long long x) { return weft_bits<double>(x); }

inline float __int2float_rn(int x) { return (float)x; }
inline float __uint2float_rn(unsigned x) { return (float)x; }
inline double __int2double_rn(int x) { return (double)x; }
inline float __double2float_rn(double x) { return (float)x; }
inline int __float2int_rn(float x) { return (int)nearbyintf(x); }
inline int __float2int_rz(float x) { return (int)x; }
inline int __float2int_rd(float x) { return (int)floorf(x); }

inline int __popc(unsigned x) { return __builtin_popcount(x); }
inline int __popcll(unsigned long long x) { return __builtin_popcountll(x); }
inline int __clz(int x) { return x ? __builtin_clz((unsigned)x) : 32; }
inline int __clzll(long long x) { return x ? __builtin_clzll((unsigned long long)x) : 64; }
inline int __ffs(int x) { return __builtin_ffs(x); }
inline int __ffsll(long long x) { return __builtin_ffsll(x); }
inline unsigned __brev(unsigned x) {
  unsigned y = 0;
  for (int i = 0; i < 32; i++) y |= (x >> i & 1u) << (31 - i);
  return y;
}
inline int __mulhi(int a, int b) { return (int)((int64_t)a * b >> 32); }
inline unsigned __umulhi(unsigned a, unsigned b) { return (unsigned)((uint64_t)a * b >> 32); }
inline unsigned long long __umul64hi(unsigned long long a, unsigned long long b) {
  return (unsigned long long)((unsigned __int128)a * b >> 64);
}

// Loads and stores with cache hints.
template <typename T>
inline T __ldg(const T* p) {
  return *p;
}
#define WEFT_LOAD(name)       \
  template <typename T>       \
  inline T name(const T* p) { \
    return *p;                \
  }
WEFT_LOAD(__ldca)
WEFT_LOAD(__ldcg)
WEFT_LOAD(__ldcs)
WEFT_LOAD(__ldcv)
WEFT_LOAD(__ldlu)
#undef WEFT_LOAD
#define WEFT_STORE(name)                                             \
  template <typename T>                                              \
  inline void name(T* p, typename std::common_type<T>::type value) { \
    *p = value;                                                      \
  }
WEFT_STORE(__stcg)
WEFT_STORE(__stcs)
WEFT_STORE(__stwb)
WEFT_STORE(__stwt)
#undef WEFT_STORE

#endif  // WEFT_EMULATOR_DEVICE_FUNCTIONS_H
