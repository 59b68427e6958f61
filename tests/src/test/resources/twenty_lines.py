# SPDX-License-Identifier: Apache-2.0
"""The 20 lines of lecture 1 in numpy, on the numbers of java.util.Random(1): steps and losses."""
import math
import numpy as np

seed = (1 ^ 0x5DEECE66D) & ((1 << 48) - 1)
spare = []


def bits(n):
    global seed
    seed = (seed * 0x5DEECE66D + 0xB) & ((1 << 48) - 1)
    return seed >> (48 - n)


def gaussian():  # java.util.Random.nextGaussian
    if spare:
        return spare.pop()
    while True:
        v1 = 2 * (((bits(26) << 27) + bits(27)) * 2.0**-53) - 1
        v2 = 2 * (((bits(26) << 27) + bits(27)) * 2.0**-53) - 1
        s = v1 * v1 + v2 * v2
        if 0 < s < 1:
            factor = math.sqrt(-2 * math.log(s) / s)
            spare.append(v2 * factor)
            return v1 * factor


def randn(rows, columns):
    return np.array([[gaussian() for _ in range(columns)] for _ in range(rows)])


N, D_in, H, D_out = 64, 1000, 100, 10
x, y = randn(N, D_in), randn(N, D_out)
w1, w2 = randn(D_in, H), randn(H, D_out)
for t in range(2000):
    h = 1 / (1 + np.exp(-x.dot(w1)))
    y_pred = h.dot(w2)
    loss = np.square(y_pred - y).sum()
    if t in (0, 10, 100, 1000, 1999):
        print(t, loss)
    grad_y_pred = 2.0 * (y_pred - y)
    grad_w2 = h.T.dot(grad_y_pred)
    grad_h = grad_y_pred.dot(w2.T)
    grad_w1 = x.T.dot(grad_h * h * (1 - h))
    w1 -= 1e-4 * grad_w1
    w2 -= 1e-4 * grad_w2
