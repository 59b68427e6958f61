// SPDX-License-Identifier: Apache-2.0
package dev.weft.text;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.SequenceInputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Collections;
import java.util.List;

/** Reads a text in a process of its own and prints what it found, or the failure. */
final class CorpusMain {
  private static final int LONG = 100_000_000;

  private CorpusMain() {}

  public static void main(String[] args) {
    TextReader reader = TextReader.lines();
    try (Corpus corpus =
        switch (args[0]) {
          case "read" -> reader.folder(Path.of(args[2])).read(Path.of(args[1]));
          case "line" -> reader.read(repeated("and or  "));
          case "word" -> reader.read(repeated("abcdefg"));
          default -> throw new IllegalArgumentException(args[0]);
        }) {
      System.out.println(corpus.report());
    } catch (IOException e) {
      System.out.println(e);
    }
  }

  /** 100 MB of it, then a word. */
  private static InputStream repeated(String text) {
    byte[] unit = text.getBytes(StandardCharsets.UTF_8);
    InputStream most =
        new InputStream() {
          private int at;

          @Override
          public int read() {
            return at == LONG ? -1 : unit[at++ % unit.length];
          }
        };
    InputStream last = new ByteArrayInputStream(" last".getBytes(StandardCharsets.UTF_8));
    return new SequenceInputStream(Collections.enumeration(List.of(most, last)));
  }
}
