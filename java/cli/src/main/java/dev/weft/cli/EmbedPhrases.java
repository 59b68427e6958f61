// SPDX-License-Identifier: Apache-2.0
package dev.weft.cli;

import static dev.weft.format.Format.format;

import dev.weft.io.AtomicFile;
import dev.weft.text.Corpus;
import dev.weft.text.Phrases;
import dev.weft.text.TextReader;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;

/** {@code weft embed phrases}: word2phrase, under its option names. */
@Command(
    name = "phrases",
    mixinStandardHelpOptions = true,
    description = {
      "Writes a text in which words that stand side by side more often than by chance are one, as"
          + " new_york. All words are kept.",
      "Words a and b become one where (count(a b) - min-count) / (count(a) count(b)) times the"
          + " words of the text is above the threshold."
    },
    footer = {
      "",
      "Examples:",
      "  weft embed phrases text.txt.gz -output joined.txt",
      "  weft embed phrases text.txt -output joined.txt -threshold 200 --passes 2"
    })
final class EmbedPhrases implements Callable<Integer> {
  @ParentCommand private EmbedCommand parent;

  @Parameters(paramLabel = "TEXT", description = "The text, plain or gzip; - is standard input.")
  private String text;

  @Option(
      names = {"-output", "--output"},
      required = true,
      paramLabel = "FILE",
      description = "The new text; gzip where the name ends in .gz.")
  private Path output;

  @Option(
      names = {"-threshold", "--threshold"},
      paramLabel = "SCORE",
      defaultValue = "100",
      description = "A higher one joins fewer words. Default: ${DEFAULT-VALUE}.")
  private double threshold;

  @Option(
      names = {"-min-count", "--min-count"},
      paramLabel = "N",
      defaultValue = "5",
      description =
          "Pairs that are not more frequent stay apart, and rarer words too. Default:"
              + " ${DEFAULT-VALUE}.")
  private long minCount;

  @Option(
      names = "--passes",
      paramLabel = "N",
      defaultValue = "1",
      description =
          "How many times pairs are joined: a phrase is a word in the next pass. Default:"
              + " ${DEFAULT-VALUE}.")
  private int passes;

  @Mixin private TextOptions reading;

  @Override
  public Integer call() throws IOException {
    Phrases phrases = Phrases.threshold(threshold).discount(minCount).passes(passes);
    AtomicFile.checkWritable(output);
    EmbedRun.checkOther("-output", output, "the text", Path.of(text));
    PrintWriter out = parent.screen().out();
    try (Corpus corpus = reading.read(text, TextReader.lines())) {
      out.println(corpus.report());
      out.flush();
      try (Corpus joined = phrases.join(corpus)) {
        joined.write(output);
        long before = corpus.report().kept();
        long after = joined.report().kept();
        out.println(
            format("joined %,d pairs; wrote %,d words to %s", before - after, after, output));
      }
    }
    return Main.SUCCESS;
  }
}
