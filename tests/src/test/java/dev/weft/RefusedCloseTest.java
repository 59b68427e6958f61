// SPDX-License-Identifier: Apache-2.0
package dev.weft;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.weft.data.Batch;
import dev.weft.data.Dataset;
import dev.weft.data.ToySets;
import dev.weft.device.CopyQueue;
import dev.weft.device.Pool;
import dev.weft.device.TimedProgram;
import dev.weft.nn.Activation;
import dev.weft.nn.BatchNorm;
import dev.weft.nn.Linear;
import dev.weft.nn.Network;
import dev.weft.nn.Parallel;
import dev.weft.nn.ParameterArena;
import dev.weft.nn.Sequential;
import dev.weft.nn.SoftmaxCrossEntropy;
import dev.weft.optim.Adam;
import dev.weft.optim.Groups;
import dev.weft.optim.Optimizer;
import dev.weft.optim.RunningRule;
import dev.weft.optim.Sgd;
import dev.weft.optim.Stepper;
import dev.weft.optim.Updates;
import dev.weft.support.Elsewhere;
import dev.weft.support.OnEachDevice;
import dev.weft.train.Averaging;
import dev.weft.train.Evaluator;
import dev.weft.train.Fusion;
import dev.weft.train.SharedData;
import dev.weft.train.Trainer;
import dev.weft.train.TrainingRun;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** A close that is refused for its thread has no effect, of anything that can be closed. */
class RefusedCloseTest {
  private static final Dataset DATA = ToySets.moons(50, 0.1, 1);
  private static final int BATCH = 20;

  /** Something to close, a use of it whose value is compared, and what it stands on. */
  private record Held(AutoCloseable closeable, Supplier<Object> use, AutoCloseable... ground) {}

  /** One kind of thing to close, and the classes whose close it goes through. */
  private record Case(String name, Set<String> classes, Function<Device, Held> open) {
    @Override
    public String toString() {
      return name;
    }
  }

  private static Case of(String classes, Function<Device, Held> open) {
    List<String> names = List.of(classes.split(" "));
    return new Case(names.getFirst(), Set.copyOf(names), open);
  }

  private static List<Case> cases() {
    return List.of(
        of("Tensor", RefusedCloseTest::tensor),
        of("Tape", RefusedCloseTest::tape),
        of("StepState", RefusedCloseTest::stepState),
        of("RecordedProgram", RefusedCloseTest::program),
        of("RecordedProgram$Timed", RefusedCloseTest::timedProgram),
        of("CheckedCopyQueue", RefusedCloseTest::copyQueue),
        of("data.Batch", RefusedCloseTest::batch),
        of("device.Pool", RefusedCloseTest::pool),
        of("nn.ParameterArena", RefusedCloseTest::arena),
        of("nn.Sequential", RefusedCloseTest::network),
        of("nn.NetworkOver", RefusedCloseTest::whole),
        of("optim.Updates", RefusedCloseTest::updates),
        of("optim.Stepper", RefusedCloseTest::stepper),
        of("optim.RunningRule", device -> optimizer(device, Adam.rate(0.1))),
        of("optim.RunningRule", device -> optimizer(device, Sgd.rate(0.1))),
        of("optim.RunningRule", device -> optimizer(device, Sgd.rate(0.1).momentum(0.9))),
        of("train.Evaluator train.MetricSums train.RecordedStep", RefusedCloseTest::evaluator),
        of(
            "train.TrainingRun train.Steps train.ResidentData",
            device -> run(device, Fusion.NEVER, 1 << 20)),
        of("train.SharedData", RefusedCloseTest::shared),
        of("train.TrainingRun train.FusedStep", device -> run(device, Fusion.ALWAYS, 1 << 20)),
        of("train.TrainingRun train.Renewal nn.BatchStatistics", RefusedCloseTest::averagedRun),
        of("train.Kept train.AveragedValues", RefusedCloseTest::averagedNetwork),
        of("train.TrainingRun train.StreamedData", device -> run(device, Fusion.NEVER, 1_000)));
  }

  /**
   * What {@link #aDeviceStaysOpenWithAllThatIsOnIt} closes: the device's own parts, which nobody
   * else is given.
   */
  private static final Set<String> OF_THE_DEVICE =
      Set.of(
          "Device",
          "device.Allocator",
          "device.cpu.CpuBackend",
          "device.cpu.CpuBackend$RecordedCalls",
          "device.cpu.ImmediateCopies",
          "device.cuda.CudaBackend",
          "device.cuda.CudaCopyQueue",
          "device.cuda.CudaDriver",
          "device.cuda.CudaKernels",
          "device.cuda.CudaProgram",
          "device.cuda.CudaTimedProgram",
          "device.cuda.Cublas",
          "device.cuda.HostCopies");

  /** What no thread owns, never leaves the method that opens it, or is tested elsewhere. */
  private static final Map<String, String> OF_NO_THREAD =
      Map.ofEntries(
          Map.entry("check.Differences", "within one call of GradCheck"),
          Map.entry("cli.BundleFolder$Draft", "a folder"),
          Map.entry("cli.EpochLog", "a file"),
          Map.entry("cli.UserClass", "a class loader"),
          Map.entry("data.IdxReader", "a file, within one call of Idx"),
          Map.entry("embed.TextLines", "a file, within one call of its reader"),
          Map.entry("embed.Vectors", "a file or memory, asked by any thread"),
          Map.entry("embed.Word2VecModel", "a file or memory, asked by any thread"),
          Map.entry("embed.Word2VecTraining", "on the CPU alone: see Word2VecTrainingTest"),
          Map.entry("io.StandardOutput", "the standard output of a process"),
          Map.entry("text.Corpus", "a text, which every thread may read"),
          Map.entry("text.TextBlocks", "a file, within one call of TextReader"),
          Map.entry("text.TokenFile", "a file, of a Corpus"),
          Map.entry("train.BestValues", "within one call of Trainer.fit"),
          Map.entry(
              "train.OverwrittenLine", "a line of the terminal, which its bar's thread closes"));

  /** The names of all classes in the tables above, below {@code dev.weft}. */
  static Set<String> closedHere() {
    Set<String> names = new TreeSet<>(OF_THE_DEVICE);
    names.addAll(OF_NO_THREAD.keySet());
    cases().forEach(each -> names.addAll(each.classes()));
    return names;
  }

  private static Stream<Arguments> casesOnEachDevice() {
    return cases().stream()
        .flatMap(
            each ->
                Arrays.stream(OnEachDevice.Place.values()).map(place -> Arguments.of(each, place)));
  }

  private static final Map<OnEachDevice.Place, Device> DEVICES =
      new EnumMap<>(OnEachDevice.Place.class);

  @BeforeAll
  static void open() {
    for (OnEachDevice.Place place : OnEachDevice.Place.values()) {
      DEVICES.put(place, place.open());
    }
  }

  @AfterAll
  static void close() {
    DEVICES.values().forEach(Device::close);
  }

  @ParameterizedTest(name = "{0} {1}")
  @MethodSource("casesOnEachDevice")
  void aRefusedCloseHasNoEffect(Case each, OnEachDevice.Place place) throws Exception {
    Device device = DEVICES.get(place);
    long before = device.memory().live();
    List<Object> expected;
    Held undisturbed = each.open().apply(device);
    try {
      expected = List.of(undisturbed.use().get(), undisturbed.use().get());
    } finally {
      undisturbed.closeable().close();
      closeGround(undisturbed);
    }
    assertEquals(before, device.memory().live());

    Held held = each.open().apply(device);
    try {
      Object first = held.use().get();
      long live = device.memory().live();
      assertRefused(held.closeable());
      assertEquals(live, device.memory().live());
      assertEquals(expected, List.of(first, held.use().get()));

      held.closeable().close();
      assertSaysItIsClosed(held.use());
      held.closeable().close();
    } finally {
      closeGround(held);
    }
    held.closeable().close();
    assertEquals(before, device.memory().live());
  }

  private static void closeGround(Held held) throws Exception {
    for (AutoCloseable part : held.ground()) {
      part.close();
    }
  }

  @OnEachDevice
  void aDeviceStaysOpenWithAllThatIsOnIt(OnEachDevice.Place place) {
    Device device = place.open();
    List<Held> all = cases().stream().map(each -> each.open().apply(device)).toList();
    List<Object> first = all.stream().map(held -> held.use().get()).toList();
    assertRefused(device);
    List<Object> second = all.stream().map(held -> held.use().get()).toList();
    assertEquals(first.getFirst(), second.getFirst());
    device.close();
    device.close();
    // what is left of a closed device may be closed by anybody, and counts nothing
    for (Held held : all) {
      assertSaysItIsClosed(held.use());
      assertNull(Elsewhere.thrownBy(held.closeable()::close));
      assertSaysItIsClosed(held.use());
    }
    assertEquals(0, device.memory().live());
  }

  private static void assertRefused(AutoCloseable closeable) {
    Throwable refusal = Elsewhere.thrownBy(closeable::close);
    assertNotNull(refusal, "the close was not refused");
    assertEquals(IllegalStateException.class, refusal.getClass(), refusal.toString());
    assertTrue(refusal.getMessage().contains("belongs to thread"), refusal.getMessage());
    assertEquals(0, refusal.getSuppressed().length, "refusals of its parts");
  }

  private static void assertSaysItIsClosed(Supplier<Object> use) {
    String said = assertThrows(IllegalStateException.class, use::get).getMessage();
    assertTrue(said.matches(".* is closed.*|.*the network is on no device.*"), said);
  }

  private static Held tensor(Device device) {
    Tensor x = device.tensor(new double[] {1, 2, 3});
    return new Held(x, () -> Arrays.toString(x.toDoubles()));
  }

  private static Held tape(Device device) {
    Tensor x = device.full(DType.F32, Shape.of(100), 1).requiresGrad();
    Tape tape = new Tape(device, 5);
    return new Held(
        tape,
        () -> {
          Tensor y = tape.sum(tape.square(tape.dropout(x, 0.5)));
          tape.backward(y);
          return List.of(y.item(), Arrays.toString(x.grad().toDoubles()));
        },
        x);
  }

  private static Held stepState(Device device) {
    StepState state = new StepState(device, 1, 0.5);
    return new Held(
        state,
        () -> {
          state.advance(3);
          return state.step();
        });
  }

  private static Held program(Device device) {
    Tensor x = device.full(DType.F64, Shape.of(2), 1);
    RecordedProgram program = device.record(() -> doubled(x));
    return new Held(
        program,
        () -> {
          program.run();
          return Arrays.toString(x.toDoubles());
        },
        x);
  }

  private static Held timedProgram(Device device) {
    Tensor x = device.full(DType.F64, Shape.of(2), 1);
    RecordedProgram program = device.record(() -> doubled(x));
    TimedProgram timed = program.timed();
    return new Held(
        timed,
        () -> {
          timed.run(new long[timed.size() + 1]);
          return Arrays.toString(x.toDoubles());
        },
        program,
        x);
  }

  /** x = 2 x. */
  private static void doubled(Tensor x) {
    long n = x.elements();
    x.device()
        .run(
            dev.weft.device.Kernel.UNARY_FORWARD,
            x.dtype().precision(),
            new dev.weft.device.Arguments.UnaryForward(
                x.address(), x.address(), n, dev.weft.device.UnaryFunction.SCALE, 2));
  }

  private static Held copyQueue(Device device) {
    Tensor x = device.zeros(DType.F32, Shape.of(1));
    CopyQueue queue = device.copyQueue(1);
    MemorySegment host = queue.hostMemory(Float.BYTES).fill((byte) 0);
    return new Held(
        queue,
        () -> {
          queue.await(0);
          host.set(ValueLayout.JAVA_FLOAT, 0, host.get(ValueLayout.JAVA_FLOAT, 0) + 1);
          queue.copyIn(0, host, x.address());
          queue.use(0);
          return x.item();
        },
        x);
  }

  private static Held pool(Device device) {
    Pool pool = device.pool();
    return new Held(pool, () -> pool.allocate(100).bytes());
  }

  private static Held batch(Device device) {
    Batch batch = DATA.batches(device, BATCH, 0, 1).iterator().next();
    return new Held(batch, () -> Arrays.toString(batch.inputs().features().toDoubles()));
  }

  private static Sequential network(Device device, int out) {
    return Sequential.of(new Linear(2, 3), Activation.TANH, new Linear(3, out)).seed(7).on(device);
  }

  private static Held arena(Device device) {
    Sequential network = network(device, 2);
    ParameterArena arena = network.arena();
    return new Held(
        arena,
        () -> {
          Tensor weight = arena.values(network.named().values().iterator().next());
          weight.fill(weight.toDoubles()[0] + 1);
          return Arrays.toString(arena.values().toDoubles());
        },
        network);
  }

  private static Held network(Device device) {
    Sequential network = network(device, 2);
    return new Held(network, () -> Arrays.deepToString(network.scores(new double[][] {{1, 2}})));
  }

  private static Held whole(Device device) {
    Network network = Network.over(Parallel.of(new Linear(2, 2), new Linear(2, 2))).on(device);
    return new Held(network, () -> Arrays.deepToString(network.scores(new double[][] {{1, 2}})));
  }

  private static Held updates(Device device) {
    Sequential network = network(device, 2);
    StepState state = new StepState(device, 1, 0.1);
    Updates updates = new Updates(new Groups(network, Adam.rate(0.1), Map.of()));
    return new Held(
        updates,
        () -> {
          network.arena().fillMissingGradients();
          try (Tape tape = new Tape(device)) {
            updates.step(tape, state, 1);
          }
          state.advance(1);
          return Arrays.toString(network.arena().values().toDoubles());
        },
        state,
        network);
  }

  private static Held stepper(Device device) {
    Sequential network = network(device, 2);
    Stepper stepper = Adam.rate(0.1).stepper(network);
    return new Held(
        stepper,
        () -> {
          try (Tape tape = stepper.tape();
              Tensor x = device.full(DType.F32, Shape.of(1, 2), 1)) {
            tape.backward(tape.sum(network.forward(tape, x)));
            stepper.step();
          }
          return Arrays.toString(network.arena().values().toDoubles());
        },
        network);
  }

  private static Held optimizer(Device device, Optimizer optimizer) {
    Tensor values = device.full(DType.F32, Shape.of(16), 1);
    Tensor gradients = device.full(DType.F32, Shape.of(16), 0.5);
    StepState state = new StepState(device, 1, 0.1);
    RunningRule running = optimizer.start(values, gradients);
    return new Held(
        running,
        () -> {
          running.step(state);
          state.advance(1);
          return Arrays.toString(values.toDoubles());
        },
        state,
        gradients,
        values);
  }

  private static Held evaluator(Device device) {
    Sequential network = network(device, 2);
    Evaluator evaluator = new Evaluator(network, new SoftmaxCrossEntropy(), DATA, BATCH);
    return new Held(evaluator, evaluator::evaluate, network);
  }

  private static Held run(Device device, Fusion fusion, int memory) {
    Sequential network = network(device, 2);
    TrainingRun run =
        Trainer.of(network)
            .on(device)
            .batch(BATCH)
            .fusion(fusion)
            .dataMemory(memory)
            .start(DATA, DATA);
    return new Held(
        run,
        () -> {
          run.step();
          run.step();
          return run.loss();
        },
        network);
  }

  private static Held averagedRun(Device device) {
    Sequential network = Sequential.of(new Linear(2, 2), new BatchNorm(2)).on(device);
    TrainingRun run = averaging(network, device).start(DATA, DATA);
    return new Held(
        run,
        () -> {
          for (int step = 0; step < run.stepsPerEpoch(); step++) {
            run.step();
          }
          return run.evaluate();
        },
        network);
  }

  private static Held averagedNetwork(Device device) {
    Sequential network = Sequential.of(new Linear(2, 2), new BatchNorm(2)).on(device);
    averaging(network, device).fit(DATA, 2);
    return new Held(network, () -> Arrays.deepToString(network.scores(new double[][] {{1, 2}})));
  }

  private static Trainer averaging(Sequential network, Device device) {
    return Trainer.of(network).on(device).batch(BATCH).averaging(Averaging.stochastic(1));
  }

  private static Held shared(Device device) {
    Sequential network = network(device, 2);
    SharedData shared = new SharedData(device);
    Trainer trainer = Trainer.of(network).on(device).batch(BATCH).sharedData(shared);
    return new Held(
        shared,
        () -> {
          try (TrainingRun run = trainer.start(DATA)) {
            run.step();
            return run.loss();
          }
        },
        network);
  }
}
