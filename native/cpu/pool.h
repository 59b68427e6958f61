// SPDX-License-Identifier: Apache-2.0
//
// The process's threads for loops. A loop is cut into blocks; each thread first takes those of its
// own share in order, then what others have not begun. The caller works along and in the end waits
// for begun blocks alone: a thread that comes late, or never, delays nobody.
#ifndef WEFT_CPU_POOL_H
#define WEFT_CPU_POOL_H

#include <stdint.h>

namespace weft {

// body(context, begin, end): units begin .. end - 1 of a loop. It throws nothing.
using pool_body = void (*)(const void* context, int64_t begin, int64_t end);

// A loop over `units`; block b of `blocks` is units * b / blocks .. units * (b + 1) / blocks.
struct pool_loop {
  pool_body body;
  const void* context;
  int64_t units, blocks;
};

// More would be a mistake in a unit.
constexpr int64_t most_threads = 1024;
constexpr int64_t most_blocks = (1 << 16) - 1;

// How many threads are worth their while for a loop that takes so long on one: each must have more
// to do than it costs to share, and one that sleeps more than it costs to wake it.
int64_t pool_threads(int64_t nanoseconds, int64_t units);

// Into how many blocks such a loop is cut for so many threads: one for each, and more where a block
// is still worth its while, so that a thread that is slow or put aside keeps little from the
// others.
int64_t pool_blocks(int64_t nanoseconds, int64_t threads, int64_t units);

// Runs a loop on at most so many threads, this one among them: on this one alone where another
// caller has the others.
void pool_run(const pool_loop& loop, int64_t threads);

// Calls threads that sleep, so that they come while this one goes on; they sleep again where no
// loop follows soon.
void pool_rouse(int64_t threads);

// Threads live from the first loop that needs them until as many closed as opened.
void pool_open();
void pool_close();

// On this thread, until the end of the block: how many threads a loop takes at most. Callers share:
// who comes while n others compute takes n fewer.
class pool_limit {
 public:
  explicit pool_limit(int64_t threads);
  ~pool_limit();
  pool_limit(const pool_limit&) = delete;
  // that of this thread; 1 where there is none
  static int64_t here();
  // whether a loop of this thread has taken more than one thread since
  bool shared() const;
};

// On this thread, until the end of the block: loops take this thread alone, as they must within the
// body of another loop.
class pool_alone {
 public:
  pool_alone();
  ~pool_alone();
  pool_alone(const pool_alone&) = delete;

 private:
  int64_t before;
};

// For tests: as if each loop were worth all threads, and before each block a nap of a length drawn
// from this seed; 0 ends it.
void pool_disturb(uint64_t seed);
bool pool_is_disturbed();

}  // namespace weft
#endif  // WEFT_CPU_POOL_H
