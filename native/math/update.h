// SPDX-License-Identifier: Apache-2.0
//
// Update rules of optimizers for one value, and the end of a step. Sources: momentum and Nesterov as
// in PyTorch's SGD (Sutskever et al. 2013), Adam (Kingma and Ba 2015), AdamW (Loshchilov and Hutter
// 2019), AMSGrad (Reddi et al. 2018), NAdam (Dozat 2016), Adagrad (Duchi et al. 2011), RMSProp (Tieleman
// and Hinton 2012, centred: Graves 2013), Adadelta (Zeiler 2012), Lion (Chen et al. 2023), clipping by
// the norm (Pascanu et al. 2013), the proximal step of L1 (ISTA: Daubechies et al. 2004).
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

  // of a fused step, which neither clips nor knows L1
  template <typename A>
  WEFT_MATH update_settings(const A& a, const weft_step_state& state)
      : rate(T(state.rate)),
        l1(0),
        l2(T(a.l2)),
        weight_decay(T(a.weight_decay * state.decay_factor)),
        factor(1),
        gradient_limit(INFINITY),
        update_limit(INFINITY) {}

  // of an update, under a rule
  template <typename A, typename Rule>
  WEFT_MATH update_settings(const A& a, const weft_step_state& state, const Rule& rule, T factor)
      : rate(T(state.rate * a.rate_factor * rule.rate_share())),
        l1(a.l1 == 0 ? T(0) : T(a.l1) * rule.l1_share(a.first)),  // no 0 times 1 / 0
        l2(T(a.l2)),
        weight_decay(T(a.weight_decay * state.decay_factor)),
        factor(factor),
        gradient_limit(T(a.gradient_limit)),
        update_limit(T(a.update_limit)) {}

  WEFT_MATH bool is_full() const {
    return !(factor == T(1) && gradient_limit == T(INFINITY) && update_limit == T(INFINITY) &&
             l1 == T(0));
  }

  // A step of one value. has: whether there are the first and the third memory, for rules that can do
  // without.
  template <bool Full, typename Rule>
  WEFT_MATH void step(const Rule& rule, T& value, T gradient, T& first, T& second, T& third,
                      bool has_first, bool has_third) const {
    const T before = value;
    const T g = (Full ? clamp(factor * gradient, gradient_limit) : gradient) + l2 * before;
    const T direction = rule.direction(g, first, second, third, has_first, has_third);
    value = changed<Full>(before, direction + weight_decay * before);
  }

 private:
  template <bool Full>
  WEFT_MATH T changed(T value, T direction) const {
    T change = rate * direction;
    bool cut = Full && std::fabs(change) > update_limit;
    T moved =
        cut ? value - std::copysign(update_limit, change) : multiply_add(-rate, direction, value);
    return Full ? shrink(moved, rate * l1) : moved;
  }
};

// A rule is made of a kernel's arguments and the state, once for a call: what of it does not depend
// on the value stands in its fields.

// Whether a rule has a memory: never, always, or where its address is not 0.
enum class memory { absent, present, asked };

template <typename T>
struct update_rule {
  static constexpr memory first = memory::present, second = memory::present, third = memory::absent;

  WEFT_MATH double rate_share() const { return 1; }
  WEFT_MATH T l1_share(const void*) const { return T(1); }
};

template <typename T>
struct sgd_rule : update_rule<T> {
  static constexpr memory first = memory::asked, second = memory::absent;
  T momentum, dampening;
  bool nesterov;

  template <typename A>
  WEFT_MATH sgd_rule(const A& a, const weft_step_state& state)
      : momentum(T(a.momentum * state.momentum_factor)),
        dampening(T(a.decay)),
        nesterov(a.nesterov != 0) {}

  // what the velocity makes of a gradient that stays
  WEFT_MATH T l1_share(const void* velocity) const {
    return velocity ? (T(1) - dampening) / (T(1) - momentum) : T(1);
  }

  WEFT_MATH T direction(T g, T& velocity, T&, T&, bool has_velocity, bool) const {
    if (!has_velocity) return g;
    velocity = momentum * velocity + (T(1) - dampening) * g;
    return nesterov ? g + momentum * velocity : velocity;
  }
};

// 1 - beta^t after t = 1, 2, ... updates. From beta as T holds it: else the first float32 update with
// beta2 = 0.999 would be off by 2e-5, because 1 - 0.999f is not 0.001f.
template <typename T>
WEFT_MATH T adam_correction(T beta, uint64_t t) {
  return -std::expm1(T(t) * std::log(beta));
}

// Adam's memories and its denominator.
template <typename T>
struct adam_moments : update_rule<T> {
  T beta1, beta2, epsilon, correction2;

  template <typename A>
  WEFT_MATH adam_moments(const A& a, const weft_step_state& state)
      : beta1(T(a.momentum * state.momentum_factor)),
        beta2(T(a.decay)),
        epsilon(T(a.epsilon)),
        correction2(adam_correction(beta2, state.update + 1)) {}

  WEFT_MATH void remember(T g, T& mean, T& squares) const {
    mean = beta1 * mean + (T(1) - beta1) * g;
    squares = beta2 * squares + (T(1) - beta2) * g * g;
  }

  WEFT_MATH T root(T squares) const { return std::sqrt(squares / correction2) + epsilon; }
};

template <typename T>
struct adam_rule : adam_moments<T> {
  static constexpr memory third = memory::asked;
  T correction1;

  template <typename A>
  WEFT_MATH adam_rule(const A& a, const weft_step_state& state)
      : adam_moments<T>(a, state), correction1(adam_correction(this->beta1, state.update + 1)) {}

  WEFT_MATH T direction(T g, T& mean, T& squares, T& largest, bool, bool has_largest) const {
    this->remember(g, mean, squares);
    if (has_largest) largest = squares < largest ? largest : squares;
    return (mean / correction1) / this->root(has_largest ? largest : squares);
  }
};

// beta (1 - 0.96^(t fade) / 2) of NAdam's update t
WEFT_MATH double nadam_momentum(double beta, double fade, uint64_t t) {
  return beta * (1 - 0.5 * std::pow(0.96, (double)t * fade));
}

// The product of NAdam's momenta up to update t. Without a memory of it: it is next to 0 in 60
// updates at the usual fade, and where a momentum is beta up to rounding the rest is a power.
WEFT_MATH double nadam_product(double beta, double fade, uint64_t t) {
  const double quotient = std::pow(0.96, fade);
  double product = 1, power = 1;
  for (uint64_t i = 1; i <= t && product > 1e-17; i++) {
    power *= quotient;
    if (power < 1e-17) return product * std::pow(beta, (double)(t - i + 1));
    product *= beta * (1 - 0.5 * power);
  }
  return product;
}

template <typename T>
struct nadam_rule : adam_moments<T> {
  T of_gradient, of_mean;

  template <typename A>
  WEFT_MATH nadam_rule(const A& a, const weft_step_state& state) : adam_moments<T>(a, state) {
    const double beta = a.momentum * state.momentum_factor;
    const uint64_t t = state.update + 1;
    const double product = nadam_product(beta, a.fade, t);
    const double next = nadam_momentum(beta, a.fade, t + 1);
    of_gradient = T((1 - nadam_momentum(beta, a.fade, t)) / (1 - product));
    of_mean = T(next / (1 - product * next));
  }

  WEFT_MATH T direction(T g, T& mean, T& squares, T&, bool, bool) const {
    this->remember(g, mean, squares);
    return (of_gradient * g + of_mean * mean) / this->root(squares);
  }
};

template <typename T>
struct adagrad_rule : update_rule<T> {
  static constexpr memory first = memory::absent;
  T epsilon;
  double share;

  template <typename A>
  WEFT_MATH adagrad_rule(const A& a, const weft_step_state& state)
      : epsilon(T(a.epsilon)), share(1 / (1 + (double)state.update * a.fade)) {}

  WEFT_MATH double rate_share() const { return share; }

  WEFT_MATH T direction(T g, T&, T& sum, T&, bool, bool) const {
    sum += g * g;
    return g / (std::sqrt(sum) + epsilon);
  }
};

template <typename T>
struct rmsprop_rule : update_rule<T> {
  static constexpr memory first = memory::asked, third = memory::asked;
  T momentum, decay, epsilon;

  template <typename A>
  WEFT_MATH rmsprop_rule(const A& a, const weft_step_state& state)
      : momentum(T(a.momentum * state.momentum_factor)), decay(T(a.decay)), epsilon(T(a.epsilon)) {}

  WEFT_MATH T l1_share(const void* velocity) const {
    return velocity ? T(1) / (T(1) - momentum) : T(1);
  }

  WEFT_MATH T direction(T g, T& velocity, T& squares, T& mean, bool has_velocity,
                        bool has_mean) const {
    squares = decay * squares + (T(1) - decay) * g * g;
    T spread = squares;
    if (has_mean) {
      mean = decay * mean + (T(1) - decay) * g;
      spread -= mean * mean;
      spread = spread < T(0) ? T(0) : spread;  // by rounding alone
    }
    const T scaled = g / (std::sqrt(spread) + epsilon);
    if (!has_velocity) return scaled;
    velocity = momentum * velocity + scaled;
    return velocity;
  }
};

template <typename T>
struct adadelta_rule : update_rule<T> {
  T decay, epsilon;

  template <typename A>
  WEFT_MATH adadelta_rule(const A& a, const weft_step_state&)
      : decay(T(a.decay)), epsilon(T(a.epsilon)) {}

  WEFT_MATH T direction(T g, T& updates, T& squares, T&, bool, bool) const {
    squares = decay * squares + (T(1) - decay) * g * g;
    const T update = g * std::sqrt((updates + epsilon) / (squares + epsilon));
    updates = decay * updates + (T(1) - decay) * update * update;
    return update;
  }
};

template <typename T>
struct lion_rule : update_rule<T> {
  static constexpr memory second = memory::absent;
  T beta1, beta2;

  template <typename A>
  WEFT_MATH lion_rule(const A& a, const weft_step_state& state)
      : beta1(T(a.momentum * state.momentum_factor)), beta2(T(a.decay)) {}

  WEFT_MATH T direction(T g, T& mean, T&, T&, bool, bool) const {
    const T x = beta1 * mean + (T(1) - beta1) * g;
    mean = beta2 * mean + (T(1) - beta2) * g;
    return std::fabs(x) > T(0) ? std::copysign(T(1), x) : x;  // 0 and NaN stay
  }
};

// The kernels name and name_rows are those of name_rule.
#define WEFT_UPDATE_RULES(R) R(sgd) R(adam) R(nadam) R(adagrad) R(rmsprop) R(adadelta) R(lion)

// average + w (value - average)
template <typename T>
WEFT_MATH T averaged(T average, T value, T w) {
  return multiply_add(w, value - average, average);
}

// A step of so many rows ends; rates: three numbers of each update, or null.
WEFT_MATH void end_step(weft_step_state& state, int64_t rows, bool update, const void* rates,
                        int64_t count) {
  state.step += 1;
  state.cursor += rows;
  if (!update) return;
  state.update += 1;
  if (!rates) return;
  const double* next = static_cast<const double*>(rates) + 3 * (state.update % (uint64_t)count);
  state.rate = next[0];
  state.rate_f32 = (float)next[0];
  state.momentum_factor = next[1];
  state.decay_factor = next[2];
}

}  // namespace weft
#endif  // WEFT_MATH_UPDATE_H
