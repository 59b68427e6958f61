// SPDX-License-Identifier: Apache-2.0
//
// A case's buffers lie in one stretch of memory, with a guard between any two; what the case does
// not fill, outputs and guards, is poison. So one copy back shows everything that was written.
// With --exact each has an allocation of its own size, whose ends a sanitizer watches.
#include "check.h"

#include <cmath>
#include <cstring>
#include <map>

#include "contract.h"

namespace weft::harness {

namespace {

constexpr size_t ALIGNMENT = 256;  // that of the driver's own allocations
constexpr size_t GUARD = 1024;

struct Memory {
  std::vector<size_t> offsets;  // of the buffers in the image
  std::vector<Address> addresses;
  std::string image;
  std::vector<Address> taken;
};

void poison(char* at, size_t bytes) {
  for (size_t i = 0; i < bytes; i++) at[i] = (char)(i % 2 ? POISON >> 8 : POISON & 255);
}

Memory lay_out(Driver& driver, const Case& one, bool exact) {
  Memory memory;
  size_t end = GUARD;
  for (const Buffer& buffer : one.buffers) {
    memory.offsets.push_back(end);
    end += (buffer.bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT + GUARD;
  }
  memory.image.resize(end);
  poison(memory.image.data(), end);
  for (size_t b = 0; b < one.buffers.size(); b++) {
    if (auto before = one.buffers[b].before) memory.image.replace(memory.offsets[b], before->size(), *before);
  }
  Address base = 0;
  if (!exact) {
    memory.taken.push_back(base = driver.allocate(end));
    driver.copy_in(base, memory.image.data(), end);
  }
  for (size_t b = 0; b < one.buffers.size(); b++) {
    Address address = base + memory.offsets[b];
    if (exact) {
      memory.taken.push_back(address = driver.allocate(one.buffers[b].bytes));
      driver.copy_in(address, memory.image.data() + memory.offsets[b], one.buffers[b].bytes);
    }
    memory.addresses.push_back(address);
  }
  return memory;
}

std::string fetch(Driver& driver, const Case& one, const Memory& memory, bool exact) {
  std::string after = memory.image;
  if (!exact) {
    driver.copy_out(after.data(), memory.taken[0], after.size());
    return after;
  }
  for (size_t b = 0; b < one.buffers.size(); b++) {
    driver.copy_out(after.data() + memory.offsets[b], memory.addresses[b], one.buffers[b].bytes);
  }
  return after;
}

double value(Type type, const char* at) {
  switch (type) {
    case Type::F32: {
      float x;
      memcpy(&x, at, sizeof x);
      return x;
    }
    case Type::F64: {
      double x;
      memcpy(&x, at, sizeof x);
      return x;
    }
    case Type::BF16: {
      uint16_t bits;
      memcpy(&bits, at, sizeof bits);
      uint32_t wide = (uint32_t)bits << 16;
      float x;
      memcpy(&x, &wide, sizeof x);
      return x;
    }
    case Type::I32: {
      int32_t x;
      memcpy(&x, at, sizeof x);
      return x;
    }
    case Type::I64: {
      int64_t x;
      memcpy(&x, at, sizeof x);
      return (double)x;
    }
    default: return (unsigned char)*at;
  }
}

bool is_real(Type type) { return type == Type::F32 || type == Type::F64 || type == Type::BF16; }

// How far two numbers may be apart; those in bfloat16 are the same or neighbours.
double allowance(const Buffer& buffer, double is, double expected) {
  if (buffer.type == Type::BF16) {
    double larger = std::fmax(std::fabs(is), std::fabs(expected));
    double spacing = std::isfinite(larger) && larger > 0 ? std::ldexp(1, std::ilogb(larger) - 7) : 0;
    return std::fmax(buffer.tolerance, spacing);
  }
  return buffer.tolerance * (std::isfinite(expected) ? std::fmax(1, std::fabs(expected)) : 1);
}

std::string number(double value) {
  char text[32];
  snprintf(text, sizeof text, "%.9g", value);
  return text;
}

// Compares every element; the first that is wrong goes into the message.
void compare(const Buffer& buffer, const char* is, Row& row) {
  const std::string* expected = buffer.role == Role::INPUT ? buffer.before : buffer.after;
  if (!expected) return;  // scratch
  if (is_real(buffer.type) && buffer.role != Role::INPUT && !(row.allowed > buffer.tolerance)) {
    row.allowed = buffer.tolerance;
  }
  size_t size = size_of(buffer.type);
  uint16_t pattern[4] = {POISON, POISON, POISON, POISON};
  for (size_t i = 0; i * size < buffer.bytes; i++) {
    const char* mine = is + i * size;
    const char* theirs = expected->data() + i * size;
    if (memcmp(mine, theirs, size) == 0) {
      if (is_real(buffer.type) && std::isnan(row.error)) row.error = 0;
      continue;
    }
    bool unwritten = size > 1 && memcmp(mine, pattern, size) == 0;
    double x = value(buffer.type, mine), y = value(buffer.type, theirs);
    bool right = false;
    if (is_real(buffer.type) && buffer.role != Role::INPUT && !unwritten) {
      right = (std::isnan(x) && std::isnan(y)) || std::fabs(x - y) <= allowance(buffer, x, y);
      double error = std::isnan(x) && std::isnan(y) ? 0 : std::fabs(x - y) / std::fmax(1, std::fabs(y));
      row.error = std::fmax(row.error, std::isnan(error) ? INFINITY : error);
    }
    if (right || !row.pass) continue;
    row.pass = false;
    row.message = buffer.name + "[" + std::to_string(i) + "] " +
                  (buffer.role == Role::INPUT ? "was changed"
                   : unwritten                ? "was not written"
                                              : "is " + number(x) + ", must be " + number(y));
  }
}

void check_guards(const Case& one, const Memory& memory, const std::string& after, Row& row) {
  size_t from = 0;
  for (size_t b = 0; b <= one.buffers.size(); b++) {
    size_t to = b < one.buffers.size() ? memory.offsets[b] : after.size();
    const char* end = after.data() + to;
    const char* wrong = std::mismatch(after.data() + from, end, memory.image.data() + from).first;
    if (wrong != end && row.pass) {
      bool behind = b > 0 && (b == one.buffers.size() || (size_t)(wrong - after.data()) < to - GUARD);
      const Buffer& near = one.buffers[behind || b == one.buffers.size() ? b - 1 : b];
      row.pass = false;
      row.message = "memory beside " + near.name + " was written";
    }
    if (b < one.buffers.size()) from = to + one.buffers[b].bytes;
  }
}

void replay(Driver& driver, const Case& one, bool exact, Row& row) {
  Memory memory = lay_out(driver, one, exact);
  for (const Launch& launch : one.launches) {
    Function function = driver.find(launch.symbol);
    if (!function) throw std::runtime_error("the fatbin has no kernel " + launch.symbol);
    std::vector<uint64_t> arguments;
    for (const Slot& slot : launch.slots) {
      arguments.push_back(slot.buffer == NONE ? slot.value : memory.addresses[slot.buffer]);
    }
    driver.launch(function, launch.blocks, launch.threads, arguments.data());
  }
  std::string after = fetch(driver, one, memory, exact);
  for (Address address : memory.taken) driver.free(address);
  for (size_t b = 0; b < one.buffers.size(); b++) {
    compare(one.buffers[b], after.data() + memory.offsets[b], row);
  }
  if (!exact) check_guards(one, memory, after, row);
}

// The kernel that a case is of, also where the file is damaged: cases of a kernel stand together.
std::string kernel_of(const std::vector<Case>& cases, size_t index) {
  auto known = [](const std::string& symbol) {
    for (const Kernel& kernel : kernels())
      if (kernel.symbol == symbol) return true;
    return false;
  };
  if (known(cases[index].kernel)) return cases[index].kernel;
  for (size_t i = index; i-- > 0;)
    if (known(cases[i].kernel)) return cases[i].kernel;
  for (size_t i = index; i < cases.size(); i++)
    if (known(cases[i].kernel)) return cases[i].kernel;
  return "";
}

}  // namespace

void check(Driver& driver, const CaseFile& file, const Options& options, Report& report) {
  std::map<std::string, std::vector<const Case*>> of_kernel;
  for (size_t i = 0; i < file.cases.size(); i++) {
    of_kernel[kernel_of(file.cases, i)].push_back(&file.cases[i]);
  }
  if (!file.damage.empty()) report.fail(file.damage);
  for (const Kernel& kernel : kernels()) {
    if (!options.wants(kernel.symbol)) continue;
    Row row;
    row.part = "check";
    row.kernel = kernel.symbol;
    report.begin(kernel.symbol);
    bool lost = false;
    try {
      if (!driver.find(kernel.symbol)) throw std::runtime_error("the fatbin has no such kernel");
      const auto& cases = of_kernel[kernel.symbol];
      if (cases.empty()) throw std::runtime_error("there is no case for it");
      for (const Case* one : cases) {
        bool passed = row.pass;
        row.cases++;
        row.variant = "";
        try {
          if (!one->damage.empty()) throw std::runtime_error(one->damage);
          replay(driver, *one, options.exact, row);
        } catch (const std::runtime_error& e) {
          if (row.pass) row.message = e.what();
          row.pass = false;
          lost = !driver.alive();
        }
        if (passed && !row.pass && !one->label.empty()) row.message = one->label + ": " + row.message;
        if (lost) break;
      }
    } catch (const std::runtime_error& e) {
      row.pass = false;
      row.message = e.what();
    }
    report.add(row);
    if (lost) throw DriverError("the device is lost after " + kernel.symbol + "; start anew with --except '^" + kernel.symbol + "$'");
  }
}

}  // namespace weft::harness
