// SPDX-License-Identifier: Apache-2.0
package dev.weft.embed;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Writes or asks vectors in a process of its own. */
final class VectorsMain {
  private VectorsMain() {}

  public static void main(String[] args) throws IOException {
    Path path = Path.of(args[1]);
    if (args[0].equals("write")) {
      List<String> words = new ArrayList<>();
      for (int i = 0; i < 10_000; i++) {
        words.add("w" + i);
      }
      try {
        Vectors.of(words, new float[words.size()][10]).write(path, VectorFormat.WORD2VEC_BINARY);
      } catch (IOException e) {
        System.out.println(e);
      }
      return;
    }
    try (Vectors vectors = Vectors.open(path)) {
      System.out.println(vectors.neighbours("w0", 1).getFirst().word() + " " + own());
    }
  }

  /** KiB of this process that no other one shares and no file holds. */
  private static long own() throws IOException {
    for (String line : Files.readAllLines(Path.of("/proc/self/smaps_rollup"))) {
      if (line.startsWith("Private_Dirty:")) {
        return Long.parseLong(line.replaceAll("\\D", ""));
      }
    }
    throw new AssertionError("no Private_Dirty");
  }
}
