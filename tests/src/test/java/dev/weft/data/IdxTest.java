// SPDX-License-Identifier: Apache-2.0
package dev.weft.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.weft.Shape;
import dev.weft.io.FormatException;
import dev.weft.support.Beside;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@Beside
class IdxTest {
  @TempDir Path folder;

  @Test
  void imagesAndLabelsAreRead() throws IOException {
    Column images = Idx.images(file("images", idx(8, body(12), 3, 2, 2)));
    assertEquals(3, images.rows());
    assertEquals(Shape.of(2, 2), images.shape());
    assertEquals(Storage.UINT8, images.storage());
    assertEquals(11 / 255.0, images.get(2, 3), 1e-12);
    int[] labels = Idx.labels(file("labels", idx(8, new byte[] {0, 9, -1}, 3)));
    assertArrayEquals(new int[] {0, 9, 255}, labels);
  }

  @Test
  void gzipIsToldByContentNotByName() throws IOException {
    byte[] plain = idx(8, body(12), 3, 2, 2);
    assertEquals(3, Idx.images(file("plain.gz", plain)).rows());
    assertEquals(3, Idx.images(file("packed", gzip(plain))).rows());
  }

  @Test
  void folderIsFoundInEverySpelling() throws IOException {
    byte[] images = idx(8, body(12), 3, 2, 2);
    byte[] labels = idx(8, new byte[] {0, 2, 1}, 3);
    file("train-images-idx3-ubyte.gz", gzip(images));
    file("train-labels.idx1-ubyte", labels);
    file("t10k-images-idx3-ubyte", images);
    file("t10k-labels.idx1-ubyte.gz", gzip(idx(8, new byte[] {4, 0, 0}, 3)));
    Split split = Idx.read(folder);
    assertArrayEquals(new int[] {0, 2, 1}, split.train().targets().toInts());
    assertEquals(5, split.train().classes(), "the largest label of both parts, plus 1");
    assertEquals(5, split.test().classes());
  }

  @Test
  void missingFileIsNamedWithAllItsSpellings() throws IOException {
    file("train-images-idx3-ubyte", idx(8, body(4), 1, 2, 2));
    String message = assertThrows(NoSuchFileException.class, () -> Idx.read(folder)).getMessage();
    for (String name :
        new String[] {
          folder.toString(),
          "train-labels-idx1-ubyte,",
          "train-labels-idx1-ubyte.gz",
          "train-labels.idx1-ubyte,",
          "train-labels.idx1-ubyte.gz"
        }) {
      assertTrue(message.contains(name), message);
    }
    assertThrows(NoSuchFileException.class, () -> Idx.read(folder.resolve("absent")));
    assertThrows(FileSystemException.class, () -> Idx.read(file("file", new byte[1])));
    assertThrows(FileSystemException.class, () -> Idx.images(folder));
    assertThrows(NoSuchFileException.class, () -> Idx.images(folder.resolve("absent")));
  }

  @Test
  void labelsForAnotherNumberOfImagesAreAnError() throws IOException {
    file("train-images-idx3-ubyte", idx(8, body(12), 3, 2, 2));
    file("train-labels-idx1-ubyte", idx(8, body(2), 2));
    file("t10k-images-idx3-ubyte", idx(8, body(12), 3, 2, 2));
    file("t10k-labels-idx1-ubyte", idx(8, body(3), 3));
    assertFails(4, "2 labels for 3 images in", () -> Idx.read(folder));
  }

  @Test
  void filesThatAreNotIdxSayWhatWasExpected() throws IOException {
    assertImagesFail(new byte[0], 0, "the file is empty");
    assertImagesFail("hello, world".getBytes("US-ASCII"), 0, "begins with 68 65, expected 00 00");
    assertImagesFail(
        idx(0x07, body(16), 1, 2, 2),
        2,
        "type code 0x07, expected 0x08 (unsigned bytes), 0x09 (signed bytes), 0x0B");
    assertImagesFail(idx(0x0A, body(16), 1, 2, 2), 2, "type code 0x0A, expected 0x08");
    assertImagesFail(idx(0x88, body(16), 1, 2, 2), 2, "type code 0x88, expected 0x08");
    assertImagesFail(idx(8, body(0)), 3, "0 dimensions");
    assertImagesFail(idx(8, body(4), 4), 3, "1 dimension; images have at least 2");
    assertImagesFail(idx(8, body(0), 0, 2, 2), 4, "dimension 0 has size 0");
    assertImagesFail(idx(8, body(0), 1, 0, 2), 8, "dimension 1 has size 0");
    assertImagesFail(Arrays.copyOf(idx(8, body(0), 1, 2, 2), 9), 9, "within the sizes");
    Path two = file("two", idx(8, body(4), 2, 2));
    assertFails(3, "2 dimensions; labels have 1", () -> Idx.labels(two));
  }

  /** 1, -2, 3 and the outermost numbers of the type, by its code, as a file has them. */
  private static ByteBuffer numbers(int type) {
    ByteBuffer body = ByteBuffer.allocate(40);
    switch (type) {
      case 0x09 -> body.put(new byte[] {1, -2, 3, Byte.MIN_VALUE, Byte.MAX_VALUE});
      case 0x0B ->
          body.putShort((short) 1)
              .putShort((short) -2)
              .putShort((short) 3)
              .putShort(Short.MIN_VALUE)
              .putShort(Short.MAX_VALUE);
      case 0x0C -> {
        body.putInt(1).putInt(-2).putInt(3).putInt(Integer.MIN_VALUE).putInt(Integer.MAX_VALUE);
      }
      case 0x0D -> {
        body.putFloat(1).putFloat(-2).putFloat(3).putFloat(-Float.MAX_VALUE);
        body.putFloat(Float.MIN_VALUE);
      }
      default -> {
        body.putDouble(1).putDouble(-2).putDouble(3).putDouble(-Double.MAX_VALUE);
        body.putDouble(Double.MIN_VALUE);
      }
    }
    return body.flip();
  }

  @ParameterizedTest
  @CsvSource({
    "0x09, FLOAT32, -128, 127",
    "0x0B, FLOAT32, -32768, 32767",
    "0x0C, FLOAT64, -2147483648, 2147483647",
    "0x0D, FLOAT32, -3.4028234663852886E38, 1.401298464324817E-45",
    "0x0E, FLOAT64, -1.7976931348623157E308, 4.9E-324"
  })
  void numbersOfEveryTypeAreReadAsTheyAre(String code, Storage storage, double low, double high)
      throws IOException {
    int type = Integer.decode(code);
    ByteBuffer body = numbers(type);
    byte[] whole = idx(type, Arrays.copyOf(body.array(), body.limit()), 5, 1);
    for (byte[] content : new byte[][] {whole, gzip(whole)}) {
      Column rows = Idx.images(file("numbers", content));
      assertEquals(storage, rows.storage());
      double[] expected = {1, -2, 3, low, high};
      for (int row = 0; row < 5; row++) {
        assertEquals(expected[row], rows.get(row, 0), "row " + row);
      }
    }
    for (int length = 0; length < whole.length; length++) {
      Path cut = file("cut", Arrays.copyOf(whole, length));
      assertThrows(FormatException.class, () -> Idx.images(cut), "cut at " + length);
    }
  }

  @Test
  void numbersThatAreNotFiniteAreAnErrorWithTheirPlace() throws IOException {
    byte[] body = ByteBuffer.allocate(16).putFloat(1).putFloat(2).putFloat(3).putInt(0).array();
    ByteBuffer.wrap(body).putFloat(12, Float.NEGATIVE_INFINITY);
    assertImagesFail(idx(0x0D, body, 2, 2), 12 + 12, "example 1 holds -Infinity");
    byte[] wide = ByteBuffer.allocate(16).putDouble(Double.NaN).putDouble(1).array();
    assertImagesFail(gzip(idx(0x0E, wide, 2, 1)), 12, "example 0 holds NaN");
  }

  @Test
  void labelsAreReadFromEveryWholeType() throws IOException {
    byte[] shorts = ByteBuffer.allocate(6).putShort((short) 0).putShort((short) 300).array();
    assertArrayEquals(new int[] {0, 300, 0}, Idx.labels(file("short", idx(0x0B, shorts, 3))));
    byte[] ints = ByteBuffer.allocate(8).putInt(70_000).putInt(1).array();
    assertArrayEquals(new int[] {70_000, 1}, Idx.labels(file("int", idx(0x0C, ints, 2))));
    byte[] bytes = {3, 127};
    assertArrayEquals(new int[] {3, 127}, Idx.labels(file("byte", idx(0x09, bytes, 2))));
    assertLabelsFail(idx(0x09, new byte[] {3, -1}, 2), 9, "the label of example 1 is -1, expected");
    byte[] most = ByteBuffer.allocate(4).putInt(Integer.MAX_VALUE).array();
    assertLabelsFail(idx(0x0C, most, 1), 8, "the label of example 0 is 2147483647");
    assertLabelsFail(
        idx(0x0D, new byte[4], 1), 2, "type code 0x0D (32-bit floats); labels are whole numbers");
    assertLabelsFail(idx(0x0C, new byte[24], 2, 3), 3, "2 dimensions; labels have 1");
    assertLabelsFail(idx(0x0B, new byte[32], 2, 8), 3, "these are [2, 8] 0x0B (16-bit integers)");
  }

  @Test
  void aFileOfAnotherLengthThanItsHeadSaysIsAnError() throws IOException {
    byte[] whole = idx(8, body(12), 3, 2, 2);
    String asked = "sizes [3, 2, 2] in its head ask for 12 bytes after it, the file has ";
    assertImagesFail(Arrays.copyOf(whole, whole.length - 1), 27, asked + "11");
    assertImagesFail(Arrays.copyOf(whole, whole.length + 1), 28, asked + "13");
    assertImagesFail(gzip(Arrays.copyOf(whole, whole.length - 1)), 27, asked + "11");
    assertImagesFail(gzip(Arrays.copyOf(whole, whole.length + 1)), 28, asked + "more");
  }

  @Test
  void aHeadThatAsksForMoreThanThereIsAllocatesNothing() throws IOException {
    for (int count : new int[] {Integer.MAX_VALUE, Integer.MIN_VALUE, -1}) {
      byte[] head = idx(8, body(100), count, 28, 28);
      assertThrows(FormatException.class, () -> Idx.images(file("plain", head)));
      assertThrows(FormatException.class, () -> Idx.images(file("packed", gzip(head))));
    }
    byte[] overflow = idx(8, body(100), 1 << 30, 1 << 30, 1 << 30, 1 << 30);
    assertImagesFail(overflow, 12, "fewer than 2^63 numbers");
    assertImagesFail(idx(8, body(100), 1, 1 << 30, 4), 8, "more than 2^31 - 1");
    byte[] many = new byte[4 + 255 * 4 + 10];
    many[2] = 8;
    many[3] = -1;
    assertThrows(FormatException.class, () -> Idx.images(file("many", many)));
  }

  @Test
  void aFileCutAtAnyByteIsAFormatException() throws IOException {
    byte[] plain = idx(8, body(12), 3, 2, 2);
    for (byte[] whole : new byte[][] {plain, gzip(plain)}) {
      assertEquals(3, Idx.images(file("whole", whole)).rows());
      for (int length = 0; length < whole.length; length++) {
        Path cut = file("cut", Arrays.copyOf(whole, length));
        FormatException failure =
            assertThrows(FormatException.class, () -> Idx.images(cut), "cut at " + length);
        assertEquals(cut, failure.path());
        assertTrue(failure.offset() <= plain.length);
        assertTrue(failure.getMessage().startsWith(cut + ", byte " + failure.offset()));
      }
    }
  }

  @Test
  void anIncompleteGzipSaysHowFarItCameAndWhatToDo() throws IOException {
    byte[] numbers = new byte[200_000];
    new Random(3).nextBytes(numbers); // which gzip cannot make smaller
    byte[] packed = gzip(idx(8, numbers, 200_000, 1));
    Path cut = file("cut", Arrays.copyOf(packed, 150_000));
    FormatException failure = assertThrows(FormatException.class, () -> Idx.images(cut));
    assertEquals(150_000, failure.offset(), 1000);
    String message = failure.getMessage();
    assertTrue(message.startsWith(cut + ", byte " + failure.offset()), message);
    assertTrue(message.contains("incomplete: its gzip data end here"), message);
    assertTrue(message.endsWith("download it again"), message);
    packed[packed.length - 6] ^= 1; // within its check sum
    assertImagesFail(packed, 12 + numbers.length, "the file is damaged");
  }

  @Test
  void aFileWithAnyByteDamagedIsReadOrAFormatException() throws IOException {
    byte[] plain = idx(8, body(12), 3, 2, 2);
    for (byte[] whole : new byte[][] {plain, gzip(plain)}) {
      for (int i = 0; i < whole.length; i++) {
        for (int flip : new int[] {1, 0x80, 0xFF}) {
          byte[] damaged = whole.clone();
          damaged[i] ^= (byte) flip;
          try {
            Column rows = Idx.images(file("damaged", damaged));
            assertEquals(12, rows.rows() * rows.width());
          } catch (FormatException expected) {
            assertTrue(expected.getMessage().contains("damaged, byte "));
          }
        }
      }
    }
  }

  @Test
  void mnistIsRead() throws IOException {
    String data = System.getenv("WEFT_DATA");
    assumeTrue(
        data != null && !data.isEmpty(), "WEFT_DATA is not set; it names the folder with mnist/");
    Split mnist = Idx.read(Path.of(data, "mnist"));
    assertEquals(60_000, mnist.train().rows());
    assertEquals(10_000, mnist.test().rows());
    assertEquals(10, mnist.train().classes());
    assertEquals(Shape.of(784), mnist.train().features().shape());
    assertArrayEquals(
        new int[] {5, 0, 4, 1, 9}, Arrays.copyOf(mnist.train().targets().toInts(), 5));
    assertArrayEquals(new int[] {7, 2, 1, 0, 4}, Arrays.copyOf(mnist.test().targets().toInts(), 5));
    // The published mean of the pixels of the training images.
    Column features = mnist.train().features();
    double sum = 0;
    for (int row = 0; row < 60_000; row++) {
      for (int column = 0; column < 784; column++) {
        sum += features.get(row, column);
      }
    }
    assertEquals(0.1307, sum / (60_000 * 784.0), 5e-5);
  }

  private void assertImagesFail(byte[] content, long offset, String message) throws IOException {
    Path path = file("images", content);
    assertFails(offset, message, () -> Idx.images(path));
  }

  private void assertLabelsFail(byte[] content, long offset, String message) throws IOException {
    Path path = file("labels", content);
    assertFails(offset, message, () -> Idx.labels(path));
  }

  private static void assertFails(long offset, String message, Executable action) {
    FormatException failure = assertThrows(FormatException.class, action);
    assertTrue(
        failure.getMessage().contains(message),
        () -> "expected '" + message + "' in '" + failure.getMessage() + "'");
    assertEquals(offset, failure.offset(), failure.getMessage());
  }

  private Path file(String name, byte[] content) throws IOException {
    return Files.write(folder.resolve(name), content);
  }

  static byte[] body(int count) {
    byte[] bytes = new byte[count];
    for (int i = 0; i < count; i++) {
      bytes[i] = (byte) i;
    }
    return bytes;
  }

  static byte[] idx(int type, byte[] body, int... sizes) {
    ByteBuffer bytes = ByteBuffer.allocate(4 + 4 * sizes.length + body.length);
    bytes.put(new byte[] {0, 0, (byte) type, (byte) sizes.length});
    Arrays.stream(sizes).forEach(bytes::putInt);
    return bytes.put(body).array();
  }

  static byte[] gzip(byte[] content) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (GZIPOutputStream out = new GZIPOutputStream(bytes)) {
      out.write(content);
    }
    return bytes.toByteArray();
  }
}
