// SPDX-License-Identifier: Apache-2.0
package dev.weft.op;

import dev.weft.Node;
import dev.weft.Operations;
import dev.weft.Tensor;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The tangent of y = scale n + shift, n = (x - mean) rstd over one axis of the matrix that x (...,
 * cols) is: dn = rstd (dx - mean(dx) - n mean(n dx)).
 */
final class NormTangent {
  private final Operations on;
  private final int axis;

  private NormTangent(Operations on, int axis) {
    this.on = on;
    this.axis = axis;
  }

  /** With the statistics of each entry's row, axis 1, or column, axis 0. */
  static Tensor of(
      Operations on, Node node, List<@Nullable Tensor> tangents, int axis, double epsilon) {
    NormTangent norm = new NormTangent(on, axis);
    Tensor x = norm.matrix(node.input(0));
    Tensor centred = on.subtract(x, norm.mean(x));
    Tensor rstd = rstd(on, norm.mean(on.square(centred)), epsilon);
    Tensor n = on.multiply(centred, rstd);
    Tensor dn = null;
    if (tangents.get(0) != null) {
      Tensor dx = norm.matrix(tangents.get(0));
      Tensor along = on.multiply(n, norm.mean(on.multiply(n, dx)));
      dn = on.multiply(rstd, on.subtract(on.subtract(dx, norm.mean(dx)), along));
    }
    return norm.scaled(node, tangents, n, dn);
  }

  /** With a mean and a variance of each column that are given, and do not move. */
  static Tensor ofFixed(
      Operations on,
      Node node,
      List<@Nullable Tensor> tangents,
      Tensor mean,
      Tensor variance,
      double epsilon) {
    NormTangent norm = new NormTangent(on, 0);
    Tensor rstd = rstd(on, variance, epsilon);
    Tensor n = on.multiply(on.subtract(norm.matrix(node.input(0)), mean), rstd);
    Tensor dx = tangents.get(0);
    return norm.scaled(node, tangents, n, dx == null ? null : on.multiply(rstd, norm.matrix(dx)));
  }

  private static Tensor rstd(Operations on, Tensor variance, double epsilon) {
    return on.pow(on.shift(variance, epsilon), -0.5);
  }

  private Tensor matrix(Tensor x) {
    long cols = x.shape().size(-1);
    return on.reshape(on.wide(x), x.elements() / cols, cols);
  }

  private Tensor mean(Tensor x) {
    return on.reshape(on.mean(x, axis), x.shape().with(axis, 1).toArray());
  }

  private Tensor scaled(Node node, List<@Nullable Tensor> tangents, Tensor n, @Nullable Tensor dn) {
    Tensor dscale = tangents.get(1);
    Tensor dshift = tangents.get(2);
    Tensor dy =
        TangentSum.of(
            on,
            dn == null ? null : on.multiply(on.wide(node.input(1)), dn),
            dscale == null ? null : on.multiply(on.wide(dscale), n),
            dshift == null ? null : on.broadcastTo(on.wide(dshift), n.shape().toArray()));
    Tensor y = node.output();
    return on.cast(on.reshape(dy, y.shape().toArray()), y.dtype());
  }
}
