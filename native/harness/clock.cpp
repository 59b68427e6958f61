// SPDX-License-Identifier: Apache-2.0
#include "clock.h"

#include <algorithm>
#include <chrono>
#include <vector>

namespace weft::harness {

namespace {

constexpr double MEASURED_US = 3000;
constexpr int GRAPH_LAUNCHES = 10;
constexpr std::chrono::milliseconds WARM_UP(200);

}  // namespace

Clock::Clock(Driver& driver, int repeats)
    : driver_(driver), repeats_(repeats), from_(driver.event()), to_(driver.event()) {}

double Clock::once(const Queue& queue, int calls) {
  driver_.record(from_);
  queue(next_, calls);
  driver_.record(to_);
  driver_.synchronize();
  next_ += calls;
  return driver_.microseconds(from_, to_);
}

void Clock::warm_up(const Queue& queue) {
  if (repeats_ == 1) return;
  auto end = std::chrono::steady_clock::now() + WARM_UP;
  while (std::chrono::steady_clock::now() < end) once(queue, 20);
}

Times Clock::median(int calls, const std::function<double()>& measure) {
  std::vector<double> all;
  for (int i = 0; i < repeats_; i++) all.push_back(measure());
  std::sort(all.begin(), all.end());
  return {all[all.size() / 2], all.front(), all.back(), calls};
}

Times Clock::calls(const Queue& queue) {
  int calls = 1;
  if (repeats_ > 1) {
    once(queue, 2);
    double one = once(queue, 2) / 2;
    calls = (int)std::clamp(MEASURED_US / std::max(one, 0.5), 2.0, 400.0);
  }
  return median(calls, [&] { return once(queue, calls) / calls; });
}

Times Clock::graph(const Queue& queue) {
  driver_.begin_capture();
  queue(0, GRAPH_CALLS);
  Graph graph = driver_.end_capture();
  auto launch = [&](int, int count) {
    for (int i = 0; i < count; i++) driver_.launch(graph);
  };
  int launches = repeats_ > 1 ? GRAPH_LAUNCHES : 1;
  if (repeats_ > 1) once(launch, 2);
  Times times =
      median(GRAPH_CALLS, [&] { return once(launch, launches) / (launches * GRAPH_CALLS); });
  driver_.destroy(graph);
  return times;
}

}  // namespace weft::harness
