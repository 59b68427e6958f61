// SPDX-License-Identifier: Apache-2.0
package dev.weft.optim;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.weft.DType;
import dev.weft.Device;
import dev.weft.Inputs;
import dev.weft.MathMode;
import dev.weft.Tape;
import dev.weft.Tensor;
import dev.weft.data.Batch;
import dev.weft.data.Dataset;
import dev.weft.data.ToySets;
import dev.weft.nn.Network;
import dev.weft.nn.Sequential;
import dev.weft.support.OnEachDevice;
import dev.weft.support.OnEachDevice.Place;
import dev.weft.train.Fusion;
import dev.weft.train.Trainer;
import dev.weft.train.TrainingRun;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The loop by hand: what a step does, and when it is refused. */
class StepperTest {
  private static final double[][] X = {{0, 0}, {0, 1}, {1, 0}, {1, 1}};
  private static final double[][] XOR = {{0}, {1}, {1}, {0}};

  private static Network network(Device device) {
    return Sequential.parse("linear(2,8) tanh linear(8,1)").on(device, MathMode.DOUBLE);
  }

  /** One backward pass over some rows; the loss is scaled. */
  private static double pass(
      Stepper stepper, Network network, double[][] rows, double[][] targets, double scale) {
    try (Tape tape = stepper.tape();
        Tensor x = tape.device().tensor(DType.F64, rows);
        Tensor t = tape.device().tensor(DType.F64, targets)) {
      Tensor loss = tape.scale(tape.meanSquaredError(network.forward(tape, x), t), scale);
      tape.backward(loss);
      double value = loss.item();
      stepper.step();
      return value;
    }
  }

  private static double[] values(Network network) {
    return network.arena().values().toDoubles();
  }

  @OnEachDevice
  void theLoopByHandLearnsXor(Place place) {
    try (Device device = place.open();
        Network network = network(device);
        Stepper stepper = Adam.rate(0.05).stepper(network)) {
      double loss = 1;
      for (int step = 0; step < 300; step++) {
        loss = pass(stepper, network, X, XOR, 1);
      }
      assertTrue(loss < 0.01, "a loss of " + loss);
      double[][] y = network.scores(X);
      for (int r = 0; r < X.length; r++) {
        assertEquals(XOR[r][0], Math.round(y[r][0]));
      }
    }
  }

  /** Same batches, same draws, same rule: the trainer's recorded steps and those by hand. */
  @OnEachDevice
  void stepsByHandHaveTheBitsOfTheTrainer(Place place) {
    Dataset data = ToySets.moons(50, 0.1, 1);
    String layers = "linear(2,8) relu dropout(0.3) linear(8,2)";
    double[][] ends = new double[3][];
    for (int i = 0; i < ends.length; i++) {
      try (Device device = place.open();
          Network network = Sequential.parse(layers).on(device, MathMode.STRICT)) {
        if (i == 0) {
          Trainer.of(network)
              .on(device)
              .fusion(Fusion.NEVER)
              .optimizer(Adam.rate(0.02))
              .batch(8)
              .seed(5)
              .fit(data, 3);
        } else {
          try (Stepper stepper = Adam.rate(0.02).stepper(network).seed(4 + i)) {
            for (int epoch = 0; epoch < 3; epoch++) {
              for (Batch batch : data.batches(device, 8, epoch, 5)) {
                try (batch;
                    Tape tape = stepper.tape()) {
                  Tensor y = network.forward(tape, batch.inputs().features());
                  tape.backward(tape.softmaxCrossEntropy(y, batch.inputs().get(Inputs.TARGETS)));
                  stepper.step();
                }
              }
            }
          }
        }
        ends[i] = values(network);
      }
    }
    assertArrayEquals(ends[0], ends[1]);
    assertFalse(Arrays.equals(ends[0], ends[2]), "another seed drops others");
  }

  @OnEachDevice
  void dropoutDrawsAnewOnEachTape(Place place) {
    try (Device device = place.open();
        Network network =
            Sequential.parse("linear(2,8) dropout(0.5) linear(8,1)").on(device, MathMode.DOUBLE);
        Stepper stepper = Sgd.rate(0).stepper(network);
        Tensor x = device.tensor(DType.F64, X)) {
      double[][] outputs = new double[4][];
      for (int i = 0; i < outputs.length; i++) {
        try (Tape tape = stepper.tape()) {
          Tensor y = network.forward(tape, x);
          outputs[i] = y.toDoubles();
          if (i == 1) { // so two tapes are of one step, and two of the next
            tape.backward(tape.sum(y));
            stepper.step();
          }
        }
      }
      for (int i = 0; i < outputs.length; i++) {
        for (int j = 0; j < i; j++) {
          assertFalse(Arrays.equals(outputs[i], outputs[j]), i + " and " + j);
        }
      }
    }
  }

  /** Two halves of a batch, on two tapes, are the batch. */
  @OnEachDevice
  void gradientsOverTwoTapesAddUp(Place place) {
    double[][] ends = new double[2][];
    for (int i = 0; i < ends.length; i++) {
      try (Device device = place.open();
          Network network = network(device);
          Stepper stepper = Adam.rate(0.05).stepper(network).clip(Clip.norm(0.1))) {
        for (int step = 0; step < 5; step++) {
          if (i == 0) {
            pass(stepper, network, X, XOR, 1);
          } else {
            try (Tape tape = stepper.tape();
                Tensor x = device.tensor(DType.F64, Arrays.copyOf(X, 2));
                Tensor t = device.tensor(DType.F64, Arrays.copyOf(XOR, 2))) {
              Tensor loss = tape.meanSquaredError(network.forward(tape, x), t);
              tape.backward(tape.scale(loss, 0.5));
            }
            pass(stepper, network, Arrays.copyOfRange(X, 2, 4), Arrays.copyOfRange(XOR, 2, 4), 0.5);
          }
        }
        ends[i] = values(network);
      }
    }
    assertArrayEquals(ends[0], ends[1], 1e-12);
  }

  private static double moved(double[] from, double[] to) {
    double squares = 0;
    for (int i = 0; i < from.length; i++) {
      squares += Math.pow(to[i] - from[i], 2);
    }
    return Math.sqrt(squares);
  }

  @OnEachDevice
  void ratesAndClippingActFromTheNextStepOn(Place place) {
    try (Device device = place.open();
        Network network = network(device);
        Stepper stepper = Sgd.rate(0).stepper(network)) {
      double[] start = values(network);
      pass(stepper, network, X, XOR, 1);
      assertArrayEquals(start, values(network));
      assertEquals(0.5, stepper.rate(0.5).rate());
      pass(stepper, network, X, XOR, 1);
      double free = moved(start, values(network));
      double[] before = values(network);
      stepper.clip(Clip.norm(free / 2));
      pass(stepper, network, X, XOR, 1);
      assertEquals(free / 4, moved(before, values(network)), 1e-5 * free);
      for (double none : new double[] {-1, Double.NaN, Double.POSITIVE_INFINITY}) {
        assertThrows(IllegalArgumentException.class, () -> stepper.rate(none));
      }
      assertEquals(0.5, stepper.rate());
      assertTrue(stepper.memory().isEmpty(), "plain descent remembers nothing");
    }
  }

  @Test
  void aStepWithoutATapeIsRefusedAndHasNoEffect() {
    try (Device device = Device.cpu();
        Network network = network(device);
        Stepper stepper = Adam.rate(0.1).stepper(network)) {
      assertSaid("a step follows a backward pass on a tape of this stepper", stepper::step);
      pass(stepper, network, X, XOR, 1);
      double[] after = values(network);
      double[] first = stepper.memory().get("0.weight.first").toDoubles();
      assertSaid("open one by tape()", stepper::step);
      stepper.tape().close();
      assertSaid("a step follows a backward pass", stepper::step);
      try (Tape tape = stepper.tape()) {
        assertEquals(List.of(), tape.nodes());
        assertSaid("the tape before is open", stepper::tape);
        assertSaid("a step follows a backward pass", stepper::step);
      }
      assertArrayEquals(after, values(network));
      assertArrayEquals(first, stepper.memory().get("0.weight.first").toDoubles());
    }
  }

  @Test
  void aStepperWhoseParametersAreGoneIsRefused() {
    try (Device device = Device.cpu();
        Device other = Device.cpu()) {
      Network network = network(device);
      Stepper closed = Adam.rate(0.1).stepper(network);
      Tape tape = closed.tape();
      double[] before = values(network);
      closed.close();
      closed.close();
      for (Runnable each : new Runnable[] {closed::step, closed::tape, closed::memory}) {
        assertSaid("the stepper is closed, or its network", each);
      }
      tape.close();
      assertArrayEquals(before, values(network));
      try (Stepper left = Adam.rate(0.1).stepper(network)) {
        tape = left.tape();
        network.on(other, MathMode.DOUBLE);
        assertSaid("make another stepper", left::step);
        assertSaid("make another stepper", left::tape);
        tape.close();
      }
      assertArrayEquals(before, values(network));
      assertEquals(0, device.memory().live());
      try (Stepper orphan = Adam.rate(0.1).stepper(network)) {
        network.close();
        assertSaid("or its network was closed", orphan::step);
        assertSaid("or its network was closed", orphan::tape);
      }
      assertEquals(0, other.memory().live());
    }
  }

  @Test
  void aNetworkThatCannotBeSteppedHasNoStepper() {
    try (Device device = Device.cpu();
        Network network = Sequential.parse("linear(2,2)")) {
      assertSaid("the network is on no device", () -> Adam.rate(0.1).stepper(network));
      try (TrainingRun run = Trainer.of(network).on(device).start(ToySets.xor())) {
        run.step();
        assertSaid("being trained by another run", () -> Adam.rate(0.1).stepper(network));
        run.step();
      }
      Adam.rate(0.1).stepper(network).close();
    }
  }

  /** It would begin anew what Adam's corrections follow. */
  @Test
  void aSeedComesBeforeTheFirstTape() {
    try (Device device = Device.cpu();
        Network network = network(device);
        Stepper stepper = Adam.rate(0.1).stepper(network).seed(3)) {
      pass(stepper, network, X, XOR, 1);
      assertSaid("before its first tape", () -> stepper.seed(4));
    }
  }

  private static void assertSaid(String words, Runnable action) {
    String said = assertThrows(IllegalStateException.class, action::run).getMessage();
    assertTrue(said.contains(words), said);
  }
}
