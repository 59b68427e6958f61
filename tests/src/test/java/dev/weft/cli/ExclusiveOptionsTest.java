// SPDX-License-Identifier: Apache-2.0
package dev.weft.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Options that would do nothing beside others are refused before the work, in the user's words. */
class ExclusiveOptionsTest {
  @TempDir private Path folder;

  static List<Arguments> pairs() {
    return List.of(
        pair("--layers linear(784,10) --hidden 5", "--layers is the whole network"),
        pair("--layers linear(784,10) --activation tanh", "--layers is the whole network"),
        pair("--layers linear(784,10) --dropout 0.1", "--layers is the whole network"),
        pair("--hidden none --dropout 0.1", "--dropout stands behind every hidden layer", "none"),
        pair("--hidden none --activation tanh", "--activation stands behind every hidden layer"),
        pair("--data . --digits 600", "--digits is for made digits", "leave one out"),
        pair(
            "--optimizer adam --momentum 0.9",
            "--momentum is for sgd, momentum, nesterov, rmsprop, not"),
        pair(
            "--optimizer adamw --momentum 0",
            "--momentum is for sgd, momentum, nesterov, rmsprop, not"),
        pair("--optimizer lion --momentum 0.9", "--momentum is for", "not for lion"),
        pair("--optimizer nesterov --dampening 0.9", "--dampening is for momentum"),
        pair("--optimizer rmsprop --beta1 0.9", "--beta1 is for adam", "not for rmsprop"),
        pair("--optimizer adagrad --beta2 0.9", "--beta2 is for", "not for adagrad"),
        pair("--optimizer momentum --momentum 0", "--optimizer momentum needs --momentum above 0"),
        pair("--optimizer nesterov --momentum 0", "--optimizer nesterov needs --momentum above 0"),
        pair("--profile --log run.jsonl", "--profile trains no epoch", "--log"),
        pair("--profile --detect-anomaly", "--profile times steps as they are", "leave one out"),
        pair("--profile --schedule linear", "or decay: leave --schedule out"),
        pair("--profile --momentum-schedule linear", "at any learning rate, momentum or decay"),
        pair("--profile --warm-up 9", "or decay: leave --warm-up out"),
        pair("--profile --accumulate 2", "--profile times updates of one batch", "--accumulate"),
        pair("--profile --patience 3", "--profile trains no epoch that --patience could count"),
        pair("--watch accuracy", "--patience or --schedule plateau waits for", "leave it out"),
        pair("--epochs 9 --schedule plateau:3:0.1 --patience 3", "before a plateau of 3 epochs"),
        pair("--epochs 5 --schedule plateau:4:0.1", "would change nothing: --epochs 5 end before"),
        pair("--epochs 5 --schedule multi-step:2,5:0.1", "would not have all its steps"),
        pair("--epochs 5 --schedule restarts:5", "would not restart: --epochs 5 end before"),
        pair("--schedule exponential:1", "would change nothing: its factor is 1"),
        pair("--schedule multi-step:2,3:1", "would change nothing: its factor is 1"),
        pair("--epochs 1 --patience 3", "--patience chooses among epochs", "--epochs 1"),
        pair("--epochs 3 --schedule steps:3:0.5", "would change nothing: --epochs 3 end before"),
        pair("--schedule steps:2:1", "--schedule steps:2:1 would change nothing: its factor is 1"),
        pair("--optimizer adamw --weight-decay 0", "adamw needs --weight-decay above 0", "adam"),
        pair("--ema 0.9 --swa 2", "--ema and --swa are two averages", "leave one out"),
        pair("--ema 1", "--ema: the decay of an average must be in (0, 1), not 1.0"),
        pair("--swa 0", "--swa: epochs are counted from 1"),
        pair("--epochs 3 --swa 3", "--swa 3 averages", "--epochs 3 leave one"),
        pair("--epochs 3 --swa 4", "--swa 4 averages", "--epochs 3 leave none"),
        pair("--profile --swa 2", "--profile trains no epoch whose weights --swa could average"),
        pair("--ensemble 1", "--ensemble is of 2 networks or more, not 1"),
        pair("--profile --ensemble 2", "--profile times one network", "leave one out"),
        pair("--profile --overwrite", "--profile writes no network", "leave one out"),
        pair("--layers relu", "--layers \"relu\": the network has nothing to train", "parameters"),
        pair("--layers dropout(0.1)", "the network has nothing to train"));
  }

  private static Arguments pair(String options, String... words) {
    return Arguments.of(options, words);
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("pairs")
  void oneOfTheTwoWouldDoNothing(String options, String[] words) {
    Path file = folder.resolve("m.safetensors");
    Weft.Run run =
        Weft.run(
            Stream.concat(
                    Stream.of("train", "--device", "cpu", "--out", file),
                    Stream.of(options.split(" ")))
                .toArray());
    run.failed(Main.WRONG_USE, words);
    assertEquals("", run.out(), "nothing was begun");
    assertFalse(Files.exists(file));
  }

  @ParameterizedTest(name = "{0}")
  @CsvSource({
    "--hidden 512, 'cannot be fused: linear(784,512)'",
    "'--hidden 128 --layers linear(784,10)', --layers is",
    "--hidden 32 --clip 1, and does not clip",
    "--hidden 32 --accumulate 2, could add up over batches"
  })
  void nothingIsWrittenByARunThatIsRefused(String options, String words) {
    Path file = folder.resolve("m.safetensors");
    Weft.Run run =
        Weft.run(
            Stream.concat(
                    Stream.of("train", "--device", "cpu", "--digits", 600, "--out", file),
                    Stream.of(("--fusion always " + options).split(" ")))
                .toArray());
    run.failed(Main.WRONG_USE, words);
    assertFalse(Files.exists(file));
  }

  /** Evaluation has the same options for data, and finds out before it loads the network. */
  @ParameterizedTest
  @ValueSource(strings = "--data . --digits 600")
  void evaluationRefusesThemToo(String options) {
    Weft.run(
            Stream.concat(
                    Stream.of("evaluate", folder.resolve("absent")), Stream.of(options.split(" ")))
                .toArray())
        .failed(Main.WRONG_USE, "--digits is for made digits");
  }
}
