// SPDX-License-Identifier: Apache-2.0
package dev.weft.op;

import static java.util.Locale.ROOT;

import dev.weft.Engine;
import dev.weft.Node;
import dev.weft.Operations;
import dev.weft.Shape;
import dev.weft.Tensor;
import dev.weft.device.Arguments;
import dev.weft.device.BinaryFunction;
import dev.weft.device.Kernel;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * y = f(a, b), element by element, with broadcasting: shapes are aligned at the last axis and a
 * size of 1 stretches. Backward: da = dy ∂f/∂a summed over the axes that were stretched, and
 * likewise db. At a = b MAXIMUM and MINIMUM share the gradient equally, as PyTorch does. A choice
 * gives a the gradient where a is taken and b none; a comparison has none at all.
 *
 * @param function f
 * @param alpha what KEEP and DROP put where they do not take a; unused by the others
 */
public record Binary(BinaryFunction function, double alpha) implements Operation {
  /** The axes that its kernel has. */
  public static final int AXES = Strides.AXES;

  private static final Operands OPERANDS = Operands.floating("a", "b");

  /** A function with its usual alpha, where it takes one. */
  public Binary(BinaryFunction function) {
    this(function, function.defaultAlpha());
  }

  /** Whether shapes have so few axes; neighbouring ones that both walk alike count as one. */
  public static boolean takes(Shape a, Shape b) {
    return Strides.merge(a, b, Shape.broadcast(a, b)).sizes().length <= AXES;
  }

  @Override
  public String name() {
    return "binary_" + function.name().toLowerCase(ROOT);
  }

  @Override
  public String sign(int inputs) {
    return switch (function) {
      case ADD -> "+";
      case SUBTRACT -> "−";
      case MULTIPLY -> "×";
      case DIVIDE -> "÷";
      case MAXIMUM -> "max";
      case MINIMUM -> "min";
      default -> function.token();
    };
  }

  @Override
  public Operands operands() {
    return OPERANDS;
  }

  @Override
  public Tensor forward(Node node) {
    Tensor a = node.input(0);
    Tensor b = node.input(1);
    Shape shape = Shape.broadcast(a.shape(), b.shape());
    Strides s = Strides.of(a.shape(), b.shape(), shape);
    Tensor y = node.make(a.dtype(), shape);
    long[] d = s.sizes();
    node.run(
        Kernel.BINARY_FORWARD,
        new Arguments.BinaryForward(
            Engine.address(a),
            Engine.address(b),
            Engine.address(y),
            d[0],
            d[1],
            d[2],
            d[3],
            s.a()[0],
            s.a()[1],
            s.a()[2],
            s.a()[3],
            s.b()[0],
            s.b()[1],
            s.b()[2],
            s.b()[3],
            function,
            alpha));
    return y;
  }

  @Override
  public void backward(Node node) {
    switch (function) {
      case GREATER, GREATER_OR_EQUAL, EQUAL -> {
        addNothing(node, 0);
        addNothing(node, 1);
      }
      case KEEP, DROP -> {
        differentiate(node, node.wants(0), false);
        addNothing(node, 1);
      }
      default -> differentiate(node);
    }
  }

  /** The derivative is 0: y is constant but for jumps. */
  private static void addNothing(Node node, int input) {
    if (node.wants(input)) {
      Node.Sink sink = node.into(input);
      if (!sink.accumulate()) {
        sink.tensor().fill(0);
      }
    }
  }

  private void differentiate(Node node) {
    if (node.input(0) == node.input(1)) {
      // both gradients go to the same memory, so one after the other
      differentiate(node, true, false);
      differentiate(node, false, true);
    } else {
      differentiate(node, node.wants(0), node.wants(1));
    }
  }

  @Override
  public @Nullable Tensor tangent(Operations on, Node node, List<@Nullable Tensor> tangents) {
    Tensor a = node.input(0);
    Tensor b = node.input(1);
    Tensor da = tangents.get(0);
    Tensor db = tangents.get(1);
    Tensor left = da == null ? null : ofA(on, a, b, da);
    Tensor right = db == null ? null : ofB(on, a, b, node.output(), db);
    return left == null && right == null ? null : TangentSum.of(on, left, right);
  }

  /** da ∂f/∂a. */
  private @Nullable Tensor ofA(Operations on, Tensor a, Tensor b, Tensor da) {
    return switch (function) {
      case ADD, SUBTRACT -> da;
      case MULTIPLY -> on.multiply(da, b);
      case DIVIDE -> on.divide(da, b);
      case MAXIMUM -> on.multiply(da, above(on, a, b));
      case MINIMUM -> on.multiply(da, above(on, b, a));
      case KEEP, DROP -> on.apply(new Binary(function, 0), da, b);
      case GREATER, GREATER_OR_EQUAL, EQUAL -> null;
    };
  }

  /** db ∂f/∂b. */
  private @Nullable Tensor ofB(Operations on, Tensor a, Tensor b, Tensor y, Tensor db) {
    return switch (function) {
      case ADD -> db;
      case SUBTRACT -> on.negate(db);
      case MULTIPLY -> on.multiply(a, db);
      case DIVIDE -> on.negate(on.divide(on.multiply(y, db), b));
      case MAXIMUM -> on.multiply(db, above(on, b, a));
      case MINIMUM -> on.multiply(db, above(on, a, b));
      case KEEP, DROP, GREATER, GREATER_OR_EQUAL, EQUAL -> null;
    };
  }

  /** 1 where a is the larger, 1/2 where they are equal, else 0. */
  private static Tensor above(Operations on, Tensor a, Tensor b) {
    return on.add(on.greater(a, b), on.scale(on.equal(a, b), 0.5));
  }

  private void differentiate(Node node, boolean wantsA, boolean wantsB) {
    if (!wantsA && !wantsB) {
      return;
    }
    Tensor a = node.input(0);
    Tensor b = node.input(1);
    Shape shape = node.output().shape();
    boolean directA = a.elements() == shape.elements();
    boolean directB = b.elements() == shape.elements();
    Node.Sink da = sink(node, 0, wantsA, directA);
    Node.Sink db = sink(node, 1, wantsB, directB);
    Strides s = Strides.of(a.shape(), b.shape(), shape);
    long[] d = s.sizes();
    node.run(
        Kernel.BINARY_BACKWARD,
        new Arguments.BinaryBackward(
            Engine.address(a),
            Engine.address(b),
            Engine.address(node.gradient()),
            da == null ? 0 : Engine.address(da.tensor()),
            db == null ? 0 : Engine.address(db.tensor()),
            d[0],
            d[1],
            d[2],
            d[3],
            s.a()[0],
            s.a()[1],
            s.a()[2],
            s.a()[3],
            s.b()[0],
            s.b()[1],
            s.b()[2],
            s.b()[3],
            function,
            da != null && da.accumulate(),
            db != null && db.accumulate()));
    finish(node, 0, da, directA);
    finish(node, 1, db, directB);
  }

  /**
   * The gradient itself where the input has the result's size, else memory of the result's shape.
   */
  private static Node.@Nullable Sink sink(Node node, int input, boolean wanted, boolean direct) {
    if (!wanted) {
      return null;
    }
    return direct
        ? node.into(input)
        : new Node.Sink(node.make(node.output().dtype(), node.output().shape()), false);
  }

  private static void finish(Node node, int input, Node.@Nullable Sink sink, boolean direct) {
    if (sink != null && !direct) {
      Stretched.sumInto(node, sink.tensor(), node.into(input, node.input(input).dtype().wide()));
      node.release(sink.tensor());
    }
  }
}
