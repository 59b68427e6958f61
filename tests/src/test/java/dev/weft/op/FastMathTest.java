// SPDX-License-Identifier: Apache-2.0
package dev.weft.op;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.weft.DType;
import dev.weft.Device;
import dev.weft.MathMode;
import dev.weft.Shape;
import dev.weft.Tape;
import dev.weft.Tensor;
import dev.weft.check.Input;
import dev.weft.support.Emulator;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Products in {@link MathMode#FAST}: operands rounded, sums in float32, on both devices. */
@ExtendWith(Emulator.class)
class FastMathTest {
  // float32 sums: as a share of Σ |a| |b|
  private static final double SUMS = 1e-6;

  /** Bits of fraction that a product's operands keep on a device. */
  private enum Machine {
    CPU(Device::cpu, bfloat16OnThisProcessor() ? 7 : 23),
    CUDA(Emulator::device, 10);

    private final Supplier<Device> open;
    private final int bits;

    Machine(Supplier<Device> open, int bits) {
      this.open = open;
      this.bits = bits;
    }

    private static boolean bfloat16OnThisProcessor() {
      try {
        Path processor = Path.of("/proc/cpuinfo");
        return Files.exists(processor) && Files.readString(processor).contains("avx512_bf16");
      } catch (IOException e) {
        throw new AssertionError(e);
      }
    }

    /** To the nearest number with so many bits, ties to even. */
    private double round(double value) {
      if (value == 0) {
        return value;
      }
      double unit = Math.scalb(1.0, Math.getExponent(value) - bits);
      return Math.rint(value / unit) * unit;
    }
  }

  private record Product(double[] a, double[] b, double[] y, double[] da, double[] db) {}

  private static Product multiply(Machine machine, MathMode math, int m, int k, int n) {
    try (Device device = machine.open.get();
        Tape tape = new Tape(device).math(math)) {
      Tensor a = Input.randomNormal(m, k).on(device, DType.F32, 1).requiresGrad();
      Tensor b = Input.randomNormal(k, n).on(device, DType.F32, 2).requiresGrad();
      Tensor y = tape.matmul(a, b);
      tape.backward(y, device.full(DType.F32, Shape.of(m, n), 1.0 / 3));
      return new Product(
          a.toDoubles(), b.toDoubles(), y.toDoubles(), a.grad().toDoubles(), b.grad().toDoubles());
    }
  }

  static Stream<Arguments> products() {
    return Stream.of(Machine.values())
        .flatMap(
            machine ->
                Stream.of(
                        List.of(1, 1, 1),
                        List.of(3, 5, 7),
                        List.of(64, 100, 10),
                        List.of(33, 129, 65),
                        List.of(128, 784, 50))
                    .map(s -> Arguments.of(machine, s.get(0), s.get(1), s.get(2))));
  }

  @ParameterizedTest(name = "{0} {1} x {2} x {3}")
  @MethodSource("products")
  void operandsAreRoundedAndSumsAreNot(Machine machine, int m, int k, int n) {
    Product fast = multiply(machine, MathMode.FAST, m, k, n);
    double[] a = Arrays.stream(fast.a).map(machine::round).toArray();
    double[] b = Arrays.stream(fast.b).map(machine::round).toArray();
    double dy = machine.round((float) (1.0 / 3));
    for (int i = 0; i < m; i++) {
      for (int j = 0; j < n; j++) {
        double sum = 0;
        double size = 0;
        for (int l = 0; l < k; l++) {
          sum += a[i * k + l] * b[l * n + j];
          size += Math.abs(a[i * k + l] * b[l * n + j]);
        }
        assertEquals(sum, fast.y[i * n + j], SUMS * size, () -> machine + " y");
      }
    }
    for (int l = 0; l < k; l++) {
      for (int i = 0; i < m; i++) {
        double sum = 0;
        double size = 0;
        for (int j = 0; j < n; j++) {
          sum += dy * b[l * n + j];
          size += Math.abs(dy * b[l * n + j]);
        }
        assertEquals(sum, fast.da[i * k + l], SUMS * size, () -> machine + " da");
      }
      double sum = 0;
      double size = 0;
      for (int i = 0; i < m; i++) {
        sum += dy * a[i * k + l];
        size += Math.abs(dy * a[i * k + l]);
      }
      for (int j = 0; j < n; j++) {
        assertEquals(sum, fast.db[l * n + j], SUMS * size, () -> machine + " db");
      }
    }
  }

  @Test
  void strictProductsAreNotRounded() {
    for (Machine machine : Machine.values()) {
      double[] strict = multiply(machine, MathMode.STRICT, 33, 129, 65).y;
      double[] fast = multiply(machine, MathMode.FAST, 33, 129, 65).y;
      double apart = 0;
      for (int i = 0; i < strict.length; i++) {
        apart = Math.max(apart, Math.abs(strict[i] - fast[i]));
      }
      assertTrue(machine.bits == 23 ? apart == 0 : apart > 1e-3, machine + " " + apart);
    }
  }

  @Test
  void doublesStayDoubles() {
    try (Device device = Device.cpu();
        Tape tape = new Tape(device).math(MathMode.FAST)) {
      Tensor third = device.full(DType.F64, Shape.of(1, 1), 1.0 / 3);
      assertEquals(1.0 / 9, tape.matmul(third, third).item(), 1e-16);
    }
  }
}
