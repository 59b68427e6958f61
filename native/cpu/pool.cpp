// SPDX-License-Identifier: Apache-2.0
#include "pool.h"

#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <atomic>
#include <mutex>

#include "clock.h"

namespace weft {
namespace {

// How long a thread waits spinning before it sleeps: for the next loop, and at the end of a loop
// for the others.
constexpr int64_t spin_for_loop = 50000, spin_for_end = 20000;  // ns

// What it takes to wake a thread, ns: until it was measured, and at most, since more is other work
// that had the processor.
constexpr int64_t usual_waking = 20000, most_waking = 100000;

void relax() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#endif
}

void wait_on(std::atomic<uint32_t>& word, uint32_t value) {
  syscall(SYS_futex, reinterpret_cast<uint32_t*>(&word), FUTEX_WAIT_PRIVATE, value, nullptr,
          nullptr, 0);
}

void wake(std::atomic<uint32_t>& word) {
  syscall(SYS_futex, reinterpret_cast<uint32_t*>(&word), FUTEX_WAKE_PRIVATE, 1, nullptr, nullptr,
          0);
}

// Spins until done() or for so long; returns what done() said last.
template <typename Done>
bool spin(int64_t nanoseconds, const Done& done) {
  constexpr int between_looks = 64;  // at the clock
  int64_t end = 0;
  for (int i = 1; !done(); i++) {
    if (i % between_looks == 0) {
      int64_t time = monotonic_time();
      if (end == 0) end = time + nanoseconds;
      if (time >= end) return done();
    }
    relax();
  }
  return true;
}

// The blocks of a thread's share that nobody has begun, `next` to `end - 1`, and the number of
// their loop, so that a thread that comes late cannot take a block of another loop: what it read of
// the loop is right where the exchange succeeds.
struct claim {
  uint32_t loop;
  uint16_t next, end;
};

struct alignas(64) share {
  std::atomic<claim> left{claim{0, 0, 0}};
};

// A thread that helps, and the word by which it is called.
struct alignas(64) seat {
  std::atomic<uint32_t> call{0};
  std::atomic<uint32_t> heard{0};  // the call that it last came for
  std::atomic<bool> asleep{false};
  std::atomic<int64_t> woken{0};  // when it was last called out of its sleep
  pthread_t thread;
};

struct team {
  // of the loop that runs; what is read here counts only with a claim, see there
  alignas(64) std::atomic<pool_body> body{nullptr};
  std::atomic<const void*> context{nullptr};
  std::atomic<int64_t> units{0}, blocks{0}, threads{0};
  std::atomic<int> processor{-1};  // on which the caller is

  alignas(64) std::atomic<uint32_t> done{0};  // blocks that others than the caller ended
  std::atomic<bool> caller_asleep{false};

  alignas(64) std::mutex busy;      // of the caller that has the team
  std::atomic<int64_t> callers{0};  // that compute
  uint32_t loop = 0;                // the number of the last
  std::atomic<int64_t> helpers{0};  // seats that are taken, from 1 on
  std::atomic<bool> leave{false};
  std::atomic<int64_t> waking{usual_waking};  // ns that it takes a thread to come out of its sleep
  std::atomic<uint64_t> naps{0};              // see pool_disturb

  std::mutex opening;
  int64_t opened = 0;
  int64_t most_helpers = most_threads;  // fewer where the system gave no more

  share shares[most_threads];
  seat seats[most_threads];
};

// Never destroyed: threads may still look at it while the process ends.
team& the_team() {
  static team& made = *new team;
  return made;
}

struct limits {
  int64_t threads = 1;
  bool shared = false;
};
thread_local limits mine;

void nap(uint64_t seed) {
  static thread_local uint64_t state = 0;
  state = (state ^ seed ^ (uint64_t)monotonic_time()) * UINT64_C(6364136223846793005) +
          1442695040888963407;
  timespec length = {0, (long)((state >> 40) % 200000)};
  if (state >> 63) nanosleep(&length, nullptr);
}

// A block that a thread has claimed, and its loop.
struct task {
  pool_loop loop;
  int64_t block;
};

// The next block of a share.
bool take(team& t, int64_t from, task& next) {
  std::atomic<claim>& left = t.shares[from].left;
  claim seen = left.load(std::memory_order_acquire);
  while (seen.next < seen.end) {
    next = {{t.body.load(std::memory_order_relaxed), t.context.load(std::memory_order_relaxed),
             t.units.load(std::memory_order_relaxed), t.blocks.load(std::memory_order_relaxed)},
            seen.next};
    claim after = seen;
    after.next++;
    if (left.compare_exchange_strong(seen, after, std::memory_order_acq_rel,
                                     std::memory_order_acquire)) {
      return true;
    }
  }
  return false;
}

void run_block(const pool_loop& loop, int64_t block, uint64_t naps) {
  if (naps) nap(naps);
  int64_t begin = loop.units * block / loop.blocks, end = loop.units * (block + 1) / loop.blocks;
  if (begin < end) loop.body(loop.context, begin, end);
}

// What a helper does in a loop: its own share, then the others'.
void help(team& t, int64_t self) {
  int64_t threads = t.threads.load(std::memory_order_relaxed);
  task next;
  for (int64_t i = 0; i < threads; i++) {
    while (take(t, (self + i) % threads, next)) {
      run_block(next.loop, next.block, t.naps.load(std::memory_order_relaxed));
      t.done.fetch_add(1);
      if (t.caller_asleep.load()) wake(t.done);
    }
  }
}

// To another processor than this one, where there is one: the system wakes a thread beside the one
// that wakes it, and may leave the two there for tens of milliseconds.
void leave_processor(int processor) {
  cpu_set_t all, others;
  if (sched_getaffinity(0, sizeof all, &all)) return;
  others = all;
  CPU_CLR(processor, &others);
  if (CPU_COUNT(&others) == 0 || sched_setaffinity(0, sizeof others, &others)) return;
  sched_setaffinity(0, sizeof all, &all);
}

// A mean over the last ones.
void note_waking(team& t, int64_t time) {
  if (time > most_waking) time = most_waking;
  int64_t before = t.waking.load(std::memory_order_relaxed);
  t.waking.store(before + (time - before) / 8, std::memory_order_relaxed);
}

void* sit(void* self) {
  team& t = the_team();
  int64_t number = (seat*)self - t.seats;
  seat& s = *(seat*)self;
  uint32_t seen = 0;
  for (;;) {
    auto called = [&] { return s.call.load(std::memory_order_acquire) != seen; };
    if (!spin(spin_for_loop, called)) {
      s.asleep.store(true);
      while (s.call.load() == seen) wait_on(s.call, seen);
      s.asleep.store(false);
      int64_t woken = s.woken.exchange(0, std::memory_order_relaxed);
      if (woken) note_waking(t, monotonic_time() - woken);
    }
    seen = s.call.load(std::memory_order_acquire);
    s.heard.store(seen, std::memory_order_relaxed);
    if (t.leave.load()) return nullptr;
    int processor = sched_getcpu();
    if (processor >= 0 && processor == t.processor.load(std::memory_order_relaxed)) {
      leave_processor(processor);
    }
    help(t, number);
  }
}

// Starts threads until there are so many beside the caller, which has the team; returns how many
// there are.
int64_t seat_helpers(team& t, int64_t wanted) {
  if (wanted > t.most_helpers) wanted = t.most_helpers;
  while (t.helpers < wanted) {
    seat& s = t.seats[t.helpers + 1];
    s.call.store(0);
    s.heard.store(0);
    s.asleep.store(false);
    sigset_t all, before;
    sigfillset(&all);  // signals are for the threads of the program, faults for who makes them
    for (int fault : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS}) sigdelset(&all, fault);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int failed = pthread_create(&s.thread, nullptr, sit, &s);
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    if (failed) {
      t.most_helpers = t.helpers;
      break;
    }
    pthread_setname_np(s.thread, "weft loop");
    t.helpers++;
  }
  int64_t there = t.helpers;
  return there < wanted ? there : wanted;
}

// Whether it waits spinning, or was called and is about to come: it costs no more to share with it.
bool comes(const seat& s) {
  return !s.asleep.load(std::memory_order_relaxed) ||
         s.heard.load(std::memory_order_relaxed) != s.call.load(std::memory_order_relaxed);
}

void call(seat& s) {
  bool sleeps = s.asleep.load(std::memory_order_relaxed);
  if (sleeps) s.woken.store(monotonic_time(), std::memory_order_relaxed);
  s.call.store(s.call.load(std::memory_order_relaxed) + 1);
  if (s.asleep.load()) wake(s.call);
}

void run_alone(const pool_loop& loop, uint64_t naps) {
  for (int64_t b = 0; b < loop.blocks; b++) run_block(loop, b, naps);
}

// A fork waits for who opens or closes, and for a loop to end. In the child there are no helpers and
// no callers.
void before_fork() {
  the_team().opening.lock();
  the_team().busy.lock();
}

void after_fork() {
  the_team().busy.unlock();
  the_team().opening.unlock();
}

void after_fork_in_child() {
  the_team().helpers = 0;
  the_team().callers = 0;
  after_fork();
}

// What a thread must have to do before it is asked: a loop is begun and ended on two threads in
// some 0.5 us where the other one waits spinning. One that sleeps must have more, see team::waking.
constexpr int64_t worth_sharing = 800;  // ns

// A thread's share of a loop is cut into blocks of about this time, and no more than so many.
constexpr int64_t block_time = 20000, most_each = 4;

}  // namespace

int64_t pool_threads(int64_t nanoseconds, int64_t units) {
  int64_t threads = mine.threads;
  if (threads <= 1) return 1;
  team& t = the_team();
  if (!t.naps.load(std::memory_order_relaxed)) {
    if (threads > nanoseconds / worth_sharing) threads = nanoseconds / worth_sharing;
    if (threads > 1 && units > 1) mine.shared = true;
    if (nanoseconds < threads * t.waking.load(std::memory_order_relaxed)) {
      int64_t awake = 1;
      while (awake < threads && awake <= t.helpers.load(std::memory_order_relaxed) &&
             comes(t.seats[awake])) {
        awake++;
      }
      threads = awake;
    }
  }
  if (threads > units) threads = units;
  return threads < 1 ? 1 : threads;
}

int64_t pool_blocks(int64_t nanoseconds, int64_t threads, int64_t units) {
  int64_t each = nanoseconds / (threads * block_time);
  int64_t blocks = threads * (each < 1 ? 1 : each > most_each ? most_each : each);
  if (blocks > units) blocks = units;
  return blocks < most_blocks ? blocks : most_blocks;
}

void pool_run(const pool_loop& loop, int64_t threads) {
  team& t = the_team();
  uint64_t naps = t.naps.load(std::memory_order_relaxed);
  if (threads > loop.blocks) threads = loop.blocks;
  if (threads <= 1) return run_alone(loop, naps);
  std::unique_lock<std::mutex> held(t.busy, std::try_to_lock);
  if (!held) return run_alone(loop, naps);
  threads = 1 + seat_helpers(t, threads - 1);
  if (threads <= 1) return run_alone(loop, naps);
  mine.shared = true;

  t.body.store(loop.body, std::memory_order_relaxed);
  t.context.store(loop.context, std::memory_order_relaxed);
  t.units.store(loop.units, std::memory_order_relaxed);
  t.blocks.store(loop.blocks, std::memory_order_relaxed);
  t.threads.store(threads, std::memory_order_relaxed);
  t.processor.store(sched_getcpu(), std::memory_order_relaxed);
  t.done.store(0, std::memory_order_relaxed);
  uint32_t number = ++t.loop;
  for (int64_t i = 0; i < threads; i++) {
    // the caller begins with the first block
    t.shares[i].left.store(claim{number, (uint16_t)(loop.blocks * i / threads + (i == 0)),
                                 (uint16_t)(loop.blocks * (i + 1) / threads)},
                           std::memory_order_release);
  }
  for (int64_t i = 1; i < threads; i++) call(t.seats[i]);

  run_block(loop, 0, naps);
  uint32_t own = 1;
  task next;
  for (int64_t i = 0; i < threads; i++) {
    for (; take(t, i, next); own++) run_block(loop, next.block, naps);
  }
  uint32_t others = (uint32_t)loop.blocks - own;
  auto ended = [&] { return t.done.load(std::memory_order_acquire) == others; };
  if (spin(spin_for_end, ended)) return;
  t.caller_asleep.store(true);
  for (uint32_t done; (done = t.done.load()) != others;) wait_on(t.done, done);
  t.caller_asleep.store(false);
}

void pool_rouse(int64_t threads) {
  team& t = the_team();
  if (threads <= 1) return;
  std::unique_lock<std::mutex> held(t.busy, std::try_to_lock);
  if (!held) return;
  int64_t helpers = seat_helpers(t, threads - 1);
  t.processor.store(sched_getcpu(), std::memory_order_relaxed);
  for (int64_t i = 1; i <= helpers; i++) {
    if (!comes(t.seats[i])) call(t.seats[i]);
  }
}

void pool_open() {
  static const int forks = pthread_atfork(before_fork, after_fork, after_fork_in_child);
  (void)forks;
  team& t = the_team();
  std::lock_guard<std::mutex> lock(t.opening);
  t.opened++;
}

void pool_close() {
  team& t = the_team();
  std::lock_guard<std::mutex> lock(t.opening);
  if (--t.opened > 0) return;
  std::lock_guard<std::mutex> held(t.busy);
  t.leave.store(true);
  for (int64_t i = 1; i <= t.helpers; i++) call(t.seats[i]);
  for (int64_t i = 1; i <= t.helpers; i++) pthread_join(t.seats[i].thread, nullptr);
  t.helpers = 0;
  t.most_helpers = most_threads;
  t.leave.store(false);
}

pool_limit::pool_limit(int64_t threads) {
  int64_t others = the_team().callers.fetch_add(1, std::memory_order_relaxed);
  if (threads > most_threads) threads = most_threads;
  mine = {threads - others < 1 ? 1 : threads - others, false};
}

pool_limit::~pool_limit() {
  the_team().callers.fetch_sub(1, std::memory_order_relaxed);
  mine.threads = 1;
}

int64_t pool_limit::here() { return mine.threads; }

bool pool_limit::shared() const { return mine.shared; }

pool_alone::pool_alone() : before(mine.threads) { mine.threads = 1; }

pool_alone::~pool_alone() { mine.threads = before; }

void pool_disturb(uint64_t seed) { the_team().naps.store(seed); }

bool pool_is_disturbed() { return the_team().naps.load(std::memory_order_relaxed) != 0; }

}  // namespace weft
