// SPDX-License-Identifier: Apache-2.0
package dev.weft.cli;

import static dev.weft.format.Format.format;

import dev.weft.io.AtomicFile;
import dev.weft.text.Corpus;
import dev.weft.text.TextReader;
import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;

/** {@code weft embed vocab}. */
@Command(
    name = "vocab",
    mixinStandardHelpOptions = true,
    description = "Counts the words of a text, for -read-vocab of train.",
    footer = {"", "Examples:", "  weft embed vocab text.txt.gz -save-vocab words.txt"})
final class EmbedVocab implements Callable<Integer> {
  @ParentCommand private EmbedCommand parent;

  @Parameters(paramLabel = "TEXT", description = "The text, plain or gzip; - is standard input.")
  private String text;

  @Option(
      names = {"-save-vocab", "--save-vocab"},
      required = true,
      paramLabel = "FILE",
      description = "A file for the words with their counts.")
  private Path file;

  @Option(
      names = {"-min-count", "--min-count"},
      paramLabel = "N",
      defaultValue = "5",
      description = "Rarer words are left out. Default: ${DEFAULT-VALUE}.")
  private long minCount;

  @Mixin private TextOptions reading;

  @Override
  public Integer call() throws IOException {
    AtomicFile.checkWritable(file);
    EmbedRun.checkOther("-save-vocab", file, "the text", Path.of(text));
    try (Corpus corpus = reading.read(text, TextReader.lines().minCount(minCount))) {
      corpus.vocabulary().write(file);
      parent.screen().out().println(corpus.report());
      parent
          .screen()
          .out()
          .println(format("wrote %,d words to %s", corpus.vocabulary().size(), file));
    }
    return Main.SUCCESS;
  }
}
