// SPDX-License-Identifier: Apache-2.0
package dev.weft.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class LrFindCommandTest {
  @TempDir private Path folder;

  private static Weft.Run find(Object... more) {
    return Weft.run(
        Stream.concat(
                Stream.of("lr-find", "--device", "cpu", "--digits", 1300, "--hidden", "32"),
                Stream.of(more))
            .toArray());
  }

  @Test
  void aRateIsSuggestedWithItsReasonAndAPicture() throws IOException {
    Path file = folder.resolve("rates.svg");
    String out = find("--optimizer", "momentum", "--clip", 5, "--out", file).succeeded().out();
    Matcher last = Pattern.compile("--rate (\\S+): the loss fell fastest there, ").matcher(out);
    assertTrue(last.find(), out);
    double rate = Double.parseDouble(last.group(1));
    assertTrue(rate > 0.005 && rate < 0.5, out);
    assertTrue(out.contains("\ntraining momentum, batch 128, seed 1"), out);
    String svg = Files.readString(file);
    assertTrue(svg.contains("suggested: " + last.group(1)), svg);
    assertEquals(out, find("--optimizer", "momentum", "--clip", 5, "--out", file).out(), "again");
  }

  @Test
  void whereNoneIsSuggestedTheReasonIsAnError() {
    Weft.Run run = find("--from", "1e-12", "--to", "1e-9").failed(Main.FAILURE);
    assertTrue(run.err().startsWith("weft: no rate is suggested: the loss "), run.err());
    assertTrue(run.out().contains("ended    100 rates were tried"), run.out());
    find("--from", "1e6", "--to", "1e9", "--optimizer", "sgd")
        .failed(Main.FAILURE, "no rate is suggested: the loss was ", "begin with a smaller rate");
  }

  @ParameterizedTest(name = "{0}")
  @CsvSource({
    "--batch 0, 'a batch needs at least 1 row, not 0'",
    "--rate 0.1, --rate is what is looked for",
    "--from 2 --to 1, 'larger, finite one, not from 2.0 to 1.0'",
    "--updates 5, 'needs at least 20 updates'",
    "--accumulate 2 --class-weights balanced, leave one out",
    "--schedule cosine, unknown option '--schedule'",
    "--out rates.txt, ends in neither .svg nor .png"
  })
  void wrongUseIsSaidBeforeTheWork(String options, String words) {
    // a device that is not there: it is asked for later
    Weft.Run run = find((Object[]) ("--device cuda:77 " + options).split(" "));
    run.failed(Main.WRONG_USE, words);
    assertEquals("", run.out(), "nothing was begun");
    assertFalse(Files.exists(Path.of("rates.txt")));
  }
}
