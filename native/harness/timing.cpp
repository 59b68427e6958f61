// SPDX-License-Identifier: Apache-2.0
#include "timing.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <sstream>

#include "clock.h"
#include "contract.h"
#include "look.h"
#include "memory.h"
#include "operands.h"

namespace weft::harness {

namespace {

std::string size_word(double bytes) {
  std::ostringstream word;
  if (bytes >= 1e6) {
    word << bytes / 1e6 << " MB";
  } else {
    word << bytes / 1024 << " KiB";
  }
  return word.str();
}

// What is timed of a file in one way, of one size of operands.
struct Plan {
  bool graph;
  double bytes = 0;  // of an operand
  std::string size;
  std::vector<const Case*> cases;

  Plan(const CaseFile& file, const Options& options, Timed timed)
      : graph(timed == Timed::IN_CACHE) {
    for (const Case& one : file.cases) {
      if (one.timed == timed) bytes = std::max(bytes, one.size);
    }
    size = size_word(bytes);
    std::istringstream names(options.types);
    for (std::string type; std::getline(names, type, ',');) {
      Type computed = type == "f64" ? Type::F64 : type == "bf16" ? Type::BF16 : Type::F32;
      for (const Case& one : file.cases) {
        bool here = one.timed == timed && one.type == computed;
        if (here && options.wants(name(one))) cases.push_back(&one);
      }
    }
  }

  std::string name(const Case& one) const {
    return one.kernel + (one.label.empty() ? "" : ", " + one.label) + ", " + size;
  }

  Row row(const char* part, const Case& one) const {
    Row row;
    row.part = part;
    row.kernel = one.kernel;
    row.variant = one.label;
    row.size = size;
    row.bytes = one.bytes;
    row.flops = one.flops;
    for (const Buffer& buffer : one.buffers) row.repeats += buffer.repeats();
    return row;
  }
};

// In memory, then in the cache.
std::vector<Plan> plans(const CaseFile& file, const Options& options) {
  return {{file, options, Timed::IN_MEMORY}, {file, options, Timed::IN_CACHE}};
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
    if (plan_.cases.empty()) return;
    report_.heading(plan_.size + (plan_.graph ? " an operand, 20 calls in a graph, in cache"
                                              : " an operand, sets of them in turn, not in cache"));
    copy();
    for (const Case* one : plan_.cases) {
      make(*one, [&](Row& row) { one->size > 0 ? made_up(*one, row) : recorded(*one, row); });
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
                               size_word((double)pool_.room()) +
                               ": choose others by --only, or write a case file for less");
    }
    return (int)std::min({std::max(wanted, 2.0), fit, 64.0});
  }

  // The yardstick, first of all.
  void copy() {
    Case one;
    one.kernel = "cuMemcpyDtoD";
    one.launches.emplace_back();
    auto bytes = std::max<uint64_t>(1, (uint64_t)plan_.bytes / 4) * 4;
    one.bytes = 2 * (double)bytes;
    one.buffers = {{"x", Type::F32, Role::INPUT, bytes}, {"y", Type::F32, Role::OUTPUT, bytes}};
    one.buffers[0].fill = Fill::SIGNED;
    make(one, [&](Row& row) {
      Sets operands(pool_, one, sets(set_bytes(one)));
      auto queue = [&](int first, int calls) {
        for (int i = first; i < first + calls; i++) {
          driver_.copy(operands.address(i, 1), operands.address(i, 0), bytes);
        }
      };
      clock_.warm_up(queue);
      row.sets = operands.count();
      measure(queue, row);
      copied_ = row.gigabytes;
    });
  }

  void made_up(const Case& one, Row& row) {
    const Launch& launch = one.launches.back();
    Function function = driver_.find(one.kernel);
    if (!function) throw std::runtime_error("no such kernel in any module");
    Sets operands(pool_, one, sets(set_bytes(one)));
    auto queue = [&](int first, int calls) {
      for (int i = first; i < first + calls; i++) {
        driver_.launch(function, launch.blocks, launch.threads, operands.arguments(i));
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
  void make(const Case& one, Make fill) {
    report_.begin(plan_.name(one));
    Row row = plan_.row("time", one);
    bool alive = true;
    try {
      if (!one.damage.empty()) throw std::runtime_error(one.damage);
      fill(row);
      const DeviceFacts& device = driver_.device();
      double ceiling = one.type == Type::F64 ? device.flops_f64() : device.flops();
      row.share = row.gigabytes / copied_;
      row.predicted = std::max(row.bytes / copied_ / 1e3, row.flops / ceiling * 1e6);
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
void say_untimed(const std::vector<Plan>& plans, const Options& options, Report& report) {
  std::set<std::string> timed;
  for (const Plan& plan : plans) {
    for (const Case* one : plan.cases) timed.insert(one->kernel);
  }
  bool f64 = options.types.find("f64") != std::string::npos;
  std::string names = f64 ? "" : ", kernels of f64";
  for (const Kernel& kernel : kernels()) {
    bool other =
        kernel.symbol.size() > 4 && kernel.symbol.substr(kernel.symbol.size() - 4) == "_f64";
    if (timed.count(kernel.symbol) || !options.wants(kernel.symbol) || (other && !f64)) continue;
    names += ", " + kernel.symbol;
  }
  if (!names.empty()) report.say("not timed: " + names.substr(2));
}

}  // namespace

void time_kernels(Driver& driver, const CaseFile& file, const Options& options, Report& report) {
  Pool pool(driver);
  std::vector<Plan> all = plans(file, options);
  for (const Plan& plan : all) Part(driver, pool, options, report, plan).run();
  say_untimed(all, options, report);
}

void list_timed(const CaseFile& file, const Options& options, Report& report) {
  std::vector<Plan> all = plans(file, options);
  for (const Plan& plan : all) {
    report.say(plan.size);
    for (const Case* one : plan.cases) report.add(plan.row("list", *one));
  }
  say_untimed(all, options, report);
}

}  // namespace weft::harness
