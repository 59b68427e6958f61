// SPDX-License-Identifier: Apache-2.0
package dev.weft.embed;

import static dev.weft.format.Format.format;
import static java.util.Locale.ROOT;

import dev.weft.io.FormatException;
import dev.weft.io.Npy;
import dev.weft.text.Vocabulary;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Optional;

/** The formats of files of word vectors. */
public enum VectorFormat {
  /** word2vec's text: a line {@code V D}, then a line for each word, it and D numbers. */
  WORD2VEC_TEXT,
  /** word2vec's binary: a line {@code V D}; each word, a space, D float32, perhaps a newline. */
  WORD2VEC_BINARY,
  /** GloVe's text: that of word2vec without its first line; a token may hold spaces. */
  GLOVE,
  /**
   * A {@link dev.weft.io.Safetensors safetensors} file: F32 {@code vectors} (V, D) or the only
   * matrix; the words in U8 {@code words}, one a line, or in a vocabulary file beside it.
   */
  SAFETENSORS,
  /** A float32 matrix (V, D) as {@code numpy.save} writes it, beside a vocabulary file. */
  NPY;

  private static final int HEAD = 1 << 16;
  private static final int FASTTEXT = 793_712_314;
  private static final byte PICKLE = (byte) 0x80; // and the protocol's number
  private static final int SURE = 12; // bytes that are all of numbers only in text
  private static final int SMALL = 512; // bytes of a file that may be text and binary

  /**
   * The format that a file's name ends in: {@code .bin}, {@code .txt} or {@code .vec}, {@code
   * .glove}, {@code .safetensors}, {@code .npy}.
   *
   * @throws IllegalArgumentException where it ends otherwise
   */
  public static VectorFormat ofName(Path path) {
    String name = path.toString().toLowerCase(ROOT);
    return switch (name.substring(name.lastIndexOf('.') + 1)) {
      case "bin" -> WORD2VEC_BINARY;
      case "txt", "vec" -> WORD2VEC_TEXT;
      case "glove" -> GLOVE;
      case "safetensors" -> SAFETENSORS;
      case "npy" -> NPY;
      default ->
          throw new IllegalArgumentException(
              format(
                  "%s: its name does not say a format of word vectors; end it in .bin, .txt, .vec,"
                      + " .glove, .safetensors or .npy, or say the format",
                  path));
    };
  }

  /** The vocabulary file beside a matrix: its name, ending in {@code .vocab}. */
  public static Path vocabulary(Path matrix) {
    String name = matrix.getFileName().toString();
    int dot = name.lastIndexOf('.');
    return matrix.resolveSibling((dot < 0 ? name : name.substring(0, dot)) + ".vocab");
  }

  /** The files that vectors of this format are: that, and beside an npy file its vocabulary. */
  public List<Path> files(Path path) {
    return this == NPY ? List.of(path, vocabulary(path)) : List.of(path);
  }

  /**
   * A file of this format must hold all words: a check for use before long work.
   *
   * @throws IllegalArgumentException where it cannot hold some: text none with white space, of any
   *     kind of Unicode's; names them and the formats that can
   */
  public void check(Vocabulary words) {
    Writer.check(this, words.size(), words::word);
  }

  /**
   * The format of a file by its content; none where that may be of more than one format, or of
   * none.
   *
   * @throws FormatException where the content is of a known kind that holds no word vectors which
   *     can be read here: a fastText model, a compressed file
   * @throws IOException where the file cannot be read
   */
  public static Optional<VectorFormat> of(Path path) throws IOException {
    if (Files.isDirectory(path)) {
      throw new FileSystemException(path.toString(), null, "is a folder; word vectors are a file");
    }
    ByteBuffer head = ByteBuffer.allocate(HEAD).order(ByteOrder.LITTLE_ENDIAN);
    long size;
    try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ)) {
      size = channel.size();
      while (head.hasRemaining() && channel.read(head) >= 0) {
        // reads on
      }
    }
    head.flip();
    if (size == 0) {
      throw new FormatException(path, 0, "the file is empty");
    }
    refuseForeign(path, head);
    if (Npy.isNpy(head)) {
      return Optional.of(NPY);
    }
    if (head.limit() > 8 && head.getLong(0) > 1 && head.get(8) == '{') {
      return Optional.of(SAFETENSORS);
    }
    if (head.limit() > 2 && head.get(0) == PICKLE && head.get(1) >= 2 && head.get(1) <= 5) {
      throw new FormatException(
          path, 0, "a pickle of Python; gensim's save_word2vec_format writes what is read here");
    }
    return ofRows(head, size);
  }

  private static void refuseForeign(Path path, ByteBuffer head) throws FormatException {
    int magic = head.limit() < 4 ? 0 : head.getInt(0);
    if (magic == FASTTEXT) {
      throw new FormatException(
          path,
          0,
          "a fastText model, not word vectors; fastText writes those to the .vec beside it");
    }
    if ((magic & 0xFFFF) == 0x8B1F || magic == 0x04034B50) {
      throw new FormatException(
          path, 0, "a compressed file (gzip or zip); unpack it, for vectors are mapped");
    }
  }

  private static Optional<VectorFormat> ofRows(ByteBuffer head, long size) {
    Header header = Header.find(head.array(), head.limit());
    if (header == null) {
      return numbersAtTheEnd(head, 0, size) >= 2 ? Optional.of(GLOVE) : Optional.empty();
    }
    int space = header.length();
    while (space < head.limit() && head.get(space) != ' ' && head.get(space) != '\t') {
      space++;
    }
    if (space == head.limit()) {
      return Optional.empty();
    }
    long end = space + 1 + Math.min(header.columns() * Float.BYTES, head.limit() - space - 1L);
    int at = space + 1;
    boolean numeric = true;
    boolean printable = true;
    for (; at < end && head.get(at) != '\n'; at++) {
      printable &= head.get(at) >= ' ' || head.get(at) == '\t' || head.get(at) == '\r';
      numeric &= "0123456789+-.eEnaNifIF \t\r".indexOf(head.get(at)) >= 0;
    }
    boolean row =
        at - space > SURE || numbersAtTheEnd(head, header.length(), size) == header.columns();
    boolean text =
        numeric
            ? row || !holdsControls(head)
            : printable && (at - space > 2 * SURE || header.isTooMuch(size, Float.BYTES, 2));
    return Optional.of(text ? WORD2VEC_TEXT : WORD2VEC_BINARY);
  }

  private static boolean holdsControls(ByteBuffer head) {
    for (int i = 0; i < head.limit(); i++) {
      byte b = head.get(i);
      if (b >= 0 && b < ' ' && b != '\t' && b != '\n' && b != '\r') {
        return true;
      }
    }
    return false;
  }

  /** How many numbers end the line that begins at {@code from}; -1 where there is no such line. */
  private static int numbersAtTheEnd(ByteBuffer head, int from, long size) {
    int end = from;
    while (end < head.limit() && head.get(end) != '\n') {
      end++;
    }
    if (end == head.limit() && size > end) {
      return -1;
    }
    String line =
        new String(head.array(), from, end - from, StandardCharsets.ISO_8859_1).stripTrailing();
    String[] parts = line.split("[ \t]+");
    int numbers = 0;
    Decimal decimal = new Decimal();
    for (int i = parts.length - 1; i > 0; i--) {
      byte[] part = parts[i].getBytes(StandardCharsets.ISO_8859_1);
      if (!decimal.parse(part, 0, part.length)) {
        break;
      }
      numbers++;
    }
    return numbers;
  }

  /**
   * A file's content must not be of another format than this, which was asked for.
   *
   * @throws FormatException where its content is surely of another
   */
  void check(Path path) throws IOException {
    Optional<VectorFormat> found = of(path);
    if (found.isPresent() && found.get() != this && !isLeftToReader(found.get(), path)) {
      throw new FormatException(
          path,
          0,
          format("the content is %s, not %s; open it as that", words(found.get()), words(this)));
    }
  }

  /** Text without a first line, or little of either kind: the readers know what is wrong better. */
  private boolean isLeftToReader(VectorFormat found, Path path) throws IOException {
    boolean word2vec = this == WORD2VEC_TEXT || this == WORD2VEC_BINARY;
    return this == WORD2VEC_TEXT && found == GLOVE
        || word2vec
            && (found == WORD2VEC_TEXT || found == WORD2VEC_BINARY)
            && Files.size(path) < SMALL;
  }

  /** What messages call it. */
  static String words(VectorFormat format) {
    return switch (format) {
      case WORD2VEC_TEXT -> "word2vec text";
      case WORD2VEC_BINARY -> "word2vec binary";
      case GLOVE -> "GloVe text, without a first line of counts";
      case SAFETENSORS -> "safetensors";
      case NPY -> "npy";
    };
  }
}
