// SPDX-License-Identifier: Apache-2.0
package dev.weft.fuzz;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;

import dev.weft.embed.Analogies;
import dev.weft.embed.VectorFormat;
import dev.weft.embed.Vectors;
import dev.weft.embed.WordPairs;
import dev.weft.io.Npy;
import dev.weft.io.Safetensors;
import dev.weft.nn.Network;
import dev.weft.text.Corpus;
import dev.weft.text.TextReader;
import dev.weft.text.TextReader.Letters;
import dev.weft.text.TextReader.Normalization;
import dev.weft.text.Vocabulary;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.zip.GZIPOutputStream;

/** What reads files that others made, and files from which a fuzzer starts. */
enum Reader {
  WORD2VEC_TEXT("2 3\na 1 -2.5 3e-2\nb 4 nan 6\n", "1 2\nnew york\t1\t2\r\n", "1 1\na 1.25") {
    @Override
    void read(Path file) throws IOException {
      readVectors(file, VectorFormat.WORD2VEC_TEXT);
    }
  },
  WORD2VEC_BINARY(
      "2 3\na abcdabcdabcd\nb zzzzyyyyxxxx\n",
      "2 1\na 1234b\u00E9 5678",
      "1 2\na \0\0\u0080\u003F\0\0\u0080\u00FF\n") {
    @Override
    void read(Path file) throws IOException {
      readVectors(file, VectorFormat.WORD2VEC_BINARY);
    }
  },
  GLOVE("a 1 -2.5 3e-2\nb 4 5 6\n", ". . . 1 2\nat x@y.z 3 4\nthe 5 6\n", "the\t0.5 inf\n") {
    @Override
    void read(Path file) throws IOException {
      readVectors(file, VectorFormat.GLOVE);
    }
  },
  /** Of the format that the content shows; the seeds are those of matrices. */
  VECTORS(
      safetensors(
          "{\"vectors\":{\"dtype\":\"F32\",\"shape\":[2,2],\"data_offsets\":[0,16]},"
              + "\"words\":{\"dtype\":\"U8\",\"shape\":[3],\"data_offsets\":[16,19]}}",
          "abcdabcdabcdabcda\nb"),
      safetensors(
          "{\"vectors\":{\"dtype\":\"F32\",\"shape\":[3,1],\"data_offsets\":[24,36]},"
              + "\"counts\":{\"dtype\":\"I64\",\"shape\":[3],\"data_offsets\":[0,24]},"
              + "\"words\":{\"dtype\":\"U8\",\"shape\":[6],\"data_offsets\":[36,42]}}",
          "1.......2.......3.......abcdabcdabcda\nb\na\n")) {
    @Override
    void read(Path file) throws IOException {
      check(Vectors.open(file));
    }
  },
  /** A vocabulary file of as many bytes as the first says, then the matrix. */
  NPY_VECTORS(
      "\10a 9\nb 7\n" + npy("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 1), }", 8),
      "\6a\nb\na\n" + npy("{'descr': '<f4', 'fortran_order': False, 'shape': (3, 2), }", 24)) {
    @Override
    void read(Path file) throws IOException {
      byte[] both = Files.readAllBytes(file);
      int words = both.length == 0 ? 0 : Math.min(both[0] & 0xFF, both.length - 1);
      Path vocabulary = VectorFormat.vocabulary(file);
      Files.write(vocabulary, Arrays.copyOfRange(both, Math.min(1, both.length), 1 + words));
      Files.write(file, Arrays.copyOfRange(both, Math.min(1 + words, both.length), both.length));
      check(Vectors.open(file, VectorFormat.NPY, vocabulary));
    }
  },
  NPY(
      npy("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }", 24),
      npy("{'descr': '|u1', 'fortran_order': False, 'shape': (5L,), }", 5),
      npy("{'descr': '<f8', 'fortran_order': False, 'shape': (), }", 8)) {
    @Override
    void read(Path file) throws IOException {
      try (Arena arena = Arena.ofConfined()) {
        Npy.Array array = Npy.map(file, arena);
        long elements = Arrays.stream(array.shape()).reduce(1, Math::multiplyExact);
        long bytes = array.data().byteSize();
        isTrue(elements == 0 ? bytes == 0 : bytes % elements == 0);
        touch(array.data().toArray(ValueLayout.JAVA_BYTE));
      }
    }
  },
  SAFETENSORS(
      safetensors(
          "{\"__metadata__\":{\"a\":\"b\"},"
              + "\"x\":{\"dtype\":\"F32\",\"shape\":[1,2],\"data_offsets\":[0,8]},"
              + "\"y\":{\"dtype\":\"F4\",\"shape\":[4],\"data_offsets\":[8,10]}}",
          "abcdabcdab"),
      safetensors("{}", ""),
      safetensors("{\"x\":{\"dtype\":\"I64\",\"shape\":[],\"data_offsets\":[0,8]}}", "abcdabcd")) {
    @Override
    void read(Path file) throws IOException {
      Safetensors.Contents read = Safetensors.read(file);
      long bytes = 0;
      for (Safetensors.Entry entry : read.tensors().values()) {
        touch(entry.data().toArray(ValueLayout.JAVA_BYTE));
        bytes += entry.data().byteSize();
      }
      isTrue(bytes < Files.size(file));
      isTrue(
          Safetensors.map(file, Arena.ofAuto()).tensors().keySet().equals(read.tensors().keySet()));
    }
  },
  NETWORK(
      safetensors(
          "{\"__metadata__\":{\"network\":\"linear(1,2) relu\"},"
              + "\"0.weight\":{\"dtype\":\"F32\",\"shape\":[1,2],\"data_offsets\":[0,8]},"
              + "\"0.bias\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[8,16]}}",
          "abcdabcdabcdabcd"),
      safetensors(
          "{\"__metadata__\":{\"network\":\"{\\\"version\\\":1,\\\"model\\\":{\\\"layer\\\":"
              + "\\\"sequential\\\",\\\"children\\\":{\\\"0\\\":{\\\"layer\\\":\\\"dropout\\\","
              + "\\\"rate\\\":0.5}}}}\"}}",
          "")) {
    @Override
    void read(Path file) throws IOException {
      isTrue(!Network.load(file).spec().isEmpty());
    }
  },
  VOCABULARY("</s> 0\nthe 40\nna\u00C3\u00AFve 2\n", "b\r\n1984\n</s>\na", "a 99\nb\t7") {
    @Override
    void read(Path file) throws IOException {
      Vocabulary words = Vocabulary.read(file);
      long total = 0;
      for (int id = 0; id < words.size(); id++) {
        isTrue(words.id(words.word(id)) == id);
        isTrue(words.count(id) >= 0 && (id == 0 || words.count(id) <= words.count(id - 1)));
        total += words.count(id);
      }
      isTrue(words.size() > 0 && total == words.total());
    }
  },
  /** The first byte says how the text is read. */
  TEXT(
      "\0a b\n\nc a\n",
      "\1\u00C3\u0084b c",
      "\2" + gzip("a b c\n"),
      "\3\u00EF\u00BB\u00BFa \u00FF") {
    @Override
    void read(Path file) throws IOException {
      byte[] both = Files.readAllBytes(file);
      Files.write(file, Arrays.copyOfRange(both, Math.min(1, both.length), both.length));
      int how = both.length == 0 ? 0 : both[0];
      TextReader reader = (how & 1) == 0 ? TextReader.lines() : TextReader.stream();
      reader = (how & 2) == 0 ? reader : reader.letters(Letters.LOWER_CASE);
      reader = (how & 4) == 0 ? reader : reader.normalization(Normalization.NFKC);
      reader = (how & 8) == 0 ? reader : reader.longestWord(8).countedTypes(4);
      try (Corpus corpus = reader.folder(file.getParent()).read(file)) {
        Corpus.Report report = corpus.report();
        int[] tokens = corpus.tokens().toArray(ValueLayout.JAVA_INT);
        isTrue(tokens.length == report.kept() + report.sentences());
        isTrue(report.words() >= report.kept() + report.tooLong());
        for (int token : tokens) {
          isTrue(token == Corpus.END || !corpus.vocabulary().word(token).isEmpty());
        }
      }
    }
  },
  ANALOGIES(": family\nman woman king queen\n", ":\n: a\na b c d\r\n") {
    @Override
    void read(Path file) throws IOException {
      Analogies.read(file);
    }
  },
  WORD_PAIRS("# pairs\nking\tqueen\t8.5\n", "king queen 1\nman woman -2e3\n") {
    @Override
    void read(Path file) throws IOException {
      WordPairs.read(file);
    }
  };

  private final List<byte[]> seeds;

  /** Reads files of which each character is a byte. */
  Reader(String... seeds) {
    this.seeds = Arrays.stream(seeds).map(seed -> seed.getBytes(ISO_8859_1)).toList();
  }

  /** Files that it reads. */
  List<byte[]> seeds() {
    return seeds;
  }

  /** Reads a file, which it may change, and checks what it holds. */
  abstract void read(Path file) throws IOException;

  /** A file that it reads, but for what it holds: a header, a network, or the whole content. */
  static byte[] file(Reader reader, String content) {
    String network = "{\"__metadata__\":{\"network\":\"" + content + "\"}}";
    String file =
        switch (reader) {
          case NETWORK -> safetensors(network, "");
          case SAFETENSORS -> safetensors(content, "");
          default -> content;
        };
    return file.getBytes(ISO_8859_1);
  }

  private static void readVectors(Path file, VectorFormat format) throws IOException {
    check(Vectors.open(file, format));
  }

  private static void check(Vectors opened) throws IOException {
    try (Vectors vectors = opened) {
      isTrue(vectors.size() > 0 && vectors.dimension() > 0);
      isTrue(vectors.notUtf8() <= vectors.size() && vectors.duplicates() >= 0);
      for (int i = 0; i < vectors.size(); i++) {
        isTrue(vectors.vector(i).length == vectors.dimension());
        String word = vectors.word(i);
        int found = vectors.indexOf(word);
        isTrue(found == i || word.contains("\uFFFD"));
      }
      isTrue(vectors.neighbours(vectors.vector(0), 2).size() <= 2);
    } catch (IllegalArgumentException e) {
      // the first vector is none that may be asked for
      isTrue(e.getMessage().startsWith("vectors have "));
    }
  }

  private static void touch(byte[] bytes) {
    isTrue(Arrays.hashCode(bytes) >= Integer.MIN_VALUE);
  }

  private static void isTrue(boolean holds) {
    if (!holds) {
      throw new AssertionError("what was read does not hold together");
    }
  }

  private static String safetensors(String header, String data) {
    byte[] size = new byte[8];
    ByteBuffer.wrap(size).order(ByteOrder.LITTLE_ENDIAN).putLong(header.length());
    return new String(size, ISO_8859_1) + header + data;
  }

  private static String npy(String header, int bytes) {
    return "\u0093NUMPY\1\0" + (char) header.length() + "\0" + header + "x".repeat(bytes);
  }

  private static String gzip(String text) {
    ByteArrayOutputStream packed = new ByteArrayOutputStream();
    try (GZIPOutputStream out = new GZIPOutputStream(packed)) {
      out.write(text.getBytes(UTF_8));
    } catch (IOException e) {
      throw new AssertionError(e);
    }
    return packed.toString(ISO_8859_1);
  }
}
