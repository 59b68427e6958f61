// SPDX-License-Identifier: Apache-2.0
//
// weft-governor-test: the number of threads that a program takes on machines that are made up here,
// whose clock only runs move. Says what it measured, and exits with 1 where that is too bad.
#include <math.h>
#include <stdio.h>

#include <functional>
#include <random>
#include <string>

#include "../cpu/governor.h"

using namespace weft;

namespace {

constexpr double us = 1e3, ms = 1e6, second = 1e9;  // ns

bool wrong = false;

void expect(bool right, const std::string& what, double found, double most) {
  if (right) return;
  wrong = true;
  printf("WRONG: %s: %.3f, at most %.3f\n", what.c_str(), found, most);
}

// One program. time(threads, clock): what a run costs that begins then.
struct program {
  std::function<double(int64_t, double)> time;
  int64_t limit;
  double noise = 0.03;
  weft_pace pace{};
  double clock = 0;
  int64_t threads = 1;
  std::mt19937_64 random{7};

  // Returns the time of a run.
  double run() {
    threads = threads_of_next_run(pace, limit);
    double t = time(threads, clock) * (1 + noise * std::normal_distribution<>()(random));
    clock += t;
    note_run(pace, (int64_t)t, 1, threads, threads > 1);
    return t;
  }

  // Runs until then; returns by how much more than `best` ns a run it took.
  double loss(double until, double best) {
    double start = clock, runs = 0;
    while (clock < until) run(), runs++;
    return (clock - start) / (runs * best) - 1;
  }

  // Runs until 20 ms went by on so many threads; returns when those began.
  double settles_at(int64_t wanted, double give_up) {
    for (double since = clock; clock < give_up;) {
      double begun = clock;
      run();
      if (threads != wanted) since = clock;
      if (threads == wanted && clock - fmax(since, begun - 20 * ms) >= 20 * ms) return since;
    }
    return give_up;
  }
};

// A run takes `one` on one thread and ratio * one on two.
void two_threads(double one, double ratio) {
  program p{[=](int64_t n, double) { return n == 1 ? one : one * ratio; }, 2};
  std::string name = "a run of " + std::to_string((int)(one / us)) + " us, on two threads " +
                     std::to_string(ratio) + " of it";
  double best = one * fmin(1, ratio), longest = one * fmax(1, ratio);
  if (fabs(ratio - 1) > 0.1) {
    double settled = p.settles_at(ratio < 1 ? 2 : 1, second), most = 40 * ms + 8 * longest;
    expect(settled <= most, name + ", ms until chosen", settled / ms, most / ms);
  }
  p.loss(2 * second, best);
  double loss = p.loss(p.clock + 20 * second, best);
  expect(loss <= 0.03, name + ", share lost", loss, 0.03);
}

// Others compute from 1 s to 3 s: two threads take `slow` times as long, but at first only after
// `good` of a stretch on two.
void company(double one, double slow, double good) {
  double on_two = 0;  // since when
  bool was_two = false;
  auto time = [&](int64_t n, double clock) {
    bool alone = clock < second || clock > 3 * second;
    if (n == 1) {
      was_two = false;
      return one;
    }
    if (!was_two) on_two = clock;
    was_two = true;
    return alone || clock - on_two < good ? 0.6 * one : slow * one;
  };
  std::string name = "a run of " + std::to_string((int)(one / us)) + " us, in company " +
                     std::to_string(slow) + " of it, after " + std::to_string(good / ms) + " ms";
  program p{time, 2};
  p.loss(second, one);
  double begun = p.clock, lost = 0, until_one = 0;
  while (p.clock < 3 * second) {
    double t = p.run();
    if (p.threads == 2) lost += t - one;
    if (until_one == 0 && p.threads == 1) until_one = p.clock - begun;
  }
  double left = p.clock;
  double most = good + 55 * ms + 3 * slow * one;  // three phases of 16 ms
  expect(until_one > 0 && until_one <= most, name + ", ms until one thread", until_one / ms,
         most / ms);
  double share = lost / (2 * second);
  expect(share <= 0.05, name + ", share lost in company", share, 0.05);
  double back = p.settles_at(2, left + 5 * second) - left;
  most = 1.6 * second + 100 * slow * one;  // a hundred phases, in which all was lost
  expect(back <= most, name + ", ms until two threads again", back / ms, most / ms);
  printf("%s: to one after %.1f ms, lost %.1f %%, back after %.0f ms\n", name.c_str(),
         until_one / ms, 100 * share, back / ms);
}

// A machine that becomes half as fast: what is known of both numbers is wrong then.
void slower_machine(double one) {
  auto time = [=](int64_t n, double clock) {
    return (clock < second ? 1 : 2) * (n == 1 ? one : 0.6 * one);
  };
  program p{time, 2};
  p.loss(second, one);
  double loss = p.loss(2 * second, 2 * 0.6 * one);
  expect(loss <= 0.03, "a machine that becomes slower, share lost", loss, 0.03);
}

// A machine that once stands still: that says nothing of the number of threads.
void standstill(double one, double length, double most) {
  bool stood = false;
  auto time = [&](int64_t n, double clock) {
    double usual = n == 1 ? one : 0.6 * one;
    if (stood || clock < second) return usual;
    stood = true;
    return usual + length;
  };
  program p{time, 2};
  while (!stood) p.run();
  double since = p.clock, back = p.settles_at(2, since + 60 * second) - since;
  expect(back <= most,
         "after a standstill of " + std::to_string(length / ms) + " ms, ms until two threads",
         back / ms, most / ms);
}

// Of 16 threads 4 are best at first, then all.
void many_threads(double one) {
  auto time = [=](int64_t n, double clock) {
    double shared = clock < 3 * second ? 0.08 : 0.002;  // what each thread costs
    return one * (1.0 / (double)n + shared * (double)(n - 1));
  };
  program p{time, 16};
  double down = p.settles_at(4, 3 * second);
  expect(down <= 500 * ms, "16 threads, ms until 4 of them", down / ms, 500);
  while (p.clock < 3 * second) p.run();
  double up = p.settles_at(16, 8 * second) - 3 * second;
  expect(up <= 3 * second, "4 threads, ms until all 16", up / ms, 3000);
  printf("a run of %.0f us: 16 to 4 threads after %.0f ms, back after %.0f ms\n", one / us,
         down / ms, up / ms);
}

}  // namespace

int main() {
  for (double one : {30 * us, 300 * us, 3 * ms, 20 * ms}) {
    for (double ratio : {0.3, 0.5, 0.7, 0.9, 0.97, 1.0, 1.05, 1.2, 1.5, 2.0, 3.0}) {
      two_threads(one, ratio);
    }
  }
  for (double one : {30 * us, 300 * us, 3 * ms}) {
    for (double slow : {1.5, 3.0, 10.0}) {
      for (double good : {0.0, 2.5 * ms, 6 * ms}) company(one, slow, good);
    }
  }
  for (double one : {100 * us, ms}) many_threads(one), slower_machine(one);
  for (double one : {100 * us, ms}) {
    standstill(one, 40 * ms, second), standstill(one, 60 * second, 1.1 * second);
  }
  return wrong;
}
