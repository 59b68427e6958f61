// SPDX-License-Identifier: Apache-2.0
//
// Uniform and normal values from words of Philox. They are sums, products, quotients and square roots
// alone, each rounded by itself and in one order: so they are the same bits on every device. What
// includes this is compiled without contraction of products and sums.
//
// The coefficients are made as those of transcendental.h.
#ifndef WEFT_MATH_NORMAL_H
#define WEFT_MATH_NORMAL_H

#include "transcendental.h"

namespace weft {

// In [0, 1): as many of the word's bits as T holds, so that none rounds up to 1.
template <typename T>
WEFT_MATH T uniform(uint32_t word) {
  if constexpr (sizeof(T) == 4) return T((int32_t)(word >> 8)) * T(1.0 / 16777216.0);
  else return T(word) * T(1.0 / 4294967296.0);
}

// sqrt(-2 log u), u = (word + 1) / 2^32
template <typename T>
WEFT_MATH T normal_radius(uint32_t word) {
  using f = math::format<T>;
  constexpr T unit = T(1.0 / 4294967296.0);
  // u = 2^k (1 + y) with 1 + y in [sqrt(1/2), sqrt(2))
  typename f::bits u = math::to_bits((T(word) + T(1)) * unit);
  typename f::bits biased = (u - f::sqrt_half_bits + (f::bias << f::fraction)) >> f::fraction;
  T k = math::from_bits<T>(f::integer_bits | biased) - (f::integer + T(f::bias));
  T y = math::from_bits<T>(u - ((biased - f::bias) << f::fraction)) - T(1);
  y = k == T(0) ? T(~word) * -unit : y;  // near 1 a float has fewer digits of u than of 1 - u
  // log u = k log 2 + 2 artanh(s), of which the coefficients have -2 times
  T s = y / (T(2) + y), z = s * s, artanh;
  if constexpr (sizeof(T) == 4) {  // 2.7e-9
    artanh = math::polynomial(z, -4.0, -1.333333701, -0.7997756114, -0.5915989878);
  } else {  // 4.3e-18
    artanh =
        math::polynomial(z, -4.0, -1.33333333333333393764, -0.79999999999798894594,
                         -0.5714285725200285115, -0.44444422261211452884, -0.36365778867514832302,
                         -0.3066342269334539195, -0.2923315328428877197);
  }
  return std::sqrt(k * T(-1.38629436111989061883) + s * artanh);
}

// sin and cos of 2 pi word / 2^32
template <typename T>
WEFT_MATH void sine_cosine_of_turn(uint32_t word, T* sine, T* cosine) {
  // the word is a number of quarters, and r of a turn with |r| <= 1/8
  uint32_t quarters = (word + (1u << 29)) >> 30;
  T r = T((int32_t)(word - (quarters << 30))) * T(1.0 / 4294967296.0), z = r * r, s, c;
  if constexpr (sizeof(T) == 4) {
    s = r * math::polynomial(z, 6.283185288, -41.34166257, 81.59254287, -75.4016127);    // 3.4e-9
    c = math::polynomial(z, 1.0, -19.73920865, 64.93931614, -85.44284467, 59.22016896);  // 6.7e-11
  } else {
    s = r * math::polynomial(z, 6.2831853071795864572, -41.341702240399636207,
                             81.605249275948035209, -76.705859704274550647, 42.058685020160894047,
                             -15.093804209987113512, 3.7808689593022955184);  // 3.5e-18
    c = math::polynomial(z, 1.0, -19.739208802178716989, 64.939394022667957529,
                         -85.456817206522712487, 60.24464132886729332, -26.426250908622135959,
                         7.9030916877516976361, -1.6968494702918826806);  // 4e-20
  }
  using bits = typename math::format<T>::bits;
  constexpr int sign = 8 * sizeof(T) - 2;
  T first = quarters & 1 ? c : s, second = quarters & 1 ? s : c;
  *sine = math::from_bits<T>(math::to_bits(first) ^ (bits)(quarters & 2) << sign);
  *cosine = math::from_bits<T>(math::to_bits(second) ^ (bits)((quarters + 1) & 2) << sign);
}

// Two values of N(mean, deviation^2) from two words (Box-Muller).
template <typename T>
WEFT_MATH void normal_pair(uint32_t first, uint32_t second, T mean, T deviation, T* x, T* y) {
  T radius = deviation * normal_radius<T>(first), sine, cosine;
  sine_cosine_of_turn(second, &sine, &cosine);
  *x = mean + radius * cosine;
  *y = mean + radius * sine;
}

}  // namespace weft
#endif  // WEFT_MATH_NORMAL_H
