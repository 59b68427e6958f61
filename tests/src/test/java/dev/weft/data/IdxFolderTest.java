// SPDX-License-Identifier: Apache-2.0
package dev.weft.data;

import static dev.weft.data.IdxTest.body;
import static dev.weft.data.IdxTest.gzip;
import static dev.weft.data.IdxTest.idx;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.weft.io.FormatException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Which files of a folder make a data set, and that they fit each other. */
class IdxFolderTest {
  @TempDir Path folder;

  @Test
  void emnistIsFoundByItsNames() throws IOException {
    set("emnist-letters-train", "emnist-letters-test", 3);
    Split split = Idx.read(folder);
    assertEquals(3, split.train().rows());
    assertEquals(27, split.train().classes(), "letters are 1 to 26");
    assertArrayEquals(new int[] {1, 26, 2}, split.test().targets().toInts());
  }

  /** Four files, the labels 1, 26, 2. */
  private void set(String train, String test, int rows) throws IOException {
    for (String part : new String[] {train, test}) {
      file(part + "-images-idx3-ubyte.gz", gzip(idx(8, body(4 * rows), rows, 2, 2)));
      byte[] labels = Arrays.copyOf(new byte[] {1, 26, 2}, rows);
      file(part + "-labels-idx1-ubyte.gz", gzip(idx(8, labels, rows)));
    }
  }

  @Test
  void qmnistIsFoundByItsNamesAndTheFirstOfItsLabelsIsTheClass() throws IOException {
    for (String part : new String[] {"qmnist-train", "qmnist-test"}) {
      file(part + "-images-idx3-ubyte.gz", gzip(idx(8, body(8), 2, 2, 2)));
      ByteBuffer labels = ByteBuffer.allocate(64);
      labels.putInt(5).putInt(1).putInt(2405).putInt(88).putInt(8).putInt(-7);
      file(part + "-labels-idx2-int.gz", gzip(idx(0x0C, labels.putInt(32, 9).array(), 2, 8)));
    }
    Split split = Idx.read(folder);
    assertArrayEquals(new int[] {5, 9}, split.train().targets().toInts());
    assertEquals(10, split.test().classes());
    Files.delete(folder.resolve("qmnist-test-labels-idx2-int.gz"));
    String message = assertThrows(NoSuchFileException.class, () -> Idx.read(folder)).getMessage();
    assertTrue(message.contains("qmnist-test-labels-idx2-int, "), message);
  }

  @Test
  void severalSetsInAFolderAreListedAndOneIsReadByItsName() throws IOException {
    set("emnist-letters-train", "emnist-letters-test", 3);
    set("emnist-digits-train", "emnist-digits-test", 2);
    set("train", "t10k", 1);
    file("old-train-images-idx3-ubyte", new byte[1]); // no whole set
    String message = assertThrows(FileSystemException.class, () -> Idx.read(folder)).getMessage();
    assertTrue(message.startsWith(folder.toString()), message);
    assertTrue(message.contains("'', 'emnist-digits', 'emnist-letters'; say which"), message);
    assertEquals(3, Idx.read(folder, "emnist-letters").train().rows());
    assertEquals(2, Idx.read(folder, "emnist-digits").test().rows());
    assertEquals(1, Idx.read(folder, "").test().rows());
    message =
        assertThrows(NoSuchFileException.class, () -> Idx.read(folder, "emnist")).getMessage();
    assertTrue(message.contains("begin with 'emnist'; there are those of '', 'emn"), message);
  }

  @Test
  void aFilePackedAndUnpackedIsOneButTwoOfDifferentNamesAreAnError() throws IOException {
    set("train", "t10k", 3);
    file("train-images-idx3-ubyte", idx(8, body(12), 3, 2, 2));
    assertEquals(3, Idx.read(folder).train().rows());
    file("test-images-idx3-ubyte", idx(8, body(12), 3, 2, 2));
    String message = assertThrows(FileSystemException.class, () -> Idx.read(folder)).getMessage();
    assertTrue(
        message.contains("both t10k-images-idx3-ubyte.gz and test-images-idx3-ubyte:"), message);
  }

  @ParameterizedTest
  @CsvSource({
    "0x08, '3,2,4', 8, 'images of shape [2, 4], and of [4, 2] in '",
    "0x08, '3,4,4', 12, 'images of shape [4, 4], and of [4, 2] in '",
    "0x08, '3,8', 3, 'images of shape [8], and of [4, 2] in '",
    "0x09, '3,4,2', 2, 'type code 0x09 (signed bytes), and 0x08 (unsigned bytes) in '"
  })
  void imagesToTestOnUnlikeThoseToTrainOnAreAnErrorThatNamesBothFiles(
      String code, String sizes, long offset, String words) throws IOException {
    int[] shape = Arrays.stream(sizes.split(",")).mapToInt(Integer::parseInt).toArray();
    int count = Arrays.stream(shape).reduce(1, (a, b) -> a * b);
    file("train-images-idx3-ubyte", idx(8, body(24), 3, 4, 2));
    file("train-labels-idx1-ubyte", idx(8, body(3), 3));
    Path test = file("t10k-images-idx3-ubyte", idx(Integer.decode(code), body(count), shape));
    file("t10k-labels-idx1-ubyte", idx(8, body(3), 3));
    FormatException failure = assertThrows(FormatException.class, () -> Idx.read(folder));
    assertEquals(offset, failure.offset());
    assertEquals(test, failure.path());
    String train = folder.resolve("train-images-idx3-ubyte").toString();
    assertTrue(failure.getMessage().endsWith(words + train), failure.getMessage());
  }

  private Path file(String name, byte[] content) throws IOException {
    return Files.write(folder.resolve(name), content);
  }
}
