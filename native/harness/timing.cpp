// SPDX-License-Identifier: Apache-2.0
//
// Large operands: calls go round over several sets of operands, which together are larger than the
// L2 by far, between two events. Small ones: 20 calls over one set make a graph, as in a training
// step, and the graph is launched several times between two events, since the first launch pays the
// way from the host. The median of several such measurements counts.
#include "timing.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <sstream>

#include "fill.h"
#include "timed_cases.h"

namespace weft::harness {

namespace {

constexpr double SMALL_BYTES = 256 << 10;
constexpr int GRAPH_CALLS = 20;
constexpr int GRAPH_LAUNCHES = 10;
constexpr double MEASURED_US = 3000;  // of calls between two events
constexpr double WARM_UP_US = 200000;  // for the clocks of a device that was idle

// Operands of one call, as many times over as calls go round.
class Sets {
 public:
  Sets(Driver& driver, Filler& filler, const TimedCase& one, int count) : driver_(driver) {
    for (int set = 0; set < count; set++) {
      std::vector<Address> addresses;
      for (const Operand& operand : one.operands) {
        Address address = driver.allocate(std::max<uint64_t>(operand.bytes(), 16));
        addresses.push_back(address);
        taken_.push_back(address);
        filler.fill(operand, address);
      }
      std::vector<uint64_t> arguments;
      for (const Slot& slot : one.launch.slots) {
        arguments.push_back(slot.buffer == NONE ? slot.value : addresses[slot.buffer]);
      }
      addresses_.push_back(std::move(addresses));
      arguments_.push_back(std::move(arguments));
    }
  }
  ~Sets() {
    try {
      driver_.synchronize();
      for (Address address : taken_) driver_.free(address);
    } catch (const DriverError&) {
      // a lost device has lost its memory, too
    }
  }
  Sets(const Sets&) = delete;

  const void* arguments(int call) const { return arguments_[(size_t)call % arguments_.size()].data(); }
  Address address(int set, size_t operand) const { return addresses_[(size_t)set][operand]; }

 private:
  Driver& driver_;
  std::vector<Address> taken_;
  std::vector<std::vector<Address>> addresses_;  // by set, by operand
  std::vector<std::vector<uint64_t>> arguments_;  // by set
};

struct Times {
  double median, low, high;
};

class Clock {
 public:
  Clock(Driver& driver, int repeats)
      : driver_(driver), repeats_(repeats), from_(driver.event()), to_(driver.event()) {}

  // Microseconds of a number of calls, as queue makes them: queue(first, count).
  double once(const std::function<void(int, int)>& queue, int calls) {
    driver_.record(from_);
    queue(next_, calls);
    driver_.record(to_);
    driver_.synchronize();
    next_ += calls;
    return driver_.microseconds(from_, to_);
  }

  // Microseconds a call.
  Times calls(const std::function<void(int, int)>& queue) {
    int calls = 1;
    if (repeats_ > 1) {
      once(queue, 2);
      double one = once(queue, 2) / 2;
      calls = (int)std::clamp(MEASURED_US / std::max(one, 0.5), 2.0, 400.0);
    }
    return median([&] { return once(queue, calls) / calls; });
  }

  // The same of calls in a graph.
  Times graph(const std::function<void(int, int)>& queue) {
    driver_.begin_capture();
    queue(0, GRAPH_CALLS);
    Graph graph = driver_.end_capture();
    auto launch = [&](int, int count) {
      for (int i = 0; i < count; i++) driver_.launch(graph);
    };
    int launches = repeats_ > 1 ? GRAPH_LAUNCHES : 1;
    if (repeats_ > 1) once(launch, 2);
    Times times = median([&] { return once(launch, launches) / (launches * GRAPH_CALLS); });
    driver_.destroy(graph);
    return times;
  }

 private:
  Times median(const std::function<double()>& measure) {
    std::vector<double> all;
    for (int i = 0; i < repeats_; i++) all.push_back(measure());
    std::sort(all.begin(), all.end());
    return {all[all.size() / 2], all.front(), all.back()};
  }

  Driver& driver_;
  int repeats_, next_ = 0;
  Event from_, to_;
};

// Throws where an output that was poison still is, or holds what is no number, after one call over
// the first set. Reals are looked at by the kernel that finds maxima, in which a NaN wins; it was
// itself checked by the case file.
void look(Driver& driver, const TimedCase& one, const Sets& sets) {
  constexpr int64_t PARTS = 2048;
  for (size_t i = 0; i < one.operands.size(); i++) {
    const Operand& operand = one.operands[i];
    if (operand.role == Role::INPUT || operand.fill == Fill::STATE) continue;
    Address at = sets.address(0, i);
    if (operand.type == Type::I32) {
      std::vector<int32_t> values((size_t)operand.count);
      driver.copy_out(values.data(), at, operand.bytes());
      int32_t poison = (int32_t)(POISON * 0x10001u);
      if (std::count(values.begin(), values.end(), poison)) {
        throw std::runtime_error(operand.name + " was not written everywhere");
      }
      continue;
    }
    std::string type = operand.type == Type::F64 ? "f64" : operand.type == Type::BF16 ? "bf16" : "f32";
    Function reduce = driver.find("reduce_" + type);
    if (!reduce) throw std::runtime_error("reduce_" + type + " is missing, which looks at outputs");
    size_t wide = type == "f64" ? 8 : 4;
    Address maxima = driver.allocate(PARTS * wide);
    const int64_t MAX = 2;
    uint64_t arguments[9] = {at, maxima, 1, (uint64_t)operand.count, 1, PARTS, MAX, 0, 0};
    driver.launch(reduce, PARTS / 32, 256, arguments);
    std::string found(PARTS * wide, 0);
    driver.copy_out(found.data(), maxima, found.size());
    driver.free(maxima);
    for (int64_t part = 0; part < PARTS; part++) {
      double value = wide == 8 ? ((double*)found.data())[part] : ((float*)found.data())[part];
      if (std::isnan(value)) {
        throw std::runtime_error(operand.name + " was not written everywhere, or holds NaN");
      }
    }
  }
}

std::string size_word(double bytes) {
  std::ostringstream word;
  if (bytes >= 1e6) word << bytes / 1e6 << " MB";
  else word << bytes / 1024 << " KiB";
  return word.str();
}

// One size: its yardstick and its rows.
class Part {
 public:
  Part(Driver& driver, Filler& filler, const Options& options, Report& report, double bytes, bool graph)
      : driver_(driver), filler_(filler), options_(options), report_(report), bytes_(bytes),
        graph_(graph), word_(size_word(bytes)), clock_(driver, options.repeats) {}

  void run() {
    std::vector<std::pair<std::string, std::vector<TimedCase>>> types;
    std::istringstream names(options_.types);
    for (std::string type; std::getline(names, type, ',');) {
      std::vector<TimedCase> wanted;
      for (TimedCase& one : timed_cases(type, bytes_)) {
        if (!graph_ && one.bytes() == 0) continue;  // advance_step has no large operand
        if (options_.wants(name(one))) wanted.push_back(std::move(one));
      }
      if (!wanted.empty()) types.emplace_back(type, std::move(wanted));
    }
    if (types.empty()) return;
    report_.say("");
    report_.say(word_ + (graph_ ? ": 20 calls in a graph, one operand in cache"
                                : " an operand: calls go round over sets larger than the L2"));
    report_.say("kernel                                    is    error         us     GB/s  copy  predicted  ratio");
    copy();
    for (auto& type : types) {
      for (const TimedCase& one : type.second) row(one, type.first);
    }
  }

 private:
  std::string name(const TimedCase& one) const {
    return one.kernel + (one.variant.empty() ? "" : ", " + one.variant) + ", " + word_;
  }

  // As many that what a call needs has left the L2 when its set comes again.
  int sets(double bytes) const {
    if (graph_) return 1;
    double l2 = (double)driver_.device().l2_bytes;
    int wanted = (int)std::max(2.0, std::ceil(3 * l2 / std::max(bytes, 1.0)) + 1);
    double fit = 0.9 * (double)driver_.free_bytes() / std::max(bytes, 1.0);
    if (fit < 1) {
      throw std::runtime_error("its operands are " + size_word(bytes) + ", and the device has " +
                               size_word((double)driver_.free_bytes()) + " left: --size");
    }
    return std::min({wanted, (int)fit, 64});
  }

  void copy() {
    TimedCase one{"cuMemcpyDtoD", "", {}, {}, 0};
    auto count = (int64_t)bytes_ / 4;
    one.operands = {{"x", Type::F32, Role::INPUT, Fill::SIGNED, count, 0},
                    {"y", Type::F32, Role::OUTPUT, Fill::POISON, count, 0}};
    int count_of_sets = sets(one.bytes());
    Sets sets(driver_, filler_, one, count_of_sets);
    auto queue = [&](int first, int calls) {
      for (int i = first; i < first + calls; i++) {
        int set = i % count_of_sets;
        driver_.copy(sets.address(set, 1), sets.address(set, 0), (size_t)one.operands[0].bytes());
      }
    };
    Row row = measured(one, queue);
    copied_ = row.gigabytes;
    row.share = 1;
    row.predicted = row.microseconds;
    report_.add(row);
  }

  Row measured(const TimedCase& one, const std::function<void(int, int)>& queue) {
    if (options_.repeats > 1 && !graph_) {
      for (double spent = 0; one.kernel == "cuMemcpyDtoD" && spent < WARM_UP_US;) {
        spent += std::max(clock_.once(queue, 20), 1.0) + WARM_UP_US / 50;
      }
    }
    Times times = graph_ ? clock_.graph(queue) : clock_.calls(queue);
    Row row;
    row.part = "time";
    row.kernel = one.kernel;
    row.variant = one.variant;
    row.size = word_;
    row.microseconds = times.median;
    row.low = times.low;
    row.high = times.high;
    row.bytes = one.bytes();
    row.flops = one.flops;
    row.gigabytes = row.bytes / times.median / 1e3;
    return row;
  }

  void row(const TimedCase& one, const std::string& type) {
    report_.begin(name(one));
    Row row;
    row.part = "time";
    row.kernel = one.kernel;
    row.variant = one.variant;
    row.size = word_;
    bool lost = false;
    try {
      Function function = driver_.find(one.kernel);
      if (!function) throw std::runtime_error("the fatbin has no such kernel");
      int count = sets(one.bytes());
      Sets sets(driver_, filler_, one, count);
      driver_.launch(function, one.launch.blocks, one.launch.threads, sets.arguments(0));
      look(driver_, one, sets);
      row = measured(one, [&](int first, int calls) {
        for (int i = first; i < first + calls; i++) {
          driver_.launch(function, one.launch.blocks, one.launch.threads, sets.arguments(i));
        }
      });
      const DeviceFacts& device = driver_.device();
      double ceiling = type == "f64" ? device.flops_f64() : device.flops();
      row.share = row.gigabytes / copied_;
      row.predicted = std::max(row.bytes / copied_ / 1e3, row.flops / ceiling * 1e6);
    } catch (const std::runtime_error& e) {
      row.pass = false;
      row.message = e.what();
      lost = !driver_.alive();
    }
    if (const Row* checked = report_.checked(one.kernel)) {
      row.error = checked->error;
      row.allowed = checked->allowed;
      if (!checked->pass && row.pass) {
        row.pass = false;
        row.message = "its cases fail, see above";
      }
    }
    report_.add(row);
    if (lost) throw DriverError("the device is lost after " + one.kernel + "; start anew with --except '^" + one.kernel + ",'");
  }

  Driver& driver_;
  Filler& filler_;
  const Options& options_;
  Report& report_;
  double bytes_;
  bool graph_;
  std::string word_;
  Clock clock_;
  double copied_ = NAN;  // GB/s
};

}  // namespace

void time(Driver& driver, const Options& options, Report& report) {
  Filler filler(driver);
  Part(driver, filler, options, report, options.megabytes * 1e6, false).run();
  Part(driver, filler, options, report, std::min(SMALL_BYTES, options.megabytes * 1e6), true).run();
}

}  // namespace weft::harness
