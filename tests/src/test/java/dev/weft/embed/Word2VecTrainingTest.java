// SPDX-License-Identifier: Apache-2.0
package dev.weft.embed;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.weft.Device;
import dev.weft.device.WordModel;
import dev.weft.device.WordObjective;
import dev.weft.device.WordOrder;
import dev.weft.device.cpu.CpuLibrary;
import dev.weft.text.Corpus;
import dev.weft.text.TextReader;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class Word2VecTrainingTest {
  private static final String[] FRUIT = {"apple", "pear", "plum", "fig", "cherry", "quince"};
  private static final String[] TOOLS = {"saw", "drill", "rasp", "vice", "plane", "chisel"};

  /** Sentences over fruit or over tools, with words that both have. */
  private static Corpus corpus(int sentences) {
    Random random = new Random(3);
    StringBuilder text = new StringBuilder();
    for (int s = 0; s < sentences; s++) {
      String[] topic = s % 2 == 0 ? FRUIT : TOOLS;
      for (int w = 0; w < 8; w++) {
        boolean common = random.nextInt(3) == 0;
        text.append(common ? "the" : topic[random.nextInt(topic.length)]).append(' ');
      }
      text.append('\n');
    }
    return read(text.toString());
  }

  private static Corpus read(String text) {
    return read(text, TextReader.lines());
  }

  private static Corpus read(String text, TextReader reader) {
    try {
      return reader
          .minCount(1)
          .read(new ByteArrayInputStream(text.getBytes(StandardCharsets.UTF_8)));
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  private static Word2Vec form(String name) {
    Word2Vec model = name.startsWith("cbow") ? Word2Vec.cbow() : Word2Vec.skipGram();
    Word2Vec form =
        name.endsWith("balanced tree")
            ? model.hierarchicalSoftmax(WordTree.BALANCED)
            : name.endsWith("tree")
                ? model.hierarchicalSoftmax()
                : name.endsWith("full") ? model.fullSoftmax() : model;
    return form.dimension(20).sample(0).rate(0.1).epochs(10);
  }

  private static double cosine(float[] a, float[] b) {
    double dot = 0;
    double aa = 0;
    double bb = 0;
    for (int k = 0; k < a.length; k++) {
      dot += a[k] * b[k];
      aa += a[k] * a[k];
      bb += b[k] * b[k];
    }
    return dot / Math.sqrt(aa * bb);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "pairs",
        "pairs tree",
        "pairs balanced tree",
        "pairs full",
        "cbow",
        "cbow tree",
        "cbow balanced tree",
        "cbow full"
      })
  void wordsOfATopicComeTogether(String name) {
    try (Device device = Device.cpu();
        Corpus corpus = corpus(2000);
        Word2VecTraining training = form(name).start(device, corpus)) {
      double first = training.loss(corpus);
      training.finish();
      double last = training.loss(corpus);
      assertTrue(last < 0.97 * first, first + " to " + last);
      double same = cosine(training.vector("apple"), training.vector("plum"));
      double other = cosine(training.vector("apple"), training.vector("rasp"));
      assertTrue(same > other + 0.3, same + " and " + other);
      assertEquals(10, training.progress().epoch());
      assertFalse(training.step(), "there is no more text");
    }
  }

  /** Two threads train the halves of a piece, of which one has many words and one has two. */
  @Test
  void theLossIsThatOfAllThreads() {
    Random random = new Random(4);
    StringBuilder text = new StringBuilder();
    for (int half = 0; half < 10; half++) {
      int words = half % 2 == 0 ? 3000 : 2;
      for (int i = 0; i < 8 * Word2VecTraining.UNIT; i++) {
        text.append(half % 2 == 0 ? 'w' : 'v').append(random.nextInt(words)).append(' ');
      }
    }
    double[] losses = new double[2];
    for (int threads = 1; threads <= 2; threads++) {
      try (Device device = Device.cpu(threads);
          Corpus corpus = read(text.toString());
          Word2VecTraining training = form("pairs").epochs(2).start(device, corpus)) {
        training.finish();
        losses[threads - 1] = training.progress().loss();
      }
    }
    assertEquals(
        losses[0], losses[1], 0.2 * losses[0], "steps that threads overwrite cost a little");
  }

  /**
   * Of a tree with more nodes than each thread has for itself, also where another one joined it.
   */
  @Test
  void threadsTrainALargeTreeAsOneDoes() {
    double[][] losses = new double[2][];
    for (int threads = 1; threads <= 2; threads++) {
      Word2Vec form = form("pairs tree").rate(0.05).epochs(4);
      try (Device device = Device.cpu(threads);
          Corpus corpus = topics("w", TextReader.lines());
          Word2VecTraining training = form.start(device, corpus)) {
        double first = training.loss(corpus);
        training.finish();
        Word2VecModel model = training.model();
        assertTrue(model.outputs() > 2000, model + " has few nodes");
        try (Corpus next = topics("x", TextReader.lines().extending(model.vocabulary()));
            Word2VecTraining further = model.extend(form, device, next)) {
          double second = further.loss(next);
          further.finish();
          losses[threads - 1] =
              new double[] {first, training.loss(corpus), second, further.loss(next)};
        }
      }
    }
    double[] one = losses[0];
    assertTrue(one[1] < 0.85 * one[0] && one[3] < 0.8 * one[2], Arrays.toString(one));
    assertArrayEquals(one, losses[1], 0.05 * one[3]);
  }

  /** Sentences over one of four topics, of 600 words each. */
  private static Corpus topics(String prefix, TextReader reader) {
    Random random = new Random(3);
    StringBuilder text = new StringBuilder();
    for (int sentence = 0; sentence < 8000; sentence++) {
      for (int w = 0; w < 10; w++) {
        int number = (int) (600 * Math.pow(random.nextDouble(), 2));
        text.append(prefix).append(sentence % 4).append('.').append(number).append(' ');
      }
      text.append('\n');
    }
    return read(text.toString(), reader);
  }

  /** The kernel reads the text by its address. */
  @Test
  void aTextIsClosedBetweenStepsOfAnotherThread() throws Exception {
    Corpus corpus = corpus(30_000);
    CompletableFuture<Throwable> ended = new CompletableFuture<>();
    CountDownLatch begun = new CountDownLatch(1);
    Thread.ofPlatform()
        .start(
            () -> {
              try (Device device = Device.cpu();
                  Word2VecTraining training = form("pairs").epochs(1000).start(device, corpus)) {
                training.step();
                begun.countDown();
                training.finish();
                ended.complete(new AssertionError("it trained on a text that is closed"));
              } catch (Throwable e) {
                ended.complete(e);
              }
            });
    begun.await();
    corpus.close();
    Throwable thrown = ended.get(60, TimeUnit.SECONDS);
    assertTrue(thrown instanceof IllegalStateException, thrown.toString());
    assertTrue(thrown.getMessage().startsWith("the corpus is closed"), thrown.getMessage());
  }

  @Test
  void settingsHaveTheNamesOfTheContract() {
    assertEquals(names(WordModel.values()), names(Word2Vec.Model.values()));
    assertEquals(names(WordObjective.values()), names(Word2Vec.Objective.values()));
    assertEquals(names(WordOrder.values()), names(Word2Vec.Order.values()));
  }

  private static Set<String> names(Enum<?>[] values) {
    return Arrays.stream(values).map(Enum::name).collect(Collectors.toSet());
  }

  @Test
  void inOrderTheBitsAreTheSame() {
    float[][] vectors = new float[2][];
    for (int run = 0; run < 2; run++) {
      try (Device device = Device.cpu();
          Corpus corpus = corpus(500);
          Word2VecTraining training = form("pairs").inOrder().start(device, corpus)) {
        training.finish();
        vectors[run] = training.vector("fig");
      }
    }
    assertArrayEquals(vectors[0], vectors[1]);
  }

  /** In every form, also while blocks of the work sleep at random. */
  @ParameterizedTest
  @ValueSource(strings = {"pairs", "exact pairs", "cbow", "pairs tree", "cbow tree", "pairs full"})
  void inBlocksTheBitsAreTheSameForAnyNumberOfThreads(String name) {
    Word2Vec form = form(name).sharing(name.startsWith("exact") ? 0 : 4).epochs(2).deterministic();
    Word2VecModel first = null;
    for (int threads : new int[] {1, 2, 7, 7}) {
      CpuLibrary.get().disturb(threads);
      try (Device device = Device.cpu(threads);
          Corpus corpus = corpus(3000);
          Word2VecTraining training = form.start(device, corpus)) {
        training.finish();
        Word2VecModel model = training.model();
        first = first == null ? model : first;
        assertEquals(-1, first.input().mismatch(model.input()));
        assertEquals(-1, first.output().mismatch(model.output()));
      } finally {
        CpuLibrary.get().disturb(0);
      }
    }
  }

  @Test
  @SuppressWarnings("try") // closed twice
  void memoryIsTwoMatricesAndComesBack() {
    try (Device device = Device.cpu();
        Corpus corpus = corpus(100)) {
      long before = device.memory().live();
      try (Word2VecTraining training = form("pairs").dimension(1000).start(device, corpus)) {
        long taken = device.memory().live() - before;
        long rows = 2L * 13 * 1008 * Float.BYTES;
        assertTrue(taken >= rows && taken < rows + 10_000, () -> taken + " bytes");
        training.close();
        assertThrows(IllegalStateException.class, training::step);
      }
      assertEquals(before, device.memory().live());
    }
  }

  @Test
  void aCloseByAnotherThreadHasNoEffect() throws Exception {
    try (Device device = Device.cpu();
        Corpus corpus = corpus(100);
        Word2VecTraining training = form("pairs").start(device, corpus)) {
      Throwable[] refused = new Throwable[1];
      Thread other =
          Thread.ofPlatform()
              .start(() -> refused[0] = assertThrows(IllegalStateException.class, training::close));
      other.join();
      assertTrue(refused[0] != null, "it is refused");
      assertTrue(training.step());
    }
  }

  @Test
  @SuppressWarnings("try") // closed twice
  void aClosedCorpusIsNoticed() {
    try (Device device = Device.cpu();
        Corpus corpus = corpus(100);
        Word2VecTraining training = form("pairs").start(device, corpus)) {
      corpus.close();
      assertEquals(
          "the corpus is closed, and the training reads it",
          assertThrows(IllegalStateException.class, training::step).getMessage());
    }
  }

  @Test
  void whatDivergesSaysWhereAndWhatToDo() {
    try (Device device = Device.cpu();
        Corpus corpus = corpus(2000);
        Word2VecTraining training = form("pairs").rate(1e30).inOrder().start(device, corpus)) {
      String message = assertThrows(IllegalStateException.class, training::finish).getMessage();
      assertTrue(message.startsWith("the objective is not finite after "), message);
      assertTrue(message.contains("the vector of '"), message);
      assertTrue(message.endsWith("a smaller rate than 1.0E30 may help"), message);
    }
  }

  @Test
  void aTextOfOneWordIsRefused() {
    try (Device device = Device.cpu();
        Corpus corpus = read("so so so\nso so\n")) {
      assertEquals(
          "'so' is the vocabulary's only word: there is nothing to tell it from",
          assertThrows(
                  IllegalArgumentException.class, () -> Word2Vec.skipGram().start(device, corpus))
              .getMessage());
    }
  }

  @Test
  void settingsThatMeanNothingAreRefused() {
    Word2Vec usual = Word2Vec.skipGram();
    for (Runnable wrong :
        new Runnable[] {
          () -> usual.dimension(0),
          () -> usual.window(0),
          () -> usual.window(65),
          () -> usual.negatives(0),
          () -> usual.negatives(1025),
          () -> usual.dimension(1 << 17),
          () -> usual.sharing(-1),
          () -> usual.sharing(65),
          () -> usual.noisePower(Double.NaN),
          () -> usual.sample(1),
          () -> usual.rate(0),
          () -> usual.epochs(0)
        }) {
      String message = assertThrows(IllegalArgumentException.class, wrong::run).getMessage();
      assertTrue(message.contains("expected"), message);
    }
    assertEquals(
        "the window is 65, expected 1 to 64",
        assertThrows(IllegalArgumentException.class, () -> usual.window(65)).getMessage());
    assertEquals(
        "the number of negatives is 5, expected 0: only negative sampling has noise words",
        assertThrows(
                IllegalArgumentException.class,
                () ->
                    new Word2Vec(
                        Word2Vec.Model.CBOW,
                        Word2Vec.Objective.FULL_SOFTMAX,
                        WordTree.HUFFMAN,
                        100,
                        5,
                        5,
                        8,
                        0.75,
                        0,
                        0.1,
                        1,
                        1,
                        Word2Vec.Order.RACING))
            .getMessage());
  }

  @Test
  void anUnknownWordIsNamed() {
    try (Device device = Device.cpu();
        Corpus corpus = corpus(100);
        Word2VecTraining training = form("pairs").start(device, corpus)) {
      assertEquals(
          "'banana' is not among the 13 words of the vocabulary",
          assertThrows(IllegalArgumentException.class, () -> training.vector("banana"))
              .getMessage());
    }
  }
}
