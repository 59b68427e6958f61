// SPDX-License-Identifier: Apache-2.0
package dev.weft.embed;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.weft.Device;
import dev.weft.device.ChildJvm;
import dev.weft.io.FormatException;
import dev.weft.io.Safetensors;
import dev.weft.text.Corpus;
import dev.weft.text.HuffmanTree;
import dev.weft.text.TextReader;
import dev.weft.text.Vocabulary;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class Word2VecModelTest {
  private static final String TEXT = text("wört", 3000, 40);

  @TempDir Path folder;

  /** Sentences of words that are rarer the higher their number. */
  private static String text(String prefix, int sentences, int words) {
    Random random = new Random(5);
    StringBuilder text = new StringBuilder();
    for (int s = 0; s < sentences; s++) {
      for (int w = 0; w < 9; w++) {
        double rare = random.nextDouble();
        text.append(prefix).append((int) (rare * rare * words)).append(' ');
      }
      text.append('\n');
    }
    return text.toString();
  }

  private static Corpus read(TextReader reader, String text) {
    try {
      return reader.read(new ByteArrayInputStream(text.getBytes(StandardCharsets.UTF_8)));
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  private static Corpus corpus() {
    return read(TextReader.lines(), TEXT);
  }

  private static Word2Vec form(String name) {
    Word2Vec model = name.startsWith("cbow") ? Word2Vec.cbow() : Word2Vec.skipGram();
    if (name.endsWith(" blocks")) {
      return form(name.replace(" blocks", "")).deterministic();
    }
    return (name.endsWith("tree")
            ? model.hierarchicalSoftmax()
            : name.endsWith("full") ? model.fullSoftmax() : model)
        .dimension(20)
        .sample(0.01)
        .epochs(3)
        .inOrder();
  }

  private static byte[] bytes(MemorySegment memory) {
    return memory.toArray(ValueLayout.JAVA_BYTE);
  }

  private static void assertSame(Word2VecModel expected, Word2VecModel found) {
    assertEquals(expected.settings(), found.settings());
    assertEquals(expected.vocabulary(), found.vocabulary());
    assertEquals(expected.position(), found.position());
    assertArrayEquals(bytes(expected.input()), bytes(found.input()));
    assertArrayEquals(bytes(expected.output()), bytes(found.output()));
    HuffmanTree tree = expected.tree();
    if (tree != null) {
      HuffmanTree other = found.tree();
      assertNotNull(other);
      assertArrayEquals(tree.offsets(), other.offsets());
      assertArrayEquals(tree.nodes(), other.nodes());
      assertArrayEquals(tree.bits(), other.bits());
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"pairs", "cbow tree", "cbow full"})
  void aFileHoldsAllOfAModel(String name) throws IOException {
    Path file = folder.resolve("model.safetensors");
    try (Device device = Device.cpu();
        Corpus corpus = corpus();
        Word2VecTraining training = form(name).start(device, corpus)) {
      training.step();
      training.step();
      Word2VecModel model = training.model();
      assertEquals(training.progress().tokens(), model.tokens());
      assertEquals(corpus.size() * 3, model.ofTokens());
      assertEquals(name.endsWith("tree") ? 39 : 40, model.outputs());
      model.save(file);
      Word2VecModel again = Word2VecModel.read(file);
      assertSame(model, again);
      try (Vectors vectors = Vectors.open(file);
          Vectors own = again.vectors()) {
        assertArrayEquals(training.vector("wört3"), vectors.vector("wört3"));
        assertArrayEquals(training.vector("wört3"), own.vector("wört3"));
        assertEquals(corpus.vocabulary().count(3), vectors.count(vectors.word(3)).orElseThrow());
      }
    }
  }

  @Test
  void aModelIsAsItWasWhenItWasTaken() {
    try (Device device = Device.cpu();
        Corpus corpus = corpus();
        Word2VecTraining training = form("pairs").start(device, corpus)) {
      Word2VecModel model = training.model();
      byte[] before = bytes(model.input());
      training.step();
      assertArrayEquals(before, bytes(model.input()));
      assertEquals(0, model.tokens());
    }
  }

  /** Steps to go before all is trained. */
  private static void step(Word2VecTraining training, int steps) {
    for (int i = 0; i < steps; i++) {
      assertTrue(training.step());
    }
  }

  @ParameterizedTest
  @CsvSource({
    "pairs, 3",
    "pairs tree, 2",
    "pairs full, 7",
    "cbow, 1",
    "cbow tree, 5",
    "cbow, 0",
    "cbow blocks, 1",
    "pairs tree blocks, 4"
  })
  void whatIsResumedEndsInTheSameBits(String name, int steps) throws IOException {
    Path file = folder.resolve("model.safetensors");
    try (Device device = Device.cpu();
        Corpus corpus = corpus();
        Word2VecTraining whole = form(name).start(device, corpus)) {
      try (Word2VecTraining first = form(name).start(device, corpus)) {
        step(first, steps);
        first.model().save(file);
      }
      Word2VecModel read = Word2VecModel.read(file);
      whole.finish();
      try (Corpus again = read(read.reader(), TEXT);
          Word2VecTraining second = read.resume(device, again)) {
        assertEquals(read.tokens(), second.progress().tokens());
        second.finish();
        assertSame(whole.model(), second.model());
      }
    }
  }

  @Test
  void aTextThatIsAnotherIsNotResumed() {
    try (Device device = Device.cpu();
        Corpus corpus = corpus();
        Word2VecTraining training = form("pairs").start(device, corpus)) {
      Word2VecModel model = training.model();
      TextReader known = TextReader.lines().vocabulary(model.vocabulary());
      String turned = String.join("\n", TEXT.lines().toList().reversed());
      for (Corpus other :
          new Corpus[] {
            read(known, TEXT + "wört1 wört2\n"),
            read(known, turned),
            read(TextReader.lines().extending(model.vocabulary()), TEXT),
            read(TextReader.lines(), text("word", 3000, 40))
          }) {
        try (other) {
          String message =
              assertThrows(IllegalArgumentException.class, () -> model.resume(device, other))
                  .getMessage();
          assertTrue(
              message.startsWith(
                  "the text is another one than the training began with, which had 30,000 tokens of"
                      + " 40 words, this one 30,00"),
              message);
          assertTrue(message.endsWith("to train on another text, extend the model by it"), message);
        }
      }
    }
  }

  @Test
  void howTheTextWasReadIsKept() throws IOException {
    Path file = folder.resolve("model.safetensors");
    TextReader reader =
        TextReader.stream()
            .letters(TextReader.Letters.LOWER_CASE)
            .normalization(TextReader.Normalization.NFC)
            .spaces(TextReader.Spaces.ASCII)
            .longestWord(11)
            .minCount(2);
    String text = "Caf\u00E9 cafe\u0301 tea\u00A0time TEA\u00A0TIME so SO longerthanthat\n";
    try (Device device = Device.cpu();
        Corpus corpus = read(reader, text);
        Word2VecTraining training = form("cbow").sample(0).start(device, corpus)) {
      assertEquals(6, corpus.size());
      training.model().save(file);
      Word2VecModel read = Word2VecModel.read(file);
      assertEquals(reader.minCount(1).vocabulary(corpus.vocabulary()), read.reader());
      try (Corpus again = read(read.reader(), text);
          Word2VecTraining second = read.resume(device, again)) {
        second.finish();
      }
    }
  }

  @Test
  void aTextOfWhichTypesWereForgottenIsAnother() {
    try (Device device = Device.cpu();
        Corpus corpus = read(TextReader.lines().countedTypes(20), TEXT);
        Word2VecTraining training = form("pairs").start(device, corpus)) {
      assertTrue(corpus.report().forgotten() > 0);
      Word2VecModel model = training.model();
      try (Corpus again = read(model.reader(), TEXT)) {
        assertThrows(IllegalArgumentException.class, () -> model.resume(device, again));
      }
    }
  }

  /** A copy whose first number is not finite. */
  private static MemorySegment broken(MemorySegment rows) {
    float[] values = rows.toArray(ValueLayout.JAVA_FLOAT);
    values[0] = Float.POSITIVE_INFINITY;
    return Arena.ofAuto().allocateFrom(ValueLayout.JAVA_FLOAT, values);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "true | a word vector is not finite after 0 of 90,000 tokens; the vector of 'wört0' is the"
            + " first that is not finite; a smaller rate than 0.025 may help",
        "false | a context vector is not finite after 0 of 90,000 tokens; a smaller rate than 0.025"
            + " may help"
      })
  void aMatrixThatIsNotFiniteIsNotTaken(boolean words, String message) {
    try (Device device = Device.cpu();
        Corpus corpus = corpus();
        Word2VecTraining training = form("pairs").start(device, corpus)) {
      Word2VecModel good = training.model();
      Word2VecModel bad =
          new Word2VecModel(
              good.settings(),
              good.vocabulary(),
              words ? broken(good.input()) : good.input(),
              words ? good.output() : broken(good.output()),
              null,
              good.position(),
              Arena.ofShared());
      try (Word2VecTraining broken = bad.resume(device, corpus)) {
        assertEquals(
            message, assertThrows(IllegalStateException.class, broken::model).getMessage());
        assertEquals(
            message, assertThrows(IllegalStateException.class, broken::vectors).getMessage());
      }
    }
  }

  /** A list of words may have any order. */
  @Test
  void theTreeOfNewWordsIsByTheirCounts() {
    try (Device device = Device.cpu();
        Corpus corpus = read(TextReader.lines(), "old one\n".repeat(9));
        Word2VecTraining training = form("cbow tree").start(device, corpus)) {
      Word2VecModel old = training.model();
      Vocabulary words = Vocabulary.inOrder(List.of("old", "one", "x", "y", "z"), 9, 9, 1, 9, 5);
      try (Corpus next = read(TextReader.lines().vocabulary(words), "x y z old\n");
          Word2VecTraining further = old.extend(old.settings(), device, next)) {
        HuffmanTree tree = further.model().tree();
        assertNotNull(tree);
        List<Integer> lengths = Stream.of(0, 1, 2, 3, 4).map(w -> tree.code(w).length()).toList();
        assertEquals(List.of(2, 2, 3, 2, 3), lengths);
      }
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"pairs", "pairs tree", "cbow full", "cbow tree"})
  void newWordsComeBehindTheOldOnes(String name) {
    String more = text("new", 2000, 9) + text("wört", 1000, 45) + "wört3 seldom wört4\n";
    try (Device device = Device.cpu();
        Corpus corpus = corpus();
        Word2VecTraining training = form(name).start(device, corpus)) {
      training.finish();
      Word2VecModel old = training.model();
      TextReader reader = TextReader.lines().minCount(5).extending(old.vocabulary());
      try (Corpus corpusOfMore = read(reader, more);
          Word2VecTraining further =
              old.extend(old.settings().rate(0.02).epochs(2), device, corpusOfMore)) {
        Word2VecModel before = further.model();
        Vocabulary words = before.vocabulary();
        assertEquals(-1, words.id("seldom"));
        int added = words.size() - 40;
        assertEquals(14, added, "nine, and those from 40 to 44");
        for (int word = 0; word < 40; word++) {
          assertEquals(old.vocabulary().word(word), words.word(word));
          assertTrue(words.count(word) >= old.vocabulary().count(word));
        }
        assertEquals(corpusOfMore.report().kept() + old.vocabulary().total(), words.total());
        byte[] input = bytes(old.input());
        assertArrayEquals(input, Arrays.copyOf(bytes(before.input()), input.length));
        byte[] output = bytes(old.output());
        byte[] all = bytes(before.output());
        int begin = name.endsWith("tree") ? 80 : 0; // behind the new root's row
        int end = begin + output.length;
        assertArrayEquals(output, Arrays.copyOfRange(all, begin, end));
        assertArrayEquals(new byte[begin], Arrays.copyOf(all, begin));
        assertArrayEquals(new byte[80 * added - begin], Arrays.copyOfRange(all, end, all.length));
        float[] drawn = before.input().toArray(ValueLayout.JAVA_FLOAT);
        double squares = 0;
        for (int i = 40 * 20; i < drawn.length; i++) {
          assertTrue(Math.abs(drawn[i]) <= 0.025, () -> "drawn from U(-1/40, 1/40)");
          squares += drawn[i] * drawn[i];
        }
        assertEquals(0.025 * 0.025 / 3, squares / (20 * added), 1e-4);
        double first = further.loss(corpusOfMore);
        further.finish();
        double last = further.loss(corpusOfMore);
        assertTrue(last < first, first + " to " + last);
        assertEquals(2, further.progress().epoch());
        if (name.endsWith("tree")) {
          List<Prediction> found = further.model().beam(List.of("new1"), words.size()).words();
          assertEquals(words.size(), found.size());
          double sum = found.stream().mapToDouble(Prediction::probability).sum();
          assertEquals(1, sum, 1e-6);
        }
      }
    }
  }

  @Test
  void anExtensionIsResumedAndExtended() throws IOException {
    Path file = folder.resolve("model.safetensors");
    String more = text("new", 3000, 9);
    try (Device device = Device.cpu();
        Corpus corpus = corpus();
        Word2VecTraining training = form("cbow tree").start(device, corpus)) {
      training.step();
      Word2VecModel old = training.model();
      try (Corpus next = read(TextReader.lines().extending(old.vocabulary()), more);
          Word2VecTraining whole = old.extend(old.settings(), device, next);
          Word2VecTraining part = old.extend(old.settings(), device, next)) {
        whole.finish();
        part.step();
        part.model().save(file);
        Word2VecModel read = Word2VecModel.read(file);
        assertEquals(49, read.vocabulary().size());
        try (Corpus again = read(TextReader.lines().vocabulary(read.vocabulary()), more);
            Word2VecTraining rest = read.resume(device, again)) {
          rest.finish();
          assertSame(whole.model(), rest.model());
        }
        try (Corpus third = read(TextReader.lines().extending(read.vocabulary()), text("x", 9, 3));
            Word2VecTraining twice = read.extend(read.settings(), device, third)) {
          twice.finish();
          assertEquals(52, twice.model().vocabulary().size());
          HuffmanTree tree = twice.model().tree();
          assertNotNull(tree);
          assertEquals(tree.offsets()[1], old.tree().offsets()[1] + 2, "two roots on the path");
        }
      }
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"pairs", "cbow tree"})
  void aTextWithoutNewWordsTrainsToo(String name) {
    try (Device device = Device.cpu();
        Corpus corpus = corpus();
        Word2VecTraining training = form(name).start(device, corpus)) {
      Word2VecModel old = training.model();
      for (TextReader reader :
          new TextReader[] {
            TextReader.lines().extending(old.vocabulary()),
            TextReader.lines().vocabulary(old.vocabulary())
          }) {
        try (Corpus next = read(reader, text("wört", 50, 30));
            Word2VecTraining further = old.extend(old.settings(), device, next)) {
          assertEquals(40, next.vocabulary().size());
          further.finish();
          assertFalse(Arrays.equals(bytes(old.input()), bytes(further.model().input())));
        }
      }
    }
  }

  @Test
  void whatCannotBeExtendedIsRefused() {
    try (Device device = Device.cpu();
        Corpus corpus = corpus();
        Word2VecTraining training = form("pairs").start(device, corpus)) {
      Word2VecModel model = training.model();
      Word2Vec same = model.settings();
      for (Word2Vec other :
          new Word2Vec[] {same.dimension(30), same.hierarchicalSoftmax(), form("cbow")}) {
        String message =
            assertThrows(IllegalArgumentException.class, () -> model.extend(other, device, corpus))
                .getMessage();
        assertTrue(
            message.startsWith(
                "the model is skip gram by negative sampling of dimension 20; on another text it"
                    + " cannot become "),
            message);
      }
      try (Corpus alone = read(TextReader.lines(), "new wört1\n".repeat(9))) {
        String message =
            assertThrows(IllegalArgumentException.class, () -> model.extend(same, device, alone))
                .getMessage();
        assertTrue(
            message.startsWith("word 0 of the text is 'new', that of the model 'wört0': "),
            message);
      }
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"pairs", "pairs tree", "pairs full", "cbow", "cbow tree", "cbow full"})
  void aLossThatIsHeldOutChangesNothing(String name) {
    double[] losses = new double[2];
    for (int threads = 1; threads <= 2; threads++) {
      int most = Math.min(threads, Runtime.getRuntime().availableProcessors());
      try (Device device = Device.cpu(most);
          Corpus corpus = corpus();
          Corpus heldOut =
              read(TextReader.lines().vocabulary(corpus.vocabulary()), text("wört", 4000, 50));
          Word2VecTraining training = form(name).start(device, corpus);
          Word2VecTraining unmeasured = form(name).start(device, corpus)) {
        step(training, 2);
        step(unmeasured, 2);
        Word2VecModel before = training.model();
        losses[threads - 1] = training.loss(heldOut);
        assertSame(before, training.model());
        assertEquals(losses[threads - 1], training.loss(heldOut), "the same draws");
        assertEquals(unmeasured.progress(), training.progress(), "sums stay apart");
        training.step();
        unmeasured.step();
        assertSame(unmeasured.model(), training.model());
      }
    }
    assertEquals(losses[0], losses[1], 1e-9);
  }

  @ParameterizedTest
  @ValueSource(strings = {"pairs", "pairs tree", "cbow", "cbow full"})
  void aLossThatIsHeldOutIsThatOfTheVectorsHoweverTheyAreTrained(String name) throws IOException {
    Path file = folder.resolve("model.safetensors");
    try (Device device = Device.cpu();
        Corpus corpus = corpus();
        Word2VecTraining training = form(name).start(device, corpus);
        Corpus heldOut = read(corpus.reader(), text("wört", 4000, 50))) {
      step(training, 2);
      training.model().save(file);
      double loss = training.loss(heldOut);
      Word2VecModel model = Word2VecModel.read(file);
      for (Word2Vec.Order order : Word2Vec.Order.values()) {
        Word2Vec settings = in(order, model.settings());
        for (int threads : new int[] {1, 2}) {
          try (Device other = Device.cpu(threads);
              Word2VecTraining further = model.extend(settings, other, corpus)) {
            Word2VecModel before = further.model();
            assertEquals(loss, further.loss(heldOut), 1e-9, order + " by " + threads);
            assertSame(before, further.model());
          }
        }
      }
    }
  }

  private static Word2Vec in(Word2Vec.Order order, Word2Vec settings) {
    return new Word2Vec(
        settings.model(),
        settings.objective(),
        settings.tree(),
        settings.dimension(),
        settings.window(),
        settings.negatives(),
        settings.sharing(),
        settings.noisePower(),
        settings.sample(),
        settings.rate(),
        settings.epochs(),
        settings.seed(),
        order);
  }

  @Test
  void aLossThatIsHeldOutIsBrokenOffBetweenPieces() {
    try (Device device = Device.cpu();
        Corpus corpus = corpus();
        Word2VecTraining training = form("pairs full").start(device, corpus)) {
      double loss = training.loss(corpus);
      AtomicInteger asked = new AtomicInteger();
      assertTrue(Double.isNaN(training.loss(corpus, () -> asked.incrementAndGet() == 3)));
      assertEquals(3, asked.get());
      assertEquals(loss, training.loss(corpus), "nothing is left of it");
    }
  }

  /** Of vectors C that are 0, every answer is as likely as the other. */
  @Test
  void theLossThatIsHeldOutIsTheObjective() {
    try (Device device = Device.cpu();
        Corpus corpus = corpus()) {
      try (Word2VecTraining full = form("pairs full").start(device, corpus)) {
        assertEquals(Math.log(40), full.loss(corpus), 1e-6);
        full.finish();
        assertTrue(full.loss(corpus) < Math.log(40) - 0.01);
      }
      try (Word2VecTraining negatives = form("cbow").negatives(1).start(device, corpus)) {
        double loss = negatives.loss(corpus);
        assertTrue(loss < 2 * Math.log(2) && loss > Math.log(2), () -> "1 or 2 rows: " + loss);
      }
    }
  }

  @Test
  @SuppressWarnings("try") // closed twice
  void aTextThatIsNoneToMeasureIsRefused() {
    try (Device device = Device.cpu();
        Corpus corpus = corpus();
        Word2VecTraining training = form("pairs").start(device, corpus);
        Corpus other = read(TextReader.lines(), text("wört", 9, 9));
        Corpus alone = read(TextReader.lines().vocabulary(corpus.vocabulary()), "wört1\nwört2\n")) {
      assertEquals(
          "the text that is held out has a vocabulary of its own, of 9 words; read it with that of"
              + " the training, of 40 words",
          assertThrows(IllegalArgumentException.class, () -> training.loss(other)).getMessage());
      assertEquals(
          "no word of the text that is held out has another one around it that is kept: frequent"
              + " words are thinned, so that a longer text is needed",
          assertThrows(IllegalArgumentException.class, () -> training.loss(alone)).getMessage());
      alone.close();
      assertThrows(IllegalStateException.class, () -> training.loss(alone));
    }
  }

  @Test
  void aModelThatWasSavedSurvivesATrainingThatDiverges() throws IOException {
    Path file = folder.resolve("model.safetensors");
    try (Device device = Device.cpu();
        Corpus corpus = corpus()) {
      Word2VecModel good;
      try (Word2VecTraining training = form("pairs").start(device, corpus)) {
        training.step();
        good = training.model();
        good.save(file);
      }
      try (Word2VecTraining training =
          Word2VecModel.read(file).extend(form("pairs").rate(1e30), device, corpus)) {
        String message = assertThrows(IllegalStateException.class, training::finish).getMessage();
        assertTrue(message.contains("tokens; the vector of 'wört"), message);
      }
      assertSame(good, Word2VecModel.read(file));
    }
  }

  /** Takes vectors, a model and sums of 26 MB each. */
  static final class Large {
    private Large() {}

    public static void main(String[] arguments) throws IOException {
      Path file = Path.of(arguments[0]);
      try (Device device = Device.cpu();
          Corpus corpus = read(TextReader.lines(), text("w", 100, 100));
          Word2VecTraining training =
              Word2Vec.cbow().dimension(1 << 16).epochs(1).start(device, corpus);
          Vectors vectors = training.vectors();
          Word2VecModel model = training.model();
          Vectors sum = model.sum()) {
        model.save(file);
        System.out.println(sum.dimension() + vectors.dimension());
      }
      try (Word2VecModel model = Word2VecModel.read(file)) {
        System.out.println(model.vectors().dimension());
      }
    }
  }

  /** What lies outside the heap is not bounded by what the heap may take. */
  @Test
  void whatWasTrainedIsTakenWhereTheHeapIsSmall() throws IOException {
    Path file = folder.resolve("model.safetensors");
    String said = new ChildJvm(Large.class).option("-Xmx24m").run(file.toString());
    assertEquals("131072\n65536\n", said);
  }

  @Test
  void aModelThatIsClosedGivesItsMemoryBack() {
    try (Device device = Device.cpu();
        Corpus corpus = corpus();
        Word2VecTraining training = form("pairs").start(device, corpus)) {
      Word2VecModel model = training.model();
      Vectors vectors = model.vectors();
      Vectors sum = model.sum();
      model.close();
      model.close();
      assertFalse(model.input().scope().isAlive());
      assertThrows(IllegalStateException.class, () -> vectors.vector("wört0"));
      assertEquals(20, sum.vector("wört0").length, "sums are memory of their own");
      sum.close();
      Vectors taken = training.vectors();
      taken.close();
      assertThrows(IllegalStateException.class, () -> taken.vector("wört0"));
    }
  }

  /** In a process that may write files of so many bytes, which a full disk is like. */
  @Test
  void onAFullDiskTheOldModelStays() throws Exception {
    Path file = folder.resolve("model.safetensors");
    try (Device device = Device.cpu();
        Corpus corpus = corpus();
        Word2VecTraining training = form("pairs").start(device, corpus)) {
      training.model().save(file);
    }
    byte[] before = Files.readAllBytes(file);
    Process process =
        new ProcessBuilder(
                "bash",
                "-c",
                "ulimit -f 4; exec \"$@\"",
                "bash",
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:-UsePerfData",
                "-cp",
                System.getProperty("java.class.path"),
                Word2VecModelTest.class.getName(),
                file.toString())
            .redirectErrorStream(true)
            .start();
    String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertEquals(0, process.waitFor(), said);
    assertTrue(said.contains(file + ": File too large"), said);
    assertArrayEquals(before, Files.readAllBytes(file));
    try (Stream<Path> left = Files.list(folder)) {
      assertEquals(List.of(file), left.toList());
    }
  }

  /** Reads a model and writes it to where it was; what went wrong goes to standard output. */
  public static void main(String[] args) throws IOException {
    Path file = Path.of(args[0]);
    Word2VecModel model = Word2VecModel.read(file);
    System.out.println(assertThrows(IOException.class, () -> model.save(file)));
  }

  @Test
  void noThirdMatrixIsTakenAtTheStart() {
    try (Device device = Device.cpu();
        Corpus corpus = read(TextReader.lines(), text("wört", 200, 256))) {
      long before = device.memory().live();
      int words = corpus.vocabulary().size();
      assertTrue(words > 200);
      try (Word2VecTraining training = form("pairs").dimension(1 << 16).start(device, corpus)) {
        long matrices = 2L * words * (1 << 16) * Float.BYTES;
        long most = device.memory().peak() - before - matrices;
        assertTrue(most > 0 && most < (1 << 24) + 100_000, () -> most + " bytes");
        float[] first = training.vector(corpus.vocabulary().word(0));
        float[] later = training.vector(corpus.vocabulary().word(64));
        assertFalse(Arrays.equals(first, later), "draws of parts differ");
      }
    }
  }

  private interface Change {
    void apply(Map<String, Safetensors.Entry> tensors, Map<String, String> metadata);
  }

  private String refused(Change change) throws IOException {
    Path file = folder.resolve("model.safetensors");
    try (Device device = Device.cpu();
        Corpus corpus = corpus();
        Word2VecTraining training = form("cbow tree").start(device, corpus)) {
      training.model().save(file);
    }
    Safetensors.Contents contents = Safetensors.read(file);
    Map<String, Safetensors.Entry> tensors = new LinkedHashMap<>(contents.tensors());
    Map<String, String> metadata = new LinkedHashMap<>(contents.metadata());
    change.apply(tensors, metadata);
    Safetensors.write(file, tensors, metadata);
    String message =
        assertThrows(FormatException.class, () -> Word2VecModel.read(file)).getMessage();
    assertTrue(message.startsWith(file + ", byte 0: "), message);
    return message;
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "format | weft.vectors | say format weft.vectors, expected weft.word2vec",
        "dimension | ten | the setting dimension is 'ten', expected a number",
        "dimension | 30 | tensor vectors is F32 of shape [40, 20], expected F32 of [40, 30]",
        "window | 99 | the window is 99, expected 1 to 64",
        "objective | GUESS | the setting objective is 'GUESS', expected one of [NEGATIVE_SAMPLING,",
        "tokens | -1 | the metadata say tokens -1, expected a whole number",
        "tokens | 999999 | 999,999 tokens are trained, of 3 readings of a text of 30,000",
        "text_tokens | 0 | 0 tokens are trained, of 3 readings of a text of 0",
        "tokens | 31025 | 31,025 tokens are trained, of readings of 30,000: none ends there, nor a",
        "letters | LOUD | the setting letters is 'LOUD', expected one of [AS_WRITTEN, LOWER_CASE]",
        "longest_word | 1 | the longest word, in bytes, must be 8 to 65,536, not 1",
      })
  void metadataThatAreWrongAreNamed(String key, String value, String expected) throws IOException {
    String message = refused((tensors, metadata) -> metadata.put(key, value));
    assertTrue(message.contains(expected), message);
  }

  @ParameterizedTest
  @ValueSource(strings = {"seed", "text_checksum", "normalization"})
  void metadataThatAreMissingAreNamed(String key) throws IOException {
    String message = refused((tensors, metadata) -> metadata.remove(key));
    assertTrue(message.contains(key), message);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "vectors",
        "contexts",
        "words",
        "counts",
        "path_offsets",
        "path_nodes",
        "path_bits"
      })
  void tensorsThatAreMissingOrOthersAreNamed(String name) throws IOException {
    assertTrue(
        refused((tensors, metadata) -> tensors.remove(name))
            .endsWith("the tensor " + name + " is not there"));
    Safetensors.Entry other =
        new Safetensors.Entry("U8", new long[] {3}, MemorySegment.ofArray(new byte[] {66, 10, 0}));
    assertTrue(
        refused((tensors, metadata) -> tensors.put(name, other)).contains("model of word2vec"));
  }

  @Test
  void pathsThatAreNoTreeAreRefused() throws IOException {
    String message =
        refused(
            (tensors, metadata) -> {
              Safetensors.Entry nodes = tensors.get("path_nodes");
              int[] numbers = nodes.data().toArray(ValueLayout.JAVA_INT_UNALIGNED);
              numbers[numbers.length - 1] = 99;
              tensors.put(
                  "path_nodes",
                  new Safetensors.Entry("I32", nodes.shape(), MemorySegment.ofArray(numbers)));
            });
    assertTrue(message.contains("the path of word 39 is none in the tree"), message);
  }

  @Test
  void aFileThatIsCutOrNoneIsSaid() throws IOException {
    Path file = folder.resolve("model.safetensors");
    try (Device device = Device.cpu();
        Corpus corpus = corpus();
        Word2VecTraining training = form("pairs").start(device, corpus)) {
      training.model().save(file);
    }
    byte[] all = Files.readAllBytes(file);
    Files.write(file, Arrays.copyOf(all, all.length - 9));
    assertTrue(
        assertThrows(FormatException.class, () -> Word2VecModel.read(file))
            .getMessage()
            .contains("the file is cut short"));
    Files.writeString(file, "no safetensors at all");
    assertThrows(FormatException.class, () -> Word2VecModel.read(file));
  }
}
