// SPDX-License-Identifier: Apache-2.0
//
// Update rules of optimizers for one value, and the end of a step. Sources: momentum and Nesterov as
// in PyTorch's SGD (Sutskever et al. 2013), Adam (Kingma and Ba 2015), AdamW (Loshchilov and Hutter
// 2019), clipping by the norm (Pascanu et al. 2013), the proximal step of L1 (ISTA: Daubechies et al.
// 2004).
#ifndef WEFT_MATH_UPDATE_H
#define WEFT_MATH_UPDATE_H

#include "../abi/contract.h"
#include "portable.h"

namespace weft {

// What gradients are multiplied by: scale, and less where their norm would be above max_norm.
template <typename T>
WEFT_MATH T clip_factor(T scale, T max_norm, T sum_of_squares) {
  T share = max_norm / (scale * std::sqrt(sum_of_squares) + T(1e-6));
  return scale * (share > T(1) ? T(1) : share);  // NaN stays
}

// NaN stays
template <typename T>
WEFT_MATH T clamp(T x, T limit) {
  T low = x < -limit ? -limit : x;
  return low > limit ? limit : low;
}

// The proximal step of cut |x|: towards 0 by cut, and 0 where that is not far away. NaN stays, and
// with cut 0 every bit.
template <typename T>
WEFT_MATH T shrink(T x, T cut) {
  T left = std::fabs(x) - cut;
  return left < T(0) ? T(0) : std::copysign(left, x);
}

// a b + c, rounded once where there is an instruction for it: also where a b is used elsewhere.
template <typename T>
WEFT_MATH T multiply_add(T a, T b, T c) {
#if defined(__CUDA_ARCH__) || defined(__FMA__)
  return std::fma(a, b, c);
#else
  return a * b + c;
#endif
}

// What the rules share. Where Full is false factor is 1, no limit is finite and l1 is 0.
template <typename T>
struct update_settings {
  T rate, l1, l2, weight_decay;
  T factor, gradient_limit, update_limit;

  WEFT_MATH update_settings(T rate, T l2, T weight_decay)
      : rate(rate),
        l1(0),
        l2(l2),
        weight_decay(weight_decay),
        factor(1),
        gradient_limit(INFINITY),
        update_limit(INFINITY) {}

  // of a kernel's arguments
  template <typename A>
  WEFT_MATH update_settings(const A& a, T factor)
      : rate(T(static_cast<const weft_step_state*>(a.state)->rate * a.rate_factor)),
        l1(T(a.l1)),
        l2(T(a.l2)),
        weight_decay(T(a.weight_decay)),
        factor(factor),
        gradient_limit(T(a.gradient_limit)),
        update_limit(T(a.update_limit)) {}

  WEFT_MATH bool is_full() const {
    return !(factor == T(1) && gradient_limit == T(INFINITY) && update_limit == T(INFINITY) &&
             l1 == T(0));
  }

  template <bool Full>
  WEFT_MATH T decayed(T gradient, T value, T decay) const {
    return (Full ? clamp(factor * gradient, gradient_limit) : gradient) + decay * value;
  }

  template <bool Full>
  WEFT_MATH T changed(T value, T direction) const {
    T change = rate * direction;
    bool cut = Full && std::fabs(change) > update_limit;
    T moved =
        cut ? value - std::copysign(update_limit, change) : multiply_add(-rate, direction, value);
    return Full ? shrink(moved, rate * l1) : moved;
  }
};

template <typename T>
struct sgd_settings : update_settings<T> {
  T momentum, dampening;
  bool nesterov;

  WEFT_MATH sgd_settings(const update_settings<T>& shared, T momentum, T dampening, bool nesterov)
      : update_settings<T>(shared), momentum(momentum), dampening(dampening), nesterov(nesterov) {}

  // without a velocity: the two decays are one
  template <bool Full>
  WEFT_MATH void step(T& value, T gradient) const {
    T before = value, decay = this->l2 + this->weight_decay;
    value =
        this->template changed<Full>(before, this->template decayed<Full>(gradient, before, decay));
  }

  template <bool Full>
  WEFT_MATH void step(T& value, T gradient, T& velocity) const {
    T before = value, g = this->template decayed<Full>(gradient, before, this->l2);
    velocity = momentum * velocity + (T(1) - dampening) * g;
    T direction = nesterov ? g + momentum * velocity : velocity;
    value = this->template changed<Full>(before, direction + this->weight_decay * before);
  }
};

// 1 - beta^t after t = 1, 2, ... updates. From beta as T holds it: else the first float32 update with
// beta2 = 0.999 would be off by 2e-5, because 1 - 0.999f is not 0.001f.
template <typename T>
WEFT_MATH T adam_correction(double beta, uint64_t t) {
  return -std::expm1(T(t) * std::log(T(beta)));
}

template <typename T>
struct adam_settings : update_settings<T> {
  T beta1, beta2, epsilon, correction1, correction2;

  WEFT_MATH adam_settings(const update_settings<T>& shared, double beta1, double beta2,
                          double epsilon, uint64_t updates)
      : update_settings<T>(shared),
        beta1(T(beta1)),
        beta2(T(beta2)),
        epsilon(T(epsilon)),
        correction1(adam_correction<T>(beta1, updates + 1)),
        correction2(adam_correction<T>(beta2, updates + 1)) {}

  template <bool Full>
  WEFT_MATH void step(T& value, T gradient, T& first, T& second) const {
    T before = value, g = this->template decayed<Full>(gradient, before, this->l2);
    first = beta1 * first + (T(1) - beta1) * g;
    second = beta2 * second + (T(1) - beta2) * g * g;
    T direction = (first / correction1) / (std::sqrt(second / correction2) + epsilon);
    value = this->template changed<Full>(before, direction + this->weight_decay * before);
  }
};

// A step of so many rows ends; rates: of each update, or null.
WEFT_MATH void end_step(weft_step_state& state, int64_t rows, bool update, const void* rates,
                        int64_t count) {
  state.step += 1;
  state.cursor += rows;
  if (!update) return;
  state.update += 1;
  if (!rates) return;
  state.rate = static_cast<const double*>(rates)[state.update % (uint64_t)count];
  state.rate_f32 = (float)state.rate;
}

}  // namespace weft
#endif  // WEFT_MATH_UPDATE_H
