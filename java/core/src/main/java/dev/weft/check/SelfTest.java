// SPDX-License-Identifier: Apache-2.0
package dev.weft.check;

import dev.weft.DType;
import dev.weft.Device;
import dev.weft.Shape;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.function.Consumer;

/**
 * Runs the cases of operations on a device: gradients against finite differences, and results and
 * gradients, overwritten and accumulated, against the CPU's in float64.
 */
public final class SelfTest {
  /** The seed of everything that is drawn. */
  public static final long SEED = 7;

  private final Device device;
  private final Consumer<CheckResult> listener;
  private long most = Long.MAX_VALUE;

  /**
   * A test of a device.
   *
   * @param listener is told each result as soon as it is there
   */
  public SelfTest(Device device, Consumer<CheckResult> listener) {
    this.device = device;
    this.listener = listener;
  }

  /** Leaves out the examples whose inputs have together more than {@code most} elements. */
  public SelfTest elements(long most) {
    this.most = most;
    return this;
  }

  /** Gradients and parity of every case. */
  public List<CheckResult> run() {
    List<CheckResult> results = new ArrayList<>(gradients(OperationCases.all()));
    results.addAll(parity(OperationCases.all()));
    return results;
  }

  /** Compares gradients with finite differences, in float64. */
  public List<CheckResult> gradients(List<OperationCase> cases) {
    List<CheckResult> results = new ArrayList<>();
    for (OperationCase operation : cases) {
      for (List<Input> example : operation.examples(most)) {
        results.add(
            timed(operation, example, CheckResult.Kind.GRADIENT, DType.F64, this::gradient));
      }
    }
    return results;
  }

  /**
   * Compares results and gradients in float32, float64 and bfloat16 with those of the CPU in
   * float64, of the same inputs.
   */
  public List<CheckResult> parity(List<OperationCase> cases) {
    List<CheckResult> results = new ArrayList<>();
    try (Device cpu = Device.cpu()) {
      for (OperationCase operation : cases) {
        for (List<Input> example : operation.examples(most)) {
          for (DType dtype : List.of(DType.F32, DType.F64, DType.BF16)) {
            results.add(
                timed(
                    operation,
                    example,
                    CheckResult.Kind.PARITY,
                    dtype,
                    (each, at, precision) -> parity(each, at, precision, cpu)));
          }
        }
      }
    }
    return results;
  }

  private record Outcome(double error, double tolerance, Verdict verdict, String detail) {}

  private interface Check {
    Outcome run(OperationCase operation, List<Input> example, DType dtype);
  }

  private CheckResult timed(
      OperationCase operation,
      List<Input> example,
      CheckResult.Kind kind,
      DType dtype,
      Check check) {
    long start = System.nanoTime();
    Outcome outcome;
    try {
      outcome = check.run(operation, example, dtype);
    } catch (RuntimeException e) {
      // a row of the table: the other operations are still worth testing
      outcome = new Outcome(Double.POSITIVE_INFINITY, 0, Verdict.WRONG, e.toString());
    }
    CheckResult result =
        new CheckResult(
            operation.name(),
            kind,
            device.name(),
            OperationCase.shapes(example),
            dtype,
            outcome.error(),
            outcome.tolerance(),
            outcome.verdict(),
            (System.nanoTime() - start) / 1e6,
            outcome.detail());
    listener.accept(result);
    return result;
  }

  private Outcome gradient(OperationCase operation, List<Input> example, DType dtype) {
    GradientReport report = operation.gradient(example).on(device).check();
    return new Outcome(
        report.largestError(), report.tolerance(), report.verdict(), report.toString());
  }

  private Outcome parity(OperationCase operation, List<Input> example, DType dtype, Device cpu) {
    FunctionResult expected =
        FunctionResult.of(operation.function(), example, cpu, DType.F64, dtype, SEED);
    FunctionResult actual = FunctionResult.of(operation.function(), example, device, dtype, SEED);
    List<Shape> shapes = example.stream().map(Input::shape).toList();
    List<FunctionResult.Part> parts =
        expected.compare(actual, dtype, Math.max(1, operation.terms().of(shapes)));
    FunctionResult.Part worst =
        parts.stream().max(Comparator.comparingDouble(part -> part.comparison().error())).get();
    return new Outcome(
        worst.comparison().error(),
        worst.comparison().tolerance(),
        parts.stream().allMatch(part -> part.comparison().passed()) ? Verdict.OK : Verdict.WRONG,
        worst.toString());
  }
}
