// SPDX-License-Identifier: Apache-2.0
package dev.weft.nn;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.weft.DType;
import dev.weft.Device;
import dev.weft.Inputs;
import dev.weft.MathMode;
import dev.weft.Operations;
import dev.weft.Parameter;
import dev.weft.RowType;
import dev.weft.Shape;
import dev.weft.StepState;
import dev.weft.Tape;
import dev.weft.Tensor;
import dev.weft.check.GradCheck;
import dev.weft.data.Batch;
import dev.weft.data.Column;
import dev.weft.data.Dataset;
import dev.weft.device.BagFunction;
import dev.weft.optim.Adam;
import dev.weft.optim.Optimizer;
import dev.weft.optim.Sgd;
import dev.weft.support.Broken;
import dev.weft.support.OnEachDevice;
import dev.weft.train.Epochs;
import dev.weft.train.Evaluator;
import dev.weft.train.History;
import dev.weft.train.Trainer;
import dev.weft.train.Updates;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Models that nest, share, count, freeze and are grouped: trained, saved, loaded, gone on with. */
class ModelTest {
  private static final int WORDS = 30;
  private static final int BEFORE = 3;

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

  /** A text in which the next word follows from the one before. */
  private static Dataset text(int length) {
    Random random = new Random(3);
    int[] ids = new int[length];
    for (int i = 1; i < length; i++) {
      ids[i] = random.nextInt(10) == 0 ? random.nextInt(WORDS) : (ids[i - 1] * 7 + 3) % WORDS;
    }
    Column tokens = Column.ids(ids, WORDS);
    return Dataset.of(
        Map.of(
            Inputs.FEATURES, tokens.window(BEFORE).slice(0, length - BEFORE),
            Inputs.TARGETS, tokens.slice(BEFORE, length)));
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

  private static Sequential plain() {
    return Sequential.of(
        new Embedding(WORDS, 8),
        new Flatten(),
        new Linear(BEFORE * 8, 16),
        Activation.TANH,
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
      History history = trainer.fit(data, data, Epochs.of(4));
      network.save(file);
      try (Network again = Network.load(file).on(device, MathMode.STRICT, 9);
          var one = new Evaluator(network, new SoftmaxCrossEntropy(), data, 50);
          var two = new Evaluator(again, new SoftmaxCrossEntropy(), data, 50)) {
        assertEquals(network.spec(), again.spec());
        assertEquals(network.named().keySet(), again.named().keySet());
        assertEquals(one.evaluate().loss(), two.evaluate().loss(), "the same bits");
        Trainer goesOn = Trainer.of(again).on(device).batch(32);
        settings.accept(goesOn);
        double before = two.evaluate().loss();
        double after = goesOn.fit(data, data, Epochs.of(3)).last().test().loss();
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
      again.on(device, MathMode.STRICT, 1);
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
            Sequential network = plain().on(device, MathMode.STRICT, 4);
            table[0] = network.named().get("0.table").tensor().toFloats();
            return network;
          },
          device,
          groups,
          "groups");
      Network again = Network.load(folder.resolve("groups.safetensors"));
      assertTrue(again.named().get("0.table").isFrozen());
      again.on(device, MathMode.STRICT, 1);
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
            Trainer.of(network)
                .on(device)
                .batch(32)
                .fit(data, data, Epochs.of(3))
                .last()
                .test()
                .loss();
      }
    }
    assertEquals(losses[0], losses[1], 1e-5 * losses[0]);
  }

  /** What a table by rows learns a dense one learns, too, where no momentum is lazy. */
  private static void checkLearnsAsDense(
      OnEachDevice.Place place, Dataset data, int width, Function<Embedding, Sequential> made) {
    float[][] values = new float[2][];
    try (Device device = place.open()) {
      for (Embedding.Gradient gradient : Embedding.Gradient.values()) {
        var table = new Embedding(WORDS, width, Initializers.normal(0, 1), gradient);
        try (Sequential network = made.apply(table)) {
          Trainer.of(network)
              .on(device)
              .optimizer(Sgd.rate(0.5))
              .batch(32)
              .fit(data, null, Epochs.of(3));
          values[gradient.ordinal()] = table.table().tensor().toFloats();
        }
      }
    }
    assertArrayEquals(values[1], values[0], 1e-5f);
  }

  @OnEachDevice
  void rowsLearnWhatDenseTablesLearn(OnEachDevice.Place place) {
    checkLearnsAsDense(
        place,
        text(300),
        8,
        table -> Sequential.of(table, new Flatten(), new Linear(BEFORE * 8, WORDS)));
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

  private static void refused(String words, Runnable what) {
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
                  .start(data, null));
      refused(
          "Embedding(29, 2) got ids up to 29: its table has rows 0 to 28",
          () ->
              Trainer.of(Sequential.of(new Embedding(29, 2), new Flatten(), new Linear(6, 30)))
                  .on(device)
                  .start(data, null));
      refused(
          "Linear(3, 2) takes numbers and got ids [3] below 30: put an Embedding before it",
          () -> Trainer.of(Sequential.of(new Linear(3, 2))).on(device).start(data, null));
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
                  .start(data, null));
      refused(
          "all its parameters are frozen",
          () -> {
            Sequential network = plain();
            network.freeze("*");
            Trainer.of(network).on(device).start(data, null);
          });
      refused(
          "layer 1 does not fit the one before it: Linear(5, 2) got 4 features",
          () -> Sequential.of(EmbeddingBag.sum(WORDS, 4), new Linear(5, 2)));
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

  @Test
  void aTableOfRowsIsNotUsedByOperationsThatChangeAllOfIt() {
    try (Device device = Device.cpu();
        Sequential network = Sequential.of(new Embedding(4, 2)).on(device, MathMode.STRICT, 1);
        Tape tape = new Tape(device)) {
      Tensor table = network.named().get("0.table").tensor();
      refused("whose gradient is a list of those that were looked up", () -> tape.sum(table));
      Tensor ids = device.tensor(new int[] {1, 3, 1});
      Tensor other = device.tensor(new int[] {3, 3});
      Tensor y = tape.add(tape.sum(tape.gather(table, ids)), tape.sum(tape.gather(table, other)));
      tape.backward(y);
      try (Tensor dense = device.zeros(DType.F32, table.shape())) {
        dev.weft.op.RowSums.addTo(table.rowGradient(), dense);
        assertArrayEquals(new float[] {0, 0, 2, 2, 0, 0, 3, 3}, dense.toFloats());
      }
      refused("call zeroGrad first", () -> tape.backward(y));
      table.zeroGrad();
      tape.backward(y);
      ids.close();
      other.close();
    }
  }

  @Test
  void predictionsOfIdsAreThoseOfForward() {
    try (Device device = Device.cpu();
        Sequential network = plain().on(device, MathMode.STRICT, 1)) {
      double[][] y = network.predict(new int[][] {{1, 2, 3}, {29, 0, 0}});
      assertEquals(2, y.length);
      assertEquals(WORDS, y[1].length);
      assertFalse(Arrays.stream(y[1]).anyMatch(Double::isNaN));
      refused(
          "rows of 3 ids, the largest 30 in row 0: Embedding(30, 8) got ids up to 30",
          () -> network.predict(new int[][] {{1, 2, 30}}));
    }
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

  private static GradCheck checked(Model model) {
    return GradCheck.of(
        model,
        new SoftmaxCrossEntropy(),
        Map.of(
            Inputs.FEATURES, dev.weft.check.Input.integers(WORDS, 7, BEFORE),
            Inputs.TARGETS, dev.weft.check.Input.integers(3, 7)));
  }

  @OnEachDevice
  void bagsAreSumsAndMeansByRowAndByOffsets(OnEachDevice.Place place) {
    try (Device device = place.open();
        Tensor ids = device.tensor(new int[] {1, 3, 3, 0});
        Tensor offsets = device.tensor(new int[] {0, 2, 2});
        Tensor backwards = device.tensor(new int[] {0, 3, 2})) {
      for (BagFunction function : BagFunction.values()) {
        EmbeddingBag bag = bag(4, 2, function);
        try (Sequential network = Sequential.of(bag).on(device, MathMode.STRICT, 1);
            Tape tape = new Tape(device)) {
          float[] t = network.named().get("0.table").tensor().toFloats();
          float half = function == BagFunction.SUM ? 1 : 0.5f;
          float[] first = {half * (t[2] + t[6]), half * (t[3] + t[7])};
          float[] second = {half * (t[6] + t[0]), half * (t[7] + t[1])};
          float[] wanted = {first[0], first[1], second[0], second[1]};
          Tensor rows = tape.reshape(ids, 2, 2);
          assertArrayEquals(wanted, network.forward(tape, rows).toFloats(), 1e-6f);
          float[] withEmpty = {first[0], first[1], 0, 0, second[0], second[1]};
          assertArrayEquals(withEmpty, bag.forward(tape, ids, offsets).toFloats(), 1e-6f);
          assertTrue(Float.isNaN(bag.forward(tape, ids, backwards).toFloats()[2]));
          assertEquals("EmbeddingBag(4, 2, " + function + ")", bag.toString());
        }
      }
    }
  }

  /** Rows of up to 6 words, whose class is what most of their words are by their remainder. */
  private static int[][] bagsOfWords(int rows) {
    Random random = new Random(5);
    int[][] bags = new int[rows][];
    for (int r = 0; r < rows; r++) {
      int main = r % 3;
      bags[r] =
          random
              .ints(r % 7, 0, WORDS / 3)
              .map(i -> 3 * i + (random.nextInt(10) == 0 ? 0 : main))
              .toArray();
    }
    return bags;
  }

  private static Dataset bags(int[][] words) {
    int[] classes = new int[words.length];
    Arrays.setAll(classes, r -> r % 3);
    return Dataset.of(Column.padded(words, WORDS), Column.ids(classes, 3));
  }

  private static EmbeddingBag bag(int vocabulary, int width, BagFunction function) {
    return function == BagFunction.SUM
        ? EmbeddingBag.sum(vocabulary, width)
        : EmbeddingBag.mean(vocabulary, width);
  }

  private static Sequential bagModel(BagFunction function) {
    return Sequential.of(bag(WORDS, 8, function), new Linear(8, 3));
  }

  @Test
  void bagsOfAnyLengthAreTrainedTheSameOnBothDevices() throws Exception {
    Dataset data = bags(bagsOfWords(400));
    for (BagFunction function : BagFunction.values()) {
      double[] losses = new double[2];
      double[][][] outputs = new double[2][][];
      int[][] asked = {{1, 4, 7}, {}, {2}};
      for (OnEachDevice.Place place : OnEachDevice.Place.values()) {
        int at = place.ordinal();
        try (Device device = place.open();
            Sequential network = bagModel(function)) {
          History history =
              Trainer.of(network)
                  .on(device)
                  .optimizer(Adam.rate(0.05))
                  .batch(32)
                  .fit(data, data, Epochs.of(6));
          losses[at] = history.last().test().loss();
          // a seventh has no words
          assertTrue(history.last().test().accuracy() > 0.8, history::toString);
          Path file = folder.resolve("bags.safetensors");
          network.save(file);
          try (Network again = Network.load(file).on(device, MathMode.STRICT, 1)) {
            outputs[at] = again.predict(asked);
            assertArrayEquals(network.predict(asked)[2], outputs[at][2]);
          }
        }
      }
      assertEquals(losses[0], losses[1], 1e-5 * losses[0]);
      for (int r = 0; r < asked.length; r++) {
        assertArrayEquals(outputs[0][r], outputs[1][r], 1e-4);
      }
      assertEquals(1, argmax(outputs[0][0]));
      assertEquals(2, argmax(outputs[0][2]));
    }
  }

  private static int argmax(double[] scores) {
    return IntStream.range(0, scores.length)
        .boxed()
        .max(Comparator.comparing(i -> scores[i]))
        .orElseThrow();
  }

  /** What padding adds is nothing: a row alone gives what it gives among longer ones. */
  @OnEachDevice
  void paddingChangesNothing(OnEachDevice.Place place) {
    int[][] words = {{3, 1, 3}, {2}, {5, 7, 7, 7, 9, 11}};
    for (BagFunction function : BagFunction.values()) {
      try (Device device = place.open();
          Sequential network = bagModel(function).on(device, MathMode.STRICT, 3)) {
        double[][] together = network.predict(words);
        for (int r = 0; r < words.length; r++) {
          assertArrayEquals(network.predict(new int[][] {words[r]})[0], together[r]);
        }
        int[][] marked = {{3, -1, 1, 3, -1}};
        assertArrayEquals(together[0], network.predict(marked)[0]);
        refused("row 0 has the id -2", () -> network.predict(new int[][] {{-2}}));
      }
    }
    refused(
        "rows is not told which of padded ids [6] below 30 are none: make it a layer",
        () -> Lambda.of("rows", (ops, ids) -> ids).output(RowType.paddedIds(Shape.of(6), WORDS)));
    refused(
        "Embedding(30, 2) takes ids in all places and got padded ids [6] below 30: EmbeddingBag",
        () -> new Embedding(WORDS, 2).output(RowType.paddedIds(Shape.of(6), WORDS)));
  }

  /** Word2vec without its shortcuts is a table, a product and a softmax, by any optimizer. */
  @OnEachDevice
  void skipGramIsAVerySimpleNet(OnEachDevice.Place place) {
    int[] words = new int[300];
    int[] around = new int[300];
    for (int i = 0; i < words.length; i++) {
      words[i] = i % WORDS;
      around[i] = (words[i] + (i / WORDS % 2 == 0 ? 1 : WORDS - 1)) % WORDS;
    }
    Dataset pairs = Dataset.of(Column.ids(words, WORDS), Column.ids(around, WORDS));
    for (Optimizer optimizer :
        List.of(
            Sgd.rate(1),
            Sgd.rate(0.5).momentum(0.9),
            Sgd.rate(0.5).momentum(0.9).nesterov(),
            Adam.rate(0.05),
            Adam.rate(0.05).weightDecay(0.01))) {
      try (Device device = place.open();
          Sequential network = Sequential.of(new Embedding(WORDS, 16), new Linear(16, WORDS))) {
        double loss =
            Trainer.of(network)
                .on(device)
                .optimizer(optimizer)
                .batch(30)
                .fit(pairs, null, Epochs.of(30))
                .last()
                .train()
                .loss();
        // each word has two neighbours, equally often
        assertEquals(Math.log(2), loss, 0.25, optimizer.toString());
      }
    }
  }

  /** A table of rows in two places of a recorded step, whose batches are of two sizes. */
  @OnEachDevice
  void aTableInTwoPlacesLearnsWhatADenseOneLearns(OnEachDevice.Place place) {
    checkLearnsAsDense(
        place,
        text(100),
        4,
        table ->
            Sequential.of(
                Concat.of(
                    Sequential.of(table, new Flatten()),
                    Sequential.of(table, new Flatten(), Activation.TANH)),
                new Linear(2 * BEFORE * 4, WORDS)));
  }

  @Test
  void groupsHaveTheirRatesAndRules() {
    Dataset data = text(100);
    float[][] bias = new float[2][];
    for (int i = 0; i < 2; i++) {
      try (Device device = Device.cpu();
          Sequential network = plain()) {
        Trainer trainer = Trainer.of(network).on(device).batch(100).optimizer(Sgd.rate(0.1));
        if (i == 1) {
          trainer.group("4.bias", Sgd.rate(0.3));
        }
        trainer.fit(data, null, Epochs.of(1));
        bias[i] = network.named().get("4.bias").tensor().toFloats();
      }
    }
    for (int i = 0; i < WORDS; i++) {
      assertEquals(3 * bias[0][i], bias[1][i], 1e-6f, "one step from zero at three times the rate");
    }
  }

  /** By hand, after training with groups: memory comes in another order, values stay. */
  @Test
  void aLoopByHandMayFollowTrainingWithGroups() {
    Dataset data = text(100);
    try (Device device = Device.cpu();
        Sequential network = plain();
        StepState state = new StepState(device, 1)) {
      Trainer.of(network).on(device).group("*.bias", Sgd.rate(0.1)).fit(data, null, Epochs.of(1));
      double[] losses = new double[2];
      try (Updates updates = Updates.start(network, Adam.rate(0.01))) {
        for (int step = 0; step < 20; step++) {
          for (Batch batch : data.batches(device, 100, 0, 1)) {
            try (batch;
                Tape tape = new Tape(device)) {
              state.set(1, step, 0, 0.01);
              network.arena().zeroGradients();
              Tensor y = network.forward(tape, batch.inputs().features());
              Tensor loss = tape.softmaxCrossEntropy(y, batch.inputs().get(Inputs.TARGETS));
              tape.backward(loss);
              updates.step(state);
              losses[step == 0 ? 0 : 1] = loss.item();
            }
          }
        }
      }
      assertTrue(losses[1] < losses[0], losses[1] + " after " + losses[0]);
    }
  }

  @Test
  void valuesOfANestedNetworkComeAlong() throws Exception {
    Path file = folder.resolve("inner.safetensors");
    try (Device device = Device.cpu()) {
      Sequential inner = Sequential.of(new Linear(2, 3)).on(device, MathMode.STRICT, 7);
      float[] weight = inner.named().get("0.weight").tensor().toFloats();
      inner.save(file);
      refused(
          "0.weight is that of another network, which is on a device",
          () -> Sequential.of(inner, new Linear(3, 1)).on(device, MathMode.STRICT, 1));
      inner.close();
      refused(
          "0.weight was in a network that was closed, and its values went with it",
          () -> Sequential.of(inner, new Linear(3, 1)).on(device, MathMode.STRICT, 1));
      inner.loadValues(file);
      try (Sequential again = Sequential.of(inner, new Linear(3, 1))) {
        again.on(device, MathMode.STRICT, 1);
        assertArrayEquals(weight, again.named().get("0.weight").tensor().toFloats());
      }
      Sequential outer = Sequential.of(Sequential.load(file), new Linear(3, 1));
      outer.on(device, MathMode.STRICT, 1);
      assertArrayEquals(weight, outer.named().get("0.weight").tensor().toFloats());
      outer.close();
      var whole = Network.over(Residual.of(new Linear(2, 2)));
      assertEquals(
          "[0.body.0.weight, 0.body.0.bias, 1.weight, 1.bias]",
          Sequential.of(whole, new Linear(2, 1)).named().keySet().toString());
    }
  }

  /** Steps of plain descent are as long as the clipped gradient times the rate. */
  @OnEachDevice
  void gradientsAreClippedByGroup(OnEachDevice.Place place) {
    Dataset data = text(100);
    try (Device device = place.open();
        Sequential network =
            Sequential.of(
                new Embedding(WORDS, 4, Initializers.normal(0, 1), Embedding.Gradient.DENSE),
                new Flatten(),
                new Linear(BEFORE * 4, WORDS))) {
      network.on(device, MathMode.STRICT, 1);
      float[] weight = network.named().get("2.weight").tensor().toFloats();
      float[] table = network.named().get("0.table").tensor().toFloats();
      Trainer trainer =
          Trainer.of(network)
              .on(device)
              .batch(100)
              .optimizer(Sgd.rate(1))
              .group("0.*", Sgd.rate(2))
              .clip(1e-3)
              .clip("0.*", 1e6);
      trainer.fit(data, null, Epochs.of(1));
      double norm = 0;
      for (String name : List.of("2.weight", "2.bias")) {
        float[] now = network.named().get(name).tensor().toFloats();
        for (int i = 0; i < now.length; i++) {
          double step = now[i] - (name.equals("2.bias") ? 0 : weight[i]);
          norm += step * step;
        }
      }
      assertEquals(1e-3, Math.sqrt(norm), 1e-5);
      float[] moved = network.named().get("0.table").tensor().toFloats();
      double most = 0;
      for (int i = 0; i < moved.length; i++) {
        most = Math.max(most, Math.abs(moved[i] - table[i]));
      }
      assertTrue(most > 1e-3, "a large bound clips nothing");
      refused("there is no group 'x' to clip", () -> trainer.clip("x", 1));
      refused("positive and finite, not 0.0", () -> trainer.clip(0));
      refused(
          "clipping does not reach 0.table",
          () -> Trainer.of(plain()).on(device).clip(1).start(data, null));
    }
  }
}
