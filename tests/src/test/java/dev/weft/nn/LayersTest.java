// SPDX-License-Identifier: Apache-2.0
package dev.weft.nn;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.weft.DType;
import dev.weft.Device;
import dev.weft.Shape;
import dev.weft.Tape;
import dev.weft.Tensor;
import dev.weft.data.Digits;
import dev.weft.device.Nonlinearity;
import dev.weft.train.Trainer;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What stands in a layer's spec has an effect, or is refused. */
class LayersTest {

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      value = {
        "linear(784,10); linear(784,10)",
        " Linear( 784 , 10 ) ; linear(784,10)",
        "linear(3,4,no_bias); linear(3,4,no_bias)",
        "layer_norm(64); layer_norm(64)",
        "layer_norm(64, 1e-5); layer_norm(64)",
        "layer_norm(64,0.1); layer_norm(64,0.1)",
        "batch_norm(64); batch_norm(64)",
        "batch_norm(64,1e-5,0.1); batch_norm(64)",
        "batch_norm(64,0.1); batch_norm(64,0.1)",
        "batch_norm(64,1e-5,0.2); batch_norm(64,1.0E-5,0.2)",
        "weight_norm_linear(3,4); weight_norm_linear(3,4)",
        "row_dropout(.5); row_dropout(0.5)",
        "dropout(0.2); dropout(0.2)",
        "dropout(0); dropout(0.0)",
        "dropout(.5); dropout(0.5)",
        "leaky_relu; leaky_relu",
        "leaky_relu(0.01); leaky_relu",
        "leaky_relu(1e-5); leaky_relu(1.0E-5)",
        "leaky_relu(1.0E-5); leaky_relu(1.0E-5)",
        "elu(2); elu(2.0)",
        "hard_tanh; hard_tanh",
        "prelu; prelu",
        "prelu(1); prelu",
        "prelu( 64 ); prelu(64)",
        "maxout(784, 128, 2); maxout(784,128,2)",
      })
  void aSpecIsReadAsItIsMeant(String text, String spec) {
    assertEquals(spec, Layers.parse(text).spec());
    assertEquals(spec, Layers.parse(spec).spec());
  }

  static List<Arguments> wrong() {
    List<Arguments> wrong = new ArrayList<>();
    String linear = "linear(in,out) or linear(in,out,no_bias)";
    for (String inside :
        List.of("", "3", "3,4,", "3,4,5", "3,4,bias", "3,4,no_bias,", "3,4,no_bias,1", ",,")) {
      wrong.add(Arguments.of("linear(" + inside + ")", linear));
    }
    wrong.add(Arguments.of("linear", linear));
    wrong.add(Arguments.of("linear(3,x)", "'x' in 'linear(3,x)' is not a whole number"));
    wrong.add(Arguments.of("linear(3,4.0)", "'4.0' in 'linear(3,4.0)' is not a whole number"));
    wrong.add(Arguments.of("linear(3,99999999999)", "not a whole number of up to 9 digits"));
    wrong.add(Arguments.of("linear(,)", "'' in 'linear(,)' is not a whole number"));
    wrong.add(Arguments.of("linear(3,)", "'' in 'linear(3,)' is not a whole number"));
    wrong.add(Arguments.of("linear(0,4)", "sizes must be positive"));
    wrong.add(Arguments.of("linear(3,-4)", "sizes must be positive"));
    wrong.add(Arguments.of("layer_norm", "layer_norm(width) or layer_norm(width,epsilon)"));
    wrong.add(Arguments.of("layer_norm(0)", "the width must be positive"));
    wrong.add(Arguments.of("layer_norm(3,0)", "a finite epsilon above 0, not 0.0"));
    wrong.add(Arguments.of("prelu(0)", "the width must be positive"));
    wrong.add(Arguments.of("prelu(3,4)", "prelu or prelu(width)"));
    wrong.add(Arguments.of("prelu()", "'' in 'prelu()' is not a whole number"));
    wrong.add(Arguments.of("maxout(3,4)", "maxout(in,out,pieces)"));
    wrong.add(Arguments.of("maxout(3,4,0)", "sizes and pieces must be positive"));
    wrong.add(Arguments.of("batch_norm", "batch_norm(width,epsilon) or batch_norm(width,"));
    wrong.add(Arguments.of("batch_norm(0)", "the width must be positive"));
    wrong.add(Arguments.of("batch_norm(3,0)", "a finite epsilon above 0, not 0.0"));
    wrong.add(Arguments.of("batch_norm(3,1,2)", "a momentum in [0, 1], not 2.0"));
    wrong.add(Arguments.of("batch_norm(3,1,0,1)", "or batch_norm(width,epsilon,momentum)"));
    wrong.add(Arguments.of("weight_norm_linear(3)", "weight_norm_linear(in,out)"));
    wrong.add(Arguments.of("row_dropout(1)", "1.0"));
    wrong.add(Arguments.of("dropout", "dropout(rate)"));
    wrong.add(Arguments.of("dropout()", "'' in 'dropout()' is not a number"));
    wrong.add(Arguments.of("dropout(0.2,)", "dropout(rate)"));
    wrong.add(Arguments.of("dropout(0.2,0.3)", "dropout(rate)"));
    wrong.add(Arguments.of("dropout(1)", "1.0"));
    wrong.add(Arguments.of("dropout(-0.1)", "-0.1"));
    wrong.add(Arguments.of("dropout(0.2d)", "'0.2d' in 'dropout(0.2d)' is not a number"));
    wrong.add(Arguments.of("dropout(0x1p-2)", "is not a number"));
    wrong.add(Arguments.of("dropout(nan)", "is not a number"));
    for (Nonlinearity each : Nonlinearity.values()) {
      String name = each.token();
      for (String inside : List.of("", "0.5", "1", "x", ",", "1,", "1,2")) {
        String form =
            !each.takesAlpha()
                ? name + " takes nothing in parentheses"
                : inside.isEmpty() || inside.equals("x")
                    ? "is not a number"
                    : name + " or " + name + "(alpha)";
        if (!each.takesAlpha() || !inside.matches("[0-9.]+")) {
          wrong.add(Arguments.of(name + "(" + inside + ")", form));
        }
      }
    }
    wrong.add(Arguments.of("leaky_relu(-1)", "alpha of at least 0"));
    wrong.add(Arguments.of("swosh", "unknown layer 'swosh': use linear(in,out)"));
    wrong.add(Arguments.of("swosh(1)", "unknown layer 'swosh(1)': use linear(in,out)"));
    wrong.add(Arguments.of("relu(", "is not a layer"));
    return wrong;
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("wrong")
  void argumentsThatAreTooManyTooFewOrIgnoredAreRefused(String spec, String words) {
    IllegalArgumentException e =
        assertThrows(IllegalArgumentException.class, () -> Layers.parse(spec));
    assertTrue(e.getMessage().contains(words), e.getMessage());
  }

  @ParameterizedTest
  @EnumSource
  void anAlphaThatWouldBeIgnoredIsRefused(Nonlinearity function) {
    assertEquals(function.token(), Activation.named(function.token()).spec());
    try (Device device = Device.cpu();
        Tape tape = new Tape(device);
        Tensor x = device.tensor(new double[] {-1, 2})) {
      if (function.takesAlpha()) {
        double[] half = new Activation(function.token(), 0.5).forward(tape, x).toDoubles();
        double[] usual = Activation.named(function.token()).forward(tape, x).toDoubles();
        assertFalse(half[0] == usual[0], "alpha has an effect");
        assertEquals(0.5, new Activation(function.token(), 0.5).alpha());
      } else {
        assertEquals(Activation.named(function.token()), new Activation(function.token(), 0));
        IllegalArgumentException e =
            assertThrows(
                IllegalArgumentException.class, () -> new Activation(function.token(), 0.5));
        assertTrue(
            e.getMessage().startsWith(function.token() + " takes no alpha, and 0.5 would be"),
            e.getMessage());
      }
    }
  }

  @Test
  void activationsAreFoundByTheirNames() {
    for (Nonlinearity function : Nonlinearity.values()) {
      Activation activation = Activation.named(function.token());
      assertEquals(function.token(), activation.function());
      assertEquals(function.defaultAlpha(), activation.alpha());
    }
    assertEquals(Activation.HARD_SWISH, Activation.named("hard_swish"));
    for (Executable wrong :
        List.<Executable>of(() -> Activation.named("swosh"), () -> new Activation("swosh", 0.1))) {
      IllegalArgumentException e = assertThrows(IllegalArgumentException.class, wrong);
      assertTrue(
          e.getMessage().startsWith("unknown activation 'swosh': there are "), e.getMessage());
      assertTrue(e.getMessage().contains("leaky_relu, "), e.getMessage());
    }
  }

  /** max(x, 2 - x) and max(10 x, -1), by the rule of the columns: W1 first. */
  @Test
  void maxoutIsTheLargestOfItsPieces() {
    try (Device device = Device.cpu();
        Sequential network = Sequential.of(new Maxout(1, 2, 2)).on(device);
        Tape tape = Tape.inference(device);
        Tensor x = device.tensor(new float[][] {{0}, {3}})) {
      network.named().get("0.weight").tensor().copyFrom(floats(1, 10, -1, 0));
      network.named().get("0.bias").tensor().copyFrom(floats(0, 0, 2, -1));
      assertArrayEquals(new float[] {2, 0, 3, 30}, network.forward(tape, x).toFloats());
    }
  }

  private static MemorySegment floats(float... values) {
    return MemorySegment.ofArray(values);
  }

  @Test
  void preluHasItsSlopeAtFirstAndTrainsIt() {
    try (Device device = Device.cpu();
        Sequential network = Sequential.of(new PReLU(2)).on(device);
        Tape tape = new Tape(device);
        Tensor x = device.tensor(new float[][] {{-4, 2}, {-8, -1}})) {
      Tensor y = network.forward(tape, x);
      assertArrayEquals(new float[] {-1, 2, -2, -0.25f}, y.toFloats());
      tape.backward(tape.sum(y));
      Tensor slope = network.named().get("0.slope").tensor();
      assertArrayEquals(new float[] {-12, -1}, slope.grad().toFloats());
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"relu", "dropout(0.2)", "tanh dropout(0.1) softplus"})
  void aNetworkWithNothingToTrainIsRefusedBeforeTheWork(String spec) {
    try (Device device = Device.cpu();
        Sequential network = Sequential.parse(spec)) {
      IllegalArgumentException e =
          assertThrows(
              IllegalArgumentException.class,
              () -> Trainer.of(network).on(device).start(Digits.generate(60, 1).train()));
      assertEquals(
          "the network has nothing to train: it has no layer with parameters", e.getMessage());
      assertFalse(network.isOnDevice());
      assertEquals(0, device.memory().live());
    }
  }

  /** It still computes: what has no parameters is a network like others. */
  @Test
  void aNetworkWithoutParametersComputes() {
    try (Device device = Device.cpu();
        Tape tape = Tape.inference(device);
        Tensor x = device.full(DType.F32, Shape.of(1, 2), -1)) {
      assertEquals(0, Sequential.parse("relu").forward(tape, x).toDoubles()[1]);
    }
  }
}
