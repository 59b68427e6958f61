// SPDX-License-Identifier: Apache-2.0
#ifndef WEFT_HARNESS_CLOCK_H
#define WEFT_HARNESS_CLOCK_H

#include <functional>

#include "driver.h"

namespace weft::harness {

// Microseconds a call.
struct Times {
  double median, low, high;
  int calls;  // one after the other, or in a graph
};

// Times work between two events on the stream.
class Clock {
 public:
  static constexpr int GRAPH_CALLS = 20;

  // Queues calls number first, first + 1 and so on.
  using Queue = std::function<void(int first, int count)>;

  // repeats: measurements of which the median counts; with 1, one call or one graph is made.
  Clock(Driver& driver, int repeats);

  // Until the device has the clock rate that it works at.
  void warm_up(const Queue& queue);
  // Calls one after the other, some milliseconds of them a measurement.
  Times calls(const Queue& queue);
  // 20 calls make a graph, as in a training step. A measurement launches it several times, since
  // the first launch pays the way from the host.
  Times graph(const Queue& queue);

 private:
  double once(const Queue& queue, int calls);
  Times median(int calls, const std::function<double()>& measure);

  Driver& driver_;
  int repeats_, next_ = 0;
  Event from_, to_;
};

}  // namespace weft::harness
#endif  // WEFT_HARNESS_CLOCK_H
