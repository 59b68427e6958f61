// SPDX-License-Identifier: Apache-2.0
package dev.weft.bench.embeddings;

import static dev.weft.format.Format.format;

import dev.weft.bench.measure.ChildJava;
import dev.weft.bench.report.VectorTask;
import dev.weft.text.Corpus;
import dev.weft.text.TextReader;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** A text becomes ids: read, counted and encoded once, in a Java machine that has just begun. */
public final class Reading {
  private static final double MOST = 1.2 / 17e6; // seconds a word
  private static final long LONG = 5_000_000; // words beside which Java's start is little

  private Reading() {}

  /** Arguments: a text, and the least count of a word. Prints seconds. */
  public static void main(String[] arguments) throws IOException {
    long start = System.nanoTime();
    try (Corpus corpus =
        TextReader.lines().minCount(Integer.parseInt(arguments[1])).read(Path.of(arguments[0]))) {
      double seconds = (System.nanoTime() - start) / 1e9;
      System.out.println(seconds + " " + corpus.size());
    }
  }

  /** Measures. */
  static VectorTask measure(PlainText text, int minCount, int threads, int turns) {
    List<Double> seconds = new ArrayList<>();
    for (int turn = 0; turn < turns; turn++) {
      List<String> arguments = List.of(text.file().toString(), Integer.toString(minCount));
      List<String> options = List.of("-XX:ActiveProcessorCount=" + threads);
      String said = ChildJava.run(Reading.class, threads, options, arguments).getLast();
      seconds.add(Double.parseDouble(said.split(" ")[0]));
    }
    double most = text.words() >= LONG ? text.words() * MOST : 0;
    return new VectorTask(
        format("reading, counting and encoding %,d words", text.words()), seconds, List.of(), most);
  }
}
