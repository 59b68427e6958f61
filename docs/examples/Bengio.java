// SPDX-License-Identifier: Apache-2.0
// text: weft examples run bengio TRAIN VALID
import dev.weft.Device;
import dev.weft.data.Column;
import dev.weft.data.Dataset;
import dev.weft.nn.Activation;
import dev.weft.nn.Embedding;
import dev.weft.nn.Flatten;
import dev.weft.nn.Linear;
import dev.weft.nn.Select;
import dev.weft.nn.Sequential;
import dev.weft.nn.SoftmaxCrossEntropy;
import dev.weft.train.Trainer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.stream.Stream;

/** A language model that guesses a word from the four before it (Bengio et al. 2003). */
public class Bengio {
  public static void main(String[] args) throws IOException {
    Map<String, Integer> ids = new HashMap<>();
    int[] train = words(Path.of(args[0]), ids); // a sentence a line, words apart by spaces
    int[] valid = words(Path.of(args[1]), ids);
    var table = new Embedding(ids.size(), 60);
    var hidden = new Linear(4 * 60, 100);
    var scores = new Linear(100, ids.size());
    try (Device device = Device.best()) {
      var network =
          Sequential.of(
              new Select("before"), table, new Flatten(), hidden, Activation.TANH, scores);
      var last =
          Trainer.of(network)
              .on(device)
              .loss(new SoftmaxCrossEntropy().against("next"))
              .fit(examples(train, ids.size()), examples(valid, ids.size()), 1)
              .last();
      System.out.printf("perplexity %.1f%n", Math.exp(last.test().loss()));
    }
  }

  /** Windows of the text and the word behind each: both share the text's memory. */
  private static Dataset examples(int[] text, int words) {
    Column tokens = Column.ids(text, words);
    Column before = tokens.window(4).slice(0, text.length - 4);
    return Dataset.of(Map.of("before", before, "next", tokens.slice(4, text.length)));
  }

  private static int[] words(Path file, Map<String, Integer> ids) throws IOException {
    try (Stream<String> lines = Files.lines(file)) {
      return lines
          .flatMap(line -> Stream.of((line.strip() + " </s>").strip().split(" +")))
          .mapToInt(word -> ids.computeIfAbsent(word, key -> ids.size()))
          .toArray();
    }
  }
}
