// SPDX-License-Identifier: Apache-2.0
//
// Random numbers, the same as those of java.util.SplittableRandom.
#ifndef WEFT_HARNESS_DRAWS_H
#define WEFT_HARNESS_DRAWS_H

#include <cmath>
#include <cstdint>
#include <cstring>
#include <string>

#include "cases.h"

namespace weft::harness {

class Draws {
 public:
  explicit Draws(uint64_t seed) : state_(seed) {}

  uint64_t next() {  // splitmix64
    uint64_t z = state_ += 0x9e3779b97f4a7c15;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
  }

  double between(double low, double high) {
    double x = (double)(next() >> 11) * 0x1p-53 * (high - low) + low;
    return x < high ? x : std::nextafter(high, low);
  }

 private:
  uint64_t state_;
};

template <typename T>
void put(std::string& to, size_t place, T value) {
  memcpy(&to[place * sizeof value], &value, sizeof value);
}

// So many bytes of numbers in a type of reals, each rounded to the nearest.
inline std::string drawn(Type type, size_t bytes, uint64_t seed, double low, double high) {
  std::string content(bytes, 0);
  Draws draws(seed);
  for (size_t i = 0; i < bytes / size_of(type); i++) {
    double x = draws.between(low, high);
    auto narrow = (float)x;
    uint32_t bits;
    memcpy(&bits, &narrow, sizeof bits);
    if (type == Type::F64) {
      put(content, i, x);
    } else if (type == Type::F32) {
      put(content, i, narrow);
    } else {
      put(content, i, (uint16_t)((bits + 0x7fff + (bits >> 16 & 1)) >> 16));
    }
  }
  return content;
}

}  // namespace weft::harness
#endif  // WEFT_HARNESS_DRAWS_H
