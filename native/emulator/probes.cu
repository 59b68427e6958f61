// SPDX-License-Identifier: Apache-2.0
//
// Kernels that do wrong what the emulator must catch, and one that does all that it must get right.
// Only the emulator has them. Most take weft_fill: y (n values of float), n, value.
#include "../abi/kernels.h"

namespace {

__device__ float* out(const weft_fill& a) { return static_cast<float*>(a.y); }

// A block has 1024 values.
template <typename Body>
__device__ void each(int64_t n, Body body) {
  int64_t first = blockIdx.x * int64_t{1024};
  for (int64_t i = first + threadIdx.x; i < first + 1024 && i < n; i += blockDim.x) body(i);
}

// The last value is off by a share.
__device__ void fill(const weft_fill& a, int64_t n, double off = 0) {
  each(n, [&](int64_t i) { out(a)[i] = (float)(a.value * (i == n - 1 ? 1 + off : 1)); });
}

}  // namespace

// Half of the threads return, the others wait for them.
extern "C" __global__ void probe_returned_before_barrier(weft_fill a) {
  if (threadIdx.x % 2) return;
  __syncthreads();
  out(a)[0] = 1;
}

// Two halves of a block at two barriers.
extern "C" __global__ void probe_two_barriers(weft_fill a) {
  if (threadIdx.x < blockDim.x / 2) {
    __syncthreads();
  } else {
    __syncthreads();
  }
  out(a)[0] = 1;
}

// The mask names lanes that take another way.
extern "C" __global__ void probe_lane_missing(weft_fill a) {
  if (threadIdx.x % 32 < 16) out(a)[0] = __shfl_xor_sync(0xffffffffu, 1.0f, 1);
}

// A shuffle meets a vote.
extern "C" __global__ void probe_two_collectives(weft_fill a) {
  if (threadIdx.x % 2) {
    out(a)[0] = __shfl_xor_sync(0xffffffffu, 1.0f, 1);
  } else {
    out(a)[0] = (float)__ballot_sync(0xffffffffu, 1);
  }
}

extern "C" __global__ void probe_past_end(weft_fill a) { out(a)[a.n] = 1; }

// What fill_f32 does, but for the last value; and with one more.
extern "C" __global__ void probe_all_but_last(weft_fill a) { fill(a, a.n - 1); }
extern "C" __global__ void probe_one_too_many(weft_fill a) { fill(a, a.n + 1); }

// The same but for the last value, which is as far away as 2e-5 of it allows, or farther.
extern "C" __global__ void probe_within_tolerance(weft_fill a) { fill(a, a.n, 1.99e-5); }
extern "C" __global__ void probe_beyond_tolerance(weft_fill a) { fill(a, a.n, 2.01e-5); }

// What bf16_to_f32 does, and a bit of x is another one afterwards.
extern "C" __global__ void probe_changes_input(weft_cast a) {
  uint16_t* x = const_cast<uint16_t*>(static_cast<const uint16_t*>(a.x));
  float* y = static_cast<float*>(a.y);
  each(a.n, [&](int64_t i) {
    y[i] = (a.accumulate ? y[i] : 0) + __uint_as_float((unsigned)x[i] << 16);
    if (i == 0) x[i] ^= 1;
  });
}

// The last value is another one.
extern "C" __global__ void probe_wrong_last(weft_fill a) { fill(a, a.n, 1); }

extern "C" __global__ void probe_nothing(weft_fill) {}

extern "C" __global__ void probe_null(weft_fill) { *reinterpret_cast<volatile float*>(16) = 1; }

extern "C" __global__ void probe_misaligned(weft_fill a) {
  *reinterpret_cast<float4*>(out(a) + 1) = make_float4(1, 2, 3, 4);
}

extern "C" __global__ void probe_division_by_zero(weft_fill a) {
  volatile int64_t zero = a.n - a.n;
  out(a)[0] = (float)(a.n / zero);
}

// y[t] = what thread t + 1 wrote, with no barrier between: right in descending order of threads only.
extern "C" __global__ void probe_no_barrier(weft_fill a) {
  __shared__ float value[256];
  value[threadIdx.x] = (float)threadIdx.x;
  int next = (threadIdx.x + 1) % blockDim.x;
  out(a)[threadIdx.x] = value[next];
}

// Each block writes the same place.
extern "C" __global__ void probe_blocks_meet(weft_fill a) {
  if (threadIdx.x == 0) out(a)[0] = (float)blockIdx.x;
}

// Each block reads what the last one writes.
extern "C" __global__ void probe_blocks_read(weft_fill a) {
  if (threadIdx.x != 0) return;
  float first = out(a)[0];
  out(a)[1 + blockIdx.x] = first;
  if (blockIdx.x + 1 == gridDim.x) out(a)[0] = 1;
}

extern "C" __global__ void probe_unwritten(weft_fill a) { out(a)[threadIdx.x + 1] = out(a)[0]; }

extern "C" __global__ void probe_unwritten_shared(weft_fill a) {
  __shared__ float value[256];
  if (threadIdx.x > 0) value[threadIdx.x] = 1;
  __syncthreads();
  out(a)[blockIdx.x * blockDim.x + threadIdx.x] = value[threadIdx.x];
}

// A shuffle brings lanes together, but orders no memory; __syncwarp does.
extern "C" __global__ void probe_shuffle_for_syncwarp(weft_fill a) {
  __shared__ float value[256];
  value[threadIdx.x] = (float)threadIdx.x;
  __shfl_xor_sync(0xffffffffu, 1, 1);
  out(a)[blockIdx.x * blockDim.x + threadIdx.x] = value[threadIdx.x ^ 1];
}
extern "C" __global__ void probe_syncwarp(weft_fill a) {
  __shared__ float value[256];
  for (int turn = 0; turn < 3; turn++) {
    value[threadIdx.x] = (float)threadIdx.x;
    __syncwarp();
    out(a)[blockIdx.x * blockDim.x + threadIdx.x] = value[threadIdx.x ^ 1];
    __syncwarp();
  }
}

// A warp cannot wait for another by __syncwarp.
extern "C" __global__ void probe_syncwarp_for_barrier(weft_fill a) {
  __shared__ float value[256];
  value[threadIdx.x] = 0;
  __syncthreads();
  value[threadIdx.x] = (float)threadIdx.x;
  __syncwarp();
  out(a)[blockIdx.x * blockDim.x + threadIdx.x] = value[threadIdx.x ^ 32];
}

// Blocks may meet where they use atomics alone.
extern "C" __global__ void probe_atomics(weft_fill a) { atomicAdd(out(a), 1.0f); }
extern "C" __global__ void probe_atomic_and_plain(weft_fill a) {
  if (blockIdx.x == 0) {
    atomicAdd(out(a), 1.0f);
  } else if (threadIdx.x == 0) {
    out(a)[0] = 1;
  }
}

// All threads change one place: the first of y, where they may, or that of x.
extern "C" __global__ void probe_races(weft_cast a) {
  float* place = static_cast<float*>(a.accumulate ? a.y : a.x);
  *place += 1;
}

// Row k of y (20, 32) is what the lanes of one warp got from collective k.
extern "C" __global__ void probe_collectives(weft_fill a) {
  const unsigned all = 0xffffffffu;
  const int lane = threadIdx.x;
  __shared__ int counter, ticket;
  if (lane == 0) counter = ticket = 0;
  __syncthreads();
  double wide = lane + 0.5;
  long long big = (1ll << 40) + lane;
  float row[20] = {
      __shfl_sync(all, (float)lane, 5),
      __shfl_sync(all, (float)lane, 9, 8),
      __shfl_up_sync(all, (float)lane, 3),
      __shfl_up_sync(all, (float)lane, 3, 8),
      __shfl_down_sync(all, (float)lane, 3),
      __shfl_down_sync(all, (float)lane, 3, 16),
      __shfl_xor_sync(all, (float)lane, 16),
      (float)__shfl_xor_sync(all, wide, 1),
      (float)(__shfl_xor_sync(all, big, 2) - (1ll << 40)),
      (float)(__ballot_sync(all, lane % 3 == 0) & 0xffffu),
      (float)__any_sync(all, lane == 31),
      (float)__all_sync(all, lane != 31),
      (float)__popc(__match_any_sync(all, lane % 4)),
      (float)__reduce_add_sync(all, lane),
      (float)__reduce_max_sync(all, (unsigned)lane),
      (float)__syncthreads_count(lane % 2),
      // two groups of lanes, each under its own mask
      lane < 8 ? (float)__shfl_sync(0xffu, lane, 7) : (float)__shfl_sync(~0xffu, lane, 8),
      (float)(atomicAdd(&counter, 2) % 2),
  };
  __syncthreads();
  row[18] = (float)counter;
  atomicMax(&ticket, lane);
  __syncwarp();
  row[19] = (float)atomicCAS(&ticket, 31, 31);
  for (int k = 0; k < 20; k++) out(a)[k * 32 + lane] = row[k];
}
