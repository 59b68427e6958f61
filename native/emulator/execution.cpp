// SPDX-License-Identifier: Apache-2.0
#include "execution.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "device/threads.h"
#include "fault.h"
#include "fiber.h"
#include "memory.h"

uint3 threadIdx, blockIdx;
dim3 blockDim, gridDim;

namespace weft::emulator {
namespace {

constexpr int MAX_WARPS = 32;

// Lanes of a warp that meet under one mask. Two buffers in turn: a lane can bring its next value
// before another has read the last ones, but not the one after that.
struct Meeting {
  unsigned mask, arrived;
  int unread;  // lanes released that have not gone on yet
  Collective kind;
  int buffer;
  uint64_t values[2][32];
};
constexpr int MAX_MEETINGS = 64;

struct Warp {
  unsigned exist, live, ready, started;  // one bit for each lane; ready includes "not yet started"
  unsigned step;  // how often all lanes have met at __syncwarp since the last barrier
  int meetings;
  Meeting meeting[MAX_MEETINGS];
};

struct Barrier {
  unsigned waiting, votes, result;
  const char* file;
  int line;
};

struct Run {
  const char* kernel;
  KernelBody body;
  const void* arguments;
  Size3 grid, block;
  bool reverse;
  int threads, warps;
  unsigned alive;
  uint64_t blocks_left;
  int current;                  // the running thread
  Fiber* fiber_of[MAX_FIBERS];  // for threads that have started and not returned
  Fiber* unused[MAX_FIBERS];
  int unused_count;
  uint3 place[MAX_FIBERS];
  Size3 placed;  // the block shape that place was made for
  Barrier barrier;
  Warp warp[MAX_WARPS];
  Fiber caller;
  CUresult result;
  char why[600];
};
Run run;

// Leaves the launch for good; every fiber is abandoned where it stands.
[[noreturn]] void leave() {
  run.fiber_of[run.current]->switch_to(run.caller);
  __builtin_unreachable();
}

[[noreturn]] __attribute__((format(printf, 2, 3))) void fail(CUresult result, const char* format,
                                                             ...) {
  int n = snprintf(run.why, sizeof run.why,
                   "kernel %s, block (%u, %u, %u), thread (%u, %u, %u): ", run.kernel, blockIdx.x,
                   blockIdx.y, blockIdx.z, threadIdx.x, threadIdx.y, threadIdx.z);
  va_list list;
  va_start(list, format);
  vsnprintf(run.why + n, sizeof run.why - (size_t)n, format, list);
  va_end(list);
  run.result = result;
  leave();
}

void become(int thread) {
  run.current = thread;
  threadIdx = run.place[thread];
}

int first_of(unsigned lanes) {
  return run.reverse ? 31 - __builtin_clz(lanes) : __builtin_ctz(lanes);
}

// The next thread that can run: ahead in this warp, then behind in it, then in the warps after it.
int next_ready() {
  int w = run.current >> 5, lane = run.current & 31;
  unsigned ready = run.warp[w].ready;
  unsigned ahead = ready & (run.reverse ? (1u << lane) - 1 : ~0u << lane << 1);
  if (ahead) return w << 5 | first_of(ahead);
  if (ready) return w << 5 | first_of(ready);
  for (int i = 1; i < run.warps; i++) {
    int other = run.reverse ? (w - i + run.warps) % run.warps : (w + i) % run.warps;
    if (run.warp[other].ready) return other << 5 | first_of(run.warp[other].ready);
  }
  return -1;
}

[[noreturn]] void fail_stuck() {
  if (run.barrier.waiting) {
    fail(CUDA_ERROR_LAUNCH_FAILED,
         "%u of %d threads wait at the barrier %s:%d, %d have returned and the others cannot come",
         run.barrier.waiting, run.threads, run.barrier.file, run.barrier.line,
         run.threads - (int)run.alive);
  }
  for (int w = 0; w < run.warps; w++)
    for (int i = 0; i < run.warp[w].meetings; i++) {
      const Meeting& m = run.warp[w].meeting[i];
      if (!m.arrived) continue;
      fail(CUDA_ERROR_LAUNCH_FAILED,
           "a collective of warp %d under mask %#010x waits for lanes %#010x that do not come "
           "(lanes "
           "%#010x have returned or never were)",
           w, m.mask, m.mask & ~m.arrived, ~run.warp[w].live);
    }
  fail(CUDA_ERROR_LAUNCH_FAILED, "no thread can run");
}

void start_block() {
  for (int w = 0; w < run.warps; w++) {
    Warp& warp = run.warp[w];
    warp.live = warp.ready = warp.exist;
    warp.started = warp.step = 0;
  }
  intervals.block = ++intervals.now;
  run.alive = (unsigned)run.threads;
  become(run.reverse ? run.threads - 1 : 0);
}

bool next_block() {
  if (--run.blocks_left == 0) return false;
  if (run.reverse) {
    if (blockIdx.x-- == 0) {
      blockIdx.x = gridDim.x - 1;
      if (blockIdx.y-- == 0) blockIdx.y = gridDim.y - 1, blockIdx.z--;
    }
  } else if (++blockIdx.x == gridDim.x) {
    blockIdx.x = 0;
    if (++blockIdx.y == gridDim.y) blockIdx.y = 0, blockIdx.z++;
  }
  start_block();
  return true;
}

// What a fiber does all its life: run threads that have not started, until another fiber must go
// on.
void fiber_main() {
  for (;;) {
    Warp& warp = run.warp[run.current >> 5];
    unsigned bit = 1u << (run.current & 31);
    Fiber* own = run.fiber_of[run.current];
    warp.started |= bit;
    run.body(run.arguments);
    warp.live &= ~bit;
    warp.ready &= ~bit;
    run.alive--;
    int next = next_ready();
    if (next < 0) {
      if (run.alive) fail_stuck();
      if (!next_block()) leave();
      next = run.current;
    }
    become(next);
    if (run.warp[next >> 5].started >> (next & 31) & 1u) {
      run.unused[run.unused_count++] = own;
      own->switch_to(*run.fiber_of[next]);  // comes back only through start
    } else {
      run.fiber_of[next] = own;
    }
  }
}

// The running thread cannot go on; runs others until it can.
void wait() {
  int self = run.current;
  run.warp[self >> 5].ready &= ~(1u << (self & 31));
  int next = next_ready();
  if (next < 0) fail_stuck();
  if (!(run.warp[next >> 5].started >> (next & 31) & 1u)) {
    Fiber* fiber = run.unused[--run.unused_count];
    fiber->start(fiber_main);
    run.fiber_of[next] = fiber;
  }
  become(next);
  run.fiber_of[self]->switch_to(*run.fiber_of[next]);
}

Meeting& meeting_under(Warp& warp, unsigned mask) {
  for (int i = 0; i < warp.meetings; i++)
    if (warp.meeting[i].mask == mask) return warp.meeting[i];
  for (int i = 0; i < warp.meetings && warp.meetings == MAX_MEETINGS; i++) {
    if (warp.meeting[i].arrived || warp.meeting[i].unread) continue;
    warp.meeting[i].mask = mask;  // a new mask takes the place of one where nobody waits
    return warp.meeting[i];
  }
  if (warp.meetings == MAX_MEETINGS) fail(CUDA_ERROR_LAUNCH_FAILED, "too many masks in one warp");
  Meeting& fresh = warp.meeting[warp.meetings++];
  fresh.mask = mask;
  fresh.arrived = 0;
  fresh.unread = 0;
  fresh.buffer = 0;
  return fresh;
}

void prepare(Size3 grid, Size3 block) {
  run.grid = grid;
  run.block = block;
  gridDim = dim3(grid.x, grid.y, grid.z);
  blockDim = dim3(block.x, block.y, block.z);
  run.threads = (int)block.volume();
  run.warps = (run.threads + 31) / 32;
  run.blocks_left = grid.volume();
  run.barrier = {};
  if (memcmp(&run.placed, &block, sizeof block) != 0) {
    for (int t = 0; t < run.threads; t++) {
      unsigned u = (unsigned)t;
      run.place[t] = {u % block.x, u / block.x % block.y, u / block.x / block.y};
    }
    run.placed = block;
  }
  for (int w = 0; w < run.warps; w++) {
    int lanes = run.threads - 32 * w;
    run.warp[w].exist = lanes >= 32 ? ~0u : (1u << lanes) - 1;
    run.warp[w].meetings = 0;
  }
  run.unused_count = 0;
  for (int i = MAX_FIBERS - 1; i > 0; i--) run.unused[run.unused_count++] = &pooled_fiber(i);
}

}  // namespace

unsigned block_barrier(bool predicate, const char* file, int line) {
  Barrier& barrier = run.barrier;
  if (barrier.waiting == 0) {
    barrier.file = file;
    barrier.line = line;
    barrier.votes = 0;
  } else if (barrier.line != line || strcmp(barrier.file, file) != 0) {
    fail(CUDA_ERROR_LAUNCH_FAILED, "comes to the barrier %s:%d while %u threads wait at %s:%d",
         file, line, barrier.waiting, barrier.file, barrier.line);
  }
  barrier.votes += predicate;
  if (++barrier.waiting == (unsigned)run.threads) {
    for (int w = 0; w < run.warps; w++) {
      run.warp[w].ready = run.warp[w].live;
      run.warp[w].step = 0;
    }
    intervals.now++;
    barrier.waiting = 0;
    barrier.result = barrier.votes;
  } else {
    wait();
  }
  return barrier.result;
}

const uint64_t* warp_exchange(unsigned mask, uint64_t value, Collective kind) {
  Warp& warp = run.warp[run.current >> 5];
  unsigned bit = 1u << (run.current & 31);
  if (!(mask & bit)) fail(CUDA_ERROR_LAUNCH_FAILED, "is not in its own mask %#010x", mask);
  Meeting& meeting = meeting_under(warp, mask);
  if (meeting.arrived == 0) {
    meeting.kind = kind;
  } else if (meeting.kind != kind) {
    fail(CUDA_ERROR_LAUNCH_FAILED, "comes to another collective than lanes %#010x of its warp",
         meeting.arrived);
  }
  uint64_t* values = meeting.values[meeting.buffer];
  values[run.current & 31] = value;
  meeting.arrived |= bit;
  if (meeting.arrived == mask) {
    warp.ready |= mask;
    // a shuffle or a vote orders no memory
    if (kind == Collective::SYNC && (mask & warp.exist) == warp.exist) warp.step++;
    meeting.arrived = 0;
    meeting.buffer ^= 1;
    meeting.unread += __builtin_popcount(mask) - 1;
  } else {
    wait();
    meeting.unread--;
  }
  return values;
}

unsigned live_lanes() { return run.warp[run.current >> 5].live; }

[[noreturn]] void fail_kernel(CUresult result, const char* format, ...) {
  char sentence[400];
  va_list list;
  va_start(list, format);
  vsnprintf(sentence, sizeof sentence, format, list);
  va_end(list);
  fail(result, "%s", sentence);
}

Touch running_touch() {
  constexpr unsigned most = (1u << 11) - 1;
  unsigned step = run.warp[run.current >> 5].step;
  if (step > most) {
    fail(CUDA_ERROR_NOT_SUPPORTED, "more than %u __syncwarp between two barriers", most);
  }
  Touch touch = {};
  touch.interval = intervals.now;
  touch.thread = (unsigned)run.current;
  touch.step = step;
  return touch;
}

void trap() { fail(CUDA_ERROR_LAUNCH_FAILED, "trap"); }

CUresult execute(const char* kernel, KernelBody body, const void* arguments, Size3 grid,
                 Size3 block, bool reverse, std::string* why) {
  run.kernel = kernel;
  run.body = body;
  run.arguments = arguments;
  run.reverse = reverse;
  intervals.launch = intervals.now + 1;
  run.result = CUDA_SUCCESS;
  prepare(grid, block);
  blockIdx = reverse ? uint3{grid.x - 1, grid.y - 1, grid.z - 1} : uint3{0, 0, 0};
  start_block();
  Fiber& first = pooled_fiber(0);
  run.fiber_of[run.current] = &first;
  first.start(fiber_main);
  catch_faults([](CUresult result, const void* address) {
    if (result == CUDA_ERROR_ILLEGAL_ADDRESS) {
      fail(result, "illegal address %p%s", address, describe_address((CUdeviceptr)address));
    }
    fail(result, result == CUDA_ERROR_MISALIGNED_ADDRESS ? "an address is not aligned for its type"
                                                         : "division by zero");
  });
  run.caller.switch_to(first);
  release_faults();
  if (run.result != CUDA_SUCCESS) *why = run.why;
  return run.result;
}

}  // namespace weft::emulator
