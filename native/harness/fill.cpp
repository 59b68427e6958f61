// SPDX-License-Identifier: Apache-2.0
#include "fill.h"

#include <algorithm>
#include <cstring>
#include <numeric>

namespace weft::harness {

namespace {

constexpr size_t BLOCK_BYTES = 16 << 20;

// splitmix64: enough for operands.
class Draws {
 public:
  uint64_t next() {
    uint64_t z = state_ += 0x9e3779b97f4a7c15;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
  }
  double unit() { return (double)(next() >> 11) * 0x1p-53; }

 private:
  uint64_t state_ = 1;
};

template <typename T>
void put(std::string& to, size_t at, T value) {
  memcpy(&to[at * sizeof value], &value, sizeof value);
}

void put_real(std::string& to, size_t at, Type type, double x) {
  if (type == Type::F64) return put(to, at, x);
  float narrow = (float)x;
  if (type == Type::F32) return put(to, at, narrow);
  uint32_t bits;
  memcpy(&bits, &narrow, sizeof bits);
  put(to, at, (uint16_t)(bits >> 16));
}

std::string contents(const Operand& operand, size_t bytes) {
  std::string content(bytes, 0);
  size_t count = bytes / size_of(operand.type);
  Draws draws;
  switch (operand.fill) {
    case Fill::SIGNED:
      for (size_t i = 0; i < count; i++) put_real(content, i, operand.type, 2 * draws.unit() - 1);
      break;
    case Fill::POSITIVE:
      for (size_t i = 0; i < count; i++) put_real(content, i, operand.type, 0.1 + 0.9 * draws.unit());
      break;
    case Fill::BYTES:
      for (size_t i = 0; i < count; i++) content[i] = (char)draws.next();
      break;
    case Fill::LABELS:
      for (size_t i = 0; i < count; i++) put(content, i, (int32_t)(draws.next() % (uint64_t)operand.bound));
      break;
    case Fill::ORDER: {
      std::vector<int32_t> order(count);
      std::iota(order.begin(), order.end(), 0);
      for (size_t i = count; i > 1; i--) std::swap(order[i - 1], order[draws.next() % i]);
      if (count) memcpy(content.data(), order.data(), bytes);
      break;
    }
    case Fill::STATE: {
      put(content, 0, (uint64_t)1);
      put(content, 1, (uint64_t)10);
      put(content, 2, (int64_t)0);
      put(content, 3, 1e-12);
      break;
    }
    case Fill::POISON: break;
  }
  return content;
}

}  // namespace

const Filler::Block& Filler::block(const Operand& operand) {
  auto key = std::make_pair(operand.type, operand.fill);
  auto found = blocks_.find(key);
  if (found == blocks_.end()) {
    std::string content = contents(operand, BLOCK_BYTES);
    Block made{driver_.allocate(BLOCK_BYTES), BLOCK_BYTES};
    driver_.copy_in(made.address, content.data(), content.size());
    found = blocks_.emplace(key, made).first;
  }
  return found->second;
}

void Filler::fill(const Operand& operand, Address address) {
  size_t bytes = operand.bytes();
  switch (operand.fill) {
    case Fill::POISON: driver_.fill16(address, POISON, bytes / 2); return;
    case Fill::LABELS:
    case Fill::ORDER:
    case Fill::STATE: {
      std::string content = contents(operand, bytes);
      driver_.copy_in(address, content.data(), bytes);
      return;
    }
    default: break;
  }
  if (bytes < BLOCK_BYTES) {
    std::string content = contents(operand, bytes);
    driver_.copy_in(address, content.data(), bytes);
    return;
  }
  const Block& source = block(operand);
  for (size_t at = 0; at < bytes; at += source.bytes) {
    driver_.copy(address + at, source.address, std::min(source.bytes, bytes - at));
  }
}

}  // namespace weft::harness
