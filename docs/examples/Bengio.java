// SPDX-License-Identifier: Apache-2.0
import dev.weft.Device;
import dev.weft.data.Column;
import dev.weft.data.Dataset;
import dev.weft.nn.Activation;
import dev.weft.nn.Embedding;
import dev.weft.nn.Flatten;
import dev.weft.nn.Select;
import dev.weft.nn.Linear;
import dev.weft.nn.Sequential;
import dev.weft.nn.SoftmaxCrossEntropy;
import dev.weft.optim.Adam;
import dev.weft.train.Evaluation;
import dev.weft.train.Trainer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.stream.Stream;

/**
 * A language model that guesses a word from the four before it (Bengio et al. 2003).
 *
 * <p>java -cp ... Bengio.java TRAIN VALID: texts of one sentence a line, words apart by spaces.
 */
public class Bengio {
  private static final int BEFORE = 4;

  public static void main(String[] args) throws Exception {
    Map<String, Integer> vocabulary = new HashMap<>();
    int[] train = ids(Path.of(args[0]), vocabulary);
    int[] valid = ids(Path.of(args[1]), vocabulary);
    int words = vocabulary.size();
    var network =
        Sequential.of(
            new Select("before"),
            new Embedding(words, 60),
            new Flatten(),
            new Linear(BEFORE * 60, 100),
            Activation.TANH,
            new Linear(100, words));
    try (Device device = Device.best()) {
      Evaluation valued =
          Trainer.of(network)
              .on(device)
              .loss(new SoftmaxCrossEntropy().against("next"))
              .optimizer(Adam.rate(1e-3))
              .batch(256)
              .fit(examples(train, words), examples(valid, words), 1)
              .last()
              .test();
      System.out.printf("perplexity %.1f%n", Math.exp(valued.loss()));
    }
  }

  /** Windows of the text and the word behind each: both share the text's memory. */
  private static Dataset examples(int[] text, int words) {
    Column tokens = Column.ids(text, words);
    return Dataset.of(
        Map.of(
            "before", tokens.window(BEFORE).slice(0, text.length - BEFORE),
            "next", tokens.slice(BEFORE, text.length)));
  }

  private static int[] ids(Path file, Map<String, Integer> vocabulary) throws Exception {
    try (Stream<String> lines = Files.lines(file)) {
      return lines
          .flatMap(line -> Stream.of((line.strip() + " </s>").strip().split(" +")))
          .mapToInt(word -> vocabulary.computeIfAbsent(word, key -> vocabulary.size()))
          .toArray();
    }
  }
}
