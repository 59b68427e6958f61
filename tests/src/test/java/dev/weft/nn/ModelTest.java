// SPDX-License-Identifier: Apache-2.0
package dev.weft.nn;

import static dev.weft.nn.TextModels.BEFORE;
import static dev.weft.nn.TextModels.WORDS;
import static dev.weft.nn.TextModels.bagModel;
import static dev.weft.nn.TextModels.plain;
import static dev.weft.nn.TextModels.text;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.weft.Device;
import dev.weft.Inputs;
import dev.weft.Operations;
import dev.weft.Parameter;
import dev.weft.RowType;
import dev.weft.Shape;
import dev.weft.Tape;
import dev.weft.Tensor;
import dev.weft.check.GradCheck;
import dev.weft.data.Dataset;
import dev.weft.device.BagFunction;
import dev.weft.optim.Adam;
import dev.weft.optim.Sgd;
import dev.weft.support.Broken;
import dev.weft.support.OnEachDevice;
import dev.weft.train.Evaluator;
import dev.weft.train.History;
import dev.weft.train.Trainer;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Models that nest, share, count, freeze and are grouped: trained, saved, loaded, gone on with. */
class ModelTest {
  @TempDir private Path folder;

  /** Counts the batches that it was trained on; passes them on. */
  static final class Counter implements Layer {
    private final Parameter count =
        Parameter.buffer("count", Shape.of(), (tensor, seed, draw) -> tensor.fill(0));

    @Override
    public Tensor forward(Operations operations, Tensor x) {
      operations.assign(count.tensor(), operations.shift(count.tensor(), 1));
      return x;
    }

    @Override
    public RowType output(RowType input) {
      return input;
    }

    @Override
    public List<Parameter> parameters() {
      return List.of(count);
    }
  }

  static {
    Layers.register("counter", Counter.class, settings -> new Counter());
  }

  private static Sequential tied() {
    var embedding = new Embedding(WORDS, 8, Initializers.normal(0, 0.3), Embedding.Gradient.DENSE);
    return Sequential.of(
        embedding,
        new Flatten(),
        new Linear(BEFORE * 8, 8),
        Activation.TANH,
        new TiedLinear(embedding));
  }

  private static Sequential residual() {
    return Sequential.of(
        new Embedding(WORDS, 8),
        new Flatten(),
        new Linear(BEFORE * 8, 16),
        new Counter(),
        Residual.of(new LayerNorm(16), new Linear(16, 16), Activation.RELU),
        new Linear(16, WORDS));
  }

  private History train(
      Supplier<Sequential> made, Device device, Consumer<Trainer> settings, String name)
      throws Exception {
    Dataset data = text(400);
    Path file = folder.resolve(name + ".safetensors");
    try (Sequential network = made.get()) {
      Trainer trainer = Trainer.of(network).on(device).batch(32);
      settings.accept(trainer);
      History history = trainer.fit(data, data, 4);
      network.save(file);
      try (Network again = Network.load(file).on(device);
          var one = new Evaluator(network, new SoftmaxCrossEntropy(), data, 50);
          var two = new Evaluator(again, new SoftmaxCrossEntropy(), data, 50)) {
        assertEquals(network.spec(), again.spec());
        assertEquals(network.named().keySet(), again.named().keySet());
        assertEquals(one.evaluate().loss(), two.evaluate().loss(), "the same bits");
        Trainer goesOn = Trainer.of(again).on(device).batch(32);
        settings.accept(goesOn);
        double before = two.evaluate().loss();
        double after = goesOn.fit(data, data, 3).last().test().loss();
        assertTrue(after < before, "going on makes it better");
      }
      return history;
    }
  }

  @OnEachDevice
  void tiedTablesAreOneAndStayOne(OnEachDevice.Place place) throws Exception {
    try (Device device = place.open()) {
      History history = train(ModelTest::tied, device, trainer -> {}, "tied");
      assertTrue(history.last().test().loss() < history.epochs().getFirst().test().loss());
      assertEquals("[0.table, 2.weight, 2.bias, 4.bias]", tied().named().keySet().toString());
      Network again = Network.load(folder.resolve("tied.safetensors"));
      var loaded = (Sequential) again;
      assertSame(loaded.models().getFirst(), loaded.models().get(4).children().get("embedding"));
    }
  }

  @OnEachDevice
  void buffersCountInTrainingAndAreSaved(OnEachDevice.Place place) throws Exception {
    try (Device device = place.open()) {
      train(ModelTest::residual, device, trainer -> {}, "residual");
      Network again = Network.load(folder.resolve("residual.safetensors"));
      again.on(device);
      // 397 rows in batches of 32 are 13, four times; evaluation counts nothing
      assertEquals(52, again.named().get("3.count").tensor().item());
      again.close();
    }
  }

  @OnEachDevice
  void whatIsFrozenStaysAndGroupsHaveTheirRates(OnEachDevice.Place place) throws Exception {
    try (Device device = place.open()) {
      Consumer<Trainer> groups =
          trainer ->
              trainer
                  .optimizer(Adam.rate(1e-2).weightDecay(0.1))
                  .group("*.bias", Sgd.rate(0))
                  .network()
                  .freeze("0.*");
      float[][] table = new float[1][];
      train(
          () -> {
            Sequential network = plain().seed(4).on(device);
            table[0] = network.named().get("0.table").tensor().toFloats();
            return network;
          },
          device,
          groups,
          "groups");
      Network again = Network.load(folder.resolve("groups.safetensors"));
      assertTrue(again.named().get("0.table").isFrozen());
      again.on(device);
      assertArrayEquals(table[0], again.named().get("0.table").tensor().toFloats());
      assertArrayEquals(new float[16], again.named().get("2.bias").tensor().toFloats());
      again.close();
    }
  }

  @Test
  void bothDevicesGiveTheSameLosses() {
    Dataset data = text(400);
    double[] losses = new double[2];
    int at = 0;
    for (OnEachDevice.Place place : OnEachDevice.Place.values()) {
      try (Device device = place.open();
          Sequential network = plain()) {
        losses[at++] =
            Trainer.of(network).on(device).batch(32).fit(data, data, 3).last().test().loss();
      }
    }
    assertEquals(losses[0], losses[1], 1e-5 * losses[0]);
  }

  @Test
  void branchesJoin() {
    try (Device device = Device.cpu();
        Tape tape = Tape.inference(device);
        Tensor x = device.tensor(new double[][] {{1, -2}})) {
      var doubled = Lambda.of("doubled", (operations, in) -> operations.scale(in, 2));
      var sum = Sequential.of(Parallel.of(doubled, Activation.RELU));
      assertArrayEquals(new double[] {3, -4}, sum.forward(tape, x).toDoubles());
      var both = Sequential.of(Concat.of(doubled, Activation.RELU));
      assertArrayEquals(new double[] {2, -4, 1, 0}, both.forward(tape, x).toDoubles());
      assertEquals(Shape.of(4), both.output(RowType.floating(Shape.of(2))).shape());
      var residual = Sequential.of(Residual.of(doubled));
      assertArrayEquals(new double[] {3, -6}, residual.forward(tape, x).toDoubles());
    }
  }

  static void refused(String words, Runnable what) {
    RuntimeException e = assertThrows(RuntimeException.class, what::run);
    assertTrue(e.getMessage().contains(words), e.getMessage());
  }

  @Test
  void whatDoesNotFitIsRefusedBeforeTheFirstStep() {
    Dataset data = text(50);
    try (Device device = Device.cpu()) {
      refused(
          "there is no column 'words': there is",
          () ->
              Trainer.of(Sequential.of(new Select("words"), new Embedding(WORDS, 2)))
                  .on(device)
                  .start(data));
      refused(
          "Embedding(29, 2) got ids up to 29: its table has rows 0 to 28",
          () ->
              Trainer.of(Sequential.of(new Embedding(29, 2), new Flatten(), new Linear(6, 30)))
                  .on(device)
                  .start(data));
      refused(
          "Linear(3, 2) takes numbers and got ids [3] below 30: put an Embedding before it",
          () -> Trainer.of(Sequential.of(new Linear(3, 2))).on(device).start(data));
      refused(
          "no parameter is called 'bias'; there are 0.table, 2.weight",
          () -> Trainer.of(plain()).group("bias", Sgd.rate(1)));
      refused(
          "group '2.bias' names no parameter that is not in an earlier one of *.bias, 2.bias:"
              + " give it first",
          () ->
              Trainer.of(plain())
                  .on(device)
                  .group("*.bias", Sgd.rate(1))
                  .group("2.bias", Sgd.rate(2))
                  .start(data));
      refused(
          "all its parameters are frozen",
          () -> {
            Sequential network = plain();
            network.freeze("*");
            Trainer.of(network).on(device).start(data);
          });
      refused(
          "layer 1 does not fit the one before it: Linear(5, 2) got 4 features",
          () -> Sequential.of(EmbeddingBag.sum(WORDS, 4), new Linear(5, 2)));
      refused("layer 2 does not fit", () -> Sequential.parse("linear(2,8) prelu linear(9,2)"));
      refused("layer 1 does not fit", () -> Sequential.parse("maxout(2,8,2) linear(9,2)"));
      refused(
          "layer 2 does not fit",
          () -> Sequential.parse("weight_norm_linear(2,8) row_dropout(0.5) linear(9,2)"));
      refused(
          "residual(linear(2,3)) adds",
          () -> Residual.of(new Linear(2, 3)).output(RowType.floating(Shape.of(2))));
      refused(
          "whose gradient is rows: make it Embedding.Gradient.DENSE",
          () -> new TiedLinear(new Embedding(3, 2)));
      assertEquals(0, device.memory().live());
    }
  }

  /** Two parameters of one name in one model. */
  private static final class Twins implements Layer {
    @Override
    public Tensor forward(Operations operations, Tensor x) {
      return x;
    }

    @Override
    public RowType output(RowType input) {
      return input;
    }

    @Override
    public List<Parameter> parameters() {
      return List.of(
          new Parameter("weight", Shape.of(1), Initializers.zeros()),
          new Parameter("weight", Shape.of(1), Initializers.zeros()));
    }
  }

  @Test
  void twoParametersOfOneNameAreRefused() {
    refused("Twins has two parameters called 0.weight", () -> Sequential.of(new Twins()));
  }

  /** Bengio's network, small, and others; tables are dense here. */
  @Test
  void aWholeModelIsChecked() {
    for (Sequential model : List.of(plain(), tied(), residual(), bagModel(BagFunction.MEAN))) {
      checked(model).assertPasses();
    }
    var wrong = Lambda.of("wrong", (ops, x) -> ops.apply(new Broken(Broken.Fault.SIGN), x));
    Sequential model = Sequential.of(plain(), wrong);
    assertThrows(AssertionError.class, checked(model)::assertPasses);
  }

  /** Column.of(float[]) is one number a row. */
  @Test
  void oneNumberARowIsToldHowToBecomeAVector() {
    Inputs<RowType> row =
        Inputs.of(
            Map.of("features", RowType.floating(Shape.of()), "b", RowType.floating(Shape.of(2))));
    for (Model model :
        List.of(Concat.of(new Select("b"), new Select("features")), new Linear(1, 2))) {
      String message =
          assertThrows(IllegalArgumentException.class, () -> model.output(row)).getMessage();
      assertTrue(message.contains("one number a row, of shape []"), message);
      assertTrue(message.endsWith(".shaped(1)"), message);
    }
  }

  private static GradCheck checked(Model model) {
    return GradCheck.of(
        model,
        new SoftmaxCrossEntropy(),
        Map.of(
            Inputs.FEATURES, dev.weft.check.Input.integers(WORDS, 7, BEFORE),
            Inputs.TARGETS, dev.weft.check.Input.integers(3, 7)));
  }

  @Test
  void valuesOfANestedNetworkComeAlong() throws Exception {
    Path file = folder.resolve("inner.safetensors");
    try (Device device = Device.cpu()) {
      Sequential inner = Sequential.of(new Linear(2, 3)).seed(7).on(device);
      float[] weight = inner.named().get("0.weight").tensor().toFloats();
      inner.save(file);
      refused(
          "0.weight is that of another network, which is on a device",
          () -> Sequential.of(inner, new Linear(3, 1)).on(device));
      inner.close();
      refused(
          "0.weight was in a network that was closed, and its values went with it",
          () -> Sequential.of(inner, new Linear(3, 1)).on(device));
      inner.loadValues(file);
      try (Sequential again = Sequential.of(inner, new Linear(3, 1))) {
        again.on(device);
        assertArrayEquals(weight, again.named().get("0.weight").tensor().toFloats());
      }
      Sequential outer = Sequential.of(Sequential.load(file), new Linear(3, 1));
      outer.on(device);
      assertArrayEquals(weight, outer.named().get("0.weight").tensor().toFloats());
      outer.close();
      var whole = Network.over(Residual.of(new Linear(2, 2)));
      assertEquals(
          "[0.body.0.weight, 0.body.0.bias, 1.weight, 1.bias]",
          Sequential.of(whole, new Linear(2, 1)).named().keySet().toString());
    }
  }
}
