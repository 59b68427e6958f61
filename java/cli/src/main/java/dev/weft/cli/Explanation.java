// SPDX-License-Identifier: Apache-2.0
package dev.weft.cli;

import static dev.weft.format.Format.format;

import dev.weft.train.DivergedException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.util.List;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.UnmatchedArgumentException;

/** What an exception says to a user. */
final class Explanation {
  private Explanation() {}

  /** 2 where the user asked for what cannot be, else 1. */
  static int exitCode(Throwable e) {
    return e instanceof IllegalArgumentException ? Main.WRONG_USE : Main.FAILURE;
  }

  /** One sentence. */
  static String of(Throwable e) {
    String message = e.getMessage();
    return switch (e) {
      case UnmatchedArgumentException unknown -> unknown(unknown);
      case ParameterException wrong when message != null -> words(message);
      case FileSystemException file when file.getReason() == null ->
          file.getFile() + ": " + reason(file);
      case DivergedException diverged when diverged.firstStep() < diverged.lastStep() ->
          message + "; --detect-anomaly names the step";
      case UncheckedIOException io when io.getCause() != null && message == null ->
          of(io.getCause());
      case IOException io when message == null -> io.getClass().getSimpleName();
      case OutOfMemoryError heap ->
          format("Java's own memory is used up (%s); WEFT_JAVA_OPTS=-Xmx8g gives it more", message);
      default -> message == null || message.isBlank() ? e.toString() : message;
    };
  }

  private static String unknown(UnmatchedArgumentException e) {
    String word = e.getUnmatched().getFirst();
    boolean option = e.isUnknownOption();
    boolean command = !option && !e.getCommandLine().getSubcommands().isEmpty();
    String kind = option ? "unknown option" : command ? "unknown command" : "unexpected argument";
    List<String> similar = e.getSuggestions();
    String suggestion =
        similar.isEmpty()
            ? ""
            : "; did you mean "
                + (option ? String.join(" or ", similar) : similar.getFirst())
                + "?";
    return format("%s '%s'%s", kind, word, suggestion);
  }

  /** Names of Java's types in the terms of those who use the command. */
  private static String words(String message) {
    return message
        .replaceFirst("is not an? (int|long)$", "is not a whole number")
        .replaceFirst("is not a double$", "is not a number");
  }

  /** Why a file cannot be used. */
  static String reason(FileSystemException e) {
    if (e.getReason() != null) {
      return e.getReason();
    }
    return switch (e) {
      case NoSuchFileException absent -> "there is no such file";
      case AccessDeniedException denied -> "permission denied";
      case NotDirectoryException file -> "is not a folder";
      case FileAlreadyExistsException there -> "is there already";
      default -> "cannot be used";
    };
  }
}
