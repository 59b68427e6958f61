// SPDX-License-Identifier: Apache-2.0
//
// CUDA's words and vector types for a host compiler.
#ifndef WEFT_EMULATOR_DEVICE_TYPES_H
#define WEFT_EMULATOR_DEVICE_TYPES_H

#define __global__
#define __device__
#define __host__
#define __constant__ static
// One block runs at a time, so a static variable is a block's own.
#define __shared__ static
#define __forceinline__ inline __attribute__((always_inline))
#define __launch_bounds__(...)
#define __grid_constant__
#define __align__(n) __attribute__((aligned(n)))

#define WEFT_VECTOR_TYPES(T, name, a1, a2, a4)                       \
  struct a1 name##1 {                                                \
    T x;                                                             \
  };                                                                 \
  struct a2 name##2 {                                                \
    T x, y;                                                          \
  };                                                                 \
  struct name##3 {                                                   \
    T x, y, z;                                                       \
  };                                                                 \
  struct a4 name##4 {                                                \
    T x, y, z, w;                                                    \
  };                                                                 \
  inline name##1 make_##name##1(T x) { return {x}; }                 \
  inline name##2 make_##name##2(T x, T y) { return {x, y}; }         \
  inline name##3 make_##name##3(T x, T y, T z) { return {x, y, z}; } \
  inline name##4 make_##name##4(T x, T y, T z, T w) { return {x, y, z, w}; }

WEFT_VECTOR_TYPES(signed char, char, , alignas(2), alignas(4))
WEFT_VECTOR_TYPES(unsigned char, uchar, , alignas(2), alignas(4))
WEFT_VECTOR_TYPES(short, short, , alignas(4), alignas(8))
WEFT_VECTOR_TYPES(unsigned short, ushort, , alignas(4), alignas(8))
WEFT_VECTOR_TYPES(int, int, , alignas(8), alignas(16))
WEFT_VECTOR_TYPES(unsigned, uint, , alignas(8), alignas(16))
WEFT_VECTOR_TYPES(long long, longlong, , alignas(16), alignas(16))
WEFT_VECTOR_TYPES(unsigned long long, ulonglong, , alignas(16), alignas(16))
WEFT_VECTOR_TYPES(float, float, , alignas(8), alignas(16))
WEFT_VECTOR_TYPES(double, double, , alignas(16), alignas(16))
#undef WEFT_VECTOR_TYPES

struct dim3 {
  unsigned x, y, z;
  dim3(unsigned x_ = 1, unsigned y_ = 1, unsigned z_ = 1) : x(x_), y(y_), z(z_) {}
};

// In libcuda.so.1, also for kernels in another library.
#define WEFT_OF_THE_DRIVER __attribute__((visibility("default")))

// The place of the running thread; the scheduler sets them at every switch.
extern WEFT_OF_THE_DRIVER uint3 threadIdx, blockIdx;
extern WEFT_OF_THE_DRIVER dim3 blockDim, gridDim;
constexpr int warpSize = 32;

#endif  // WEFT_EMULATOR_DEVICE_TYPES_H
