// SPDX-License-Identifier: Apache-2.0
package dev.weft.nn;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.weft.DType;
import dev.weft.Device;
import dev.weft.Parameter.Initializer;
import dev.weft.Shape;
import dev.weft.Tensor;
import dev.weft.nn.Initializers.Fan;
import dev.weft.support.Emulator;
import dev.weft.support.OnEachDevice;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

@ExtendWith(Emulator.class)
class InitializersTest {

  private static double[] values(Device device, Initializer rule, DType dtype, long... sizes) {
    try (Tensor tensor = device.allocate(dtype, Shape.of(sizes))) {
      rule.fill(tensor, 7, 2);
      return tensor.toDoubles();
    }
  }

  static List<Initializer> rules() {
    return List.of(
        Initializers.zeros(),
        Initializers.ones(),
        Initializers.constant(0.3),
        Initializers.normal(1, 2),
        Initializers.uniform(-1, 3),
        Initializers.truncatedNormal(0.5, 2),
        Initializers.xavierUniform(),
        Initializers.xavierNormal(),
        Initializers.lecunUniform(),
        Initializers.lecunNormal(),
        Initializers.kaimingUniform(),
        Initializers.kaimingNormal(),
        Initializers.kaimingUniform(Fan.OUT, 1.5),
        Initializers.kaimingNormal(Fan.OUT, 5 / 3.0),
        Initializers.kaimingNormal(Fan.IN, 0.5),
        Initializers.orthogonal(),
        Initializers.orthogonal(1.5));
  }

  /** A rule read again draws the same, and so does every device. */
  @ParameterizedTest
  @MethodSource("rules")
  void writtenAndReadItIsTheSameOnEveryDevice(Initializer rule) {
    Initializer again = Initializers.named(rule.toString());
    assertEquals(rule.toString(), again.toString());
    assertEquals(rule.toString(), Initializers.parse(rule.toString()).toString());
    try (Device cpu = Device.cpu();
        Device cuda = Emulator.device()) {
      double[] expected = values(cpu, rule, DType.F32, 30, 20);
      assertArrayEquals(expected, values(cpu, again, DType.F32, 30, 20));
      assertArrayEquals(expected, values(cuda, rule, DType.F32, 30, 20));
    }
  }

  /** The variance of 200,000 draws within five standard errors, and the mean. */
  @ParameterizedTest
  @CsvSource({
    "xavier_uniform, 0, 2 / 900",
    "xavier_normal, 0, 2 / 900",
    "lecun_uniform, 0, 1 / 400",
    "lecun_normal, 0, 1 / 400",
    "kaiming_uniform, 0, 2 / 400",
    "kaiming_normal, 0, 2 / 400",
    "'kaiming_uniform(out,3)', 0, 9 / 500",
    "'kaiming_normal(in,3)', 0, 9 / 400",
    "'truncated_normal(0.5,2)', 0.5, 3.0949653 / 1",
  })
  void momentsAreRight(String text, double mean, String variance) {
    String[] parts = variance.split(" / ");
    double wanted = Double.parseDouble(parts[0]) / Double.parseDouble(parts[1]);
    try (Device cpu = Device.cpu()) {
      double[] x = values(cpu, Initializers.named(text), DType.F32, 400, 500);
      double found = Arrays.stream(x).average().getAsDouble();
      double spread = Arrays.stream(x).map(v -> (v - mean) * (v - mean)).average().getAsDouble();
      assertEquals(mean, found, 5 * Math.sqrt(wanted / x.length));
      assertEquals(wanted, spread, 5 * wanted * Math.sqrt(2.0 / x.length));
    }
  }

  /** Within two deviations, with the shares that the normal distribution has there. */
  @Test
  void truncatedNormalIsNormalBetweenItsEnds() {
    try (Device cpu = Device.cpu()) {
      double[] x = values(cpu, Initializers.truncatedNormal(0, 1), DType.F64, 200_000);
      double within = 0.954499736103642;
      for (double[] share :
          new double[][] {
            {2, 1}, {1, 0.682689492137086 / within}, {0.5, 0.382924922548026 / within}
          }) {
        double found = Arrays.stream(x).filter(v -> Math.abs(v) <= share[0]).count() / 200_000.0;
        assertEquals(share[1], found, 5 * Math.sqrt(0.25 / 200_000));
      }
      double largest = Arrays.stream(x).map(Math::abs).max().getAsDouble();
      assertTrue(largest > 1.999 && largest <= 2, "the largest is " + largest);
    }
  }

  /** Points of the distribution function by tables. */
  @ParameterizedTest
  @CsvSource({
    "0.5, 0",
    "0.84134474606854294859, 1",
    "0.97724986805182079279, 2",
    "0.022750131948179207, -2",
    "0.975, 1.9599639845400542",
    "1e-6, -4.753424308822899",
  })
  void quantilesAreThoseOfTheNormalDistribution(double p, double x) {
    assertEquals(x, NormalQuantile.of(p), 1e-13);
  }

  @OnEachDevice
  void orthogonalWeightsAreOrthogonal(OnEachDevice.Place place) {
    try (Device device = place.open()) {
      for (int[] size : new int[][] {{1, 1}, {7, 7}, {40, 9}, {9, 40}, {128, 128}}) {
        int in = size[0];
        int out = size[1];
        for (double gain : new double[] {1, 1.7}) {
          double[] w = values(device, Initializers.orthogonal(gain), DType.F32, in, out);
          boolean columns = in >= out;
          int count = Math.min(in, out);
          for (int i = 0; i < count; i++) {
            for (int j = 0; j <= i; j++) {
              double sum = 0;
              for (int k = 0; k < Math.max(in, out); k++) {
                sum += columns ? w[k * out + i] * w[k * out + j] : w[i * out + k] * w[j * out + k];
              }
              assertEquals(i == j ? gain * gain : 0, sum, 1e-6 * gain * gain);
            }
          }
        }
      }
    }
  }

  /** Rows that are not made orthogonal are far from it: the bound above can fail. */
  @Test
  void normalWeightsAreNotOrthogonal() {
    try (Device cpu = Device.cpu()) {
      double[] w = values(cpu, Initializers.normal(0, 0.1), DType.F32, 2, 100);
      double sum = 0;
      for (int k = 0; k < 100; k++) {
        sum += w[k] * w[100 + k];
      }
      assertTrue(Math.abs(sum) > 1e-3, "the product is " + sum);
    }
  }

  @Test
  void gainsAreThoseOfPyTorch() {
    assertEquals(1, Initializers.gain(Activation.SIGMOID));
    assertEquals(5.0 / 3, Initializers.gain(Activation.TANH));
    assertEquals(Math.sqrt(2), Initializers.gain(Activation.RELU));
    assertEquals(1, Initializers.gain(Activation.leakyRelu(1)), 1e-15);
    IllegalArgumentException e =
        assertThrows(IllegalArgumentException.class, () -> Initializers.gain(Activation.GELU));
    assertTrue(e.getMessage().startsWith("no gain is known for gelu"), e.getMessage());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "swish",
        "normal",
        "normal(0)",
        "normal(0,1,2)",
        "constant(1,2)",
        "kaiming_normal(up,1)",
        "kaiming_normal(1)",
        "orthogonal()"
      })
  void whatIsNoRuleSaysWhatThereIs(String text) {
    IllegalArgumentException e =
        assertThrows(IllegalArgumentException.class, () -> Initializers.named(text));
    assertTrue(e.getMessage().startsWith("unknown initial values '" + text + "'"), e.getMessage());
    assertTrue(e.getMessage().contains("orthogonal, constant(value)"), e.getMessage());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      value = {
        "normal(0,NaN); 'NaN' in 'normal(0,NaN)' is not a number",
        "constant(Infinity); 'Infinity' in 'constant(Infinity)' is not a number",
        "constant(x); 'x' in 'constant(x)' is not a number",
        "normal(x,1); 'x' in 'normal(x,1)' is not a number",
        "constant(0.2d); '0.2d' in 'constant(0.2d)' is not a number",
        "normal(0,0x1p-2); '0x1p-2' in 'normal(0,0x1p-2)' is not a number",
        "constant(1e999); constant(Infinity): the value must be finite",
        "normal(0,-1); normal(0.0,-1.0): both must be finite, and the deviation at least 0",
        "normal(1e999,1); normal(Infinity,1.0): both must be finite, and the deviation at least 0",
        "truncated_normal(0,-1); truncated_normal(0.0,-1.0): both must be finite, and",
        "uniform(1,0); uniform(1.0,0.0): both must be finite, the first at most the second",
        "uniform(-3e38,3e38); uniform(-3.0E38,3.0E38): both must be finite, the first at most the"
            + " second, and their distance one that a float holds",
        "uniform(0,1e999); uniform(0.0,Infinity): both must be finite, the first at most",
        "'kaiming_normal(in,0)'; kaiming_normal(in,0.0): the gain must be positive and finite",
        "'kaiming_uniform(out,-1)'; kaiming_uniform(out,-1.0): the gain must be positive and",
        "orthogonal(-2); orthogonal(-2.0): the gain must be positive and finite"
      })
  void numbersThatMakeNoRuleAreRefused(String text, String words) {
    IllegalArgumentException e =
        assertThrows(IllegalArgumentException.class, () -> Initializers.named(text));
    assertTrue(e.getMessage().startsWith(words), e.getMessage());
    e = assertThrows(IllegalArgumentException.class, () -> Initializers.parse(text));
    assertTrue(e.getMessage().startsWith(words), e.getMessage());
  }

  @Test
  void numbersAreReadAsJavaWritesThem() {
    assertEquals("normal(-0.5,1.0E-5)", Initializers.named("normal( -.5, 1.0E-5 )").toString());
    assertEquals("normal(0.0,0.0)", Initializers.named("normal(0,0)").toString());
    assertThrows(IllegalArgumentException.class, () -> Initializers.normal(Double.NaN, 1));
    assertThrows(IllegalArgumentException.class, () -> Initializers.uniform(0, Double.NaN));
    assertThrows(IllegalArgumentException.class, () -> Initializers.orthogonal(Double.NaN));
  }

  /** Its pieces stand side by side in one weight (in, pieces out). */
  @OnEachDevice
  void eachPieceOfMaxoutStartsByTheRule(OnEachDevice.Place place) {
    try (Device device = place.open();
        Sequential network =
            Sequential.parse("maxout(40,9,3)", Initializers.orthogonal()).seed(5).on(device);
        Sequential linear =
            Sequential.parse("linear(40,9)", Initializers.orthogonal()).seed(5).on(device)) {
      double[] w = network.named().get("0.weight").tensor().toDoubles();
      double[][] columns = new double[27][40];
      for (int i = 0; i < w.length; i++) {
        columns[i % 27][i / 27] = w[i];
      }
      double[] first = linear.named().get("0.weight").tensor().toDoubles();
      for (int a = 0; a < 27; a++) {
        for (int b = 0; b < 27; b++) {
          double sum = 0;
          for (int i = 0; i < 40; i++) {
            sum += columns[a][i] * columns[b][i];
          }
          if (a / 9 == b / 9) {
            assertEquals(a == b ? 1 : 0, sum, 1e-6, "columns " + a + " and " + b);
          }
          assertTrue(a == b || Math.abs(sum) < 0.9, "pieces differ: " + a + " and " + b);
        }
        for (int i = 0; a < 9 && i < 40; i++) {
          assertEquals(first[i * 9 + a], columns[a][i], "the first piece is a linear layer's");
        }
      }
    }
  }

  @Test
  void fansNeedAMatrix() {
    try (Device cpu = Device.cpu()) {
      IllegalArgumentException e =
          assertThrows(
              IllegalArgumentException.class,
              () -> values(cpu, Initializers.orthogonal(), DType.F32, 3));
      assertTrue(e.getMessage().contains("[fan in, fan out], not [3]"), e.getMessage());
    }
  }
}
