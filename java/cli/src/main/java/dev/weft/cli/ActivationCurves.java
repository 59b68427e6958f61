// SPDX-License-Identifier: Apache-2.0
package dev.weft.cli;

import dev.weft.DType;
import dev.weft.Device;
import dev.weft.Tape;
import dev.weft.Tensor;
import dev.weft.device.Nonlinearity;
import dev.weft.graph.Chart;
import dev.weft.nn.Activation;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;

/** Every activation with its derivative, which a backward pass has given. */
final class ActivationCurves {
  private static final int COLUMNS = 3;
  private static final double REACH = 4;
  private static final int POINTS = 321;

  /** A slope below this is not to be seen. */
  private static final double LEAST_ALPHA = 0.1;

  private ActivationCurves() {}

  static String svg() {
    try (Device device = Device.cpu()) {
      return Chart.svg(charts(device), COLUMNS);
    }
  }

  static List<Chart> charts(Device device) {
    return Arrays.stream(Nonlinearity.values())
        .map(
            function ->
                function.takesAlpha()
                    ? new Activation(
                        function.token(), Math.max(LEAST_ALPHA, function.defaultAlpha()))
                    : Activation.named(function.token()))
        .map(activation -> chart(device, activation))
        .toList();
  }

  private static Chart chart(Device device, Activation activation) {
    double[] at = new double[POINTS];
    Arrays.setAll(at, i -> REACH * (2.0 * i / (POINTS - 1) - 1));
    try (Tape tape = new Tape(device);
        Tensor x = device.tensor(DType.F64, at).requiresGrad()) {
      Tensor y = activation.forward(tape, x);
      tape.backward(tape.sum(y));
      Tensor dx = Objects.requireNonNull(x.grad());
      return new Chart(activation.spec(), at, y.toDoubles(), dx.toDoubles());
    }
  }
}
