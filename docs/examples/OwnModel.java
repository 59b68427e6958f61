// SPDX-License-Identifier: Apache-2.0
// your own parts: weft examples run own-model
import dev.weft.Device;
import dev.weft.Inputs;
import dev.weft.Operations;
import dev.weft.RowType;
import dev.weft.Tensor;
import dev.weft.data.Column;
import dev.weft.data.Dataset;
import dev.weft.nn.Embedding;
import dev.weft.nn.Layers;
import dev.weft.nn.Linear;
import dev.weft.nn.Model;
import dev.weft.nn.Network;
import dev.weft.train.Trainer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;

/** A model of one's own: scores from a word's embedding plus a linear map of numbers. */
public class OwnModel {
  static final class Scores extends Network {
    private final Embedding words = new Embedding(3, 2);
    private final Linear numbers = new Linear(2, 2);

    @Override
    public Tensor forward(Operations o, Inputs<Tensor> in) {
      return o.add(words.forward(o, in.get("word")), numbers.forward(o, in.get("numbers")));
    }

    @Override
    public RowType output(Inputs<RowType> in) {
      words.output(in.get("word"));
      return numbers.output(in.get("numbers"));
    }

    @Override
    public Map<String, Model> children() {
      return Map.of("words", words, "numbers", numbers);
    }
  }

  public static void main(String[] args) throws Exception {
    Layers.register("word_and_numbers", Scores.class, settings -> new Scores());
    Path file = Files.createTempDirectory("weft").resolve("model.safetensors");
    Column words = Column.ids(new int[] {0, 1, 2, 1}, 3);
    Column numbers = Column.of(new float[][] {{1, 0}, {0, 1}, {1, 1}, {0, 0}});
    Column targets = Column.ids(new int[] {0, 1, 0, 1}, 2);
    var data = Dataset.of(Map.of("word", words, "numbers", numbers, "targets", targets));
    try (Device device = Device.cpu()) {
      var model = new Scores();
      Trainer.of(model).on(device).fit(data, 2_000);
      model.save(file);
      try (var again = Network.load(file).on(device)) {
        System.out.println(Arrays.equals(again.classes(data), targets.toInts()));
      }
    }
  }
}
