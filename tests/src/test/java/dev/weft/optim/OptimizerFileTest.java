// SPDX-License-Identifier: Apache-2.0
package dev.weft.optim;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.weft.DType;
import dev.weft.Device;
import dev.weft.Inputs;
import dev.weft.Shape;
import dev.weft.Tape;
import dev.weft.Tensor;
import dev.weft.data.Dataset;
import dev.weft.data.ToySets;
import dev.weft.io.Safetensors;
import dev.weft.nn.Network;
import dev.weft.nn.Sequential;
import dev.weft.support.OnEachDevice;
import dev.weft.support.OnEachDevice.Place;
import dev.weft.train.Fusion;
import dev.weft.train.Trainer;
import dev.weft.train.TrainingRun;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;

/** What optimizers remember goes into files and back: of the same rule and network alone. */
class OptimizerFileTest {
  private static final Dataset DATA = ToySets.moons(50, 0.1, 1);
  private static final String LAYERS = "linear(2,8) relu dropout(0.3) linear(8,2)";
  private static final int EPOCHS = 4;
  @TempDir private Path folder;

  private static Trainer trainer(Device device, Network network, UnaryOperator<Trainer> tell) {
    return tell.apply(Trainer.of(network).on(device).batch(8).seed(3));
  }

  private static List<UnaryOperator<Trainer>> ways() {
    return List.of(
        t -> t.optimizer(Adam.rate(0.02)).fusion(Fusion.ALWAYS),
        t -> t.optimizer(Adam.rate(0.02).amsgrad()).schedule(Schedule.cosine(EPOCHS)),
        t ->
            t.optimizer(NAdam.rate(0.02))
                .momentumSchedule((update, epochs) -> 1 / (1 + epochs))
                .group("*.bias", Sgd.rate(0.1).momentum(0.5)),
        t -> t.optimizer(Adagrad.rate(0.1).initial(0.1).rateDecay(0.01)).accumulate(3),
        t -> t.optimizer(Sgd.rate(0.1)).schedule(Schedule.linear(EPOCHS)),
        t -> t.optimizer(RmsProp.rate(0.01).momentum(0.5).centred()).clip(Clip.norm(1)));
  }

  /** Stops after so many steps, in the midst of an epoch and of an update. */
  @OnEachDevice
  void trainingGoesOnFromFilesWithTheBitsOfOneThatNeverStopped(Place place) throws Exception {
    Path values = folder.resolve("network.safetensors");
    Path optimizer = folder.resolve("optimizer.safetensors");
    for (UnaryOperator<Trainer> way : ways()) {
      double[] whole;
      try (Device device = place.open();
          Network network = Sequential.parse(LAYERS)) {
        trainer(device, network, way).fit(DATA, EPOCHS);
        whole = network.arena().values().toDoubles();
      }
      try (Device device = place.open();
          Network network = Sequential.parse(LAYERS)) {
        Trainer first = trainer(device, network, way);
        first.onStep(1, run -> stopAfter(run, 11)).fit(DATA, EPOCHS);
        first.saveOptimizer(optimizer);
        network.save(values);
      }
      try (Device device = place.open();
          Network network = Network.load(values)) {
        Trainer second = trainer(device, network, way).loadOptimizer(optimizer);
        assertEquals(1, second.position().epoch());
        second.fit(DATA, EPOCHS - 1);
        assertArrayEquals(whole, network.arena().values().toDoubles());
      }
      // without the file it is another run
      try (Device device = place.open();
          Network network = Network.load(values)) {
        trainer(device, network, way).fit(DATA, EPOCHS - 1);
        assertTrue(!Arrays.equals(whole, network.arena().values().toDoubles()));
      }
    }
  }

  private static void stopAfter(TrainingRun run, int steps) {
    if (run.position().step() == steps) {
      run.stop("to go on later");
    }
  }

  private static void steps(Stepper stepper, Network network, int from, int to) {
    for (int step = from; step < to; step++) {
      try (Tape tape = stepper.tape();
          Tensor x = tape.device().tensor(DType.F32, Shape.of(3, 2), 1, step, 2, -1, 0.5, 3);
          Tensor labels = tape.device().tensor(new int[] {0, 1, step % 2})) {
        Inputs<Tensor> inputs = Inputs.of(x);
        tape.backward(tape.softmaxCrossEntropy(network.forward(tape, inputs), labels));
        stepper.step();
      }
    }
  }

  @OnEachDevice
  void loopsByHandGoOn(Place place) throws Exception {
    Path values = folder.resolve("network.safetensors");
    Path optimizer = folder.resolve("optimizer.safetensors");
    for (KernelRule<?> rule : List.of(Adam.rate(0.05), Lion.rate(0.01), Adadelta.rate(1))) {
      double[] whole;
      try (Device device = place.open();
          Network network = Sequential.parse(LAYERS).on(device);
          Stepper stepper = rule.stepper(network).seed(9)) {
        steps(stepper, network, 0, 12);
        whole = network.arena().values().toDoubles();
      }
      try (Device device = place.open();
          Network network = Sequential.parse(LAYERS).on(device);
          Stepper stepper = rule.stepper(network).seed(9)) {
        steps(stepper, network, 0, 5);
        stepper.save(optimizer);
        network.save(values);
      }
      for (boolean seedFirst : new boolean[] {true, false}) {
        try (Device device = place.open();
            Network network = Network.load(values).on(device);
            Stepper stepper = rule.stepper(network)) {
          if (seedFirst) {
            stepper.seed(9).load(optimizer);
          } else {
            stepper.load(optimizer).seed(9);
          }
          steps(stepper, network, 5, 12);
          assertArrayEquals(whole, network.arena().values().toDoubles(), rule.toString());
        }
      }
    }
  }

  @Test
  void filesNameParametersAndRules() throws Exception {
    Path file = folder.resolve("optimizer.safetensors");
    try (Device device = Device.cpu();
        Network network = Sequential.parse(LAYERS)) {
      Trainer trainer =
          Trainer.of(network)
              .on(device)
              .optimizer(Adam.rate(0.02))
              .group("3.bias", RmsProp.rate(0.01));
      trainer.fit(DATA, 2);
      trainer.saveOptimizer(file);
      Safetensors.Contents contents = Safetensors.read(file);
      assertEquals(
          "[0.bias.first, 0.bias.second, 0.weight.first, 0.weight.second, 3.bias.squares,"
              + " 3.weight.first, 3.weight.second]",
          contents.tensors().keySet().stream().sorted().toList().toString());
      assertArrayEquals(new long[] {2, 8}, contents.tensor("0.weight.first").shape());
      assertEquals("adam; 3.bias=rmsprop", contents.metadata().get("optimizer"));
      assertTrue(contents.metadata().get("settings").contains("rate=0.02"));
      assertEquals("2", contents.metadata().get("update"));
      OptimizerFile read =
          OptimizerFile.read(
              file,
              new Groups(network, Adam.rate(1), Map.of("3.bias", RmsProp.rate(1).alpha(0.5))));
      assertArrayEquals(
          trainer.remembered().get("0.weight.first").toDoubles(),
          read.memory().get("0.weight.first"));
    }
  }

  @Test
  void filesOfOthersAreRefusedAndChangeNothing() throws Exception {
    Path adam = saved("adam", LAYERS, t -> t.optimizer(Adam.rate(0.02)));
    Path wider = saved("wider", "linear(2,9) relu linear(9,2)", t -> t);
    Path deeper = saved("deeper", "linear(2,8) relu linear(8,8) relu linear(8,2)", t -> t);
    Path grouped = saved("groups", LAYERS, t -> t.group("*.bias", Sgd.rate(0.1)));
    Path network = folder.resolve("network.safetensors");
    try (Device device = Device.cpu();
        Network one = Sequential.parse("linear(2,8) relu linear(8,2)").seed(1).on(device)) {
      one.save(network);
      Trainer trainer = Trainer.of(one).on(device).optimizer(Adam.rate(0.1)).batch(8);
      trainer.fit(DATA, 1);
      String before = state(trainer);
      refused(trainer, wider, before, "0.weight.first has shape [2, 9], and here [2, 8]");
      refused(trainer, deeper, before, "another network's", "has 4.bias.first, 4.bias.second");
      refused(trainer, adam, before, "it lacks 2.bias.first", "has 3.bias.first");
      refused(trainer, grouped, before, "adam; *.bias=sgd remembers, and the optimizer is adam");
      refused(trainer, network, before, "network.safetensors: a safetensors file, but not of an");
      refused(trainer, folder.resolve("none"), before, "none");
      Path numberless = folder.resolve("numberless");
      trainer.saveOptimizer(adam);
      Safetensors.Contents contents = Safetensors.read(adam);
      Map<String, String> notes = new HashMap<>(contents.metadata());
      notes.put("update", "many");
      Safetensors.write(numberless, contents.tensors(), notes);
      refused(trainer, numberless, before, "no number 'update': many");
      Files.writeString(numberless, "no tensors");
      refused(trainer, numberless, before, "numberless");
      trainer.optimizer(Lion.rate(1e-3));
      refused(trainer, adam, before, "what adam remembers, and the optimizer is lion");
      trainer.optimizer(Adam.rate(0.2)).loadOptimizer(adam); // another rate may go on
      trainer.fit(DATA, 1);
    }
    try (Device device = Device.cpu();
        Network one = Sequential.parse("linear(2,8) relu linear(8,2)").on(device);
        Stepper stepper = Adam.rate(0.1).stepper(one)) {
      steps(stepper, one, 0, 3);
      double[] first = stepper.memory().get("0.weight.first").toDoubles();
      assertThrows(IOException.class, () -> stepper.load(wider));
      assertArrayEquals(first, stepper.memory().get("0.weight.first").toDoubles());
    }
  }

  @Test
  void numbersThatAreNoPositionAreRefusedAndChangeNothing() throws Exception {
    Path good = folder.resolve("good");
    Path bad = folder.resolve("bad");
    try (Device device = Device.cpu();
        Network network = Sequential.parse(LAYERS)) {
      Trainer trainer = trainer(device, network, t -> t);
      trainer.onStep(1, run -> stopAfter(run, 11)).fit(DATA, EPOCHS);
      trainer.saveOptimizer(good);
      trainer.fit(DATA, 1);
      String before = state(trainer);
      List<String> none =
          List.of(
              "accumulated=0",
              "batch=-3",
              "batch=7", // of 7
              "batches=2147483648",
              "rows=-1",
              "batch_rows=-1",
              "epoch=-1",
              "step=-1",
              "update=-1",
              "begun=12",
              "rate=NaN",
              "rate=-0.1",
              "rate=Infinity");
      for (String each : none) {
        String[] words = each.split("=");
        withNote(good, bad, words[0], words[1]);
        refused(trainer, bad, before, "bad: its metadata has the " + words[0] + " " + words[1]);
      }
      trainer.loadOptimizer(good);
      assertEquals(11, trainer.position().step());
      trainer.fit(DATA, 1);
    }
    try (Device device = Device.cpu();
        Network network = Sequential.parse(LAYERS).on(device);
        Stepper stepper = Adam.rate(1e-3).stepper(network)) {
      withNote(good, bad, "update", "-1");
      assertThrows(IOException.class, () -> stepper.load(bad));
      assertTrue(
          Arrays.stream(stepper.memory().get("0.weight.first").toDoubles()).allMatch(v -> v == 0));
    }
  }

  private static void withNote(Path from, Path to, String name, String value) throws IOException {
    Safetensors.Contents contents = Safetensors.read(from);
    Map<String, String> notes = new HashMap<>(contents.metadata());
    notes.put(name, value);
    Safetensors.write(to, contents.tensors(), notes);
  }

  /** Corrections go by the updates of the rule that the file is of, not by those before it. */
  @Test
  void aStepperGoesOnFromATrainersFile() throws Exception {
    Path file = folder.resolve("second");
    try (Device device = Device.cpu();
        Network network = Sequential.parse(LAYERS)) {
      Trainer trainer = trainer(device, network, t -> t.optimizer(Sgd.rate(0.1)));
      trainer.fit(DATA, 2);
      trainer.optimizer(Adam.rate(0.1)).onStep(1, run -> run.stop("at once")).fit(DATA, 1);
      trainer.saveOptimizer(file);
      assertEquals("15", Safetensors.read(file).metadata().get("update"));
    }
    try (Device device = Device.cpu();
        Network network = Sequential.parse(LAYERS).on(device);
        Stepper stepper = Adam.rate(0.1).stepper(network)) {
      stepper.load(file).save(file);
      assertEquals("1", Safetensors.read(file).metadata().get("update"));
    }
  }

  private static void refused(Trainer trainer, Path file, String before, String... words) {
    var thrown = assertThrows(IOException.class, () -> trainer.loadOptimizer(file));
    for (String word : words) {
      assertTrue(thrown.getMessage().contains(word), thrown.getMessage());
    }
    assertEquals(before, state(trainer));
  }

  private static String state(Trainer trainer) {
    StringBuilder text = new StringBuilder(trainer.position().toString());
    trainer
        .remembered()
        .forEach((name, of) -> text.append(name).append(Arrays.toString(of.toDoubles())));
    return text.toString();
  }

  private Path saved(String name, String layers, UnaryOperator<Trainer> tell) throws IOException {
    Path file = folder.resolve(name);
    try (Device device = Device.cpu();
        Network network = Sequential.parse(layers)) {
      Trainer trainer = trainer(device, network, tell);
      trainer.fit(DATA, 1);
      trainer.saveOptimizer(file);
    }
    return file;
  }

  @Test
  void whatIsNotAtRestIsNeitherSavedNorLoaded() throws Exception {
    Path file = saved("adam", LAYERS, t -> t);
    try (Device device = Device.cpu();
        Network network = Sequential.parse(LAYERS)) {
      Trainer trainer = trainer(device, network, t -> t);
      refused("saved after a run", () -> trainer.saveOptimizer(folder.resolve("new")));
      try (TrainingRun run = trainer.start(DATA)) {
        run.step();
        refused("run of this trainer is open", () -> trainer.loadOptimizer(file));
        trainer.saveOptimizer(folder.resolve("within"));
      }
      trainer.optimizer(Lion.rate(0.1));
      refused("lion remembers", () -> trainer.saveOptimizer(folder.resolve("new")));
    }
    try (Device device = Device.cpu();
        Network network = Sequential.parse(LAYERS).on(device);
        Stepper stepper = Adam.rate(0.1).stepper(network)) {
      try (Tape tape = stepper.tape();
          Tensor x = device.tensor(DType.F32, Shape.of(1, 2), 1, 2)) {
        tape.backward(tape.sum(network.forward(tape, Inputs.of(x))));
        refused("no step yet", () -> stepper.save(folder.resolve("new")));
        refused("no step yet", () -> stepper.load(file));
      }
    }
    assertTrue(Files.notExists(folder.resolve("new")));
  }

  private static void refused(String words, Executable call) {
    var thrown = assertThrows(IllegalStateException.class, call);
    assertTrue(thrown.getMessage().contains(words), thrown.getMessage());
  }
}
