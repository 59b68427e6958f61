// SPDX-License-Identifier: Apache-2.0
#include "timing.h"

#include <algorithm>
#include <cmath>
#include <sstream>

#include "clock.h"
#include "contract.h"
#include "look.h"
#include "memory.h"
#include "operands.h"

namespace weft::harness {

namespace {

constexpr double SMALL_BYTES = 256 << 10;

std::string size_word(double bytes) {
  std::ostringstream word;
  if (bytes >= 1e6) {
    word << bytes / 1e6 << " MB";
  } else {
    word << bytes / 1024 << " KiB";
  }
  return word.str();
}

std::vector<std::string> types(const Options& options) {
  std::vector<std::string> all;
  std::istringstream names(options.types);
  for (std::string type; std::getline(names, type, ',');) all.push_back(type);
  return all;
}

// One size of operands: what is timed of it.
struct Plan {
  double bytes;
  bool graph;
  std::string size;
  std::vector<TimedCase> cases;
  std::vector<const Case*> recorded;

  std::string name(const std::string& kernel, const std::string& variant) const {
    return kernel + (variant.empty() ? "" : ", " + variant) + ", " + size;
  }

  Plan(const CaseFile& file, const Options& options, bool small) : bytes(options.megabytes * 1e6) {
    graph = small;
    if (small) bytes = std::min(bytes, SMALL_BYTES);
    size = size_word(bytes);
    for (const std::string& type : types(options)) {
      for (TimedCase& one : timed_cases(type, bytes)) {
        if (one.small && !small) continue;
        if (options.wants(name(one.kernel, one.variant))) cases.push_back(std::move(one));
      }
      for (const Case& one : file.cases) {
        bool fused = one.kernel == "fused_pass_" + type || one.kernel == "fused_update_" + type;
        bool sound = one.damage.empty() && !one.launches.empty();
        if (small && fused && sound && options.wants(name(one.kernel, one.label))) {
          recorded.push_back(&one);
        }
      }
    }
  }

  Row row(const TimedCase& one) const {
    Row made = row(one.kernel, one.variant, one.bytes(), one.flops);
    made.repeats = one.repeats();
    return made;
  }

  Row row(const std::string& kernel, const std::string& variant, double moved, double flops) const {
    Row row;
    row.part = "time";
    row.kernel = kernel;
    row.variant = variant;
    row.size = size;
    row.bytes = moved;
    row.flops = flops;
    return row;
  }
};

bool is_f64(const std::string& kernel) {
  return kernel.size() > 4 && kernel.compare(kernel.size() - 4, 4, "_f64") == 0;
}

// Makes the rows of a plan.
class Part {
 public:
  Part(Driver& driver, Pool& pool, const Options& options, Report& report, const Plan& plan)
      : driver_(driver),
        pool_(pool),
        report_(report),
        plan_(plan),
        clock_(driver, options.repeats) {}

  void run() {
    if (plan_.cases.empty() && plan_.recorded.empty()) return;
    report_.heading(plan_.size + (plan_.graph ? " an operand, 20 calls in a graph, in cache"
                                              : " an operand, sets of them in turn, not in cache"));
    copy();
    for (const TimedCase& one : plan_.cases) {
      make(plan_.row(one), [&](Row& row) { made_up(one, row); });
    }
    for (const Case* one : plan_.recorded) {
      make(plan_.row(one->kernel, one->label, one->bytes, one->flops),
           [&](Row& row) { recorded(*one, row); });
    }
  }

 private:
  // As many that what a call needs has left the L2 when its set comes again.
  int sets(size_t bytes) {
    if (plan_.graph) return 1;
    double set = (double)std::max<size_t>(bytes, 1);
    double wanted = std::ceil(3 * (double)driver_.device().l2_bytes / set) + 1;
    double fit = std::floor((double)pool_.room() / set);
    if (fit < 1) {
      throw std::runtime_error("its operands are " + size_word(set) + ", and there is room for " +
                               size_word((double)pool_.room()) + ": choose another --size");
    }
    return (int)std::min({std::max(wanted, 2.0), fit, 64.0});
  }

  // The yardstick, first of all.
  void copy() {
    TimedCase one{"cuMemcpyDtoD", "", {}, {}, 0, false};
    int64_t count = std::max<int64_t>(1, (int64_t)plan_.bytes / 4);
    one.operands = {{"x", Type::F32, Role::INPUT, Fill::SIGNED, count, 0},
                    {"y", Type::F32, Role::OUTPUT, Fill::POISON, count, 0}};
    make(plan_.row(one), [&](Row& row) {
      Sets operands(pool_, one, sets(set_bytes(one)));
      auto queue = [&](int first, int calls) {
        for (int i = first; i < first + calls; i++) {
          driver_.copy(operands.address(i, 1), operands.address(i, 0), one.operands[0].bytes());
        }
      };
      clock_.warm_up(queue);
      row.sets = operands.count();
      measure(queue, row);
      copied_ = row.gigabytes;
    });
  }

  void made_up(const TimedCase& one, Row& row) {
    Function function = driver_.find(one.kernel);
    if (!function) throw std::runtime_error("no such kernel in any module");
    Sets operands(pool_, one, sets(set_bytes(one)));
    auto queue = [&](int first, int calls) {
      for (int i = first; i < first + calls; i++) {
        driver_.launch(function, one.launch.blocks, one.launch.threads, operands.arguments(i));
      }
    };
    Look look(driver_, one, operands);
    queue(0, 1);
    look.after();
    row.sets = operands.count();
    measure(queue, row);
  }

  // The last launch of a case, over what the ones before it have left.
  void recorded(const Case& one, Row& row) {
    CaseMemory memory(driver_, one, false);
    for (const Launch& launch : one.launches) memory.launch(launch);
    driver_.synchronize();
    measure(
        [&](int, int calls) {
          for (int i = 0; i < calls; i++) memory.launch(one.launches.back());
        },
        row);
  }

  void measure(const Clock::Queue& queue, Row& row) {
    Times times = plan_.graph ? clock_.graph(queue) : clock_.calls(queue);
    row.microseconds = times.median;
    row.low = times.low;
    row.high = times.high;
    row.calls = times.calls;
    row.gigabytes = row.bytes / times.median / 1e3;
  }

  template <typename Make>
  void make(Row row, Make fill) {
    report_.begin(plan_.name(row.kernel, row.variant));
    bool alive = true;
    try {
      fill(row);
      if (row.bytes == 0) row.gigabytes = NAN;  // advance_step: a launch and nothing else
      const DeviceFacts& device = driver_.device();
      double ceiling = is_f64(row.kernel) ? device.flops_f64() : device.flops();
      row.share = row.gigabytes / copied_;
      row.predicted = std::max(row.bytes / copied_ / 1e3, row.flops / ceiling * 1e6);
      if (row.predicted == 0) row.predicted = NAN;
    } catch (const std::runtime_error& e) {
      row.pass = false;
      row.message = e.what();
      alive = driver_.alive();
    }
    report_.add(row);
    if (!alive) throw DriverError(lost_after(row.kernel));
  }

  Driver& driver_;
  Pool& pool_;
  Report& report_;
  const Plan& plan_;
  Clock clock_;
  double copied_ = NAN;  // GB/s
};

// A kernel that nothing times is named.
void say_untimed(const CaseFile& file, const Options& options, Report& report) {
  std::vector<std::string> timed;
  for (const std::string& type : types(options)) {
    for (const TimedCase& one : timed_cases(type, SMALL_BYTES)) timed.push_back(one.kernel);
  }
  for (const Case* one : Plan(file, options, true).recorded) timed.push_back(one->kernel);
  std::string names;
  for (const Kernel& kernel : kernels()) {
    bool has = std::find(timed.begin(), timed.end(), kernel.symbol) != timed.end();
    if (has || !options.wants(kernel.symbol)) continue;
    if (is_f64(kernel.symbol) && options.types.find("f64") == std::string::npos) continue;
    names += (names.empty() ? "" : ", ") + kernel.symbol;
  }
  if (options.types.find("f64") == std::string::npos) report.say("not timed: kernels of f64");
  if (!names.empty()) report.say("not timed: " + names);
}

}  // namespace

void time_kernels(Driver& driver, const CaseFile& file, const Options& options, Report& report) {
  Pool pool(driver);
  for (bool small : {false, true}) {
    Plan plan(file, options, small);
    Part(driver, pool, options, report, plan).run();
  }
  say_untimed(file, options, report);
}

void list_timed(const CaseFile& file, const Options& options, Report& report) {
  for (bool small : {false, true}) {
    Plan plan(file, options, small);
    report.say(plan.size);
    for (const TimedCase& one : plan.cases) {
      Row row = plan.row(one);
      row.part = "list";
      row.blocks = one.launch.blocks;
      for (const Slot& slot : one.launch.slots) {
        row.arguments += slot.buffer != NONE ? "p" + std::to_string(slot.buffer + 1)
                                             : std::to_string((int64_t)slot.value);
        row.arguments += ' ';
      }
      report.add(row);
    }
    for (const Case* one : plan.recorded) {
      Row row = plan.row(one->kernel, one->label, one->bytes, one->flops);
      row.part = "list";
      row.blocks = one->launches.back().blocks;
      report.add(row);
    }
  }
  say_untimed(file, options, report);
}

}  // namespace weft::harness
