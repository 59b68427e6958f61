# SPDX-License-Identifier: Apache-2.0
"""Writes schedules.txt: the factors of the learning rate that PyTorch's schedulers give.

Needs PyTorch (apt-get install python3-torch); run it in this folder: python3 schedules.py.
Tests read schedules.txt, a line an array: its name, then its numbers. NAME.epoch has the factors
at the end of each epoch, NAME.update those of each update, of which an epoch has UPDATES.
"""

import random

import torch
from torch.optim import lr_scheduler as s

EPOCHS, UPDATES = 4, 5
lines = []


def put(name, values):
    lines.append(" ".join([name] + [repr(float(v)).replace("nan", "NaN") for v in values]))


def optimizer(rate=1.0, momentum=0.95):
    return torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=rate, momentum=momentum)


def run(make, steps):
    """Rates and momenta of the updates 0 to steps."""
    sgd = optimizer()
    schedule = make(sgd)
    group = sgd.param_groups[0]
    rates, momenta = [group["lr"]], [group["momentum"]]
    for _ in range(steps):
        sgd.step()
        schedule.step()
        rates.append(group["lr"])
        momenta.append(group["momentum"])
    return rates, momenta


def both(name, make, extra=2):
    """make(optimizer, n) is the scheduler of n steps to the epoch."""
    put(name + ".epoch", run(lambda o: make(o, 1), EPOCHS + extra)[0])
    put(name + ".update", run(lambda o: make(o, UPDATES), (EPOCHS + extra) * UPDATES)[0])


# what PyTorch counts in steps from 0 to total_steps - 1 is here one longer: EPOCHS at its end
def cycle(o, n, course, **more):
    total = EPOCHS * n + 1
    share = (0.5 * EPOCHS * n + 1) / total
    return s.OneCycleLR(o, 1.0, total_steps=total, pct_start=share, anneal_strategy=course, **more)


both("cosine", lambda o, n: s.CosineAnnealingLR(o, EPOCHS * n), 0)
both("cosine_down_to", lambda o, n: s.CosineAnnealingLR(o, EPOCHS * n, eta_min=0.1), 0)
both("linear", lambda o, n: s.LinearLR(o, 1.0, 0.0, EPOCHS * n))
both("polynomial", lambda o, n: s.PolynomialLR(o, EPOCHS * n, 2.5))
both("steps", lambda o, n: s.StepLR(o, 2 * n, 0.5))
both("multi_step", lambda o, n: s.MultiStepLR(o, [n, 3 * n], 0.2))
both("exponential", lambda o, n: s.ExponentialLR(o, 0.8 ** (1 / n)))
both("restarts", lambda o, n: s.CosineAnnealingWarmRestarts(o, 2 * n))
both("restarts_grow", lambda o, n: s.CosineAnnealingWarmRestarts(o, n, 2))
for course in "cos", "linear":
    both("one_cycle_" + course, lambda o, n: cycle(o, n, course), 0)
    both(
        "one_cycle_set_" + course,
        lambda o, n: cycle(o, n, course, div_factor=10, final_div_factor=100),
        0,
    )
    put("one_cycle_momentum_" + course,
        [m / 0.95 for m in run(lambda o: cycle(o, UPDATES, course), EPOCHS * UPDATES)[1]])
both(
    "then",
    lambda o, n: s.SequentialLR(
        o, [s.ExponentialLR(o, 0.8 ** (1 / n)), s.LinearLR(o, 0.25, 1.0, 2 * n)], [2 * n]
    ),
)
both(
    "times",
    lambda o, n: s.ChainedScheduler(
        [s.ExponentialLR(o, 0.8 ** (1 / n)), s.LinearLR(o, 1.0, 0.0, EPOCHS * n)]
    ),
    -1,  # a rate of 0 is never left: what is chained there divides by it
)
put("warm_up.update", run(lambda o: s.LinearLR(o, 1 / 8, 1.0, 7), EPOCHS * UPDATES)[0])
put("warm_up_from.update", run(lambda o: s.LinearLR(o, 0.2, 1.0, 8), EPOCHS * UPDATES)[0])
d, warm = 512, 6  # Vaswani et al. 2017, over its largest rate
put("inverse_square_root.update",
    [d**-0.5 * min(n**-0.5, n * warm**-1.5) * (d * warm) ** 0.5
     for n in range(1, EPOCHS * UPDATES + 1)])

# plateau.N.settings: mode (0 lowest, 1 highest), patience, change, cooldown, factor, least rate
draw = random.Random(1)
for number in range(40):
    mode, patience, cooldown = draw.choice(["min", "max"]), draw.randrange(4), draw.randrange(4)
    change, factor, least = draw.choice([0, 0.05]), draw.choice([0.1, 0.5]), draw.choice([0, 0.02])
    values = [draw.choice([-1, 1]) / (1 + e) ** 0.5 + 0.1 * draw.random() for e in range(30)]
    if number % 4 == 0:
        values[draw.randrange(30)] = float("nan")
    sgd = optimizer()
    schedule = s.ReduceLROnPlateau(
        sgd, mode, factor, patience, change, "abs", cooldown, least, eps=0
    )
    rates = []
    for value in values:
        schedule.step(value)
        rates.append(sgd.param_groups[0]["lr"])
    put(f"plateau.{number}.settings", [mode == "max", patience, change, cooldown, factor, least])
    put(f"plateau.{number}.values", values)
    put(f"plateau.{number}.rates", rates)

with open("schedules.txt", "w", encoding="ascii") as file:
    file.write("# by schedules.py, PyTorch %s\n" % torch.__version__)
    file.write("\n".join(lines) + "\n")
