// SPDX-License-Identifier: Apache-2.0
//
// Update rules of optimizers for one value. Sources: momentum and Nesterov as in PyTorch's SGD
// (Sutskever et al. 2013), Adam (Kingma and Ba 2015), AdamW (Loshchilov and Hutter 2019).
#ifndef WEFT_MATH_UPDATE_H
#define WEFT_MATH_UPDATE_H

#include "portable.h"

namespace weft {

template <typename T>
WEFT_MATH void sgd(T& value, T gradient, T& velocity, T rate, T momentum, T dampening,
                   T weight_decay, bool nesterov) {
  T g = gradient + weight_decay * value;
  velocity = momentum * velocity + (T(1) - dampening) * g;
  value -= rate * (nesterov ? g + momentum * velocity : velocity);
}

// 1 - beta^t after t = 1, 2, ... steps. From beta as T holds it: else the first float32 step with
// beta2 = 0.999 would be off by 2e-5, because 1 - 0.999f is not 0.001f.
template <typename T>
WEFT_MATH T adam_correction(double beta, uint64_t t) {
  return -std::expm1(T(t) * std::log(T(beta)));
}

// correction1 = adam_correction(beta1, t), correction2 = adam_correction(beta2, t)
template <typename T>
WEFT_MATH void adam(T& value, T gradient, T& first, T& second, T rate, T beta1, T beta2, T epsilon,
                    T l2, T weight_decay, T correction1, T correction2) {
  T g = gradient + l2 * value;
  first = beta1 * first + (T(1) - beta1) * g;
  second = beta2 * second + (T(1) - beta2) * g * g;
  T direction = (first / correction1) / (std::sqrt(second / correction2) + epsilon);
  value -= rate * (direction + weight_decay * value);
}

}  // namespace weft
#endif  // WEFT_MATH_UPDATE_H
