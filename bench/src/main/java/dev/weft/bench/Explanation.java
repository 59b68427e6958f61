// SPDX-License-Identifier: Apache-2.0
package dev.weft.bench;

import static dev.weft.format.Format.format;
import static java.util.Locale.ROOT;

import java.io.PrintWriter;
import java.nio.file.NoSuchFileException;
import picocli.CommandLine;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.UnmatchedArgumentException;

/** What an exception says to a user. */
final class Explanation {
  private Explanation() {}

  /** A command whose errors are a sentence each. */
  static CommandLine line(Object command) {
    return new CommandLine(command)
        .setParameterExceptionHandler(
            (e, given) -> {
              PrintWriter err = e.getCommandLine().getErr();
              err.println("weft bench: " + of(e));
              err.printf(ROOT, "Try '%s --help'.%n", e.getCommandLine().getCommandName());
              return CommandLine.ExitCode.USAGE;
            })
        .setExecutionExceptionHandler(
            (e, at, parsed) -> {
              at.getErr().println("weft bench: " + of(e));
              return CommandLine.ExitCode.SOFTWARE;
            });
  }

  private static String of(Exception e) {
    return switch (e) {
      case UnmatchedArgumentException unknown when unknown.isUnknownOption() ->
          format(
              "unknown option '%s'%s",
              unknown.getUnmatched().getFirst(),
              unknown.getSuggestions().isEmpty()
                  ? ""
                  : "; did you mean " + String.join(" or ", unknown.getSuggestions()) + "?");
      // picocli takes words as long as they are parts
      case UnmatchedArgumentException unknown
          when unknown.getCommandLine().getCommand() instanceof Main ->
          Choice.unknown("part", unknown.getUnmatched().getFirst(), Main.Word.class);
      case UnmatchedArgumentException unknown ->
          format("unexpected argument '%s'", unknown.getUnmatched().getFirst());
      // of a converter: picocli puts words of its own around it
      case ParameterException wrong
          when wrong.getCause() instanceof IllegalArgumentException said ->
          said.getMessage();
      case NoSuchFileException file -> file.getFile() + ": there is no such file";
      default -> e.getMessage() == null ? e.toString() : e.getMessage();
    };
  }
}
