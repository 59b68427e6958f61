// SPDX-License-Identifier: Apache-2.0
package dev.weft;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.weft.support.Beside;
import dev.weft.support.ExampleProgram;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.w3c.dom.Document;

/** The programs behind docs/watching-training.md show what the page says of them. */
@Beside
class WatchingTrainingExamplesTest {
  private static final Pattern NUMBER = Pattern.compile("-?\\d+\\.\\d+");

  @TempDir Path folder;

  private static double[] numbers(String line) {
    return NUMBER.matcher(line).results().mapToDouble(n -> Double.parseDouble(n.group())).toArray();
  }

  private Document picture(String name, String... words) throws Exception {
    return ExampleProgram.picture(folder.resolve(name), words);
  }

  @Test
  @ExampleProgram.Of("LearningRates")
  void oneRateIsTooLowOneGoodOneHighAndOneTooHigh() throws Exception {
    List<String> said = ExampleProgram.run("LearningRates", folder);
    assertEquals(4, said.size(), said::toString);
    double[][] losses = new double[4][];
    for (int i = 0; i < 4; i++) {
      losses[i] = numbers(said.get(i).split(": ")[1]);
    }
    double guess = Math.log(10);
    assertTrue(losses[0][1] > 1 && losses[0][1] < guess, said::toString);
    assertTrue(losses[1][1] < 0.1, said::toString);
    assertTrue(losses[2][0] > 2 * guess && losses[2][1] < losses[2][0] / 2, said::toString);
    assertTrue(losses[3][0] > 10 * guess && losses[3][1] > losses[3][0], said::toString);
    picture("learning-rates.svg", "epoch", "training loss", "0.01, too low", "10, too high");
  }

  /** Where each rule is on a surface after 120 steps. */
  private static Map<String, double[]> ends(List<String> said) {
    Map<String, double[]> ends = new LinkedHashMap<>();
    said.forEach(line -> ends.put(line.replaceAll("^(\\w+ \\w+).*", "$1"), numbers(line)));
    return ends;
  }

  @Test
  @ExampleProgram.Of("Descent")
  void plainGradientDescentStaysAtTheSaddleAndTheOthersLeave() throws Exception {
    Map<String, double[]> ends = ends(ExampleProgram.run("Descent"));
    assertEquals(21, ends.size(), () -> ends.keySet().toString());
    for (String rule :
        List.of("sgd", "momentum", "nesterov", "adagrad", "rmsprop", "adadelta", "adam")) {
      double[] ravine = ends.get("ravine " + rule);
      assertTrue(Math.hypot(ravine[0], ravine[1]) < 0.25, rule);
      double y = ends.get("saddle " + rule)[1];
      assertTrue(rule.equals("sgd") ? y < 0.2 : y > 2, rule + " at " + y);
    }
    assertTrue(ends.get("valley sgd")[0] < -0.5);
    for (String rule : List.of("momentum", "rmsprop", "adam")) {
      assertTrue(ends.get("valley " + rule)[0] > 0.5, rule);
    }
  }

  @Test
  @ExampleProgram.Of("OptimizerPaths")
  void pathsAreDrawnAndAnimated() throws Exception {
    assertEquals(List.of("41 frames"), ExampleProgram.run("OptimizerPaths", folder));
    Document picture =
        picture("optimizer-paths.svg", "ravine", "saddle", "valley", "sgd", "nesterov", "adadelta");
    assertTrue(picture.getElementsByTagName("path").getLength() > 3 * (7 + 1));
    assertTrue(Files.size(folder.resolve("optimizer-paths.svg")) < 100_000);
    assertTrue(Files.size(folder.resolve("optimizer-paths.gif")) < 500_000);
  }

  @Test
  @ExampleProgram.Of("LossSurface")
  void theLossRisesAroundTheTrainedNetwork() throws Exception {
    double[] said = numbers(ExampleProgram.run("LossSurface", folder).getFirst());
    assertTrue(said[0] < 0.12 && said[1] > 2, said[0] + " " + said[1]);
    picture("loss-surface.svg", "loss around a minimum", "trained");
  }

  @Test
  @ExampleProgram.Of("BetweenMinima")
  void betweenTwoMinimaIsAHill() throws Exception {
    double[] said = numbers(ExampleProgram.run("BetweenMinima", folder).getFirst());
    assertTrue(said[0] < 0.12 && said[1] < 0.12 && said[2] > 0.3, said[2] + "");
    picture("between-minima.svg", "share of the way", "on the straight way");
  }
}
