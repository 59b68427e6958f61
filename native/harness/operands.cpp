// SPDX-License-Identifier: Apache-2.0
#include "operands.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numeric>

#include "contract.h"
#include "draws.h"

namespace weft::harness {

namespace {

constexpr size_t BLOCK_BYTES = 16 << 20;
constexpr size_t ALIGNMENT = 256;

// Every number less than count once, neighbours far apart.
void put_order(std::string& to, size_t count) {
  uint64_t step = (uint64_t)((double)count * 0.6180339887) | 1;
  while (std::gcd<uint64_t>(step, count) != 1) step += 2;
  for (uint64_t i = 0; i < count; i++) put(to, i, (int32_t)(i * step % count));
}

std::string contents(const Operand& operand, size_t bytes) {
  std::string content(bytes, 0);
  size_t count = bytes / size_of(operand.type);
  Draws draws(1);
  switch (operand.fill) {
    case Fill::SIGNED: return drawn(operand.type, bytes, 1, -1, 1);
    case Fill::POSITIVE: return drawn(operand.type, bytes, 1, 0.1, 1);
    case Fill::BYTES:
      for (size_t i = 0; i < count; i++) content[i] = (char)draws.next();
      break;
    case Fill::LABELS:
      for (size_t i = 0; i < count; i++) {
        put(content, i, (int32_t)(draws.next() % (uint64_t)operand.bound));
      }
      break;
    case Fill::ORDER: put_order(content, count); break;
    case Fill::STATE: {
      weft_step_state state{1, 10, 0, 1e-12};
      put(content, 0, state);
      break;
    }
    case Fill::POISON: break;
  }
  return content;
}

size_t rounded(size_t bytes) { return (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT; }

}  // namespace

Pool::~Pool() {
  try {
    driver_.synchronize();
    if (base_) driver_.free(base_);
    for (auto& block : blocks_) driver_.free(block.second);
  } catch (const DriverError&) {
    // a lost device has lost its memory, too
  }
}

size_t Pool::room() { return (size_t)(0.9 * (double)driver_.free_bytes()) + reserved_; }

Address Pool::reserve(size_t bytes) {
  if (bytes > reserved_) {
    driver_.synchronize();
    if (base_) driver_.free(base_);
    base_ = reserved_ = 0;
    base_ = driver_.allocate(bytes);
    reserved_ = bytes;
  }
  return base_;
}

Address Pool::block(const Operand& operand) {
  auto key = std::make_pair(operand.type, operand.fill);
  auto found = blocks_.find(key);
  if (found == blocks_.end()) {
    std::string content = contents(operand, BLOCK_BYTES);
    found = blocks_.emplace(key, driver_.allocate(BLOCK_BYTES)).first;
    driver_.copy_in(found->second, content.data(), content.size());
  }
  return found->second;
}

void Pool::fill(const Operand& operand, Address address) {
  size_t bytes = operand.bytes();
  if (operand.fill == Fill::POISON) return driver_.fill16(address, POISON, bytes / 2);
  bool whole = operand.fill == Fill::LABELS || operand.fill == Fill::ORDER;
  if (whole || bytes < BLOCK_BYTES) {
    std::string content = contents(operand, bytes);
    return driver_.copy_in(address, content.data(), bytes);
  }
  Address source = block(operand);
  for (size_t at = 0; at < bytes; at += BLOCK_BYTES) {
    driver_.copy(address + at, source, std::min(BLOCK_BYTES, bytes - at));
  }
}

size_t set_bytes(const TimedCase& one) {
  size_t bytes = 0;
  for (const Operand& operand : one.operands) bytes += rounded(operand.bytes());
  return bytes;
}

Sets::Sets(Pool& pool, const TimedCase& one, int count) {
  Address at = pool.reserve(set_bytes(one) * (size_t)count);
  for (int set = 0; set < count; set++) {
    std::vector<Address> addresses;
    for (const Operand& operand : one.operands) {
      pool.fill(operand, at);
      addresses.push_back(at);
      at += rounded(operand.bytes());
    }
    std::vector<uint64_t> arguments;
    for (const Slot& slot : one.launch.slots) {
      arguments.push_back(slot.buffer == NONE ? slot.value : addresses[slot.buffer]);
    }
    addresses_.push_back(std::move(addresses));
    arguments_.push_back(std::move(arguments));
  }
}

namespace {

// Whether a NaN is among so many numbers.
bool has_nan(Driver& driver, Address at, int64_t count, Type type) {
  const int64_t parts = std::clamp<int64_t>(count / 1024, 1, 2048);
  std::string symbol = type == Type::F64    ? "reduce_f64"
                       : type == Type::BF16 ? "reduce_bf16"
                                            : "reduce_f32";
  Function reduce = driver.find(symbol);
  if (!reduce) throw std::runtime_error("there is no " + symbol + ", which looks for NaN");
  size_t size = type == Type::F64 ? 8 : 4;  // maxima are wide
  std::string found((size_t)parts * size, 0);
  Address maxima = driver.allocate(found.size());
  driver.fill16(maxima, POISON, found.size() / 2);  // NaN, should a block too few be launched
  weft_reduce arguments{(void*)at, (void*)maxima, 1, count, 1, parts, WEFT_MAX, 1, 0};
  driver.launch(reduce, (unsigned)parts, 256, &arguments);  // one a part at most
  driver.copy_out(found.data(), maxima, found.size());
  driver.free(maxima);
  for (size_t part = 0; part < (size_t)parts; part++) {
    double x;
    float narrow;
    memcpy(&x, &found[part * size], size);
    memcpy(&narrow, &x, sizeof narrow);
    if (std::isnan(size == 8 ? x : narrow)) return true;
  }
  return false;
}

}  // namespace

void look(Driver& driver, const TimedCase& one, const Sets& sets) {
  for (size_t i = 0; i < one.operands.size(); i++) {
    const Operand& operand = one.operands[i];
    if (operand.role != Role::OUTPUT && operand.role != Role::INOUT) continue;
    if (operand.type == Type::I32) {
      std::vector<int32_t> values((size_t)operand.count);
      driver.copy_out(values.data(), sets.address(0, i), operand.bytes());
      auto poison = (int32_t)(POISON * 0x10001u);
      if (std::count(values.begin(), values.end(), poison)) {
        throw std::runtime_error(operand.name + " was not written everywhere");
      }
    } else if (has_nan(driver, sets.address(0, i), operand.count, operand.type)) {
      throw std::runtime_error(operand.name + " was not written everywhere, or holds NaN");
    }
  }
}

}  // namespace weft::harness
