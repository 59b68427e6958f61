// SPDX-License-Identifier: Apache-2.0
#include "check.h"

#include <cmath>
#include <cstdio>
#include <cstring>
#include <map>

#include "contract.h"
#include "memory.h"

namespace weft::harness {

namespace {

template <typename T>
T read(const char* at) {
  T value;
  memcpy(&value, at, sizeof value);
  return value;
}

double value(Type type, const char* at) {
  switch (type) {
    case Type::F32: return read<float>(at);
    case Type::F64: return read<double>(at);
    case Type::I32: return read<int32_t>(at);
    case Type::I64: return (double)read<int64_t>(at);
    case Type::U8: return read<uint8_t>(at);
    case Type::BF16: {
      uint32_t bits = (uint32_t)read<uint16_t>(at) << 16;
      return read<float>(reinterpret_cast<const char*>(&bits));
    }
  }
  return NAN;
}

bool is_real(Type type) { return type == Type::F32 || type == Type::F64 || type == Type::BF16; }

// How far two numbers may be apart; those in bfloat16 are the same or neighbours.
double allowance(const Buffer& buffer, double is, double expected) {
  if (buffer.type != Type::BF16) {
    double size = std::isfinite(expected) ? std::fmax(1, std::fabs(expected)) : 1;
    return buffer.tolerance * size;
  }
  double smaller = std::fmin(std::fabs(is), std::fabs(expected));
  bool spaced = std::isfinite(smaller) && smaller > 0;
  return std::fmax(buffer.tolerance, spaced ? std::ldexp(1, std::ilogb(smaller) - 7) : 0);
}

// The difference as a share of the number or of 1.
double error(double is, double expected) {
  if (std::isnan(is) && std::isnan(expected)) return 0;
  double apart = std::fabs(is - expected) / std::fmax(1, std::fabs(expected));
  return std::isnan(apart) ? INFINITY : apart;
}

std::string number(double value) {
  char text[32];
  snprintf(text, sizeof text, "%.9g", value);
  return text;
}

// Compares every element; the first that is wrong goes into the message, the one that is nearest to
// what is allowed into the row.
void compare(const Buffer& buffer, const char* content, Row& row) {
  bool input = buffer.role == Role::INPUT;
  const std::string* expected = input ? buffer.before : buffer.after;
  if (!expected) return;  // scratch
  bool real = is_real(buffer.type) && !input;
  if (real && std::isnan(row.error)) {
    row.error = 0;
    row.allowed = buffer.tolerance;
  }
  const uint16_t pattern[4] = {POISON, POISON, POISON, POISON};
  size_t size = size_of(buffer.type);
  for (size_t at = 0; at < buffer.bytes; at += size) {
    if (memcmp(content + at, expected->data() + at, size) == 0) continue;
    bool unwritten = !input && size > 1 && memcmp(content + at, pattern, size) == 0;
    double is = value(buffer.type, content + at);
    double wanted = value(buffer.type, expected->data() + at);
    if (real && !unwritten) {
      double share = error(is, wanted);
      double allowed = allowance(buffer, is, wanted) / std::fmax(1, std::fabs(wanted));
      if (share / allowed > row.error / row.allowed) {
        row.error = share;
        row.allowed = allowed;
      }
      if (share <= allowed) continue;
    }
    if (!row.pass) continue;
    row.pass = false;
    row.message = buffer.name + "[" + std::to_string(at / size) + "] " +
                  (input       ? "was changed"
                   : unwritten ? "was not written"
                               : "is " + number(is) + ", must be " + number(wanted));
  }
}

void replay(Driver& driver, const Case& one, bool exact, Row& row) {
  if (!one.damage.empty()) throw std::runtime_error(one.damage);
  CaseMemory memory(driver, one, exact);
  for (const Launch& launch : one.launches) memory.launch(launch);
  memory.fetch();
  for (size_t b = 0; b < one.buffers.size(); b++) {
    compare(one.buffers[b], memory.content(b), row);
  }
  std::string guards = exact ? "" : memory.guards();
  if (row.pass && !guards.empty()) throw std::runtime_error(guards);
}

// The kernel that a case is of, also where the file is damaged: its last launch names it, too, and
// cases of a kernel stand together.
std::string kernel_of(const std::vector<Case>& cases, size_t index) {
  if (is_kernel(cases[index].kernel)) return cases[index].kernel;
  const std::vector<Launch>& launches = cases[index].launches;
  if (!launches.empty() && is_kernel(launches.back().symbol)) return launches.back().symbol;
  for (size_t away = 0; away < cases.size(); away++) {
    if (away <= index && is_kernel(cases[index - away].kernel)) return cases[index - away].kernel;
    size_t behind = index + away;
    if (behind < cases.size() && is_kernel(cases[behind].kernel)) return cases[behind].kernel;
  }
  return "";
}

// A kernel's row. Whether the device is still there.
bool check_kernel(Driver& driver, const std::vector<const Case*>& cases, bool exact, Row& row) {
  if (!driver.find(row.kernel)) throw std::runtime_error("no such kernel in any module");
  for (const Case* one : cases) {
    bool passed = row.pass;
    if (one->size > 0 && one->damage.empty()) continue;  // it is only timed
    row.cases++;
    bool alive = true;
    try {
      replay(driver, *one, exact, row);
    } catch (const std::runtime_error& e) {
      if (row.pass) row.message = e.what();
      row.pass = false;
      alive = driver.alive();
    }
    bool labelled = !one->label.empty() && one->damage.empty();  // else it may be anything
    if (passed && !row.pass && labelled) row.message = one->label + ": " + row.message;
    if (!alive) return false;
  }
  if (row.cases == 0) throw std::runtime_error("there is no case for it");
  return true;
}

}  // namespace

void check_kernels(Driver& driver, const CaseFile& file, const Options& options, Report& report) {
  std::map<std::string, std::vector<const Case*>> cases;
  for (size_t i = 0; i < file.cases.size(); i++) {
    cases[kernel_of(file.cases, i)].push_back(&file.cases[i]);
  }
  if (!file.damage.empty()) report.fail(file.damage);
  for (const Kernel& kernel : kernels()) {
    if (!options.wants(kernel.symbol)) continue;
    report.begin(kernel.symbol);
    Row row;
    row.part = "check";
    row.kernel = kernel.symbol;
    bool alive = true;
    try {
      alive = check_kernel(driver, cases[kernel.symbol], options.exact, row);
    } catch (const std::runtime_error& e) {
      row.pass = false;
      row.message = e.what();
    }
    report.add(row);
    if (!alive) throw DriverError(lost_after(kernel.symbol));
  }
}

}  // namespace weft::harness
