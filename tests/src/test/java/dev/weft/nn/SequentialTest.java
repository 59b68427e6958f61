// SPDX-License-Identifier: Apache-2.0
package dev.weft.nn;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.weft.DType;
import dev.weft.Device;
import dev.weft.MathMode;
import dev.weft.Shape;
import dev.weft.Tape;
import dev.weft.Tensor;
import dev.weft.data.ToySets;
import dev.weft.io.Safetensors;
import dev.weft.train.Trainer;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class SequentialTest {
  @TempDir Path folder;

  @Test
  void anActivationThatSomebodyWroteIsNamed() {
    Linear linear = new Linear(2, 3);
    assertEquals(
        "0 linear(2,3) identity",
        Stage.of(List.of(linear, Activation.IDENTITY)).getFirst().label());
    assertEquals("0 linear(2,3)", Stage.of(List.of(linear)).getFirst().label());
  }

  @Test
  void forwardIsWorkedByHand() {
    try (Device device = Device.cpu();
        Tape tape = Tape.inference(device)) {
      Sequential network = Sequential.of(new Linear(2, 2), Activation.RELU, new Linear(2, 1));
      network.on(device, MathMode.DOUBLE);
      set(network, "0.weight", 1, -1, 2, 1);
      set(network, "0.bias", 0.5, -3);
      set(network, "2.weight", 2, 10);
      set(network, "2.bias", 1);
      // (1, 2) W = (5, 1), + b = (5.5, -2), relu = (5.5, 0), y = 12
      try (Tensor x = device.tensor(DType.F64, new double[][] {{1, 2}})) {
        assertArrayEquals(new double[] {12}, network.forward(tape, x).toDoubles());
      }
      network.close();
    }
  }

  @Test
  void predictionsAreTheOutputsOfForward() {
    try (Device device = Device.cpu()) {
      Sequential network =
          Sequential.of(new Linear(2, 3), Activation.TANH).on(device, MathMode.DOUBLE);
      double[][] x = {{1, 2}, {-1, 0.5}, {0, 0}};
      double[][] y = network.scores(x);
      assertEquals(3, y.length);
      try (Tape tape = Tape.inference(device);
          Tensor batch = device.tensor(DType.F64, x)) {
        double[] expected = network.forward(tape, batch).toDoubles();
        for (int r = 0; r < 3; r++) {
          assertArrayEquals(Arrays.copyOfRange(expected, 3 * r, 3 * r + 3), y[r]);
        }
      }
      assertEquals(0, network.scores(new double[0][2]).length);
      network.close();
      assertEquals(0, device.memory().live());
      assertThrows(IllegalStateException.class, () -> network.scores(x));
    }
  }

  private static void set(Sequential network, String name, double... values) {
    network.named().get(name).tensor().copyFrom(MemorySegment.ofArray(values));
  }

  @Test
  void aSavedNetworkLoadsAndComputesTheSameBits() throws IOException {
    Path file = folder.resolve("network.safetensors");
    Sequential network =
        Sequential.parse(
            "linear(7,5) layer_norm(5,0.01) leaky_relu(0.1) dropout(0.3) prelu maxout(5,4,3)"
                + " prelu(4) linear(4,3,no_bias) hard_swish tanh");
    try (Device device = Device.cpu();
        Tensor x = ramp(device, DType.F32, 4, 7)) {
      network.seed(11).on(device);
      network.named().get("1.scale").tensor().fill(0.7);
      network.named().get("1.shift").tensor().fill(-0.2);
      network.save(file);
      Sequential again = Sequential.load(file).on(device);
      assertEquals(network.spec(), again.spec());
      try (Tape tape = Tape.inference(device)) {
        assertArrayEquals(network.forward(tape, x).toFloats(), again.forward(tape, x).toFloats());
      }
      again.close();
      network.close();
    }
  }

  @Test
  void aFloat64FileIsReadIntoFloat32AndBack() throws IOException {
    Path file = folder.resolve("network.safetensors");
    try (Device device = Device.cpu()) {
      Sequential network = Sequential.of(new Linear(3, 2)).seed(4).on(device, MathMode.DOUBLE);
      network.save(file);
      double[] wide = network.named().get("0.weight").tensor().toDoubles();
      network.close();
      Sequential narrow = Sequential.load(file).on(device);
      double[] read = narrow.named().get("0.weight").tensor().toDoubles();
      for (int i = 0; i < wide.length; i++) {
        assertEquals((float) wide[i], read[i]);
      }
      narrow.close();
    }
  }

  private static double[] drawn(Sequential network, Device device) {
    try (network) {
      return network.on(device).arena().values().toDoubles();
    }
  }

  @Test
  void newValuesAreDrawnFromTheSeed() {
    try (Device device = Device.cpu()) {
      double[] one = drawn(Sequential.of(new Linear(3, 2)), device);
      double[] four = drawn(Sequential.of(new Linear(3, 2)).seed(4), device);
      assertArrayEquals(one, drawn(Sequential.of(new Linear(3, 2)).seed(1), device));
      assertFalse(Arrays.equals(one, four));
      var data = ToySets.moons(8, 0.1, 1);
      for (long trainers : new long[] {1, 9}) {
        Sequential network = Sequential.of(new Linear(2, 2));
        Sequential told = Sequential.of(new Linear(2, 2)).seed(4);
        Trainer.of(network).on(device).seed(trainers).start(data).close();
        Trainer.of(told).on(device).seed(trainers).start(data).close();
        double[] expected = drawn(Sequential.of(new Linear(2, 2)).seed(trainers), device);
        assertArrayEquals(expected, network.arena().values().toDoubles());
        expected = drawn(Sequential.of(new Linear(2, 2)).seed(4), device);
        assertArrayEquals(expected, told.arena().values().toDoubles());
        network.close();
        told.close();
      }
    }
  }

  @Test
  void aSeedThatComesTooLateIsRefused() throws IOException {
    Path file = folder.resolve("network.safetensors");
    try (Device device = Device.cpu()) {
      Sequential network = Sequential.of(new Linear(3, 2)).on(device);
      network.save(file);
      for (Sequential with : List.of(network, Sequential.load(file))) {
        String message = assertThrows(IllegalStateException.class, () -> with.seed(5)).getMessage();
        assertTrue(message.startsWith("the network has its values, and the seed 5 would"), message);
      }
      network.close();
      String message =
          assertThrows(IllegalStateException.class, () -> network.seed(5)).getMessage();
      assertTrue(message.startsWith("the network is closed"), message);
    }
  }

  @Test
  void aNetworkKeepsItsMathModeWhenItMoves() {
    try (Device one = Device.cpu();
        Device two = Device.cpu();
        Sequential network = Sequential.of(new Linear(3, 2)).on(one)) {
      assertEquals(MathMode.STRICT, network.math());
      assertEquals(MathMode.BF16, network.on(one, MathMode.BF16).math());
      assertEquals(MathMode.BF16, network.on(two).math());
    }
  }

  @Test
  void movingToAnotherDeviceTakesTheValuesAlong() {
    try (Device one = Device.cpu();
        Device two = Device.cpu()) {
      Sequential network = Sequential.of(new Linear(3, 2)).seed(4).on(one);
      double[] before = network.named().get("0.weight").tensor().toDoubles();
      network.on(two);
      assertArrayEquals(before, network.named().get("0.weight").tensor().toDoubles());
      assertEquals(0, one.memory().live());
      network.close();
    }
  }

  @ParameterizedTest
  @CsvSource({
    "0.weight, F32, '3,3', 'tensor 0.weight has shape [3, 3]'",
    "other, F32, '3,2', 'no tensor 0.weight'",
    "0.weight, I64, '3,2', 'has type I64'"
  })
  void aFileThatDoesNotHoldTheNetworkSaysWhat(String name, String dtype, String sizes, String words)
      throws IOException {
    Path file = folder.resolve("network.safetensors");
    long[] shape = Arrays.stream(sizes.split(",")).mapToLong(Long::parseLong).toArray();
    long bytes = Shape.of(shape).elements() * (dtype.equals("I64") ? 8 : 4);
    Safetensors.write(
        file,
        Map.of(
            name,
            new Safetensors.Entry(dtype, shape, MemorySegment.ofArray(new byte[(int) bytes]))),
        Map.of("network", "linear(3,2,no_bias)"));
    IOException e = assertThrows(IOException.class, () -> Sequential.load(file));
    assertTrue(e.getMessage().contains(words), e.getMessage());
    assertTrue(e.getMessage().contains(file.toString()), e.getMessage());
  }

  @Test
  void aFileOfSomethingElseSaysSo() throws IOException {
    Path file = folder.resolve("plain.safetensors");
    Safetensors.write(file, Map.of(), Map.of());
    IOException e = assertThrows(IOException.class, () -> Sequential.load(file));
    assertTrue(e.getMessage().contains("not a network of Weft"), e.getMessage());
    assertThrows(IOException.class, () -> Sequential.load(folder.resolve("absent")));
  }

  @Test
  void savingBeforeThereAreValuesIsAnError() {
    Path file = folder.resolve("network.safetensors");
    Sequential network = Sequential.of(new Linear(1, 1));
    assertThrows(IllegalStateException.class, () -> network.save(file));
    assertTrue(Files.notExists(file));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "linear(3)",
        "linear(3,x)",
        "linear(0,2)",
        "relo",
        "dropout(1)",
        "dropout",
        "relu(",
        "leaky_relu(-1)",
        "linear(2,3,bias)",
        "linear(2,3) linear(4,2)",
        ""
      })
  void aWrongSpecIsRefusedInTheUsersWords(String spec) {
    IllegalArgumentException e =
        assertThrows(IllegalArgumentException.class, () -> Sequential.parse(spec));
    assertTrue(e.getMessage().length() > 20, e.getMessage());
  }

  @Test
  void aBatchOfAnotherWidthNamesTheLayer() {
    try (Device device = Device.cpu();
        Tape tape = Tape.inference(device);
        Tensor x = ramp(device, DType.F32, 128, 783)) {
      Sequential network = Sequential.of(new Linear(784, 10)).on(device);
      IllegalArgumentException e =
          assertThrows(IllegalArgumentException.class, () -> network.forward(tape, x));
      assertEquals("Linear(784, 10) got x of shape [128, 783]", e.getMessage());
      network.close();
    }
  }

  @Test
  void dropoutActsInTrainingAloneAndDrawsAnewEachTime() {
    try (Device device = Device.cpu();
        Tensor x = device.full(DType.F32, Shape.of(1, 1000), 1)) {
      Sequential network = Sequential.of(new Dropout(0.5), new Dropout(0.5));
      try (Tape tape = Tape.inference(device)) {
        assertArrayEquals(x.toFloats(), network.forward(tape, x).toFloats());
      }
      try (Tape tape = new Tape(device, 3)) {
        // the two masks are independent: about a quarter survives both, at four times the size
        float[] y = network.forward(tape, x).toFloats();
        int kept = 0;
        for (float value : y) {
          assertTrue(value == 0 || value == 4);
          kept += value == 4 ? 1 : 0;
        }
        assertEquals(250, kept, 60);
      }
    }
  }

  @Test
  void initialValuesHaveTheSpreadTheyClaim() {
    try (Device device = Device.cpu()) {
      check(device, Initializers.xavierUniform(), Math.sqrt(2.0 / 500), Math.sqrt(6.0 / 500));
      check(device, Initializers.xavierNormal(), Math.sqrt(2.0 / 500), 10);
      check(device, Initializers.kaimingUniform(), Math.sqrt(2.0 / 300), Math.sqrt(6.0 / 300));
      check(device, Initializers.kaimingNormal(), Math.sqrt(2.0 / 300), 10);
      check(device, Initializers.normal(0, 0.3), 0.3, 10);
      check(device, Initializers.uniform(-0.3, 0.3), 0.3 / Math.sqrt(3), 0.3);
    }
  }

  private static void check(
      Device device, dev.weft.Parameter.Initializer initializer, double deviation, double bound) {
    Sequential network =
        Sequential.of(new Linear(300, 200, initializer, Linear.Bias.WITHOUT))
            .seed(7)
            .on(device, MathMode.DOUBLE);
    double[] values = network.named().values().iterator().next().tensor().toDoubles();
    double mean = Arrays.stream(values).average().orElseThrow();
    double variance =
        Arrays.stream(values).map(v -> (v - mean) * (v - mean)).average().orElseThrow();
    assertEquals(0, mean, deviation * 0.03);
    assertEquals(deviation, Math.sqrt(variance), deviation * 0.03);
    assertTrue(Arrays.stream(values).allMatch(v -> Math.abs(v) <= bound));
    network.close();
  }

  private static Tensor ramp(Device device, DType dtype, long rows, long cols) {
    double[] values = new double[(int) (rows * cols)];
    Arrays.setAll(values, i -> Math.sin(i));
    return device.tensor(dtype, Shape.of(rows, cols), values);
  }
}
