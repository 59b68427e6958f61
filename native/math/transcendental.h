// SPDX-License-Identifier: Apache-2.0
//
// exp, expm1, log, log1p, tanh and erf without branches, tables or calls, so that a loop over them
// becomes vector code on every instruction set; on the device they are CUDA's own. NaN stays NaN
// and infinities are as in <cmath>. Largest errors seen, with and without FMA: exp 1.2 ulp, log 1,
// expm1 and log1p 2, tanh 3, erf 3 in float and 5 in double.
//
// The coefficients interpolate at Chebyshev nodes and were computed with 60 digits; the comment at
// each names the function, the interval and the relative error.
#ifndef WEFT_MATH_TRANSCENDENTAL_H
#define WEFT_MATH_TRANSCENDENTAL_H

#include "portable.h"

namespace weft {
namespace math {

// c0 + c1 x + c2 x^2 + ...
template <typename T>
WEFT_MATH T polynomial(T, double last) {
  return T(last);
}
template <typename T, typename... More>
WEFT_MATH T polynomial(T x, double first, double second, More... more) {
  return T(first) + x * polynomial(x, second, more...);
}

template <typename T>
struct format;

template <>
struct format<float> {
  using bits = uint32_t;
  static constexpr int fraction = 23;
  static constexpr bits bias = 127;
  static constexpr float round = 12582912.0f;      // 1.5 * 2^23: adding it rounds to an integer
  static constexpr bits round_bits = 0x4B400000u;  // its representation
  static constexpr float integer = 8388608.0f;     // 2^23
  static constexpr bits integer_bits = 0x4B000000u;
  static constexpr bits sqrt_half_bits = 0x3F3504F3u;
  static constexpr float smallest = 1.17549435e-38f;  // normal
  static constexpr float largest = 3.40282347e+38f;
  // log 2 in two parts; the first has so few digits that its multiples by exponents are exact
  static constexpr float log2_high = 0.693359375f, log2_low = -2.12194440e-4f;
  // beyond these exp is 0 and infinity, below the third expm1 is -1
  static constexpr float exp_low = -105.0f, exp_high = 89.0f, expm1_low = -20.0f;
  // a power of 2 that makes the smallest result of exp normal, and its inverse
  static constexpr bits raised = 64;
  static constexpr float lowered = 5.42101086242752217e-20f;
};

template <>
struct format<double> {
  using bits = uint64_t;
  static constexpr int fraction = 52;
  static constexpr bits bias = 1023;
  static constexpr double round = 6755399441055744.0;  // 1.5 * 2^52
  static constexpr bits round_bits = 0x4338000000000000u;
  static constexpr double integer = 4503599627370496.0;  // 2^52
  static constexpr bits integer_bits = 0x4330000000000000u;
  static constexpr bits sqrt_half_bits = 0x3FE6A09E667F3BCDu;
  static constexpr double smallest = 2.2250738585072014e-308;
  static constexpr double largest = 1.7976931348623157e+308;
  static constexpr double log2_high = 0.693147180369123816490,
                          log2_low = 1.90821492927058770002e-10;
  static constexpr double exp_low = -746.0, exp_high = 710.0, expm1_low = -40.0;
  static constexpr bits raised = 512;
  static constexpr double lowered = 7.4583407312002067432909653e-155;
};

template <typename T>
WEFT_MATH typename format<T>::bits to_bits(T x) {
  typename format<T>::bits b;
  __builtin_memcpy(&b, &x, sizeof b);
  return b;
}
template <typename T>
WEFT_MATH T from_bits(typename format<T>::bits b) {
  T x;
  __builtin_memcpy(&x, &b, sizeof x);
  return x;
}

// x = n log 2 + r with |r| <= log(2) / 2
template <typename T>
struct reduced {
  T r;
  typename format<T>::bits n;  // two's complement
};

template <typename T>
WEFT_MATH reduced<T> reduce_exponent(T x) {
  using f = format<T>;
  T shifted = x * T(1.44269504088896340736) + f::round;
  T n = shifted - f::round;
  return {(x - n * f::log2_high) - n * f::log2_low, to_bits(shifted) - f::round_bits};
}

// (e^r - 1 - r) / r^2, |r| <= log(2) / 2
template <typename T>
WEFT_MATH T exp_quotient(T r) {
  if constexpr (sizeof(T) == 4) {  // 3.1e-9 of e^r; these make the largest error least
    return polynomial(r, 0.4999999343, 0.166665204, 0.04166839076, 0.008368745034, 0.001381454143);
  } else {  // 2.1e-19
    return polynomial(r, 0.5, 0.16666666666666670991, 0.041666666666666669755,
                      0.0083333333333261351258, 0.0013888888888883748305, 0.00019841269874820625271,
                      0.000024801587325547741216, 2.755725540020642443e-6, 2.7557273643110295328e-7,
                      2.5105217004720745164e-8, 2.0914686968086877233e-9);
  }
}

template <typename T>
WEFT_MATH T exp_reduced(T r) {
  return T(1) + r * (T(1) + r * exp_quotient(r));
}

template <typename T>
WEFT_MATH T expm1_reduced(T r) {
  return r + r * r * exp_quotient(r);
}

template <typename T>
WEFT_MATH T exp(T x) {
#if defined(__CUDA_ARCH__)
  return std::exp(x);
#else
  using f = format<T>;
  x = x > f::exp_high ? f::exp_high : x;
  x = x < f::exp_low ? f::exp_low : x;
  reduced<T> part = reduce_exponent(x);
  // 2^n in two factors, because n reaches beyond what one number holds
  typename f::bits both = part.n + 2 * f::bias, first = both >> 1, second = both - first;
  return exp_reduced(part.r) * from_bits<T>(first << f::fraction) *
         from_bits<T>(second << f::fraction);
#endif
}

// e^x for x at most 0, in two thirds of exp's instructions: no power of 2 is too large here, and all
// are raised until the end, so that none is too small.
template <typename T>
WEFT_MATH T exp_nonpositive(T x) {
#if defined(__CUDA_ARCH__)
  return std::exp(x);
#else
  using f = format<T>;
  // the sum's lowest digits are the exponent of 2^n, biased
  constexpr T to_integer = f::round + T(f::bias + f::raised);
  x = x < f::exp_low ? f::exp_low : x;
  T shifted = x * T(1.44269504088896340736) + to_integer, n = shifted - to_integer;
  T r = (x - n * f::log2_high) - n * f::log2_low;
  return exp_reduced(r) * from_bits<T>(to_bits(shifted) << f::fraction) * f::lowered;
#endif
}

template <typename T>
WEFT_MATH T expm1(T x) {
#if defined(__CUDA_ARCH__)
  return std::expm1(x);
#else
  using f = format<T>;
  x = x > f::exp_high ? f::exp_high : x;
  x = x < f::expm1_low ? f::expm1_low : x;
  reduced<T> part = reduce_exponent(x);
  T half = from_bits<T>((part.n + f::bias - 1) << f::fraction);  // 2^(n - 1)
  return T(2) * (half * expm1_reduced(part.r) + (half - T(0.5)));
#endif
}

// log(1 + y) = 2 artanh(s) = 2 s + s rest with s = y / (2 + y); since 2 s = y - s y it is also
// y - y^2/2 + s (y^2/2 + rest), which rounds less. x is positive and normal; log x - less log 2.
template <typename T>
WEFT_MATH T log_of_normal(T x, T less = T(0)) {
#if defined(__CUDA_ARCH__)
  return std::log(x);
#else
  using f = format<T>;
  // x = 2^k m with m in [sqrt(1/2), sqrt(2))
  typename f::bits u = to_bits(x);
  typename f::bits biased = (u - f::sqrt_half_bits + (f::bias << f::fraction)) >> f::fraction;
  T k = from_bits<T>(f::integer_bits | biased) - (f::integer + T(f::bias)) - less;
  T y = from_bits<T>(u - ((biased - f::bias) << f::fraction)) - T(1);
  T s = y / (T(2) + y), z = s * s, rest;
  if constexpr (sizeof(T) == 4) {  // (2 artanh(s) - 2 s) / s^3 over z, 1.6e-11 of 2 artanh(s)
    rest = z * polynomial(z, 0.6666666655, 0.4000012187, 0.2855081688, 0.2333057433);
  } else {  // 4.3e-18
    rest = z * polynomial(z, 0.66666666666666696882, 0.39999999999899447297, 0.28571428626001425575,
                          0.22222211130560726442, 0.18182889433757516423, 0.15331711346672995977,
                          0.14616576421644385989);
  }
  T half = T(0.5) * y * y;
  return k * f::log2_high - ((half - (s * (half + rest) + k * f::log2_low)) - y);
#endif
}

template <typename T>
WEFT_MATH T log(T x) {
#if defined(__CUDA_ARCH__)
  return std::log(x);
#else
  using f = format<T>;
  bool small = x < f::smallest;  // subnormal numbers are scaled up first
  T result = log_of_normal(small ? x * f::integer : x, small ? T(f::fraction) : T(0));
  result = x > f::largest ? x : result;
  result = x == T(0) ? T(-INFINITY) : result;
  return x >= T(0) ? result : T(NAN);
#endif
}

// log(1 + x) for x in [0, 1], which is all that softplus asks for
template <typename T>
WEFT_MATH T log1p_unit(T x) {
#if defined(__CUDA_ARCH__)
  return std::log1p(x);
#else
  if constexpr (sizeof(T) == 4) {  // x + x^2 rest, 2.3e-8; a division would take longer
    T rest = polynomial(x, -0.4999999698, 0.3333284189, -0.2498652617, 0.1985410623, -0.1584756572,
                        0.1156184545, -0.06675772506, 0.02522405435, -0.004466211601);
    return x + x * x * rest;
  } else {  // as in log, up to z = 1/9; 1.3e-19
    T s = x / (T(2) + x), z = s * s;
    T rest =
        z * polynomial(z, 0.66666666666666666886, 0.39999999999999522505, 0.28571428571600099292,
                       0.22222222198236770557, 0.18181819897962714383, 0.15384543964860549287,
                       0.13335178631449255837, 0.1173427906130319746, 0.10845178394880014822,
                       0.074921437955507673008, 0.15630577800922850446);
    T half = T(0.5) * x * x;
    return x - (half - s * (half + rest));
  }
#endif
}

template <typename T>
WEFT_MATH T tanh(T x) {
#if defined(__CUDA_ARCH__)
  return std::tanh(x);
#else
  T e = expm1(T(-2) * std::fabs(x));  // in (-1, 0]
  return std::copysign(e / (T(2) + e), x);
#endif
}

template <typename T>
WEFT_MATH T erf(T x) {
#if defined(__CUDA_ARCH__)
  return std::erf(x);
#else
  // Up to 1 an odd polynomial, from there 1 - e^(log erfc): the logarithm is smooth, and an error
  // in it weighs only as much as erfc does.
  T a = std::fabs(x), z = x * x, inner, outer;
  if constexpr (sizeof(T) == 4) {
    a = a > T(4) ? T(4) : a;  // erfc(4) = 1.5e-8
    inner = x * polynomial(z, 1.128379166, -0.3761262667, 0.1128359472, -0.02685421201,
                           0.005189087423, -0.0008016864287, 7.875875063e-5);  // 1.3e-9
    outer = polynomial(a, 0.0003201380497, -1.130233435, -0.6318260516, -0.1100800829,
                       0.02642113601, -0.004759596293, 0.0005968056257, -4.605804269e-5,
                       1.637151415e-6);  // 3.3e-10
  } else {
    a = a > T(6) ? T(6) : a;  // erfc(6) = 2e-17
    inner = x * polynomial(z, 1.1283791670955125738, -0.37612638903183748056,
                           0.11283791670954878666, -0.026866170645076793248,
                           0.0052239776248180144673, -0.00085483269808337899052,
                           0.00012055331111642710923, -0.000014925595266831181565,
                           1.6461000484121368033e-6, -1.6350312701054695011e-7,
                           1.4659775274047435814e-8, -1.137284885679167367e-9,
                           5.9571761477489114044e-11);  // 1.4e-19
    outer = polynomial(
        a - T(3.5), -14.112437402148173755, -7.2660995883651906731, -0.96675305474223014893,
        -0.005225658221942860614, 0.00087368732364082371621, -0.00014729777488781743818,
        0.000024386373538371928001, -3.8895571774332908028e-6, 5.8561434202146857347e-7,
        -8.0693009210598873992e-8, 9.5316623245675597844e-9, -7.7490982160991445001e-10,
        -2.4797961927313532735e-11, 3.0657997470652254912e-11, -9.181632549224173227e-12,
        2.05374382433180993e-12, -3.9365555361178705863e-13, 6.732658943904082419e-14,
        -8.9333129390366373054e-15, 5.1811269632167101886e-16, -2.3727617867631580774e-17,
        2.0718495744576253859e-17, 7.9541595055272865202e-18, -5.0952776026690952067e-18,
        6.3255205887184927206e-19);  // 2.1e-18
  }
  outer = std::copysign(T(1) - exp(outer), x);
  return a > T(1) ? outer : inner;
#endif
}

// The standard normal's distribution function.
template <typename T>
WEFT_MATH T normal_cdf(T x) {
#if !defined(__CUDA_ARCH__)
  if constexpr (sizeof(T) == 4) {
    // Below 0 it is 2^p, p a polynomial of |x|: 1.5e-8 of |x| times itself, 0 below -5.6 where it
    // is 1e-8. A third of the time that erf takes, and no digits are lost below 0.
    T a = std::fabs(x);
    T p = polynomial(a, -0.9999998514, -1.151112354, -0.4591517103, -0.05266311523, 0.007301673024,
                     -0.0003181813158, -0.0001113406979, 2.362886836e-05, -1.517960315e-06);
    T shifted = p + format<T>::round;
    T scale = from_bits<T>((to_bits(shifted) - format<T>::round_bits + format<T>::bias)
                           << format<T>::fraction);
    T tail = scale * polynomial(p - (shifted - format<T>::round), 1.000000075, 0.693147188,
                                0.2402210749, 0.05550357114, 0.009676031918,
                                0.001339086336);  // 2^r, 1e-7
    tail = a > T(5.6) ? T(0) : tail;
    return x < T(0) ? tail : T(1) - tail;
  }
#endif
  return T(0.5) * (T(1) + erf(x * T(0.70710678118654752440)));
}

}  // namespace math
}  // namespace weft
#endif  // WEFT_MATH_TRANSCENDENTAL_H
