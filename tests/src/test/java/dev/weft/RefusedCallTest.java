// SPDX-License-Identifier: Apache-2.0
package dev.weft;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.weft.data.Dataset;
import dev.weft.data.ToySets;
import dev.weft.device.DeviceException;
import dev.weft.device.OutOfDeviceMemoryException;
import dev.weft.nn.Linear;
import dev.weft.nn.ParameterArena;
import dev.weft.nn.Sequential;
import dev.weft.support.Elsewhere;
import dev.weft.support.Emulator;
import dev.weft.support.OnEachDevice;
import dev.weft.train.Fusion;
import dev.weft.train.History;
import dev.weft.train.Listener;
import dev.weft.train.Trainer;
import dev.weft.train.TrainingRun;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.function.Executable;

/** What is refused, or fails, leaves everything as it was before the call. */
@ExtendWith(Emulator.class)
class RefusedCallTest {
  private static final Dataset DATA = ToySets.moons(50, 0.1, 1);
  private static final double[][] X = {{1, 2}, {-3, 0.5}};

  private static Sequential network() {
    return Sequential.of(new Linear(2, 20), new Linear(20, 2));
  }

  private static String outputs(Sequential network) {
    return Arrays.deepToString(network.scores(X));
  }

  private static Throwable refused(Executable action) {
    return assertThrows(RuntimeException.class, action);
  }

  @Test
  void aNetworkThatFindsNoPlaceElsewhereStaysWhereItIs() {
    Device closed = Device.cpu();
    closed.close();
    Device[] foreign = new Device[1];
    Elsewhere.thrownBy(() -> foreign[0] = Device.cpu());
    try (Device device = Device.cpu();
        Device cuda = Emulator.device()) {
      Sequential network = network().on(device);
      String before = outputs(network);
      long live = device.memory().live();
      List<Executable> refusals = new ArrayList<>();
      refusals.add(() -> network.on(closed));
      refusals.add(() -> network.on(foreign[0], MathMode.DOUBLE));
      for (int n = 1; n <= 3; n++) {
        int nth = n;
        refusals.add(
            () -> {
              cuda.trim();
              Emulator.failAllocation(nth);
              network.on(cuda, MathMode.BF16);
            });
        refusals.add(
            () -> {
              Emulator.failLaunch(nth);
              network.on(cuda, MathMode.BF16);
            });
        refusals.add(
            () -> {
              Emulator.failCopy(nth);
              network.on(cuda);
            });
      }
      for (Executable each : refusals) {
        refused(each);
        Emulator.reset();
        assertEquals(before, outputs(network));
        assertSame(device, network.arena().values().device());
        assertEquals(MathMode.STRICT, network.math());
        assertEquals(live, device.memory().live());
        assertEquals(0, cuda.memory().live());
      }
      network.on(cuda);
      assertEquals(0, device.memory().live());
      network.close();
    }
    foreign[0].claim().close();
  }

  @Test
  void aNetworkThatHasNoRoomBesideItselfStaysAsItIs() {
    try (Device device = Emulator.device()) {
      Sequential network = network().on(device);
      String before = outputs(network);
      device.trim();
      Emulator.totalMemory(Emulator.liveBytes() + 100);
      assertInstanceOf(
          OutOfDeviceMemoryException.class, refused(() -> network.on(device, MathMode.DOUBLE)));
      Emulator.reset();
      assertEquals(before, outputs(network));
      network.close();
      assertEquals(0, device.memory().live());
    }
  }

  @Test
  void aNetworkOfAnotherThreadsDeviceIsNotMoved() {
    try (Device device = Device.cpu()) {
      Sequential network = network().on(device);
      String before = outputs(network);
      Throwable refusal =
          Elsewhere.thrownBy(
              () -> {
                try (Device own = Device.cpu()) {
                  network.on(own);
                }
              });
      assertInstanceOf(IllegalStateException.class, refusal);
      assertEquals(before, outputs(network));
      network.close();
    }
  }

  @Test
  void memoryThatANetworkHasLeftTakesNothingFromItWhenItIsClosedAgain() {
    try (Device device = Device.cpu()) {
      Sequential network = network().on(device);
      ParameterArena left = network.arena();
      String before = outputs(network);
      network.on(device);
      left.close();
      assertEquals(before, outputs(network));
      network.close();
      assertEquals(0, device.memory().live());
    }
  }

  @Test
  void aTapeRefusedToAnotherThreadDrawsNothing() {
    String[] masks = new String[2];
    for (int i = 0; i < 2; i++) {
      try (Device device = Device.cpu();
          Tensor x = device.full(DType.F32, Shape.of(100), 1)) {
        if (i == 1) {
          assertInstanceOf(
              IllegalStateException.class, Elsewhere.thrownBy(() -> new Tape(device).close()));
        }
        try (Tape tape = new Tape(device)) {
          masks[i] = Arrays.toString(tape.dropout(x, 0.5).toFloats());
        }
      }
    }
    assertEquals(masks[0], masks[1]);
  }

  @Test
  void aTapesSettingsAreNotChangedFromAnotherThread() {
    try (Device device = Device.cpu();
        Tape tape = new Tape(device);
        Tensor x = device.full(DType.F32, Shape.of(3), 1).requiresGrad()) {
      Sequential network = network().on(device, MathMode.FAST);
      for (Executable each :
          new Executable[] {
            () -> network.forward(tape, x),
            () -> tape.math(MathMode.FAST),
            tape::releaseResults,
            tape::retainGradients,
            () -> tape.withoutGradient(() -> x)
          }) {
        assertInstanceOf(IllegalStateException.class, Elsewhere.thrownBy(each));
      }
      assertEquals(MathMode.STRICT, tape.math());
      Tensor y = tape.sum(tape.square(x));
      tape.backward(y);
      tape.backward(y);
      assertArrayEquals(new double[] {4, 4, 4}, x.grad().toDoubles());
      network.close();
    }
  }

  @Test
  void aRefusedBackwardForgetsNoGradient() {
    try (Device device = Device.cpu();
        Tape tape = new Tape(device).retainGradients();
        Tensor x = device.full(DType.F32, Shape.of(3), 2).requiresGrad()) {
      Tensor square = tape.square(x);
      tape.backward(tape.sum(square));
      refused(() -> tape.backward(device.tensor(new float[] {1})));
      assertArrayEquals(new double[] {1, 1, 1}, square.grad().toDoubles());
    }
  }

  @OnEachDevice
  void aDeviceIsNotClosedWhileAStepIsRecorded(OnEachDevice.Place place) {
    try (Device device = place.open();
        Tensor x = device.zeros(DType.F32, Shape.of(3))) {
      Throwable refusal = refused(() -> device.record(device::close));
      assertTrue(refusal.getMessage().contains("while a step is recorded"), refusal.getMessage());
      refused(() -> device.record(() -> device.record(() -> x.fill(1)).close()));
      try (RecordedProgram program = device.record(() -> x.fill(5))) {
        program.run();
      }
      assertEquals(5, x.toDoubles()[2]);
    }
  }

  @Test
  void settingsThatDoNotSuitTheDataLeaveTheNetworkWhereItIs() {
    try (Device device = Device.cpu();
        Device other = Device.cpu()) {
      Sequential network = network().on(device, MathMode.DOUBLE);
      String before = outputs(network);
      Sequential fresh = network();
      for (Sequential each : List.of(network, fresh)) {
        Trainer trainer = Trainer.of(each).on(other).batch(20);
        assertInstanceOf(
            IllegalArgumentException.class, refused(() -> trainer.dataMemory(10).fit(DATA, 1)));
        assertInstanceOf(
            IllegalArgumentException.class,
            refused(
                () ->
                    trainer
                        .dataMemory(1 << 20)
                        .math(MathMode.BF16)
                        .fusion(Fusion.ALWAYS)
                        .fit(DATA, DATA, 1)));
      }
      assertSame(device, network.arena().values().device());
      assertEquals(MathMode.DOUBLE, network.math());
      assertEquals(before, outputs(network));
      assertFalse(fresh.isOnDevice());
      assertEquals(0, other.memory().live());
      network.close();
    }
  }

  /** A listener that fails at the end of the second epoch. */
  private static final class Failing implements Listener {
    @Override
    public void onEpoch(TrainingRun run, History.Epoch epoch) {
      if (epoch.number() == 2) {
        throw new AssertionError("the second epoch");
      }
    }
  }

  @OnEachDevice
  void aFitThatIsStoppedByAListenerLeavesANetworkThatCanBeUsed(OnEachDevice.Place place) {
    try (Device device = place.open()) {
      Sequential network = network().on(device);
      String before = outputs(network);
      long live = device.memory().live();
      Trainer failing = Trainer.of(network).on(device).batch(20).listener(new Failing());
      assertThrows(AssertionError.class, () -> failing.fit(DATA, DATA, 3));
      failing.reset();
      assertEquals(live, device.memory().live());
      assertNotEquals(before, outputs(network), "what was learnt is kept");
      Trainer.of(network).on(device).batch(20).fit(DATA, DATA, 1);
      network.close();
      assertEquals(0, device.memory().live());
    }
  }

  @Test
  void aStepThatFailedIsTheNextStepAgain() {
    try (Device device = Emulator.device()) {
      for (int memory : new int[] {1 << 20, 1_000}) {
        List<String> ends = new ArrayList<>();
        int failures = 0;
        for (int n = 0; n <= 6; n++) {
          Sequential network = network().on(device);
          Trainer trainer = Trainer.of(network).on(device).batch(20).dataMemory(memory);
          try (TrainingRun run = trainer.start(DATA)) {
            Emulator.failCopy(n);
            for (int step = 0; step < 6; ) {
              try {
                run.step();
                step++;
              } catch (DeviceException e) {
                failures++;
              }
            }
            Emulator.reset();
            ends.add(run.loss() + " " + outputs(network));
          }
          network.close();
        }
        assertTrue(failures >= 3, failures + " steps failed");
        assertEquals(1, ends.stream().distinct().count(), ends::toString);
      }
    }
  }

  @Test
  void aStepOverANetworkThatIsGoneBeginsNothing() {
    try (Device device = Device.cpu()) {
      Sequential network = network();
      try (TrainingRun run = Trainer.of(network).on(device).batch(25).start(DATA)) {
        run.step();
        run.step();
        double loss = run.loss();
        network.close();
        assertThrows(IllegalStateException.class, run::step);
        assertThrows(IllegalStateException.class, () -> run.profile(1));
        assertEquals(loss, run.loss());
      }
    }
  }
}
