// SPDX-License-Identifier: Apache-2.0

import com.google.googlejavaformat.java.Formatter;
import com.google.googlejavaformat.java.FormatterException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/**
 * Formats the sources that changed since it last ran: Java with google-java-format, native code
 * with clang-format 19 where that is installed. The build runs it; {@code check} names unformatted
 * files and fails, {@code apply} rewrites them.
 */
class Format {
  private static final List<String> JAVA =
      List.of(".mvn", "java", "tests", "bench", "docs/examples");
  private static final List<String> CLANG_FORMAT = List.of("clang-format-19", "clang-format");

  public static void main(String[] args) throws IOException, InterruptedException {
    if (args.length != 2 || !List.of("apply", "check").contains(args[0])) {
      System.err.println("usage: Format.java apply|check <root of the checkout>");
      System.exit(2);
    }
    boolean apply = args[0].equals("apply");
    Path root = Path.of(args[1]);
    // check looks at everything, so that it says the same wherever and whenever it runs
    Path stamp = root.resolve("target/format/applied");
    FileTime since =
        apply && Files.exists(stamp) ? Files.getLastModifiedTime(stamp) : FileTime.fromMillis(0);
    FileTime now = FileTime.from(Instant.now());

    List<Path> unformatted = new ArrayList<>();
    for (Path file : sources(root, JAVA, since, "java")) {
      if (formatJava(file, apply)) {
        unformatted.add(file);
      }
    }
    String clang = clangFormat();
    if (clang == null) {
      System.out.println("no clang-format 19: the format of native code is not checked");
    } else {
      for (Path file : sources(root, List.of("native"), since, "h", "cuh", "c", "cpp", "cu")) {
        if (formatNative(clang, file, apply)) {
          unformatted.add(file);
        }
      }
    }

    for (Path file : unformatted) {
      System.out.println((apply ? "formatted " : "not formatted: ") + root.relativize(file));
    }
    if (apply && clang != null) {
      Files.writeString(stamp, "");
      Files.setLastModifiedTime(stamp, now);
      for (Path file : unformatted) {
        // our own writing is no change to look at again
        Files.setLastModifiedTime(file, now);
      }
    } else if (!unformatted.isEmpty()) {
      System.out.println("run: mvn -N generate-sources -Dformat=apply");
      System.exit(1);
    }
  }

  private static List<Path> sources(
      Path root, List<String> folders, FileTime since, String... extensions) throws IOException {
    List<Path> found = new ArrayList<>();
    for (String folder : folders) {
      if (!Files.isDirectory(root.resolve(folder))) {
        continue;
      }
      try (Stream<Path> files = Files.walk(root.resolve(folder))) {
        for (Path file : (Iterable<Path>) files::iterator) {
          String name = root.relativize(file).toString();
          if (!name.contains("/target/")
              && List.of(extensions).contains(name.substring(name.lastIndexOf('.') + 1))
              && Files.isRegularFile(file)
              && Files.getLastModifiedTime(file).compareTo(since) > 0) {
            found.add(file);
          }
        }
      }
    }
    return found.stream().sorted().toList();
  }

  private static boolean formatJava(Path file, boolean apply) throws IOException {
    String source = Files.readString(file);
    try {
      String formatted = new Formatter().formatSourceAndFixImports(source);
      if (apply && !formatted.equals(source)) {
        Files.writeString(file, formatted);
      }
      return !formatted.equals(source);
    } catch (FormatterException e) {
      // the compiler says better what is wrong here
      System.out.println("cannot parse " + file + ": " + e.getMessage());
      return false;
    }
  }

  /** The command of clang-format 19, or null: other versions format differently. */
  private static String clangFormat() throws InterruptedException {
    for (String command : CLANG_FORMAT) {
      try {
        Process process = new ProcessBuilder(command, "--version").start();
        String version = new String(process.getInputStream().readAllBytes());
        if (process.waitFor() == 0 && version.contains("version 19.")) {
          return command;
        }
      } catch (IOException absent) {
        continue;
      }
    }
    return null;
  }

  private static boolean formatNative(String command, Path file, boolean apply)
      throws IOException, InterruptedException {
    Process process =
        new ProcessBuilder(command, file.toString())
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    String formatted = new String(process.getInputStream().readAllBytes());
    if (process.waitFor() != 0) {
      throw new IOException(command + " failed on " + file);
    }
    String source = Files.readString(file);
    if (apply && !formatted.equals(source)) {
      Files.writeString(file, formatted);
    }
    return !formatted.equals(source);
  }
}
