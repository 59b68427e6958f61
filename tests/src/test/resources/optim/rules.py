# SPDX-License-Identifier: Apache-2.0
"""Writes rules.txt: values, gradients of 20 steps, and the values after them by each rule.

Needs PyTorch (apt-get install python3-torch); run it in this folder: /usr/bin/python3 rules.py.
Tests read rules.txt, a line an array: its name, then its numbers. All is float64. Gradients are
drawn, and do not depend on the values. Lion is not in PyTorch: it is the pseudocode of Chen et al.
2023, Program 1, in numpy. So is NAdam, by the formula that PyTorch's documentation gives: the code of
PyTorch 1.13 has the last momentum twice in the product of the next step, and the product in float32.
"""

import numpy as np
import torch
from torch import optim

N, STEPS = 23, 20
rng = np.random.RandomState(3)
values = np.round(rng.randn(N), 4)
gradients = np.round(rng.randn(STEPS, N) * np.logspace(-3, 1, N), 6)
lines = []


def put(name, numbers):
    lines.append(" ".join([name] + [repr(float(v)) for v in np.ravel(numbers)]))


def stepped(name, rule, schedule=None, **settings):
    """schedule: called with the optimizer's group and the step before each step."""
    x = torch.tensor(values, requires_grad=True)
    steps = rule([x], **settings)
    for step in range(STEPS):
        if schedule:
            schedule(steps.param_groups[0], step)
        x.grad = torch.tensor(gradients[step])
        steps.step()
    put(name, x.detach().numpy())


def lion(name, lr, beta1, beta2, decay):
    x, m = values.copy(), np.zeros(N)
    for g in gradients:
        update = beta1 * m + (1 - beta1) * g
        m = beta2 * m + (1 - beta2) * g
        x -= lr * (np.sign(update) + decay * x)
    put(name, x)


def nadam(name, lr, beta1, beta2, eps, momentum_decay, weight_decay):
    def momentum(t):
        return beta1 * (1 - 0.5 * 0.96 ** (t * momentum_decay))

    x, m, v, product = values.copy(), np.zeros(N), np.zeros(N), 1.0
    for t, gradient in enumerate(gradients, 1):
        g = gradient + weight_decay * x
        product *= momentum(t)
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g * g
        mean = momentum(t + 1) * m / (1 - product * momentum(t + 1))
        mean += (1 - momentum(t)) * g / (1 - product)
        x -= lr * mean / (np.sqrt(v / (1 - beta2**t)) + eps)
    put(name, x)


def cycle(group, step):
    """Rate and beta1 as OneCycleLR moves them: up and down, and against each other."""
    group["lr"] = 0.01 * (1 + step % 5)
    group["betas"] = (0.9 * (1 - 0.05 * (step % 4)), 0.999)


def momenta(group, step):
    group["momentum"] = 0.9 * (1 - 0.05 * (step % 4))


put("values", values)
put("gradients", gradients)
stepped("sgd", optim.SGD, lr=0.05, weight_decay=0.01)
stepped("momentum", optim.SGD, lr=0.05, momentum=0.9, weight_decay=0.01)
stepped("nesterov", optim.SGD, lr=0.05, momentum=0.9, nesterov=True)
stepped("momentum_scheduled", optim.SGD, momenta, lr=0.05, momentum=0.9)
stepped("adam", optim.Adam, lr=0.01, betas=(0.8, 0.99), weight_decay=0.1)
stepped("adam_scheduled", optim.Adam, cycle, lr=0.01)
stepped("amsgrad", optim.Adam, lr=0.01, betas=(0.9, 0.9), amsgrad=True)
stepped("adamw", optim.AdamW, lr=0.01, weight_decay=0.1)
stepped("adamw_amsgrad", optim.AdamW, lr=0.01, betas=(0.9, 0.9), weight_decay=0.1, amsgrad=True)
nadam("nadam", 0.002, 0.9, 0.999, 1e-8, 4e-3, 0)
nadam("nadam_settings", 0.01, 0.8, 0.99, 1e-6, 0.3, 0.1)
stepped("adagrad", optim.Adagrad, lr=0.01)
stepped("adagrad_settings", optim.Adagrad, lr=0.1, lr_decay=0.1, initial_accumulator_value=0.2,
        eps=1e-6, weight_decay=0.1)
stepped("rmsprop", optim.RMSprop, lr=0.01)
stepped("rmsprop_momentum", optim.RMSprop, lr=0.01, alpha=0.9, momentum=0.8, weight_decay=0.1)
stepped("rmsprop_centred", optim.RMSprop, lr=0.01, alpha=0.9, centered=True)
stepped("rmsprop_all", optim.RMSprop, lr=0.01, alpha=0.9, eps=1e-6, momentum=0.8, centered=True,
        weight_decay=0.1)
stepped("adadelta", optim.Adadelta)
stepped("adadelta_settings", optim.Adadelta, lr=0.5, rho=0.8, eps=1e-4, weight_decay=0.1)
lion("lion", 1e-4, 0.9, 0.99, 0)
lion("lion_settings", 0.01, 0.8, 0.95, 0.1)

with open("rules.txt", "w", encoding="ascii") as file:
    file.write(f"# made by rules.py with PyTorch {torch.__version__}, numpy {np.__version__}\n")
    file.write("\n".join(lines) + "\n")
