// SPDX-License-Identifier: Apache-2.0
//
// Barriers, warp collectives and atomics for kernels on the emulator.
#ifndef WEFT_EMULATOR_DEVICE_THREADS_H
#define WEFT_EMULATOR_DEVICE_THREADS_H

#include "functions.h"

namespace weft::emulator {

// What a warp does together. Lanes that meet at one mask must do the same thing.
enum class Collective : unsigned char { SYNC, SHUFFLE, VOTE, MATCH, REDUCE };

// Waits until every thread of the block has come to the same barrier. Returns how many of them came
// with a predicate that holds.
WEFT_OF_THE_DRIVER unsigned block_barrier(bool predicate, const char* file, int line);

// Waits until every lane named in mask has come; returns what each of the 32 lanes brought. Good
// until this lane's next collective.
WEFT_OF_THE_DRIVER const uint64_t* warp_exchange(unsigned mask, uint64_t value, Collective kind);

WEFT_OF_THE_DRIVER unsigned live_lanes();     // lanes of this warp that have not returned
[[noreturn]] WEFT_OF_THE_DRIVER void trap();  // ends the launch

inline unsigned lane() {
  return (threadIdx.x + blockDim.x * (threadIdx.y + blockDim.y * threadIdx.z)) & 31u;
}

template <typename T>
inline uint64_t pack(T value) {
  static_assert(sizeof(T) <= 8, "a lane exchanges at most eight bytes");
  uint64_t bits = 0;
  memcpy(&bits, &value, sizeof value);
  return bits;
}
template <typename T>
inline T unpack(uint64_t bits) {
  T value;
  memcpy(&value, &bits, sizeof value);
  return value;
}

// source: the lane to read. Outside its segment, or not named in the mask: the lane's own value.
template <typename T>
inline T shuffle(unsigned mask, T value, int source, bool inside) {
  const uint64_t* all = warp_exchange(mask, pack(value), Collective::SHUFFLE);
  return inside && (mask >> source & 1u) ? unpack<T>(all[source]) : value;
}

inline unsigned vote(unsigned mask, bool predicate) {
  const uint64_t* all = warp_exchange(mask, predicate, Collective::VOTE);
  unsigned bits = 0;
  for (int i = 0; i < 32; i++)
    if (mask >> i & 1u) bits |= (unsigned)all[i] << i;
  return bits;
}

template <typename T, typename Combine>
inline T reduce(unsigned mask, T value, Combine combine) {
  const uint64_t* all = warp_exchange(mask, pack(value), Collective::REDUCE);
  int first = __builtin_ctz(mask);
  T result = unpack<T>(all[first]);
  for (int i = first + 1; i < 32; i++)
    if (mask >> i & 1u) result = combine(result, unpack<T>(all[i]));
  return result;
}

}  // namespace weft::emulator

#define __syncthreads() ((void)::weft::emulator::block_barrier(false, __FILE__, __LINE__))
#define __syncthreads_count(p) ((int)::weft::emulator::block_barrier((p) != 0, __FILE__, __LINE__))
#define __syncthreads_or(p) \
  ((int)(::weft::emulator::block_barrier((p) != 0, __FILE__, __LINE__) > 0))
#define __syncthreads_and(p)                                              \
  ((int)(::weft::emulator::block_barrier((p) != 0, __FILE__, __LINE__) == \
         blockDim.x * blockDim.y * blockDim.z))

inline void __syncwarp(unsigned mask = 0xffffffffu) {
  ::weft::emulator::warp_exchange(mask, 0, ::weft::emulator::Collective::SYNC);
}
inline void __threadfence() {}
inline void __threadfence_block() {}
inline void __threadfence_system() {}
inline void __trap() { ::weft::emulator::trap(); }
inline unsigned __activemask() { return ::weft::emulator::live_lanes(); }
inline void __nanosleep(unsigned) {}

template <typename T>
inline T __shfl_sync(unsigned mask, T value, int source, int width = 32) {
  int lane = (int)::weft::emulator::lane();
  return ::weft::emulator::shuffle(mask, value, (lane & ~(width - 1)) | (source & (width - 1)),
                                   true);
}
template <typename T>
inline T __shfl_xor_sync(unsigned mask, T value, int bits, int width = 32) {
  int lane = (int)::weft::emulator::lane(), source = lane ^ bits;
  // a lane may read a lower segment but not a higher one
  bool inside = (source & ~(width - 1)) <= (lane & ~(width - 1));
  return ::weft::emulator::shuffle(mask, value, source & 31, inside);
}
template <typename T>
inline T __shfl_up_sync(unsigned mask, T value, unsigned delta, int width = 32) {
  int lane = (int)::weft::emulator::lane(), source = lane - (int)delta;
  bool inside = source >= (lane & ~(width - 1));
  return ::weft::emulator::shuffle(mask, value, source & 31, inside);
}
template <typename T>
inline T __shfl_down_sync(unsigned mask, T value, unsigned delta, int width = 32) {
  int lane = (int)::weft::emulator::lane(), source = lane + (int)delta;
  bool inside = source < (lane & ~(width - 1)) + width;
  return ::weft::emulator::shuffle(mask, value, source & 31, inside);
}

inline unsigned __ballot_sync(unsigned mask, int predicate) {
  return ::weft::emulator::vote(mask, predicate != 0);
}
inline int __any_sync(unsigned mask, int predicate) {
  return ::weft::emulator::vote(mask, predicate != 0) != 0;
}
inline int __all_sync(unsigned mask, int predicate) {
  return ::weft::emulator::vote(mask, predicate != 0) == mask;
}
template <typename T>
inline unsigned __match_any_sync(unsigned mask, T value) {
  uint64_t own = ::weft::emulator::pack(value);
  const uint64_t* all =
      ::weft::emulator::warp_exchange(mask, own, ::weft::emulator::Collective::MATCH);
  unsigned bits = 0;
  for (int i = 0; i < 32; i++)
    if ((mask >> i & 1u) && all[i] == own) bits |= 1u << i;
  return bits;
}
template <typename T>
inline T __reduce_add_sync(unsigned mask, T value) {
  return ::weft::emulator::reduce(mask, value, [](T a, T b) { return (T)(a + b); });
}
template <typename T>
inline T __reduce_min_sync(unsigned mask, T value) {
  return ::weft::emulator::reduce(mask, value, [](T a, T b) { return b < a ? b : a; });
}
template <typename T>
inline T __reduce_max_sync(unsigned mask, T value) {
  return ::weft::emulator::reduce(mask, value, [](T a, T b) { return a < b ? b : a; });
}

// One thread runs at a time, so a read and a write are atomic; by these words a checked kernel
// tells that they are. Each returns what was there.
#define WEFT_ATOMIC(name, expression)                                   \
  template <typename T>                                                 \
  inline T name(T* address, typename std::common_type<T>::type value) { \
    T old;                                                              \
    __atomic_load(address, &old, __ATOMIC_RELAXED);                     \
    T changed = (T)(expression);                                        \
    __atomic_store(address, &changed, __ATOMIC_RELAXED);                \
    return old;                                                         \
  }
WEFT_ATOMIC(atomicAdd, old + value)
WEFT_ATOMIC(atomicSub, old - value)
WEFT_ATOMIC(atomicExch, value)
WEFT_ATOMIC(atomicMin, value < old ? value : old)
WEFT_ATOMIC(atomicMax, old < value ? value : old)
WEFT_ATOMIC(atomicAnd, old& value)
WEFT_ATOMIC(atomicOr, old | value)
WEFT_ATOMIC(atomicXor, old ^ value)
WEFT_ATOMIC(atomicInc, old >= value ? 0 : old + 1)
WEFT_ATOMIC(atomicDec, old == 0 || old > value ? value : old - 1)
#undef WEFT_ATOMIC
template <typename T>
inline T atomicCAS(T* address, typename std::common_type<T>::type compare,
                   typename std::common_type<T>::type value) {
  T old, changed = value;
  __atomic_load(address, &old, __ATOMIC_RELAXED);
  if (old == compare) __atomic_store(address, &changed, __ATOMIC_RELAXED);
  return old;
}

#endif  // WEFT_EMULATOR_DEVICE_THREADS_H
