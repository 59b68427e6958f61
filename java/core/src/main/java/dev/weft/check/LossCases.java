// SPDX-License-Identifier: Apache-2.0
package dev.weft.check;

import dev.weft.device.ValueLossFunction;
import dev.weft.op.LossReduction;
import dev.weft.op.MultiClassHingeOperation;
import dev.weft.op.Operands;
import dev.weft.op.RowWeights;
import dev.weft.op.SoftmaxCrossEntropyDistributionOperation;
import dev.weft.op.SoftmaxCrossEntropyDistributionOperation.Kind;
import dev.weft.op.SoftmaxCrossEntropyOperation;
import dev.weft.op.ValueLossOperation;
import java.util.ArrayList;
import java.util.List;

/** Losses: of values, and of rows with labels or distributions. */
final class LossCases {
  private LossCases() {}

  private static final long[][] MATRICES = {
    {1, 1}, {1, 7}, {13, 5}, {3, 1031}, {9, 1024}, {40, 1500}, {5000, 3}
  };

  static List<OperationCase> all() {
    List<OperationCase> cases = new ArrayList<>();
    for (ValueLossFunction function : ValueLossFunction.values()) {
      cases.add(
          switch (function) {
            case SQUARED, ABSOLUTE, HUBER, EPSILON_INSENSITIVE ->
                difference(function, LossReduction.MEAN);
            case LOGISTIC, HINGE, SQUARED_HINGE -> binary(function);
          });
    }
    cases.add(difference(ValueLossFunction.SQUARED, LossReduction.SUM));
    cases.add(weightedLogistic());
    cases.add(weightedHuber());
    cases.add(crossEntropy("softmax_cross_entropy", 0));
    cases.add(crossEntropy("softmax_cross_entropy_smoothed", 0.1));
    cases.add(weightedCrossEntropy());
    cases.add(distribution(Kind.CROSS_ENTROPY));
    cases.add(distribution(Kind.KL_DIVERGENCE));
    cases.add(weightedDistribution());
    cases.add(multiClassHinge());
    cases.add(weightedMultiClassHinge());
    return List.copyOf(cases);
  }

  /** Weights, some of them 0. */
  private static Input weights(long... sizes) {
    return Input.uniform(0, 3, sizes).onto(1, 0).withoutGradient();
  }

  /** Probabilities, some of them 0, which add up to whatever they do. */
  private static Input probabilities(long... sizes) {
    return Input.uniform(0, 1, sizes).onto(0.25, 0).withoutGradient();
  }

  /** The loss may have a kink where x and t are equal, or differ by alpha. */
  private static OperationCase difference(ValueLossFunction function, LossReduction reduction) {
    ValueLossOperation loss = new ValueLossOperation(function, reduction);
    OperationCase operation =
        OperationCase.of(
                loss.name(),
                ValueLossOperation.class,
                (tape, in) -> {
                  tape.check(loss.name(), Operands.floating("x", "t"), in);
                  return tape.apply(loss, in[0], tape.wide(in[1]));
                })
            .summing(inputs -> inputs.get(0).elements());
    for (long[] shape : new long[][] {{1, 1}, {13, 5}, {3, 1031}, {40, 1500}, {7}, {2, 3, 5}}) {
      operation =
          operation.at(
              Input.randomNormal(shape).onto(0.25, 0.0625),
              Input.randomNormal(shape).onto(0.25, 0));
    }
    return operation;
  }

  /** Targets between 0 and 1, or at -1 and 1. */
  private static Input targets(ValueLossFunction function, long... sizes) {
    return function == ValueLossFunction.LOGISTIC
        ? probabilities(sizes)
        : Input.uniform(-1, 1, sizes).onto(2, 1).withoutGradient();
  }

  private static OperationCase binary(ValueLossFunction function) {
    ValueLossOperation loss = new ValueLossOperation(function, LossReduction.SUM);
    OperationCase operation =
        OperationCase.of(
                loss.name(),
                ValueLossOperation.class,
                (tape, in) -> {
                  tape.check(loss.name(), Operands.floating("x", "t"), in);
                  return tape.apply(loss, in[0], tape.wide(in[1]));
                })
            .summing(inputs -> inputs.get(0).elements());
    for (long[] shape : new long[][] {{1, 1}, {13, 5}, {3, 1031}, {40, 1500}, {7}}) {
      operation =
          operation.at(Input.randomNormal(shape).onto(0.25, 0.125), targets(function, shape));
    }
    return operation;
  }

  private static OperationCase weightedLogistic() {
    ValueLossOperation loss =
        new ValueLossOperation(ValueLossFunction.LOGISTIC, 1, LossReduction.NONE, RowWeights.GIVEN);
    OperationCase operation =
        OperationCase.of(
            "binary_cross_entropy_weighted",
            ValueLossOperation.class,
            (tape, in) -> {
              tape.check(loss.name(), Operands.floating("x", "t", "weights", "p"), in);
              return tape.apply(loss, in[0], tape.wide(in[1]), tape.wide(in[2]), tape.wide(in[3]));
            });
    for (long[] shape : new long[][] {{1, 1}, {13, 5}, {3, 1031}, {1500, 4}, {2100, 1}}) {
      operation =
          operation.at(
              Input.randomNormal(shape),
              probabilities(shape),
              weights(shape[0]),
              Input.uniform(0.5, 4, shape[1]).withoutGradient());
    }
    return operation;
  }

  private static OperationCase weightedHuber() {
    ValueLossOperation loss =
        new ValueLossOperation(ValueLossFunction.HUBER, 0.75, LossReduction.MEAN, RowWeights.GIVEN);
    OperationCase operation =
        OperationCase.of(
                "huber_weighted",
                ValueLossOperation.class,
                (tape, in) -> {
                  tape.check(loss.name(), Operands.floating("x", "t", "weights"), in);
                  return tape.apply(loss, in[0], tape.wide(in[1]), tape.wide(in[2]));
                })
            .summing(inputs -> inputs.get(0).elements());
    for (long[] shape : new long[][] {{1, 1}, {13, 5}, {3, 1031}}) {
      operation =
          operation.at(Input.randomNormal(shape), Input.randomNormal(shape), weights(shape[0]));
    }
    return operation;
  }

  private static OperationCase crossEntropy(String name, double smoothing) {
    SoftmaxCrossEntropyOperation loss = new SoftmaxCrossEntropyOperation(smoothing);
    OperationCase operation =
        OperationCase.of(
                name,
                SoftmaxCrossEntropyOperation.class,
                (tape, in) -> tape.apply(loss, in[0], in[1]))
            .summing(inputs -> Math.max(inputs.get(0).size(0), inputs.get(0).size(1)));
    for (long[] shape : MATRICES) {
      operation =
          operation.at(Input.uniform(-4, 4, shape), Input.integers((int) shape[1], shape[0]));
    }
    return operation;
  }

  /** Losses of rows, some of weight 0, with a dy for each. */
  private static OperationCase weightedCrossEntropy() {
    SoftmaxCrossEntropyOperation loss =
        new SoftmaxCrossEntropyOperation(0.1, LossReduction.NONE, RowWeights.GIVEN);
    OperationCase operation =
        OperationCase.of(
                "softmax_cross_entropy_weighted",
                SoftmaxCrossEntropyOperation.class,
                (tape, in) -> {
                  Operands operands =
                      Operands.floatingAndInt32("logits", "labels").andFloating("weights");
                  tape.check(loss.name(), operands, in);
                  return tape.apply(loss, in[0], in[1], tape.wide(in[2]));
                })
            .summing(inputs -> inputs.get(0).size(1));
    for (long[] shape : new long[][] {{1, 1}, {13, 5}, {3, 70}, {9, 1024}, {2, 4100}}) {
      operation =
          operation.at(
              Input.uniform(-4, 4, shape),
              Input.integers((int) shape[1], shape[0]),
              weights(shape[0]));
    }
    return operation;
  }

  private static OperationCase distribution(Kind kind) {
    var loss =
        new SoftmaxCrossEntropyDistributionOperation(kind, LossReduction.MEAN, RowWeights.EQUAL);
    OperationCase operation =
        OperationCase.of(
                loss.name(),
                SoftmaxCrossEntropyDistributionOperation.class,
                (tape, in) -> {
                  tape.check(loss.name(), Operands.floating("logits", "q"), in);
                  return tape.apply(loss, in[0], tape.wide(in[1]));
                })
            .summing(inputs -> Math.max(inputs.get(0).size(0), inputs.get(0).size(1)));
    for (long[] shape : MATRICES) {
      operation = operation.at(Input.uniform(-4, 4, shape), probabilities(shape));
    }
    return operation;
  }

  /** One distribution for all rows. */
  private static OperationCase weightedDistribution() {
    var loss =
        new SoftmaxCrossEntropyDistributionOperation(
            Kind.CROSS_ENTROPY, LossReduction.NONE, RowWeights.GIVEN);
    OperationCase operation =
        OperationCase.of(
                "cross_entropy_of_distributions_weighted",
                SoftmaxCrossEntropyDistributionOperation.class,
                (tape, in) -> {
                  Operands operands = Operands.floating("logits", "q", "weights");
                  tape.check(loss.name(), operands, in);
                  return tape.apply(loss, in[0], tape.wide(in[1]), tape.wide(in[2]));
                })
            .summing(inputs -> 4 * inputs.get(0).size(1));
    for (long[] shape : new long[][] {{1, 1}, {13, 5}, {3, 70}, {9, 1024}, {2, 4100}}) {
      operation =
          operation.at(Input.uniform(-4, 4, shape), probabilities(shape[1]), weights(shape[0]));
    }
    return operation;
  }

  private static OperationCase multiClassHinge() {
    var loss = new MultiClassHingeOperation(1.125, LossReduction.MEAN, RowWeights.EQUAL);
    OperationCase operation =
        OperationCase.of(
                "multi_class_hinge",
                MultiClassHingeOperation.class,
                (tape, in) -> tape.apply(loss, in[0], in[1]))
            .summing(inputs -> inputs.get(0).elements());
    for (long[] shape : MATRICES) {
      operation =
          operation.at(
              Input.randomNormal(shape).onto(0.25, 0), Input.integers((int) shape[1], shape[0]));
    }
    return operation;
  }

  private static OperationCase weightedMultiClassHinge() {
    var loss = new MultiClassHingeOperation(0.625, LossReduction.NONE, RowWeights.GIVEN);
    OperationCase operation =
        OperationCase.of(
                "multi_class_hinge_weighted",
                MultiClassHingeOperation.class,
                (tape, in) -> {
                  Operands operands =
                      Operands.floatingAndInt32("x", "labels").andFloating("weights");
                  tape.check(loss.name(), operands, in);
                  return tape.apply(loss, in[0], in[1], tape.wide(in[2]));
                })
            .summing(inputs -> 2 * inputs.get(0).size(1));
    for (long[] shape : new long[][] {{1, 1}, {13, 5}, {3, 70}, {9, 1024}, {2, 4100}}) {
      operation =
          operation.at(
              Input.randomNormal(shape).onto(0.25, 0),
              Input.integers((int) shape[1], shape[0]),
              weights(shape[0]));
    }
    return operation;
  }
}
