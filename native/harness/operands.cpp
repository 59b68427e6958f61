// SPDX-License-Identifier: Apache-2.0
#include "operands.h"

#include <algorithm>
#include <numeric>

#include "contract.h"
#include "draws.h"

namespace weft::harness {

namespace {

constexpr size_t ALIGNMENT = 256;

// What is drawn on the host, at most, and repeated on the device.
constexpr size_t BLOCK_BYTES = 16 << 20;

// i times an odd number without a common factor modulo count: neighbours end up far apart.
uint64_t scattered(uint64_t i, uint64_t count) {
  uint64_t step = (uint64_t)((double)count * 0.6180339887) | 1;
  while (std::gcd(step, count) != 1) step += 2;
  return i * step % count;
}

// Place i in its period goes to the same place in each, and each time to another period. Places
// that the last, shorter one has go to places that it has.
void put_order(std::string& to, uint64_t count, uint64_t period) {
  uint64_t whole = count / period, rest = count % period;
  std::vector<uint64_t> places(period);
  for (uint64_t i = 0; i < period; i++) {
    places[i] = i < rest ? scattered(i, rest) : rest + scattered(i - rest, period - rest);
  }
  for (uint64_t i = 0; i < count; i++) {
    uint64_t in = i % period, periods = in < rest ? whole + 1 : whole;
    uint64_t chosen = (i / period + scattered(in, period)) % periods;
    put(to, i, (int32_t)(chosen * period + places[in]));
  }
}

// The bytes after which it begins anew.
size_t period_bytes(const Buffer& operand) {
  return (size_t)(operand.period ? operand.period : operand.count()) * size_of(operand.type);
}

// So many bytes as if they were all.
std::string drawn_for(const Buffer& operand, size_t bytes) {
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
    case Fill::ORDER:
      put_order(content, count, period_bytes(operand) / size_of(operand.type));
      break;
    case Fill::STATE: {
      weft_step_state state{1, 10, 10, 0, 1e-3, 1e-3f, 0, 1, 1};
      put(content, 0, state);
      break;
    }
    case Fill::POISON: break;
  }
  return content;
}

// All of it.
std::string contents(const Buffer& operand) {
  size_t bytes = operand.bytes;
  if (operand.fill == Fill::ORDER) return drawn_for(operand, bytes);
  std::string content = drawn_for(operand, std::min(bytes, period_bytes(operand)));
  size_t period = content.size();
  content.resize(bytes);
  for (size_t at = period; at < bytes; at++) content[at] = content[at - period];
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

Address Pool::block(const Buffer& operand) {
  auto key = std::make_pair(operand.type, operand.fill);
  auto found = blocks_.find(key);
  if (found == blocks_.end()) {
    std::string content = drawn_for(operand, BLOCK_BYTES);
    found = blocks_.emplace(key, driver_.allocate(BLOCK_BYTES)).first;
    driver_.copy_in(found->second, content.data(), content.size());
  }
  return found->second;
}

void Pool::fill(const Buffer& operand, Address address) {
  size_t bytes = operand.bytes;
  if (operand.fill == Fill::POISON) return driver_.fill16(address, POISON, bytes / 2);
  bool whole = operand.fill == Fill::LABELS || operand.fill == Fill::ORDER;
  if (whole || bytes < BLOCK_BYTES) {
    std::string content = contents(operand);
    return driver_.copy_in(address, content.data(), bytes);
  }
  Address source = block(operand);
  size_t period = period_bytes(operand);
  for (size_t at = 0, length = 0; at < bytes; at += length) {
    size_t in = at % period, from = in % BLOCK_BYTES;
    length = std::min({BLOCK_BYTES - from, period - in, bytes - at});
    driver_.copy(address + at, source + from, length);
  }
}

size_t set_bytes(const Case& one) {
  size_t bytes = 0;
  for (const Buffer& operand : one.buffers) bytes += rounded(operand.bytes);
  return bytes;
}

Sets::Sets(Pool& pool, const Case& one, int count) {
  Address at = pool.reserve(set_bytes(one) * (size_t)count);
  for (int set = 0; set < count; set++) {
    std::vector<Address> addresses;
    for (const Buffer& operand : one.buffers) {
      pool.fill(operand, at);
      addresses.push_back(at);
      at += rounded(operand.bytes);
    }
    std::vector<uint64_t> arguments;
    for (const Slot& slot : one.launches.back().slots) {
      arguments.push_back(slot.buffer == NONE ? slot.value : addresses[slot.buffer]);
    }
    addresses_.push_back(std::move(addresses));
    arguments_.push_back(std::move(arguments));
  }
}

}  // namespace weft::harness
