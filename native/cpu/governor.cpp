// SPDX-License-Identifier: Apache-2.0
//
// A program keeps to one number of threads, and at intervals tries half as many or twice as many for
// a phase of some milliseconds: what was faster stays. A trial that fails is followed by a pause in
// which its loss is a hundredth. Where the chosen number becomes slower than another one was, as when
// other work comes to the machine, that other one follows at once.
#include "governor.h"

namespace weft {
namespace {

constexpr int64_t millisecond = 1000000;
constexpr int64_t phase = 2 * millisecond;  // what is compared is the mean of at least so long
constexpr int64_t shortest_pause = 10 * millisecond, longest_pause = 1000 * millisecond;
// What was chosen for longer than this was right then: the next trial may come soon.
constexpr int64_t settled = 300 * millisecond;
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

void pause(weft_pace& p, int64_t clock, double loss) {
  int64_t doubled = 2 * p.pause, most = longest_pause, wanted = (int64_t)(100 * loss);
  if (doubled > most) doubled = most;
  p.pause = wanted > doubled ? wanted : doubled;
  if (p.pause < shortest_pause) p.pause = shortest_pause;
  p.next_trial = clock + p.pause;
}

void end_trial(weft_pace& p, int64_t clock, double time, double work) {
  p.times[p.trial] = time;
  if (time < gain * p.times[p.level]) {
    p.level = p.trial;
    p.chosen = clock;
    p.next_trial = clock + p.pause;
    p.turn--;  // the next trial goes the same way
  } else {
    pause(p, clock, (time - p.times[p.level]) * work);
  }
  p.trial = p.level;
}

// The level that was fastest when it last ran.
int64_t fastest(const weft_pace& p) {
  int64_t best = p.level;
  for (int64_t l = 0; l < WEFT_PACE_LEVELS; l++) {
    if (p.times[l] > 0 && p.times[l] < p.times[best]) best = l;
  }
  return best;
}

void go_on(weft_pace& p, int64_t clock, double time, double work) {
  double& usual = p.times[p.level];
  usual = usual == 0 ? time : 0.7 * usual + 0.3 * time;
  int64_t other = fastest(p);
  if (time > p.times[other] && other != p.level) {
    p.level = other;
    if (clock - p.chosen > settled) p.pause = 0;
    p.chosen = clock;
    pause(p, clock, (time - p.times[other]) * work);
  } else if (clock >= p.next_trial && lowest_level(p) > 0) {
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

void note_run(weft_pace& p, int64_t clock, int64_t nanoseconds, double work, bool shared) {
  p.runs++;
  p.threads += shared ? threads_at(p, p.trial) : 1;
  if (shared) p.shares = 1;
  // the first run makes what the others find
  if (!p.shares || p.runs == 1) return;
  p.phase_time += nanoseconds;
  p.phase_work += work;
  if (p.phase_time < phase) return;
  double time = (double)p.phase_time / p.phase_work, done = p.phase_work;
  p.phase_time = 0;
  p.phase_work = 0;
  if (p.trial != p.level) {
    end_trial(p, clock, time, done);
  } else {
    go_on(p, clock, time, done);
  }
}

}  // namespace weft
