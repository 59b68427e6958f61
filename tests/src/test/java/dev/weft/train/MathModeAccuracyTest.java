// SPDX-License-Identifier: Apache-2.0
package dev.weft.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.weft.Device;
import dev.weft.MathMode;
import dev.weft.data.Digits;
import dev.weft.data.Idx;
import dev.weft.data.Split;
import dev.weft.nn.Activation;
import dev.weft.nn.Linear;
import dev.weft.nn.Sequential;
import dev.weft.optim.Adam;
import java.io.IOException;
import java.nio.file.Path;
import java.util.EnumMap;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Digits are told apart as well in every math mode: MNIST's where WEFT_DATA has them. */
class MathModeAccuracyTest {
  private static final double TOLERANCE = 0.002;

  private static Split digits() throws IOException {
    String data = System.getenv("WEFT_DATA");
    return data == null || data.isEmpty()
        ? Digits.generate(60_000, 7)
        : Idx.read(Path.of(data, "mnist"));
  }

  /**
   * Accuracy on the test set after three epochs and one more at a tenth of the rate: the last one
   * takes out the noise of where a run happens to stop, which is larger than 0.2 points.
   */
  private static double accuracy(Split digits, MathMode math, double rate) {
    try (Device device = Device.cpu();
        Sequential network =
            Sequential.of(new Linear(784, 128), Activation.RELU, new Linear(128, 10))) {
      Trainer trainer = Trainer.of(network).on(device).math(math).batch(128).seed(1);
      trainer.optimizer(Adam.rate(rate)).fit(digits.train(), 3);
      return trainer
          .optimizer(Adam.rate(rate / 10))
          .fit(digits.train(), digits.test(), 1)
          .last()
          .test()
          .accuracy();
    }
  }

  @Test
  void everyModeReachesTheSameAccuracy() throws IOException {
    Split digits = digits();
    Map<MathMode, Double> reached = new EnumMap<>(MathMode.class);
    for (MathMode math : new MathMode[] {MathMode.STRICT, MathMode.FAST, MathMode.BF16}) {
      reached.put(math, accuracy(digits, math, 2e-3));
    }
    System.out.println("test accuracy: " + reached);
    double strict = reached.get(MathMode.STRICT);
    assertTrue(strict > 0.97, () -> "the network learns too little: " + reached);
    reached.forEach(
        (math, accuracy) -> assertEquals(strict, accuracy, TOLERANCE, () -> reached.toString()));
    // a run that learns worse is outside the tolerance
    double slow = accuracy(digits, MathMode.BF16, 2e-4);
    assertTrue(strict - slow > TOLERANCE, () -> "a tenth of the rate reaches " + slow);
  }
}
