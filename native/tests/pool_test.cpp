// SPDX-License-Identifier: Apache-2.0
//
// weft-pool-test SECONDS SEED: loops of drawn sizes on the pool, by one caller and by several, in
// processes that open and close it and that are forked. Each unit of a loop must run once, and what
// it writes be there when the loop ends. Says what went wrong and exits with 1.
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <atomic>
#include <random>
#include <thread>
#include <vector>

#include "../cpu/pool.h"

// The thread sanitizer ends a child that is forked beside threads and makes some of its own.
#ifdef __SANITIZE_THREAD__
constexpr bool forks_are_possible = false;
#else
constexpr bool forks_are_possible = true;
#endif

using namespace weft;

namespace {

constexpr int64_t most_units = 512;
constexpr unsigned longest_child = 30;  // seconds

std::atomic<int64_t> loops{0}, units{0}, forks{0}, cycles{0};

double now() {
  timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

[[noreturn]] void fail(const char* format, ...) {
  va_list values;
  va_start(values, format);
  vfprintf(stderr, format, values);
  va_end(values);
  fputc('\n', stderr);
  _exit(1);
}

// One who runs loops.
class caller {
 public:
  explicit caller(uint64_t seed) : random(seed), marks(most_units, 0) {}

  // From first to last, smaller ones more often.
  int64_t draw(int64_t first, int64_t last) {
    int64_t most = std::uniform_int_distribution<int64_t>(first, last)(random);
    return std::uniform_int_distribution<int64_t>(first, most)(random);
  }

  void loop() {
    int64_t count = draw(1, most_units), threads = draw(1, 9);
    // more blocks than units, too: some are empty then
    int64_t blocks = draw(1, draw(0, 3) == 0 ? most_units : count);
    nested = draw(0, 7) == 0;
    work = draw(0, 200);
    pool_run({body, this, count, blocks}, threads);
    for (int64_t i = 0; i < count; i++) {
      if (marks[i] != 1) {
        fail("unit %lld of %lld ran %d times in a loop of %lld blocks on %lld threads",
             (long long)i, (long long)count, marks[i], (long long)blocks, (long long)threads);
      }
      marks[i] = 0;
    }
    loops.fetch_add(1, std::memory_order_relaxed);
    units.fetch_add(count, std::memory_order_relaxed);
    if (draw(0, 50) == 0) pool_rouse(threads);
    if (draw(0, 200) == 0) usleep((useconds_t)draw(0, 200));  // the others go to sleep
  }

  // The same as a kernel does it.
  void chosen_loop() {
    pool_limit limit(draw(1, 9));
    int64_t time = draw(0, 1000000), count = draw(1, most_units);
    int64_t threads = pool_threads(time, count), blocks = pool_blocks(time, threads, count);
    if (threads < 1 || threads > pool_limit::here() || blocks < 1 || blocks > count) {
      fail("%lld threads and %lld blocks for %lld units", (long long)threads, (long long)blocks,
           (long long)count);
    }
    nested = false;
    work = 0;
    pool_run({body, this, count, blocks}, threads);
    for (int64_t i = 0; i < count; i++) {
      if (marks[i] != 1)
        fail("unit %lld of %lld ran %d times", (long long)i, (long long)count, marks[i]);
      marks[i] = 0;
    }
  }

  void loops_until(double end) {
    while (now() < end) {
      for (int i = 0; i < 50; i++) loop();
      chosen_loop();
    }
  }

 private:
  std::mt19937_64 random;
  std::vector<int> marks;  // what the sanitizer watches: no atomics
  bool nested = false;
  int64_t work = 0;

  static void nothing(const void*, int64_t, int64_t) {}

  static void body(const void* context, int64_t begin, int64_t end) {
    caller& self = *static_cast<caller*>(const_cast<void*>(context));
    for (int64_t i = begin; i < end; i++) self.marks[i]++;
    for (volatile int64_t i = 0; i < self.work; i = i + 1) {
    }
    if (self.nested) pool_run({nothing, nullptr, 10, 3}, 2);
  }
};

void several_callers(double end, uint64_t seed) {
  std::vector<std::thread> threads;
  for (uint64_t i = 0; i < 3; i++) {
    threads.emplace_back([=] { caller(seed + i).loops_until(end); });
  }
  for (std::thread& t : threads) t.join();
}

void disturbed(double end, uint64_t seed) {
  pool_disturb(seed);
  caller one(seed);
  while (now() < end) one.chosen_loop(), one.loop();
  pool_disturb(0);
}

void open_and_close(double end, uint64_t seed) {
  std::vector<std::thread> threads;
  for (uint64_t i = 0; i < 2; i++) {
    threads.emplace_back([=] {
      caller one(seed + i);
      while (now() < end) {
        pool_open();
        for (int64_t n = one.draw(0, 20); n > 0; n--) one.loop();
        pool_close();
        cycles.fetch_add(1, std::memory_order_relaxed);
      }
    });
  }
  for (std::thread& t : threads) t.join();
}

// The child has the memory of its parent and none of its threads.
void child(uint64_t seed) {
  alarm(longest_child);
  pool_open();
  caller one(seed);
  {
    pool_limit limit(4);
    for (int i = 0; i < 100; i++) one.loop();
    if (!limit.shared()) fail("a child of a fork has run its loops on one thread");
  }
  pool_close();
  _exit(0);
}

void fork_while_others_run(double end, uint64_t seed) {
  std::thread opening(open_and_close, end, seed), running([=] {
    pool_open();
    caller(seed + 7).loops_until(end);
    pool_close();
  });
  while (now() < end) {
    pid_t made = fork();
    if (made < 0) fail("fork failed");
    if (made == 0) child(seed + (uint64_t)forks);
    int status = 0;
    waitpid(made, &status, 0);
    if (status != 0) {
      fail("a child of a fork ended with %s %d", WIFSIGNALED(status) ? "signal" : "status",
           WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
    }
    forks++;
  }
  opening.join();
  running.join();
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 3) fail("usage: weft-pool-test SECONDS SEED");
  double seconds = atof(arguments[1]), end = now() + seconds;
  alarm((unsigned)(10 * seconds) + 60);  // a thread that is waited for in vain is an error
  uint64_t seed = strtoull(arguments[2], nullptr, 10);
  // each turn goes through all ways
  for (double turn = seconds < 10 ? seconds / 5 : 2; now() < end; seed += 100) {
    open_and_close(now() + turn, seed);
    pool_open();
    caller(seed).loops_until(now() + turn);
    several_callers(now() + turn, seed);
    disturbed(now() + turn, seed | 1);
    pool_close();
    if (forks_are_possible) fork_while_others_run(now() + turn, seed);
  }
  printf("%lld loops of %lld units, opened and closed %lld times, forked %lld times\n",
         (long long)loops, (long long)units, (long long)cycles, (long long)forks);
}
