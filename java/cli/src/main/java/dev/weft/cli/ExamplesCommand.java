// SPDX-License-Identifier: Apache-2.0
package dev.weft.cli;

import static dev.weft.format.Format.format;

import dev.weft.io.AtomicFile;
import java.io.IOException;
import java.io.PrintWriter;
import java.lang.reflect.InvocationTargetException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Help;
import picocli.CommandLine.Help.Column;
import picocli.CommandLine.Help.Column.Overflow;
import picocli.CommandLine.Help.TextTable;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;

/** {@code weft examples}. */
@Command(
    name = "examples",
    mixinStandardHelpOptions = true,
    description = {
      "Lists the programs of docs/examples, and runs one.",
      "Each is a file of at most 60 lines, prints its numbers and, where it draws, writes a"
          + " picture."
    },
    subcommands = ExamplesCommand.Run.class,
    footer = {
      "",
      "Examples:",
      "  weft examples",
      "  weft examples run xor",
      "  weft examples run decision-boundaries --out pictures"
    })
final class ExamplesCommand implements Callable<Integer> {
  private static final int NAMES = 26;
  private static final int LEAST_SENTENCE = 40;

  @ParentCommand private Main main;

  @Override
  public Integer call() throws IOException {
    PrintWriter out = main.screen().out();
    List<Example> all = Example.all();
    int sentence = Math.max(LEAST_SENTENCE, main.screen().columns() - NAMES);
    for (String group : Example.GROUPS) {
      if (all.stream().noneMatch(each -> each.group().equals(group))) {
        continue;
      }
      TextTable table =
          TextTable.forColumns(
              Help.defaultColorScheme(Help.Ansi.OFF),
              new Column(NAMES, 2, Overflow.SPAN),
              new Column(sentence, 0, Overflow.WRAP));
      all.stream()
          .filter(each -> each.group().equals(group))
          .forEach(each -> table.addRowValues(each.name(), each.sentence()));
      out.println(group);
      out.println(table);
    }
    out.println("weft examples run NAME runs one; its source is docs/examples/Name.java");
    return Main.SUCCESS;
  }

  /** {@code weft examples run}. */
  @Command(
      name = "run",
      mixinStandardHelpOptions = true,
      description = "Runs an example: prints its numbers, and writes its picture.")
  static final class Run implements Callable<Integer> {
    @ParentCommand private ExamplesCommand parent;

    @Parameters(index = "0", paramLabel = "NAME", description = "An example of the list.")
    private String name;

    @Parameters(
        index = "1..*",
        arity = "0..*",
        paramLabel = "ARGUMENT",
        description = "What the example takes, such as the files of texts.")
    private List<String> arguments = new ArrayList<>();

    @Option(
        names = "--out",
        paramLabel = "FOLDER",
        description =
            "Where its picture is written; one that is there is replaced. Default: the current"
                + " folder.")
    private @Nullable Path out;

    @Override
    public Integer call() throws Exception {
      Example example = Example.named(name);
      example.check(arguments);
      List<String> all = new ArrayList<>(arguments);
      Path folder = out == null ? Path.of("") : out;
      if (example.draws()) {
        Files.createDirectories(folder.toAbsolutePath());
        AtomicFile.checkWritable(folder.resolve(example.name() + ".svg"));
        all.addFirst(folder.toString());
      } else if (out != null) {
        throw new IllegalArgumentException(
            format("%s draws nothing: leave --out out", example.name()));
      }
      FileTime start =
          FileTime.from(Instant.now().minusMillis(10)); // file systems' clocks are coarse
      run(example, all.toArray(String[]::new));
      if (System.out.checkError()) {
        throw new IOException("what the example printed could not be written");
      }
      for (String kind : List.of(".svg", ".gif")) {
        Path picture = folder.resolve(example.name() + kind);
        if (example.draws()
            && Files.exists(picture)
            && Files.getLastModifiedTime(picture).compareTo(start) >= 0) {
          parent.main.screen().out().println("wrote " + picture);
        }
      }
      return Main.SUCCESS;
    }

    private static void run(Example example, String... arguments) throws Exception {
      try {
        Class.forName(example.type())
            .getMethod("main", String[].class)
            .invoke(null, (Object) arguments);
      } catch (InvocationTargetException e) {
        switch (Objects.requireNonNull(e.getCause())) {
          case Exception thrown -> throw thrown;
          case Error thrown -> throw thrown;
          case Throwable other -> throw new IllegalStateException(other);
        }
      }
    }
  }
}
