// SPDX-License-Identifier: Apache-2.0
package dev.weft.nn;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.weft.DType;
import dev.weft.Device;
import dev.weft.Inputs;
import dev.weft.MathMode;
import dev.weft.Tape;
import dev.weft.Tensor;
import dev.weft.check.GradCheck;
import dev.weft.check.Input;
import dev.weft.data.Dataset;
import dev.weft.data.ToySets;
import dev.weft.support.OnEachDevice;
import dev.weft.train.Trainer;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class WeightNormTest {
  @TempDir private Path folder;

  private static double[] forward(Network network, Device device) {
    try (Tape tape = Tape.inference(device);
        Tensor x = Input.randomNormal(5, 2, 7).on(device, DType.F32, 1)) {
      return network.forward(tape, Inputs.of(x)).toDoubles();
    }
  }

  /** The same seed and place: what it computes at first is what the plain layer does. */
  @OnEachDevice
  void itBeginsAsTheLinearLayer(OnEachDevice.Place place) {
    try (Device device = place.open();
        Sequential plain = Sequential.of(new Linear(7, 4)).seed(3);
        Sequential apart = Sequential.of(new WeightNormLinear(7, 4)).seed(3)) {
      double[] expected = forward(plain.on(device), device);
      assertArrayEquals(expected, forward(apart.on(device), device), 1e-6);
      // twice the length, twice the result; the direction alone changes nothing
      Tensor length = apart.named().get("0.length").tensor();
      length.copyFrom(Arrays.stream(length.toDoubles()).map(g -> 2 * g).toArray());
      Tensor direction = apart.named().get("0.direction").tensor();
      direction.copyFrom(Arrays.stream(direction.toDoubles()).map(v -> 5 * v).toArray());
      double[] twice = Arrays.stream(expected).map(y -> 2 * y).toArray();
      assertArrayEquals(twice, forward(apart, device), 1e-5);
    }
  }

  @Test
  void itPassesAGradientCheck() {
    GradCheck.of(new WeightNormLinear(6, 3), GradCheck.randomNormal(4, 6)).assertPasses();
    GradCheck.of(new WeightNormLinear(3, 2), GradCheck.randomNormal(2, 4, 3)).assertPasses();
  }

  /** Where PyTorch has NaN. */
  @OnEachDevice
  void aColumnOfZerosHasWeightsZeroAndAGradient(OnEachDevice.Place place) {
    try (Device device = place.open();
        Sequential network =
            Sequential.of(new WeightNormLinear(3, 2, Initializers.zeros())).on(device);
        Tape tape = new Tape(device);
        Tensor x = Input.randomNormal(4, 3).on(device, DType.F32, 1)) {
      network.named().get("0.length").tensor().fill(1);
      Tensor y = network.forward(tape, Inputs.of(x));
      assertArrayEquals(new double[8], y.toDoubles());
      tape.backward(tape.sum(y));
      network
          .named()
          .values()
          .forEach(
              parameter -> {
                double[] gradient = parameter.tensor().grad().toDoubles();
                assertTrue(
                    Arrays.stream(gradient).allMatch(Double::isFinite),
                    () -> parameter + ": " + Arrays.toString(gradient));
              });
    }
  }

  @OnEachDevice
  void itTrainsAndIsSaved(OnEachDevice.Place place) throws Exception {
    Dataset data = ToySets.moons(60, 0.1, 1);
    for (MathMode math : new MathMode[] {MathMode.STRICT, MathMode.BF16}) {
      try (Device device = place.open();
          Sequential network =
              Sequential.parse("weight_norm_linear(2,16) tanh weight_norm_linear(16,2)")) {
        var history = Trainer.of(network).on(device).math(math).batch(10).fit(data, data, 5);
        double first = history.epochs().getFirst().test().loss();
        assertTrue(history.last().test().loss() < first);
        Path file = folder.resolve("network.safetensors");
        network.save(file);
        try (Network again = Network.load(file)) {
          assertEquals(network.spec(), again.spec());
        }
      }
    }
  }

  @Test
  void whatDoesNotFitIsRefused() {
    assertThrows(IllegalArgumentException.class, () -> new WeightNormLinear(0, 2));
    try (Device device = Device.cpu();
        Sequential network = Sequential.of(new WeightNormLinear(3, 2)).on(device);
        Tape tape = new Tape(device);
        Tensor x = Input.randomNormal(4, 5).on(device, DType.F32, 1)) {
      IllegalArgumentException e =
          assertThrows(IllegalArgumentException.class, () -> network.forward(tape, Inputs.of(x)));
      assertEquals("WeightNormLinear(3, 2) got x of shape [4, 5]", e.getMessage());
    }
  }
}
