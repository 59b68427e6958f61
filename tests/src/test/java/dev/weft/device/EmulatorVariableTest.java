// SPDX-License-Identifier: Apache-2.0
package dev.weft.device;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.weft.DType;
import dev.weft.Device;
import dev.weft.Shape;
import dev.weft.Tape;
import dev.weft.Tensor;
import dev.weft.support.Emulator;
import org.junit.jupiter.api.Test;

/** {@code WEFT_EMULATOR} sets the emulator's switches for a whole program. */
class EmulatorVariableTest {

  /** Sums what nobody has written. */
  static final class Unwritten {
    private Unwritten() {}

    public static void main(String[] arguments) {
      try (Device device = Device.cuda();
          Tape tape = new Tape(device)) {
        Tensor x = device.allocate(DType.F32, Shape.of(8));
        System.out.println("sum " + tape.sum(x).item());
      } catch (DeviceException e) {
        System.out.println(e.getMessage());
      }
    }
  }

  private static String run(String switches) {
    return new ChildJvm(Unwritten.class)
        .property("weft.cuda.driver", Emulator.folder().resolve("libcuda.so.1"))
        .property("weft.cublas", Emulator.folder().resolve("libcublas.so.12"))
        .property("weft.allocator", "exact")
        .variable("WEFT_EMULATOR", switches)
        .run();
  }

  @Test
  void checkFindsWhatNobodyHasWritten() {
    String said = run("reverse,check");
    assertTrue(said.contains("that nobody has written"), said);
    assertFalse(said.contains("sum "), said);
  }

  @Test
  void withoutCheckItIsOnlyNotANumber() {
    String said = run("reverse,exact,deferred,sticky");
    assertTrue(said.contains("sum NaN"), said);
  }

  @Test
  void anotherWordIsRefused() {
    String said = run("check,speed");
    assertTrue(said.contains("names 'speed'; there are exact"), said);
    assertFalse(said.contains("sum "), said);
  }
}
