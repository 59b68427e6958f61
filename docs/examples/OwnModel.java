// SPDX-License-Identifier: Apache-2.0
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
import dev.weft.nn.SoftmaxCrossEntropy;
import dev.weft.optim.Adam;
import dev.weft.train.Evaluator;
import dev.weft.train.Trainer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;

/** A model of one's own over two columns: a word and numbers beside it. */
public class OwnModel {

  /** Scores of two classes from an embedded word plus a linear map of numbers. */
  public static final class WordAndNumbers extends Network {
    private final Embedding words;
    private final Linear numbers;

    public WordAndNumbers(Embedding words, Linear numbers) {
      this.words = words;
      this.numbers = numbers;
    }

    @Override
    public Tensor forward(Operations operations, Inputs<Tensor> inputs) {
      return operations.add(
          words.forward(operations, inputs.get("word")),
          numbers.forward(operations, inputs.get("numbers")));
    }

    @Override
    public RowType output(Inputs<RowType> inputs) {
      words.output(inputs.get("word"));
      return numbers.output(inputs.get("numbers"));
    }

    @Override
    public Map<String, Model> children() {
      return Map.of("words", words, "numbers", numbers);
    }
  }

  public static void main(String[] args) throws Exception {
    Layers.register(
        "word_and_numbers",
        WordAndNumbers.class,
        is -> new WordAndNumbers(is.child("words", Embedding.class), is.child("numbers", Linear.class)));
    Path file = Files.createTempDirectory("weft").resolve("model.safetensors");
    float[][] numbers = {{1, 0}, {0, 1}, {1, 1}, {0, 0}};
    var data =
        Dataset.of(
            Map.of(
                "word", Column.ids(new int[] {0, 1, 2, 1}, 3),
                "numbers", Column.of(numbers),
                "targets", Column.ids(new int[] {0, 1, 0, 1}, 2)));
    try (Device device = Device.cpu()) {
      var model = new WordAndNumbers(new Embedding(3, 2), new Linear(2, 2));
      Trainer.of(model)
          .on(device)
          .optimizer(Adam.rate(0.05))
          .batch(4)
          .fit(data, 200);
      model.save(file);
      try (var again = Network.load(file).on(device);
          var evaluator = new Evaluator(again, new SoftmaxCrossEntropy(), data, 4)) {
        System.out.println(evaluator.evaluate().accuracy());
      }
    }
  }
}
