// SPDX-License-Identifier: Apache-2.0
package dev.weft.cli;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;

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
      case FileSystemException file when file.getReason() == null ->
          file.getFile() + ": " + reason(file);
      case UncheckedIOException io when message == null -> of(io.getCause());
      case IOException io when message == null -> io.getClass().getSimpleName();
      case OutOfMemoryError heap ->
          "Java's own memory is used up (%s); WEFT_JAVA_OPTS=-Xmx8g gives it more"
              .formatted(message);
      default -> message == null || message.isBlank() ? e.toString() : message;
    };
  }

  private static String reason(FileSystemException e) {
    return switch (e) {
      case NoSuchFileException absent -> "there is no such file";
      case AccessDeniedException denied -> "permission denied";
      case NotDirectoryException file -> "is not a folder";
      case FileAlreadyExistsException there -> "is there already";
      default -> "cannot be used";
    };
  }
}
