// SPDX-License-Identifier: Apache-2.0
package dev.weft;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.weft.data.ToySets;
import dev.weft.device.Program;
import dev.weft.nn.Activation;
import dev.weft.nn.Linear;
import dev.weft.nn.Loss;
import dev.weft.nn.Sequential;
import dev.weft.nn.SoftmaxCrossEntropy;
import dev.weft.optim.Adam;
import dev.weft.support.Logged;
import dev.weft.support.OnEachDevice;
import dev.weft.train.Evaluator;
import dev.weft.train.Fusion;
import dev.weft.train.Trainer;
import dev.weft.train.TrainingRun;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

/** What is closed, lost or another thread's says so, and never touches memory. */
class LifetimeTest {

  private static void assertSays(String words, Executable action) {
    IllegalStateException e = assertThrows(IllegalStateException.class, action);
    assertTrue(e.getMessage().contains(words), e.getMessage());
  }

  @OnEachDevice
  void aRecordedProgramEndsWithItselfAndItsDevice(OnEachDevice.Place place) {
    Device device = place.open();
    Tensor x = device.zeros(DType.F32, Shape.of(1_000));
    Program kept = device.record(() -> x.fill(1));
    Program closed = device.record(() -> x.fill(2));
    assertEquals(0, x.toFloats()[0], "recording runs nothing");
    kept.run();
    assertEquals(1, x.toFloats()[999]);
    closed.close();
    closed.close();
    assertSays("is closed", closed::run);
    CompletionException elsewhere =
        assertThrows(CompletionException.class, () -> CompletableFuture.runAsync(kept::run).join());
    assertTrue(elsewhere.getCause().getMessage().contains("belongs to thread"));
    device.close();
    assertSays("is closed", kept::run);
    kept.close();
  }

  @OnEachDevice
  void whatAStepWillComputeCannotBeReadWhileItIsRecorded(OnEachDevice.Place place) {
    try (Device device = place.open();
        Tensor x = device.zeros(DType.F32, Shape.of(1))) {
      assertThrows(RuntimeException.class, () -> device.record(x::item));
      assertThrows(RuntimeException.class, () -> device.record(() -> device.tensor(new int[1])));
      assertThrows(RuntimeException.class, () -> device.record(device::synchronize));
      assertEquals(0, x.item(), "the device is as before");
    }
  }

  @Test
  void aViewKeepsItsOwnerFromBeingReclaimed() throws InterruptedException {
    try (Device device = Device.cpu()) {
      Tensor view = device.tensor(new float[] {1, 2, 3, 4, 5, 6}).view(2, Shape.of(2));
      Tensor viewOfView = view.view(1, Shape.of(1));
      view = null;
      for (int i = 0; i < 5; i++) {
        System.gc();
        Thread.sleep(20);
        device.zeros(DType.F32, Shape.of(6)).close();
      }
      assertEquals(4, viewOfView.item());
      assertEquals(512, device.memory().live());
    }
  }

  private static void forget(Device device) {
    for (int i = 0; i < 7; i++) {
      device.zeros(DType.F32, Shape.of(3)).named("forgotten " + i);
    }
  }

  @Test
  void forgottenTensorsAreNamedAFewTimes() throws InterruptedException {
    try (Device device = Device.cpu();
        Logged logged = new Logged()) {
      forget(device);
      for (int i = 0; i < 200 && device.memory().live() > 0; i++) {
        System.gc();
        Thread.sleep(10);
      }
      assertEquals(0, device.memory().live());
      List<String> said = logged.lines().stream().filter(s -> s.contains("forgotten")).toList();
      assertEquals(5, said.size(), said::toString);
      assertTrue(
          said.getFirst()
              .matches(
                  "WARNING forgotten \\d F32 \\[3] on cpu was not closed, and its memory of 512"
                      + " bytes is reclaimed: close tensors, or make them on a tape"),
          said::toString);
      assertTrue(said.getLast().endsWith("; more are not named"), said::toString);
    }
  }

  @OnEachDevice
  void aTapeClosedByTheWrongThreadIsStillOpenForTheRightOne(OnEachDevice.Place place) {
    try (Device device = place.open()) {
      Tape tape = new Tape(device);
      tape.make(DType.F32, Shape.of(100));
      assertThrows(CompletionException.class, () -> CompletableFuture.runAsync(tape::close).join());
      tape.close();
      assertEquals(0, device.memory().live());
    }
  }

  @OnEachDevice
  void trainingDoesNotRunOverANetworkThatIsGone(OnEachDevice.Place place) {
    var data = ToySets.moons(60, 0.1, 1);
    try (Device device = place.open()) {
      Sequential network = Sequential.of(new Linear(2, 2));
      TrainingRun run = Trainer.of(network).on(device).batch(20).start(data);
      assertSays("before the first step", run::loss);
      run.step();
      Evaluator evaluator = new Evaluator(network, new SoftmaxCrossEntropy(), data, 20);
      network.close();
      assertSays("parameters", run::step);
      assertSays("the evaluator's network was closed", evaluator::evaluate);
      evaluator.close();
      run.close();
      assertSays("the training run is closed", run::step);
      assertEquals(0, device.memory().live());
    }
  }

  @Test
  void aClosedNetworkHasLostItsValuesAndSaysSo() {
    try (Device device = Device.cpu()) {
      Sequential network = Sequential.of(new Linear(2, 2));
      assertSays("no values yet", () -> network.save(Path.of("nowhere")));
      network.on(device);
      network.close();
      assertSays("its values went with it", () -> network.save(Path.of("nowhere")));
      assertSays("its values went with it", () -> network.on(device));
      assertSays("its values went with it", network::arena);
    }
  }

  @Test
  void aNetworkWithinANetworkIsItsLayers() {
    Sequential block = Sequential.of(new Linear(4, 3), Activation.TANH, new Linear(3, 3));
    Sequential network = Sequential.of(block, Activation.RELU, new Linear(3, 2));
    assertEquals("linear(4,3) tanh linear(3,3) relu linear(3,2)", network.spec());
    assertEquals(
        "[0.weight, 0.bias, 2.weight, 2.bias, 4.weight, 4.bias]",
        network.named().keySet().toString());
    Linear shared = new Linear(3, 3);
    assertEquals("[0.weight, 0.bias]", Sequential.of(shared, shared).named().keySet().toString());
  }

  @Test
  void anOptimizerWithoutARateSaysSo() {
    try (Device device = Device.cpu();
        Tensor values = device.zeros(DType.F32, Shape.of(16));
        Tensor gradients = device.full(DType.F32, Shape.of(16), 1);
        StepState unrated = new StepState(device, 1);
        StepState rated = new StepState(device, 1, 0.5);
        var adam = Adam.rate(0.5).start(values, gradients)) {
      assertSays("no learning rate", () -> adam.step(unrated));
      adam.step(rated);
      assertEquals(-0.5, values.toDoubles()[3], 1e-6);
    }
  }

  @Test
  void tapesMadeOneAfterAnotherDropDifferently() {
    try (Device device = Device.cpu();
        Device other = Device.cpu()) {
      float[][] masks = {mask(device), mask(device), mask(other)};
      assertFalse(Arrays.equals(masks[0], masks[1]));
      assertArrayEquals(masks[0], masks[2], "the first tape of any device draws the same");
    }
  }

  private static float[] mask(Device device) {
    try (Tape tape = new Tape(device);
        Tensor x = device.full(DType.F32, Shape.of(100), 1)) {
      return tape.dropout(x, 0.5).toFloats();
    }
  }

  /** A loss whose result is a view of another result's memory. */
  private record Reshaped() implements Loss {
    @Override
    public void check(RowType output, Inputs<RowType> data) {
      data.get(Inputs.TARGETS);
    }

    @Override
    public Tensor apply(Operations tape, Tensor output, Inputs<Tensor> data) {
      return tape.reshape(tape.softmaxCrossEntropy(output, data.get(Inputs.TARGETS)), 1, 1);
    }

    @Override
    public double weight(long rows) {
      return rows;
    }

    @Override
    public String spec() {
      return "reshaped";
    }
  }

  @OnEachDevice
  void aLossThatEndsInAViewIsReadableAfterTheStep(OnEachDevice.Place place) {
    var data = ToySets.moons(60, 0.1, 1);
    double[] losses = new double[2];
    try (Device device = place.open()) {
      for (int i = 0; i < 2; i++) {
        Sequential network = Sequential.of(new Linear(2, 2));
        // the fused step knows no loss of a user's own, so neither takes it
        Trainer trainer = Trainer.of(network).on(device).fusion(Fusion.NEVER).batch(20);
        trainer.loss(i == 0 ? new Reshaped() : new SoftmaxCrossEntropy());
        try (TrainingRun run = trainer.start(data)) {
          run.step();
          losses[i] = run.loss();
        }
        network.close();
      }
    }
    assertEquals(losses[1], losses[0]);
  }

  @Test
  void releasedResultsAreGoneAndTheLossIsNot() {
    try (Device device = Device.cpu();
        Tape tape = new Tape(device).releaseResults();
        Tensor data = device.tensor(new double[][] {{1, 2}, {3, 4}});
        Tensor w = device.tensor(new double[] {1, 1}).requiresGrad()) {
      Tensor view = tape.reshape(data, 4);
      Tensor product = tape.matmul(data, tape.reshape(w, 2, 1));
      Tensor loss = tape.sum(tape.square(product));
      tape.backward(loss);
      assertEquals(9 + 49, loss.item());
      assertArrayEquals(new double[] {2 * 3 + 6 * 7, 4 * 3 + 8 * 7}, w.grad().toDoubles());
      assertSays("is closed", product::toDoubles);
      assertArrayEquals(new double[] {1, 2, 3, 4}, view.toDoubles(), "what is the user's stays");
    }
  }

  @Test
  void sizesThatNoMachineHasAreRefused() {
    try (Device device = Device.cpu();
        Tensor x = device.zeros(DType.F32, Shape.of(4))) {
      Shape huge = Shape.of(1L << 61);
      for (Executable action :
          new Executable[] {
            () -> Shape.of(1L << 40, 1L << 40),
            () -> device.zeros(DType.F64, huge),
            () -> x.view(Long.MAX_VALUE, Shape.of(4)),
            () -> x.view(1, huge)
          }) {
        assertThrows(IllegalArgumentException.class, action);
      }
    }
  }
}
