# SPDX-License-Identifier: Apache-2.0
"""Writes models.txt: small data sets, and what scikit-learn's linear models learn from them.

Needs scikit-learn (apt-get install python3-sklearn); run it in this folder: python3 models.py.
Tests read models.txt, a line an array: its name, then its numbers, row by row.

What the models minimise, w without and b with the intercept, over n rows:
  LinearRegression            sum (x w + b - y)^2
  Ridge(alpha)                sum (x w + b - y)^2 + alpha |w|^2
  Lasso(alpha)                sum (x w + b - y)^2 / (2 n) + alpha sum |w_i|
  LogisticRegression(C)       C sum log loss + |w|^2 / 2
  LinearSVC(C), LinearSVR(C)  C sum loss + (|w|^2 + (b / intercept_scaling)^2) / 2
The last two penalise the intercept, the others do not.
"""

import numpy as np
import sklearn
from sklearn.linear_model import Lasso, LinearRegression, LogisticRegression, Ridge
from sklearn.svm import LinearSVC, LinearSVR

ALPHA, LASSO_ALPHA, C, SVM_C, EPSILON = 5.0, 0.3, 0.5, 0.1, 0.25
TIGHT = dict(tol=1e-12, max_iter=1_000_000)
SVM = dict(C=SVM_C, tol=1e-10, max_iter=1_000_000, random_state=0)
rng = np.random.RandomState(1)
lines = []


def put(name, values):
    lines.append(" ".join([name] + [repr(float(v)) for v in np.ravel(values)]))


def fitted(name, model, x, y):
    model.fit(x, y)
    put(name + ".weight", model.coef_)
    put(name + ".bias", model.intercept_)


def features(rows, columns):
    mix = np.eye(columns) + 0.3 * rng.randn(columns, columns)
    return np.round(rng.randn(rows, columns) @ mix, 3)


x = features(60, 6)
y = np.round(x @ [1.5, 0, -2, 0, 0.1, 0.7] + 0.8 + 0.5 * rng.randn(60), 3)
put("regression.x", x)
put("regression.y", y)
fitted("linear", LinearRegression(), x, y)
fitted("ridge", Ridge(alpha=ALPHA, tol=1e-12), x, y)
fitted("lasso", Lasso(alpha=LASSO_ALPHA, **TIGHT), x, y)
fitted("svr", LinearSVR(epsilon=EPSILON, **SVM), x, y)

x = features(80, 4)
y = (x @ [1.5, -1, 0.5, 0] + 0.6 + rng.randn(80) > 0).astype(int)
put("binary.x", x)
put("binary.y", y)
fitted("logistic", LogisticRegression(C=C, solver="newton-cholesky", **TIGHT), x, y)
for loss in "hinge", "squared_hinge":
    fitted(loss, LinearSVC(loss=loss, **SVM), x, y)

x = features(90, 3)
y = np.argmax(x @ rng.randn(3, 3) + [0.5, 0, -0.5] + 0.7 * rng.randn(90, 3), axis=1)
put("classes.x", x)
put("classes.y", y)
# lbfgs stops at 1e-5
multinomial = LogisticRegression(
    C=C, multi_class="multinomial", solver="sag", random_state=0, **TIGHT
)
fitted("softmax", multinomial, x, y)

with open("models.txt", "w", encoding="ascii") as file:
    file.write("# by models.py, scikit-learn %s\n" % sklearn.__version__)
    file.write("\n".join(lines) + "\n")
