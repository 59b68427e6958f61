// SPDX-License-Identifier: Apache-2.0
package dev.weft.check;

import dev.weft.Operations;
import dev.weft.Tensor;
import dev.weft.device.BinaryFunction;
import dev.weft.device.Nonlinearity;
import dev.weft.device.UnaryFunction;
import dev.weft.op.BiasActivation;
import dev.weft.op.Binary;
import dev.weft.op.DropoutOperation;
import dev.weft.op.Operands;
import dev.weft.op.Reduction;
import dev.weft.op.Unary;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;

/** Activations, unary and binary functions and dropout. */
final class ElementwiseCases {
  private static final long[][] SHAPES = {{1}, {7}, {13, 5}, {3, 1031}, {40, 1500}, {0, 4}};

  private ElementwiseCases() {}

  static List<OperationCase> all() {
    List<OperationCase> cases = new ArrayList<>();
    for (Nonlinearity function : Nonlinearity.values()) {
      cases.add(activation(function));
      cases.add(biasActivation(function));
    }
    for (UnaryFunction function : UnaryFunction.values()) {
      cases.add(unary(function, function.takesAlpha() ? -1.7 : 0, "", unaryInput(function)));
    }
    cases.add(unary(UnaryFunction.POW, 3, "_of_negatives", Input::randomNormal));
    for (BinaryFunction function : BinaryFunction.values()) {
      cases.add(binary(function));
    }
    cases.add(fiveAxes());
    cases.add(where());
    cases.add(prelu());
    cases.add(maxout());
    cases.add(dropout());
    return cases;
  }

  /** Inputs that keep away from where ReLU and its kin, and hard functions, have no derivative. */
  private static Input activated(long... sizes) {
    Input x = Input.uniform(-4, 4, sizes);
    for (double kink : new double[] {-3, -1, 0, 1, 3}) {
      x = x.awayFrom(kink, 0.01);
    }
    return x;
  }

  private static OperationCase activation(Nonlinearity function) {
    OperationCase operation =
        OperationCase.of(
            "bias_activation_" + function.token(),
            BiasActivation.class,
            (tape, in) -> tape.apply(new BiasActivation(function, function.defaultAlpha()), in[0]));
    for (long[] shape : SHAPES) {
      operation = operation.at(activated(shape));
    }
    return operation;
  }

  /** Also with another alpha than the default. Grids, so that no x + b comes close to 0. */
  private static OperationCase biasActivation(Nonlinearity function) {
    double alpha = 1.3;
    OperationCase operation =
        OperationCase.of(
                "bias_activation_" + function.token() + "_with_bias",
                BiasActivation.class,
                (tape, in) -> tape.apply(new BiasActivation(function, alpha), in[0], in[1]))
            .summing(inputs -> inputs.get(0).elements() / Math.max(1, inputs.get(1).elements()));
    for (long[] shape : new long[][] {{1, 1}, {13, 5}, {3, 1031}, {40, 1500}, {0, 4}}) {
      // x on multiples of 1/64 beside a bias on odd multiples of 1/128: x + b is never 0
      Input x = Input.uniform(-4, 4, shape).onto(0x1p-6, 0);
      Input b = Input.uniform(-1, 1, shape[1]).onto(0x1p-6, 0x1p-7);
      operation = operation.at(x, b);
    }
    return operation;
  }

  private static Function<long[], Input> unaryInput(UnaryFunction function) {
    return switch (function) {
      case LOG, SQRT, POW -> shape -> Input.uniform(0.25, 3, shape);
      case NORM_ROOT -> shape -> Input.uniform(0.25, 3, shape);
      case AT_LEAST, AT_MOST -> shape -> Input.uniform(-3, 3, shape).awayFrom(-1.7, 0.01);
      case RECIPROCAL, ABS -> shape -> Input.uniform(-3, 3, shape).awayFrom(0, 0.25);
      case SCALE, SHIFT, EXP, SQUARE, ERF -> shape -> Input.uniform(-3, 3, shape);
    };
  }

  private static OperationCase unary(
      UnaryFunction function, double alpha, String suffix, Function<long[], Input> input) {
    Unary unary = new Unary(function, alpha);
    OperationCase operation =
        OperationCase.of(
            unary.name() + suffix, Unary.class, (tape, in) -> tape.apply(unary, in[0]));
    for (long[] shape : SHAPES) {
      operation = operation.at(input.apply(shape));
    }
    return operation;
  }

  private static final long[][][] PAIRS = {
    {{1}, {1}},
    {{7}, {7}},
    {{40, 1500}, {40, 1500}}, // the same
    {{13, 5}, {5}},
    {{3, 1031}, {1031}},
    {{40, 1500}, {1500}}, // a row to each row
    {{13, 5}, {13, 1}},
    {{3, 1031}, {3, 1}}, // a column to each column
    {{13, 5}, {}},
    {{}, {3, 1031}},
    {{}, {}}, // a scalar
    {{13, 1}, {1, 5}},
    {{5}, {13, 1}}, // each stretched along another axis
    {{2, 3, 5}, {2, 1, 5}},
    {{4, 1, 3, 1}, {2, 1, 5}},
    {{2, 3, 1, 5, 7}, {1, 3, 4, 5, 7}},
    {{0, 4}, {4}},
    {{0, 4}, {0, 4}}
  };

  private static OperationCase binary(BinaryFunction function) {
    Binary binary = new Binary(function);
    OperationCase operation =
        OperationCase.of(
                binary.name(),
                Binary.class,
                (tape, in) -> {
                  tape.check(binary.name(), binary.operands(), in);
                  return switch (function) {
                    // of numbers that may move a little and stay equal, or 0
                    case EQUAL ->
                        tape.apply(binary, isPositive(tape, in[0]), isPositive(tape, in[1]));
                    case KEEP, DROP -> tape.apply(binary, in[0], isPositive(tape, in[1]));
                    default -> tape.apply(binary, in[0], in[1]);
                  };
                })
            .summing(inputs -> inputs.stream().mapToLong(s -> s.elements()).max().orElse(1));
    for (long[][] pair : PAIRS) {
      Input a = Input.uniform(-3, 3, pair[0]);
      Input b = Input.uniform(-3, 3, pair[1]);
      operation =
          switch (function) {
            case DIVIDE -> operation.at(a, b.awayFrom(0, 0.25));
            // never equal, where the larger of the two changes
            case MAXIMUM, MINIMUM, GREATER, GREATER_OR_EQUAL ->
                operation.at(a.onto(0x1p-6, 0), b.onto(0x1p-6, 0x1p-7));
            case EQUAL -> operation.at(a.awayFrom(0, 0.01), b.awayFrom(0, 0.01));
            case KEEP, DROP -> operation.at(a, b.awayFrom(0, 0.01));
            case ADD, SUBTRACT, MULTIPLY -> operation.at(a, b);
          };
    }
    return operation;
  }

  /** 1 or 0, with derivative 0, where x is not next to 0. */
  private static Tensor isPositive(Operations tape, Tensor x) {
    return tape.hardSigmoid(tape.scale(x, 1000));
  }

  /** More axes than the kernel has. */
  private static OperationCase fiveAxes() {
    return OperationCase.of(
            "binary_multiply_of_five_axes", Binary.class, (tape, in) -> tape.multiply(in[0], in[1]))
        .summing(inputs -> 12)
        .at(Input.uniform(-3, 3, 3, 1, 2, 1, 5), Input.uniform(-3, 3, 1, 4, 1, 3, 1))
        .at(Input.uniform(-3, 3, 3, 1, 2, 1, 5), Input.uniform(-3, 3, 4, 1, 3, 1));
  }

  /** The mask is made from the first. */
  private static OperationCase where() {
    OperationCase operation =
        OperationCase.of(
                "where",
                Binary.class,
                (tape, in) -> {
                  tape.check("where", Operands.floating("mask", "a", "b"), in);
                  return tape.where(isPositive(tape, in[0]), in[1], in[2]);
                })
            .summing(inputs -> inputs.get(0).elements());
    for (long[] shape : SHAPES) {
      Input mask = Input.uniform(-3, 3, shape).awayFrom(0, 0.01);
      operation =
          operation
              .at(mask, Input.uniform(-3, 3, shape), Input.uniform(-3, 3, shape))
              .at(mask, Input.uniform(-3, 3), Input.uniform(-3, 3, shape[shape.length - 1]));
    }
    return operation;
  }

  private static OperationCase prelu() {
    OperationCase operation =
        OperationCase.of("prelu", Binary.class, (tape, in) -> tape.prelu(in[0], in[1]))
            .summing(inputs -> inputs.get(0).elements());
    for (long[] shape : SHAPES) {
      Input x = Input.uniform(-3, 3, shape).awayFrom(0, 0.01);
      operation =
          operation
              .at(x, Input.uniform(-1, 1, shape[shape.length - 1]))
              .at(x, Input.uniform(-1, 1, 1));
    }
    return operation;
  }

  /** Three pieces. */
  private static OperationCase maxout() {
    OperationCase operation =
        OperationCase.of("maxout", Reduction.class, (tape, in) -> tape.maxout(in[0], 3));
    for (long[] shape : new long[][] {{3}, {13, 15}, {2, 3, 21}, {40, 1500}, {0, 6}}) {
      operation = operation.at(Input.grid(-3, 3, shape));
    }
    return operation;
  }

  private static OperationCase dropout() {
    OperationCase operation =
        OperationCase.of("dropout", DropoutOperation.class, (tape, in) -> tape.dropout(in[0], 0.3));
    for (long[] shape : SHAPES) {
      operation = operation.at(Input.uniform(-3, 3, shape));
    }
    return operation;
  }
}
