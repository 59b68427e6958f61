// SPDX-License-Identifier: Apache-2.0
//
// A program keeps to one number of threads, and at intervals tries half as many or twice as many
// for a phase of some time slices of the system: what was faster stays. A trial that fails is
// followed by a pause of a hundred times its loss. All times are the program's own: what passes
// between its runs is not in them. Where the chosen number becomes slower than another one was,
// as when other work comes to the machine, that one follows at once; the way back is tried sooner,
// since the machine may just have stood still.
#include "governor.h"

namespace weft {
namespace {

constexpr int64_t millisecond = 1000000;
constexpr int64_t phase = 16 * millisecond;  // what is compared is the mean of at least so long
constexpr int64_t shortest_pause = 10 * millisecond;
// Longer than this it would be a machine that stood still, and not a number of threads.
constexpr int64_t longest_pause = 10000 * millisecond, longest_doubt = 1000 * millisecond;
constexpr double gain = 0.97;  // of the time, at most, is a reason to change

int64_t threads_at(const weft_pace& p, int64_t level) {
  int64_t threads = p.limit >> level;
  return threads < 1 ? 1 : threads;
}

int64_t lowest_level(const weft_pace& p) {
  int64_t level = 0;
  while (level + 1 < WEFT_PACE_LEVELS && threads_at(p, level) > 1) level++;
  return level;
}

// The neighbour to try next: those above and below in turn.
int64_t neighbour(weft_pace& p) {
  p.turn++;
  int64_t level = p.level + (p.turn % 2 ? 1 : -1);
  if (level < 0) return 1;
  return level > lowest_level(p) ? p.level - 1 : level;
}

void wait(weft_pace& p, double time, int64_t longest) {
  int64_t pause = longest;
  if (time < (double)longest) pause = time < shortest_pause ? shortest_pause : (int64_t)time;
  p.next_trial = p.clock + pause;
}

void end_trial(weft_pace& p, double time, double work) {
  double usual = p.times[p.level], loss = (time - usual) * work;
  p.times[p.trial] = time;
  if (time < gain * usual) {
    p.level = p.trial;
    p.turn--;  // the next trial goes the same way
  }
  p.trial = p.level;
  wait(p, 100 * loss, longest_pause);
}

// The level that was fastest when it last ran.
int64_t fastest(const weft_pace& p) {
  int64_t best = p.level;
  for (int64_t l = 0; l < WEFT_PACE_LEVELS; l++) {
    if (p.times[l] > 0 && p.times[l] < p.times[best]) best = l;
  }
  return best;
}

void go_on(weft_pace& p, double time, double work) {
  double& usual = p.times[p.level];
  usual = usual == 0 ? time : 0.7 * usual + 0.3 * time;
  int64_t other = fastest(p);
  if (other != p.level && time > p.times[other]) {
    wait(p, 20 * (time - p.times[other]) * work, longest_doubt);
    p.level = other;
  } else if (p.clock >= p.next_trial && lowest_level(p) > 0) {
    p.trial = neighbour(p);
    return;
  }
  p.trial = p.level;
}

}  // namespace

int64_t threads_of_next_run(weft_pace& p, int64_t limit) {
  if (p.limit != limit) {
    p = weft_pace{};
    p.limit = limit;
  }
  return threads_at(p, p.trial);
}

void note_run(weft_pace& p, int64_t nanoseconds, double work, int64_t threads, bool shared) {
  p.runs++;
  p.clock += nanoseconds;
  p.threads += shared ? threads : 1;
  bool known = p.shares != 0;
  if (shared) p.shares = 1;
  // the first run that shares makes what the others find
  if (!known) return;
  p.phase_time += nanoseconds;
  p.phase_work += work;
  if (p.phase_time < phase) return;
  double time = (double)p.phase_time / p.phase_work, done = p.phase_work;
  p.phase_time = 0;
  p.phase_work = 0;
  if (p.trial != p.level) {
    end_trial(p, time, done);
  } else {
    go_on(p, time, done);
  }
}

}  // namespace weft
