// SPDX-License-Identifier: Apache-2.0
package dev.weft.op;

import static dev.weft.format.Format.format;

import dev.weft.DType;
import dev.weft.Engine;
import dev.weft.Node;
import dev.weft.Operations;
import dev.weft.Shape;
import dev.weft.Tensor;
import dev.weft.device.Arguments;
import dev.weft.device.Kernel;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The logistic loss of rows x along paths of rows of a table: y_i = -Σ_k log σ(±x_i · table[row_k])
 * over the steps k of its path, σ(z) = 1 / (1 + e^-z). A step is 2 row + branch, + for branch 0 and
 * - for branch 1; -1 is none. With paths through a tree this is hierarchical softmax (Morin and
 * Bengio 2005), with a path of its own for each row negative sampling (Mikolov et al. 2013).
 *
 * <p>x (n, cols), table (rows, cols), y (n) of the wide type of x. Each row has a path of its own:
 * steps int32 (n, length). Or it takes one by number: steps int32 (count), offsets int32 (paths),
 * ascending, and numbers int32 (n); the steps of path p are those from offsets_p up to, not
 * including, offsets_p+1, of the last path up to the end. Backward: with the error e_ik = dy_i
 * (σ(x_i · table[row_k]) - (1 - branch_k)), dx_i = Σ_k e_ik table[row_k], and dtable[row_k] += e_ik
 * x_i, equal rows in the order of their places.
 *
 * <p>Steps lie on the device, so that a wrong one cannot be thrown for: where a number is no
 * path's, a path leaves the steps or has more than {@code longest}, or one of a row that the table
 * has not, y_i is NaN, and it has no gradient.
 *
 * @param longest the most steps that a path has which is taken by number
 */
public record PathLossOperation(int longest) implements Operation {
  private static final Operands OPERANDS =
      Operands.floating("x", "table").andInt32("steps", "offsets", "numbers").atLeast(3);

  /** Checks the length. */
  public PathLossOperation {
    if (longest < 0) {
      throw new IllegalArgumentException("the longest path has 0 steps or more, not " + longest);
    }
  }

  @Override
  public String name() {
    return "path_loss";
  }

  @Override
  public Operands operands() {
    return OPERANDS;
  }

  @Override
  public Tensor forward(Node node) {
    Tensor x = node.input(0);
    Tensor table = node.input(1);
    Tensor steps = node.input(2);
    check(node);
    boolean own = isOwn(node);
    long rows = x.shape().size(0);
    long length = own ? steps.shape().size(1) : longest;
    DType wide = x.dtype().wide();
    Tensor losses = node.make(wide, Shape.of(rows));
    Tensor taken = node.make(DType.I32, Shape.of(rows, length));
    Tensor errors = node.make(wide, Shape.of(rows, length));
    node.run(
        Kernel.PATH_LOSS_FORWARD,
        new Arguments.PathLossForward(
            Engine.address(x),
            Engine.address(table),
            Engine.address(steps),
            own ? 0 : Engine.address(node.input(3)),
            own ? 0 : Engine.address(node.input(4)),
            Engine.address(losses),
            Engine.address(taken),
            Engine.address(errors),
            rows,
            x.shape().size(1),
            table.shape().size(0),
            steps.elements(),
            own ? rows : node.input(3).elements(),
            length));
    node.save(taken, errors);
    return losses;
  }

  private static boolean isOwn(Node node) {
    return node.inputs().size() == 3;
  }

  private static void check(Node node) {
    Shape x = node.input(0).shape();
    Shape table = node.input(1).shape();
    Shape steps = node.input(2).shape();
    boolean rows = x.rank() == 2 && table.rank() == 2 && x.size(1) == table.size(1);
    if (isOwn(node)) {
      if (!rows || steps.rank() != 2 || steps.size(0) != x.size(0)) {
        throw new IllegalArgumentException(
            format(
                "path_loss needs x [n, cols], a table [rows, cols] and steps [n, length], not %s,"
                    + " %s and %s",
                x, table, steps));
      }
      return;
    }
    if (node.inputs().size() == 4) {
      throw new IllegalArgumentException("path_loss by offsets needs the numbers of paths, too");
    }
    Shape offsets = node.input(3).shape();
    Shape numbers = node.input(4).shape();
    if (!rows || steps.rank() != 1 || offsets.rank() != 1 || !numbers.equals(Shape.of(x.size(0)))) {
      throw new IllegalArgumentException(
          format(
              "path_loss needs x [n, cols], a table [rows, cols], steps [count], offsets [paths]"
                  + " and numbers [n], not %s, %s, %s, %s and %s",
              x, table, steps, offsets, numbers));
    }
  }

  @Override
  public void backward(Node node) {
    if (!node.wants(0) && !node.wants(1)) {
      return;
    }
    Tensor x = node.input(0);
    Tensor table = node.input(1);
    Tensor taken = node.saved(0);
    long cols = x.shape().size(1);
    Tensor dlosses = node.gradient();
    Tensor drows = node.wants(1) ? node.make(x.dtype(), Shape.of(taken.elements(), cols)) : null;
    Node.Sink dx = node.wants(0) ? node.into(0) : null;
    node.run(
        Kernel.PATH_LOSS_BACKWARD,
        new Arguments.PathLossBackward(
            Engine.address(x),
            Engine.address(table),
            Engine.address(taken),
            Engine.address(node.saved(1)),
            Engine.address(dlosses),
            dx == null ? 0 : Engine.address(dx.tensor()),
            drows == null ? 0 : Engine.address(drows),
            x.shape().size(0),
            cols,
            table.shape().size(0),
            taken.shape().size(1),
            dx != null && dx.accumulate()));
    if (drows != null) {
      RowSums.give(node, 1, node.keepSaved(0), drows);
    }
  }

  @Override
  public Tensor tangent(Operations on, Node node, List<@Nullable Tensor> tangents) {
    Tensor x = node.input(0);
    Tensor table = node.input(1);
    Tensor dx = tangents.get(0);
    Tensor dtable = tangents.get(1);
    Tensor rows = rows(on, node, table);
    Tensor scores = scores(on, x, rows);
    Tensor moved =
        TangentSum.of(
            on,
            dx == null ? null : scores(on, dx, rows),
            dtable == null ? null : scores(on, x, rows(on, node, dtable)));
    // the error is σ(score) less 1 or 0, which is what the forward pass has left less σ
    Tensor s = on.sigmoid(scores);
    Tensor constant = on.withoutGradient(() -> on.subtract(node.saved(1), s));
    return on.sum(on.multiply(on.add(s, constant), moved), 1);
  }

  /** The rows of a table that were taken, (n, length, cols); 0 for none. */
  private static Tensor rows(Operations on, Node node, Tensor table) {
    Tensor taken = node.saved(0);
    long[] sizes = {taken.shape().size(0), taken.shape().size(1), table.shape().size(1)};
    Tensor one = taken.view(0, Shape.of(taken.elements(), 1));
    return on.wide(on.reshape(on.embeddingBagSum(table, one), sizes));
  }

  private static Tensor scores(Operations on, Tensor x, Tensor rows) {
    Tensor wide = on.wide(on.reshape(x, x.shape().size(0), 1, x.shape().size(1)));
    return on.sum(on.multiply(wide, rows), 2);
  }

  @Override
  public boolean looksUp(int input) {
    return input == 1;
  }
}
