// SPDX-License-Identifier: Apache-2.0
package dev.weft.embed;

import static dev.weft.format.Format.format;

import dev.weft.io.AtomicFile;
import dev.weft.io.Npy;
import dev.weft.io.Safetensors;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.IntFunction;
import java.util.function.IntPredicate;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/** Writes word vectors. */
final class Writer {
  private static final int BUFFER = 1 << 20;
  private static final int NAMED = 5; // words in a message

  private final Words words;
  private final Rows rows;
  private final long @Nullable [] counts;

  Writer(Words words, Rows rows, long @Nullable [] counts) {
    this.words = words;
    this.rows = rows;
    this.counts = counts;
  }

  void write(Path path, VectorFormat format) throws IOException {
    check(format, words.size(), words::word);
    switch (format) {
      case WORD2VEC_TEXT -> stream(path, out -> text(out, header()));
      case GLOVE -> stream(path, out -> text(out, ""));
      case WORD2VEC_BINARY -> stream(path, this::binary);
      case SAFETENSORS -> safetensors(path);
      case NPY ->
          stream(
              path,
              out -> {
                npy(out);
                // the last act before the matrix has its name: only two renames lie apart
                stream(VectorFormat.vocabulary(path), this::vocabulary);
              });
    }
  }

  private interface Content {
    void writeTo(OutputStream out) throws IOException;
  }

  private static void stream(Path path, Content content) throws IOException {
    AtomicFile.write(
        path,
        channel -> {
          // closing the stream would close the channel, which is to be forced to the disk
          OutputStream out = new BufferedOutputStream(Channels.newOutputStream(channel), BUFFER);
          content.writeTo(out);
          out.flush();
        });
  }

  /** Returns if the format can hold every word. */
  static void check(VectorFormat format, int size, IntFunction<String> words) {
    List<String> wrong =
        IntStream.range(0, size).mapToObj(words).filter(word -> refuses(format, word)).toList();
    if (wrong.isEmpty()) {
      return;
    }
    String able =
        Arrays.stream(VectorFormat.values())
            .filter(other -> wrong.stream().noneMatch(word -> refuses(other, word)))
            .map(VectorFormat::words)
            .collect(Collectors.joining(" or "));
    throw new IllegalArgumentException(
        format(
            "%s cannot hold words that are empty or hold %s: %s%s; %s; nothing was written",
            VectorFormat.words(format),
            switch (format) {
              case WORD2VEC_TEXT, GLOVE -> "white space, at which readers split";
              case WORD2VEC_BINARY -> "a space or a newline";
              case SAFETENSORS, NPY -> "the end of a line";
            },
            wrong.stream()
                .limit(NAMED)
                .map(word -> "'" + escaped(word) + "'")
                .collect(Collectors.joining(", ")),
            wrong.size() > NAMED ? format(" and %,d more", wrong.size() - NAMED) : "",
            able.isEmpty() ? "no format can: leave them out" : able + " can"));
  }

  private static boolean refuses(VectorFormat format, String word) {
    IntPredicate refused =
        switch (format) {
          case WORD2VEC_TEXT, GLOVE -> Writer::isWhite;
          case WORD2VEC_BINARY -> c -> c == ' ' || c == '\n';
          case SAFETENSORS, NPY -> c -> c == '\n' || c == '\r';
        };
    return word.isEmpty() || word.codePoints().anyMatch(refused);
  }

  /** What Java or Python take for white space, at which gensim splits. */
  private static boolean isWhite(int c) {
    return Character.isWhitespace(c) || Character.isSpaceChar(c) || c == '\u0085';
  }

  private static String escaped(String word) {
    StringBuilder shown = new StringBuilder();
    word.codePoints()
        .forEach(
            c ->
                shown.append(
                    c != ' ' && isWhite(c) ? format("\\u%04X", c) : Character.toString(c)));
    return shown.toString();
  }

  private String header() {
    return format("%d %d\n", rows.count(), rows.dimension());
  }

  private void word(OutputStream out, int i) throws IOException {
    ByteBuffer word = words.buffer(i);
    out.write(word.array(), word.arrayOffset(), word.limit());
  }

  private void text(OutputStream out, String header) throws IOException {
    out.write(header.getBytes(StandardCharsets.US_ASCII));
    float[] row = new float[rows.dimension()];
    StringBuilder numbers = new StringBuilder();
    for (int i = 0; i < rows.count(); i++) {
      word(out, i);
      rows.copy(i, row, 0);
      numbers.setLength(0);
      for (float number : row) {
        numbers.append(' ');
        if (Float.isFinite(number)) {
          numbers.append(number);
        } else {
          // Java's Infinity is no word of C
          numbers.append(Float.isNaN(number) ? "nan" : number > 0 ? "inf" : "-inf");
        }
      }
      out.write(numbers.append('\n').toString().getBytes(StandardCharsets.US_ASCII));
    }
  }

  private void binary(OutputStream out) throws IOException {
    out.write(header().getBytes(StandardCharsets.US_ASCII));
    byte[] row = new byte[Math.toIntExact(rows.rowBytes())];
    for (int i = 0; i < rows.count(); i++) {
      word(out, i);
      out.write(' ');
      row(out, i, row);
      out.write('\n');
    }
  }

  private void row(OutputStream out, int i, byte[] row) throws IOException {
    MemorySegment.copy(rows.data(), ValueLayout.JAVA_BYTE, rows.offset(i), row, 0, row.length);
    out.write(row);
  }

  private void npy(OutputStream out) throws IOException {
    Npy.writeHead(out, rows.count(), rows.dimension());
    byte[] row = new byte[Math.toIntExact(rows.rowBytes())];
    for (int i = 0; i < rows.count(); i++) {
      row(out, i, row);
    }
  }

  private void vocabulary(OutputStream out) throws IOException {
    for (int i = 0; i < words.size(); i++) {
      word(out, i);
      out.write(
          (counts == null ? "\n" : " " + counts[i] + "\n").getBytes(StandardCharsets.US_ASCII));
    }
  }

  private void safetensors(Path path) throws IOException {
    try (Arena arena = Arena.ofShared()) {
      Map<String, Safetensors.Entry> tensors = new LinkedHashMap<>();
      long[] shape = {rows.count(), rows.dimension()};
      tensors.put(MatrixReader.VECTORS, new Safetensors.Entry("F32", shape, contiguous(arena)));
      long bytes = 0;
      for (int i = 0; i < words.size(); i++) {
        bytes += words.length(i) + 1;
      }
      MemorySegment text = arena.allocate(Math.max(1, bytes)).asSlice(0, bytes);
      long at = 0;
      for (int i = 0; i < words.size(); i++) {
        ByteBuffer word = words.buffer(i);
        MemorySegment.copy(
            word.array(), word.arrayOffset(), text, ValueLayout.JAVA_BYTE, at, word.limit());
        at += word.limit() + 1;
        text.set(ValueLayout.JAVA_BYTE, at - 1, (byte) '\n');
      }
      tensors.put(MatrixReader.WORDS, new Safetensors.Entry("U8", new long[] {bytes}, text));
      if (counts != null) {
        tensors.put(
            MatrixReader.COUNTS,
            new Safetensors.Entry(
                "I64", new long[] {counts.length}, MemorySegment.ofArray(counts)));
      }
      Safetensors.write(path, tensors, Map.of("format", "weft.vectors"));
    }
  }

  /** The rows one behind the other: as they are, or a copy in {@code arena}. */
  private MemorySegment contiguous(Arena arena) {
    long bytes = rows.count() * rows.rowBytes();
    if (rows.offsets() == null) {
      return rows.data().asSlice(0, bytes);
    }
    MemorySegment copy = arena.allocate(Math.max(1, bytes), Float.BYTES).asSlice(0, bytes);
    for (int i = 0; i < rows.count(); i++) {
      copy.asSlice(i * rows.rowBytes(), rows.rowBytes()).copyFrom(rows.bytes(i));
    }
    return copy;
  }
}
