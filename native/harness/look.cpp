// SPDX-License-Identifier: Apache-2.0
//
// Arrays are read by Weft's own kernels, which need no copy to the host. Where those compare, they
// work on no more than a period, so that what is wrong with large arrays alone is not wrong here.
#include "look.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <stdexcept>

#include "contract.h"

namespace weft::harness {

namespace {

// Holds poison, should a block too few be launched.
struct Scratch {
  Driver& driver;
  const Address address;

  Scratch(Driver& of, size_t bytes) : driver(of), address(of.allocate(bytes)) {
    driver.fill16(address, POISON, bytes / 2);
  }
  ~Scratch() {
    try {
      driver.free(address);
    } catch (const DriverError&) {
      // a lost device has lost its memory, too
    }
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
};

// A kernel over numbers of a type; integers are taken for float, and a difference of two small ones
// is one of tiny floats.
void launch(Driver& driver, const std::string& kernel, Type type, int64_t work,
            const void* arguments) {
  std::string symbol = kernel + (type == Type::F64    ? "_f64"
                                 : type == Type::BF16 ? "_bf16"
                                                      : "_f32");
  Function function = driver.find(symbol);
  if (!function) throw std::runtime_error("there is no " + symbol + ", which looks at results");
  for (const Kernel& one : kernels()) {
    if (one.symbol != symbol) continue;
    auto blocks = (unsigned)((work + one.items - 1) / one.items);
    driver.launch(function, blocks, one.threads, arguments);
  }
}

// The largest of so many numbers; NaN where one of them is.
double largest(Driver& driver, Address at, int64_t count, Type type) {
  int64_t parts = std::clamp<int64_t>(count / 4096, 1, 2048);
  size_t size = type == Type::F64 ? 8 : 4;  // maxima are wide
  std::string found((size_t)parts * size, 0);
  Scratch maxima(driver, found.size());
  weft_reduce arguments{(void*)at, (void*)maxima.address, 1, count, 1, parts, WEFT_MAX, 1, 0};
  launch(driver, "reduce", type, parts, &arguments);  // one a part at most
  driver.copy_out(found.data(), maxima.address, found.size());
  double most = -INFINITY;
  for (size_t part = 0; part < (size_t)parts; part++) {
    float narrow;
    double x;
    memcpy(&narrow, &found[part * size], sizeof narrow);
    memcpy(&x, &found[part * size], size);
    if (size == 4) x = narrow;
    if (!(x <= most)) most = x;
    if (std::isnan(most)) break;
  }
  return most;
}

// Whether later periods are the first one, but for the sign of zero. Where it says no, they may yet
// be: infinities have no difference.
bool surely_repeats(Driver& driver, const Buffer& operand, Address at) {
  size_t size = size_of(operand.type);
  int64_t line = operand.count() / operand.lines;
  Scratch differences(driver, (size_t)(2 * operand.lines * operand.period) * size);
  for (int64_t first = operand.period; first < operand.repeated; first += operand.period) {
    int64_t length = std::min(operand.period, operand.repeated - first);
    int64_t n = operand.lines * length;
    Address sides[] = {at, at + (Address)first * size};
    for (int which : {0, 1}) {
      weft_binary_forward arguments{(void*)sides[which],
                                    (void*)sides[1 - which],
                                    (void*)(differences.address + (Address)(which * n) * size),
                                    1,
                                    1,
                                    operand.lines,
                                    length,
                                    0,
                                    0,
                                    line,
                                    1,
                                    0,
                                    0,
                                    line,
                                    1,
                                    WEFT_SUBTRACT};
      launch(driver, "binary_forward", operand.type, n, &arguments);
    }
    if (!(largest(driver, differences.address, 2 * n, operand.type) <= 0)) return false;
  }
  return true;
}

}  // namespace

Look::Look(Driver& driver, const Case& one, const Sets& sets)
    : driver_(driver), case_(one), sets_(sets), before_(one.buffers.size()) {
  for (size_t i = 0; i < before_.size(); i++) {
    if (one.buffers[i].role == Role::INOUT) before_[i] = first_period(i);
  }
}

std::string Look::first_period(size_t operand) const {
  const Buffer& one = case_.buffers[operand];
  std::string content((size_t)one.period * size_of(one.type), 0);
  driver_.copy_out(content.data(), sets_.address(0, operand), content.size());
  return content;
}

void Look::after() const {
  for (size_t i = 0; i < case_.buffers.size(); i++) {
    const Buffer& operand = case_.buffers[i];
    if (!operand.is_written()) continue;
    if (std::isnan(largest(driver_, sets_.address(0, i), operand.count(), operand.type))) {
      throw std::runtime_error(operand.name + " was not written everywhere, or holds NaN");
    }
    if (operand.role == Role::INOUT) changed(i);
    if (operand.repeats() > 0 && !surely_repeats(driver_, operand, sets_.address(0, i))) {
      repeats(i);
    }
  }
}

// A step so small that a number stays what it is, is rare.
void Look::changed(size_t operand) const {
  if (case_.buffers[operand].period == 0) {
    throw std::runtime_error(case_.buffers[operand].name + " has no period to look at");
  }
  std::string now = first_period(operand);
  size_t size = size_of(case_.buffers[operand].type), count = now.size() / size, differ = 0;
  for (size_t at = 0; at < now.size(); at += size) {
    differ += memcmp(&now[at], &before_[operand][at], size) != 0;
  }
  if (differ * 10 >= count * 9) return;
  throw std::runtime_error(case_.buffers[operand].name +
                           " was not written: " + std::to_string(differ) + " of its first " +
                           std::to_string(count) + " numbers have changed");
}

void Look::repeats(size_t operand) const {
  const Buffer& one = case_.buffers[operand];
  size_t size = size_of(one.type);
  std::string content(one.bytes, 0);
  driver_.copy_out(content.data(), sets_.address(0, operand), content.size());
  int64_t line = one.count() / one.lines;
  for (int64_t start = 0; start < one.count(); start += line) {
    for (int64_t i = one.period; i < one.repeated; i++) {
      auto here = (size_t)(start + i), first = (size_t)(start + i % one.period);
      if (memcmp(&content[here * size], &content[first * size], size) == 0) continue;
      throw std::runtime_error(one.name + "[" + std::to_string(here) + "] is not what " + one.name +
                               "[" + std::to_string(first) + "] is, which is made of the same");
    }
  }
}

}  // namespace weft::harness
