// SPDX-License-Identifier: Apache-2.0
//
// Losses of single values x against targets t, and their derivatives in x.
#ifndef WEFT_MATH_VALUE_LOSS_H
#define WEFT_MATH_VALUE_LOSS_H

#include "../abi/kernels.h"
#include "portable.h"
#include "transcendental.h"

namespace weft {

// A loss or a gradient, multiplied by the weight of its row: what weighs nothing may be NaN.
template <typename T>
WEFT_MATH T weighted(T weight, T value) {
  return weight == T(0) ? T(0) : weight * value;
}

// What a row's gradient is multiplied by: NaN where its loss is and weighs something.
template <typename T>
WEFT_MATH T gradient_scale(T weight, T scale, T loss) {
  return loss == loss || weight == T(0) ? weight * scale : T(NAN);
}

template <typename T>
struct value_loss_of {
  T loss, slope;
};

// max(0, m), NaN where m is; and whether m is above 0
template <typename T>
WEFT_MATH value_loss_of<T> positive_part(T m) {
  return {m <= T(0) ? T(0) : m, m > T(0) ? T(1) : (m <= T(0) ? T(0) : m)};
}

// -1, 0 or 1; NaN where x is
template <typename T>
WEFT_MATH T sign(T x) {
  return x > T(0) ? T(1) : (x < T(0) ? T(-1) : x);
}

// positive: the weight of what counts toward t = 1, of LOGISTIC
template <int F, typename T>
WEFT_MATH value_loss_of<T> value_loss_at(T x, T t, T alpha, T positive) {
  const T d = x - t;
  if constexpr (F == WEFT_LOSS_SQUARED) {
    return {d * d, T(2) * d};
  } else if constexpr (F == WEFT_LOSS_ABSOLUTE) {
    return {std::fabs(d), sign(d)};
  } else if constexpr (F == WEFT_LOSS_HUBER) {
    const T distance = std::fabs(d);
    const bool near = distance <= alpha;
    return {near ? T(0.5) * d * d : alpha * (distance - T(0.5) * alpha),
            near ? d : alpha * sign(d)};
  } else if constexpr (F == WEFT_LOSS_LOGISTIC) {
    // -log s(-|x|) = |x| + log(1 + e^-|x|), and log(1 + e^-|x|) of |x|; s(-|x|) = e^-|x| s(|x|)
    const bool below = x < T(0);
    const T size = std::fabs(x), e = math::exp_nonpositive(-size);
    const T larger = (below ? T(-1) : T(1)) / (T(1) + e);  // with the slope's sign
    const T on = t >= T(0) && t <= T(1) ? positive * t : T(NAN), off = T(1) - t;
    const T wrong = below ? on : off, right = below ? off : on;
    return {wrong * size + (wrong + right) * math::log1p_unit(e), larger * (wrong - e * right)};
  } else if constexpr (F == WEFT_LOSS_HINGE || F == WEFT_LOSS_SQUARED_HINGE) {
    const T side = t == T(1) || t == T(-1) ? t : T(NAN);
    const value_loss_of<T> m = positive_part(alpha - side * x);
    if constexpr (F == WEFT_LOSS_HINGE) return {m.loss, -side * m.slope};
    return {m.loss * m.loss, T(-2) * side * m.loss};
  } else if constexpr (F == WEFT_LOSS_EPSILON_INSENSITIVE) {
    const value_loss_of<T> m = positive_part(std::fabs(d) - alpha);
    return {m.loss, m.slope * sign(d)};
  } else {
    WEFT_NO_FORMULA(F, "native/math/value_loss.h: value_loss_at", WEFT_VALUE_LOSS_FUNCTION);
  }
}

}  // namespace weft
#endif  // WEFT_MATH_VALUE_LOSS_H
