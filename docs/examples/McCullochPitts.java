// SPDX-License-Identifier: Apache-2.0
// models: weft examples run mcculloch-pitts
import dev.weft.DType;
import dev.weft.Device;
import dev.weft.Shape;
import dev.weft.Tape;
import dev.weft.Tensor;
import java.util.Arrays;

/** Units of McCulloch and Pitts (1943) by hand: AND, OR, NOT, and XOR of three (lecture 0). */
public class McCullochPitts {
  public static void main(String[] args) {
    try (Device device = Device.cpu();
        Tape tape = Tape.inference(device);
        Tensor a = device.tensor(new double[] {0, 0, 1, 1});
        Tensor b = device.tensor(new double[] {0, 1, 0, 1})) {
      Tensor and = unit(tape, tape.add(a, b), 2);
      Tensor or = unit(tape, tape.add(a, b), 1);
      print("a", a);
      print("b", b);
      print("a AND b", and);
      print("a OR b", or);
      print("NOT a", unit(tape, tape.negate(a), 0));
      print("a XOR b", unit(tape, tape.subtract(or, and), 1)); // one of them, and not both
    }
  }

  /** 1 where the sum of weighted inputs reaches the threshold, else 0. */
  private static Tensor unit(Tape tape, Tensor sum, double threshold) {
    return tape.greaterOrEqual(sum, tape.full(DType.F32, Shape.of(), threshold));
  }

  private static void print(String name, Tensor values) {
    System.out.printf("%-7s %s%n", name, Arrays.toString(values.toDoubles()));
  }
}
