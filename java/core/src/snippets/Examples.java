// SPDX-License-Identifier: Apache-2.0

import dev.weft.DType;
import dev.weft.Derivatives;
import dev.weft.Device;
import dev.weft.Operations;
import dev.weft.Shape;
import dev.weft.Tangents;
import dev.weft.Tape;
import dev.weft.Tensor;
import dev.weft.TensorFunction;
import dev.weft.check.GradCheck;
import dev.weft.data.Batch;
import dev.weft.data.Column;
import dev.weft.data.Dataset;
import dev.weft.data.Digits;
import dev.weft.data.Split;
import dev.weft.data.ToySets;
import dev.weft.embed.Vectors;
import dev.weft.embed.Word2Vec;
import dev.weft.embed.Word2VecModel;
import dev.weft.embed.Word2VecTraining;
import dev.weft.graph.Graph;
import dev.weft.nn.Activation;
import dev.weft.nn.Dropout;
import dev.weft.nn.Embedding;
import dev.weft.nn.Ensemble;
import dev.weft.nn.HierarchicalSoftmax;
import dev.weft.nn.Linear;
import dev.weft.nn.NegativeSampling;
import dev.weft.nn.Network;
import dev.weft.nn.Sequential;
import dev.weft.nn.SoftmaxCrossEntropy;
import dev.weft.optim.Adam;
import dev.weft.optim.OneCycle;
import dev.weft.optim.Schedule;
import dev.weft.optim.Sgd;
import dev.weft.text.AliasTable;
import dev.weft.text.Corpus;
import dev.weft.text.HuffmanTree;
import dev.weft.text.TextReader;
import dev.weft.text.TextReader.Letters;
import dev.weft.train.Averaging;
import dev.weft.train.Evaluation;
import dev.weft.train.Evaluator;
import dev.weft.train.History;
import dev.weft.train.RateCurve;
import dev.weft.train.RateFinder;
import dev.weft.train.SharedData;
import dev.weft.train.Trainer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/** The examples of the Javadoc. Each line that prints says what it prints. */
public class Examples {
  public static void main(String[] args) throws IOException {
    first();
    device();
    tensor();
    tape();
    graph();
    operations();
    tangents();
    derivatives();
    sequential();
    network();
    trainer();
    averaging();
    ensemble();
    rateFinder();
    schedules();
    evaluator();
    sharedData();
    adam();
    sgd();
    dataset();
    column();
    gradCheck();
    corpus();
    word2vec();
    predictions();
    vectors();
    hierarchicalSoftmax();
    negativeSampling();
  }

  static void first() {
    // @start region="first"
    try (Device device = Device.best()) { // a GPU where there is one, else the processor
      Split digits = Digits.generate(2_000, 7); // drawn by the seed 7; Idx reads MNIST's files
      var network = Sequential.of(new Linear(784, 64), Activation.RELU, new Linear(64, 10));
      Trainer.of(network)
          .on(device)
          .loss(new SoftmaxCrossEntropy())
          .optimizer(Adam.rate(1e-3))
          .fit(digits.train(), digits.test(), 2);
    }
    // @end
  }

  static void device() {
    // @start region="device"
    try (Device device = Device.named("cpu")) { // or best(), cuda(), cuda(1)
      Tensor x = device.zeros(DType.F32, Shape.of(2, 3));
      System.out.println(x.shape() + " on " + device.name()); // [2, 3] on cpu
    } // what was made on the device is freed with it
    // @end
  }

  static void tensor() {
    // @start region="tensor"
    try (Device device = Device.cpu();
        Tensor x = device.tensor(DType.F32, Shape.of(2, 2), 1, 2, 3, 4)) {
      System.out.println(x.dtype() + " " + x.shape()); // F32 [2, 2]
      System.out.println(Arrays.toString(x.toDoubles())); // [1.0, 2.0, 3.0, 4.0]
      x.fill(0.5);
      System.out.println(Arrays.toString(x.toFloats())); // [0.5, 0.5, 0.5, 0.5]
    }
    // @end
  }

  static void tape() {
    // @start region="tape"
    try (Device device = Device.cpu();
        Tape tape = new Tape(device)) {
      Tensor w = device.tensor(DType.F32, Shape.of(2), 3, 1).requiresGrad();
      Tensor loss = tape.sum(tape.square(w)); // w0² + w1²
      tape.backward(loss);
      System.out.println(loss.item()); // 10.0
      System.out.println(Arrays.toString(w.grad().toDoubles())); // [6.0, 2.0]
    }
    // @end
  }

  static void graph() throws IOException {
    Path file = Files.createTempFile("graph", ".svg");
    // @start region="graph"
    try (Device device = Device.cpu();
        Tape tape = new Tape(device).retainGradients()) {
      Tensor x = device.tensor(DType.F64, Shape.of(), 1).named("x").requiresGrad();
      Tensor y = device.tensor(DType.F64, Shape.of(), 2).named("y").requiresGrad();
      Tensor f = tape.multiply(tape.multiply(tape.add(x, y), x), tape.square(y));
      tape.backward(f);
      Graph graph = tape.draw(f); // draw() takes all that was recorded
      System.out.println(graph.vertices().size()); // 6
      System.out.println(graph.vertices().getFirst().gradient()); // 16
      graph.write(file); // graph.svg, or graph.dot for Graphviz
    }
    // @end
    Files.delete(file);
  }

  // @start region="operations"
  /** x sigmoid(β x), made of what is there; its gradient comes with it. */
  static Tensor swish(Operations ops, Tensor x, double beta) {
    return ops.multiply(x, ops.sigmoid(ops.scale(x, beta)));
  }

  // @end

  static void operations() {
    try (Device device = Device.cpu();
        Tape tape = new Tape(device)) {
      Tensor x = device.tensor(DType.F64, Shape.of(1), 0);
      System.out.println(swish(tape, x, 2).item()); // 0.0
    }
    GradCheck.of((ops, in) -> swish(ops, in[0], 2)).at(GradCheck.randomNormal(5)).assertPasses();
  }

  static void tangents() {
    // @start region="tangents"
    try (Device device = Device.cpu();
        Tape tape = Tape.inference(device)) {
      Tensor x = device.tensor(DType.F64, Shape.of(2), 3, 1);
      Tensor dx = device.tensor(DType.F64, Shape.of(2), 1, 0); // x0 moves, x1 stays
      Tangents ops = new Tangents(tape).set(x, dx);
      Tensor y = ops.square(x);
      System.out.println(Arrays.toString(y.toDoubles())); // [9.0, 1.0]
      System.out.println(Arrays.toString(ops.of(y).toDoubles())); // [6.0, 0.0]
    }
    // @end
  }

  static void derivatives() {
    // @start region="derivatives"
    try (Device device = Device.cpu()) {
      Tensor x = device.tensor(DType.F64, Shape.of(2), 3, 1);
      try (Tensor jacobian = Derivatives.jacobian((ops, in) -> ops.square(in[0]), x)) {
        System.out.println(jacobian.shape()); // [2, 2]
        System.out.println(Arrays.toString(jacobian.toDoubles())); // [6.0, 0.0, 0.0, 2.0]
      }
      Tensor v = device.tensor(DType.F64, Shape.of(2), 1, 0);
      TensorFunction f = (ops, in) -> ops.sum(ops.pow(in[0], 3)); // x0³ + x1³, H = diag(6 x)
      try (Tensor hv = Derivatives.hessianVectorProduct(f, List.of(x), List.of(v)).getFirst()) {
        System.out.println(Arrays.toString(hv.toDoubles())); // [18.0, 0.0]
      }
    }
    // @end
  }

  static void sequential() throws IOException {
    Path folder = Files.createTempDirectory("weft-examples");
    // @start region="sequential"
    var network =
        Sequential.of(new Linear(784, 128), Activation.RELU, new Dropout(0.2), new Linear(128, 10));
    System.out.println(network.spec()); // linear(784,128) relu dropout(0.2) linear(128,10)
    try (Device device = Device.best()) {
      network.on(device); // values drawn by the seed 1
      network.save(folder.resolve("digits.safetensors"));
    }
    var loaded = Sequential.load(folder.resolve("digits.safetensors"));
    // @end
    System.out.println(loaded.spec()); // linear(784,128) relu dropout(0.2) linear(128,10)
    Files.delete(folder.resolve("digits.safetensors"));
    Files.delete(folder);
  }

  static void network() {
    // @start region="network"
    var network = Sequential.of(new Linear(2, 8), Activation.TANH, new Linear(8, 2));
    try (Device device = Device.cpu()) {
      network.on(device); // or Trainer.on, which does it
      float[][] points = {{0.5f, -1}, {2, 0}, {1, 1}};
      System.out.println(network.classes(points).length); // 3
      System.out.println(network.probabilities(points)[0].length); // 2
    }
    // @end
  }

  static void trainer() {
    // @start region="trainer"
    Split moons = ToySets.moons(400, 0.1, 1).split(0.75, 1);
    var network = Sequential.of(new Linear(2, 32), Activation.RELU, new Linear(32, 2));
    try (Device device = Device.cpu()) {
      var trainer = Trainer.of(network).on(device).optimizer(Adam.rate(0.02)).batch(32);
      History history = trainer.fit(moons.train(), moons.test(), 50);
      System.out.println(history.last().test().accuracy() > 0.9); // true
      history = trainer.fit(moons.train(), moons.test(), 5); // goes on
      System.out.println(history.last().number()); // 55
    }
    // @end
  }

  static void averaging() {
    // @start region="averaging"
    Split moons = ToySets.moons(400, 0.2, 1).split(0.75, 1);
    var network = Sequential.of(new Linear(2, 32), Activation.RELU, new Linear(32, 2));
    try (Device device = Device.cpu()) {
      Trainer.of(network)
          .on(device)
          .averaging(Averaging.exponential(0.99)) // about the last 100 updates
          .onEpoch(
              (run, epoch) -> {
                if (epoch.number() == 20) { // both can be told
                  System.out.println(epoch.test().equals(run.evaluateUnaveraged())); // false
                }
              })
          .fit(moons.train(), moons.test(), 20);
      System.out.println(network.classes(moons.test()).length); // 100
    }
    // @end
  }

  static void ensemble() {
    // @start region="ensemble"
    Split moons = ToySets.moons(400, 0.2, 1).split(0.75, 1);
    try (Device device = Device.cpu()) {
      Network[] members = new Network[3];
      for (int m = 0; m < members.length; m++) {
        members[m] = Sequential.of(new Linear(2, 16), Activation.RELU, new Linear(16, 2));
        Trainer.of(members[m]).on(device).seed(m).fit(moons.train(), 5);
        members[m].off();
      }
      Network ensemble = Network.over(Ensemble.ofProbabilities(members)).on(device);
      double[] p = ensemble.probabilities(moons.test())[0];
      System.out.println(Math.abs(p[0] + p[1] - 1) < 1e-5); // true
    }
    // @end
  }

  static void rateFinder() {
    // @start region="rate-finder"
    Dataset digits = Digits.generate(4_000, 7).train();
    var network = Sequential.of(new Linear(784, 64), Activation.RELU, new Linear(64, 10));
    try (Device device = Device.cpu()) {
      var trainer = Trainer.of(network).on(device).batch(64).optimizer(Adam.rate(1e-3));
      RateCurve curve = RateFinder.of(trainer).run(digits);
      double rate = curve.suggestion().orElseThrow();
      System.out.println(rate > 0.003 && rate < 0.03); // true
      System.out.println(trainer.position().update()); // 0
      trainer.optimizer(Adam.rate(rate)).fit(digits, 1);
    }
    // @end
  }

  static void schedules() {
    // @start region="schedules"
    Schedule warm = Schedule.cosine(20).downTo(0.01).warmUp(500); // epochs, updates
    System.out.println(warm.factor(9_380, 20)); // 0.01
    OneCycle cycle = Schedule.oneCycle(20).rise(0.25);
    System.out.println(cycle.factor(0, 0) + " " + cycle.factor(2_345, 5)); // 0.04 1.0
    Schedule parts = Schedule.CONSTANT.then(10, Schedule.exponential(0.5));
    System.out.println(parts.factor(5_628, 12)); // 0.25
    Schedule mine = (update, epochs) -> 1 / (1 + 0.1 * epochs);
    System.out.println(mine.times(parts).factor(4_690, 10)); // 0.5
    // @end
  }

  static void evaluator() {
    var network = Sequential.of(new Linear(2, 2));
    Dataset unseen = ToySets.moons(100, 0.1, 2);
    // @start region="evaluator"
    try (Device device = Device.cpu();
        var evaluator = new Evaluator(network.on(device), new SoftmaxCrossEntropy(), unseen, 128)) {
      Evaluation evaluation = evaluator.evaluate();
      System.out.println(evaluation.rows() + " " + evaluation.metrics().keySet()); // 100 [accuracy]
    }
    // @end
  }

  static void sharedData() {
    Split moons = ToySets.moons(400, 0.1, 1).split(0.75, 1);
    // @start region="sharedData"
    double[] rates = {1e-4, 0.02};
    double[] losses = new double[rates.length];
    try (Device device = Device.cpu();
        var shared = new SharedData(device)) {
      for (int i = 0; i < rates.length; i++) {
        var network = Sequential.of(new Linear(2, 32), Activation.RELU, new Linear(32, 2));
        var trainer = Trainer.of(network).on(device).sharedData(shared);
        trainer.optimizer(Adam.rate(rates[i]));
        losses[i] = trainer.fit(moons.train(), moons.test(), 20).last().test().loss();
        network.close();
      }
    }
    System.out.println(losses[1] < losses[0]); // true
    // @end
  }

  static void adam() {
    // @start region="adam"
    Adam rule = Adam.rate(1e-3).betas(0.9, 0.99).weightDecay(0.01); // AdamW
    System.out.println(rule.penalties().weightDecay()); // 0.01
    // @end
  }

  static void sgd() {
    // @start region="sgd"
    Sgd rule = Sgd.rate(0.1).momentum(0.9).nesterov();
    System.out.println(rule.spec()); // nesterov
    // @end
  }

  static void dataset() {
    // @start region="dataset"
    double[][] sizes = {{5.1, 3.5}, {4.9, 3.0}, {6.3, 3.3}, {5.8, 2.7}};
    int[] kinds = {0, 0, 1, 1};
    Dataset data = Dataset.of(sizes, kinds); // columns "features" and "targets"
    Split split = data.split(0.75, 7); // so much to train on, drawn by the seed 7
    System.out.println(split.train().rows() + " and " + split.test().rows()); // 3 and 1
    try (Device device = Device.cpu()) {
      for (Batch batch : data.batches(device, 2, 0, 7)) { // of 2 rows, epoch 0, seed 7
        try (batch) {
          System.out.println(batch.inputs().get("features").shape()); // [2, 2]
        }
      }
    }
    // @end
  }

  static void column() {
    // @start region="column"
    Column pixels = Column.ofBytes(new byte[] {0, 51, (byte) 255, 0}, 2).scaled(1 / 255.0, 0);
    System.out.println(pixels.rows() + " rows, " + pixels.get(0, 1)); // 2 rows, 0.2
    Column words = Column.ids(new int[] {4, 0, 2, 7, 1}, 10); // ids below 10
    System.out.println(Arrays.toString(words.window(3).slice(1, 2).toInts())); // [0, 2, 7]
    Dataset data =
        Dataset.of(Map.of("before", words.window(3).slice(0, 2), "next", words.slice(3, 5)));
    // @end
    System.out.println(data.rows()); // 2
  }

  static void gradCheck() {
    // @start region="gradCheck"
    GradCheck.of((ops, in) -> ops.sum(ops.tanh(in[0])))
        .at(GradCheck.randomNormal(5, 7)) // a 5 x 7 matrix
        .assertPasses();
    // @end
  }

  static void corpus() throws IOException {
    Path text = Files.createTempFile("text", ".txt");
    Files.writeString(text, "The cat sat\nthe dog sat\n");
    // @start region="corpus"
    TextReader reader = TextReader.lines().letters(Letters.LOWER_CASE).minCount(2);
    try (Corpus corpus = reader.read(text)) {
      System.out.println(corpus.vocabulary().word(0)); // the
      System.out.println(corpus.report().kept()); // 4
    } // the ids are freed with it
    // @end
    Files.delete(text);
  }

  static void word2vec() throws IOException {
    Path text = Files.createTempFile("text", ".txt");
    Files.writeString(text, "the cat sat on the mat\n".repeat(100));
    // @start region="word2vec"
    try (Device device = Device.cpu();
        Corpus corpus = TextReader.lines().minCount(5).read(text);
        Word2VecTraining training = Word2Vec.skipGram().dimension(20).start(device, corpus)) {
      training.finish();
      System.out.println(training.vectors().neighbours("cat", 2).size()); // 2
    }
    // @end
    Files.delete(text);
  }

  static void predictions() throws IOException {
    Path text = Files.createTempFile("text", ".txt");
    Files.writeString(text, "ants march\ncars race\n".repeat(500));
    // @start region="predictions"
    try (Device device = Device.cpu();
        Corpus corpus = TextReader.lines().read(text);
        Word2VecTraining training =
            Word2Vec.skipGram().fullSoftmax().sample(0).rate(0.1).start(device, corpus)) {
      training.finish();
      try (Word2VecModel model = training.model()) { // Word2VecModel.read reads files
        System.out.println(model.near("ants", 1).getFirst().word()); // march
        System.out.println(model.predict(List.of("cars"), 4).size()); // 4
      }
    }
    // @end
    Files.delete(text);
  }

  static void vectors() {
    // @start region="vectors"
    float[][] rows = {{3, 0, 1}, {0, 3, 1}, {1, 0, 0}, {0, 1, 0}}; // Vectors.open reads files
    try (Vectors vectors = Vectors.of(List.of("king", "queen", "man", "woman"), rows)) {
      System.out.println(vectors.neighbours("king", 1).getFirst().word()); // man
      System.out.println(vectors.analogy("man", "woman", "king", 1).getFirst().word()); // queen
      System.out.println(vectors.similarity("man", "woman")); // 0.0
    }
    // @end
  }

  static void hierarchicalSoftmax() {
    // @start region="hierarchicalSoftmax"
    int[] words = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9};
    int[] next = {3, 1, 4, 1, 5, 9, 2, 6, 5, 3}; // the word that follows each
    Dataset data = Dataset.of(Column.ids(words, 10), Column.ids(next, 10));
    var softmax = new HierarchicalSoftmax(16, HuffmanTree.balanced(10)); // for Linear(16, 10)
    var network = Sequential.of(new Embedding(10, 16), softmax);
    try (Device device = Device.cpu()) {
      Trainer.of(network).on(device).loss(softmax).optimizer(Adam.rate(0.1)).fit(data, 60);
      System.out.println(Arrays.toString(network.classes(data))); // [3, 1, 4, 1, 5, 9, 2, 6, 5, 3]
    }
    // @end
  }

  static void negativeSampling() {
    int[] words = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9};
    int[] next = {3, 1, 4, 1, 5, 9, 2, 6, 5, 3};
    Dataset data = Dataset.of(Column.ids(words, 10), Column.ids(next, 10));
    // @start region="negativeSampling"
    AliasTable noise = AliasTable.of(1, 2, 1, 2, 1, 2, 1, 1, 1, 1); // how often each word is drawn
    var sampling = new NegativeSampling(16, 5, noise);
    var network = Sequential.of(new Embedding(10, 16), sampling);
    try (Device device = Device.cpu()) {
      Trainer.of(network).on(device).loss(sampling).optimizer(Adam.rate(0.1)).fit(data, 60);
      try (Tape tape = Tape.inference(device);
          Tensor word = device.tensor(new int[] {2})) {
        float[] fits = sampling.scores(tape, network.forward(tape, word)).toFloats();
        System.out.println(fits[4] > 0 && fits[3] < 0); // true
      }
    }
    // @end
  }
}
