// SPDX-License-Identifier: Apache-2.0
package dev.weft.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What the command says of data files that are damaged or do not fit. */
class DataFilesTest {
  private static final int ROWS = 6;
  private static final int SIDE = 4;

  @TempDir private Path folder;

  @BeforeEach
  void writeGoodFiles() throws IOException {
    writeGoodFiles(folder);
  }

  /** Six images of 4 x 4 in three classes, to train on and to test on. */
  static void writeGoodFiles(Path folder) throws IOException {
    for (String part : new String[] {"train", "t10k"}) {
      Files.write(
          folder.resolve(part + "-images-idx3-ubyte"), idx(ROWS * SIDE * SIDE, ROWS, SIDE, SIDE));
      Files.write(folder.resolve(part + "-labels-idx1-ubyte"), idx(ROWS, ROWS));
    }
  }

  private Path images(String part) {
    return folder.resolve(part + "-images-idx3-ubyte");
  }

  private Path labels(String part) {
    return folder.resolve(part + "-labels-idx1-ubyte");
  }

  /** A file whose head has the given sizes and whose body counts 0 1 2 0 1 2. */
  private static byte[] idx(int body, int... sizes) {
    ByteBuffer bytes = ByteBuffer.allocate(4 + 4 * sizes.length + body);
    bytes.putInt(0x0800 + sizes.length);
    for (int size : sizes) {
      bytes.putInt(size);
    }
    for (int i = 0; i < body; i++) {
      bytes.put((byte) (i % 3));
    }
    return bytes.array();
  }

  private Weft.Run train(Object... more) {
    Object[] start = {
      "train",
      "--device",
      "cpu",
      "--data",
      folder,
      "--batch",
      3,
      "--hidden",
      5,
      "--out",
      folder.resolve("m.safetensors")
    };
    Object[] all = Arrays.copyOf(start, start.length + more.length);
    System.arraycopy(more, 0, all, start.length, more.length);
    return Weft.run(all);
  }

  /** Six examples teach nothing, of which there is a warning. */
  private void assertTrains() {
    Weft.Run run = train();
    assertEquals(Main.SUCCESS, run.code(), run.err());
  }

  @Test
  void goodFilesTrain() {
    assertTrains();
  }

  @Test
  void anEmptyFile() throws IOException {
    Files.write(images("train"), new byte[0]);
    train().failed(Main.FAILURE, "train-images-idx3-ubyte, byte 0", "is empty");
  }

  @Test
  void aTruncatedFile() throws IOException {
    Files.write(images("train"), idx(ROWS * SIDE * SIDE - 1, ROWS, SIDE, SIDE));
    train().failed(Main.FAILURE, "train-images-idx3-ubyte", "96", "95");
  }

  @Test
  void aCountLargerThanTheFile() throws IOException {
    Files.write(labels("t10k"), idx(ROWS, 1_000_000));
    train().failed(Main.FAILURE, "t10k-labels-idx1-ubyte", "1000000");
  }

  @Test
  void aFileThatIsNotIdx() throws IOException {
    Files.writeString(images("train"), "PNG or what not, but long enough");
    train().failed(Main.FAILURE, "not an IDX file", "50 4E");
  }

  @Test
  void aMissingFile() throws IOException {
    Files.delete(labels("train"));
    train().failed(Main.FAILURE, "train-labels-idx1-ubyte");
  }

  @Test
  void aMissingFolder() {
    Weft.run("train", "--data", folder.resolve("absent"), "--out", folder.resolve("m"))
        .failed(Main.FAILURE, "absent", "no such folder");
  }

  @Test
  void aFolderOfSomethingElseAndAFile() throws IOException {
    Path other = Files.createDirectory(folder.resolve("other"));
    Weft.run("train", "--data", other, "--out", folder.resolve("m"))
        .failed(
            Main.FAILURE,
            "other: no MNIST files in this folder: wanted train-images-idx3-ubyte, train-labels",
            "(each also with .gz)");
    Weft.run("train", "--data", labels("train"), "--out", folder.resolve("m"))
        .failed(
            Main.FAILURE, "is a file; a folder of IDX files was expected" + System.lineSeparator());
  }

  @Test
  void labelsOutsideTheClasses() throws IOException {
    byte[] labels = idx(ROWS, ROWS);
    labels[8 + 4] = (byte) 200;
    Files.write(labels("train"), labels);
    train("--classes", 3).failed(Main.WRONG_USE, "train labels: row 4 is 200", "0..2");
  }

  @Test
  void moreImagesThanLabels() throws IOException {
    Files.write(labels("train"), idx(ROWS - 1, ROWS - 1));
    train().failed(Main.FAILURE, "5 labels for 6 images");
  }

  @Test
  void imagesToTestOnOfAnotherShape() throws IOException {
    Files.write(images("t10k"), idx(ROWS * SIDE * SIDE, ROWS, 2, 8));
    train()
        .failed(
            Main.FAILURE,
            "t10k-images-idx3-ubyte, byte 8: images of shape [2, 8], and of [4, 4] in ",
            "train-images-idx3-ubyte");
  }

  @Test
  void severalSetsInAFolder() throws IOException {
    for (String part : new String[] {"train", "test"}) {
      String start = "emnist-digits-" + part;
      Files.write(folder.resolve(start + "-images-idx3-ubyte"), idx(ROWS, ROWS, 1, 1));
      Files.write(folder.resolve(start + "-labels-idx1-ubyte"), idx(ROWS, ROWS));
    }
    train().failed(Main.FAILURE, "several data sets", "'', 'emnist-digits'; say which: --set NAME");
    Weft.Run run = train("--set", "emnist-digits");
    assertEquals(Main.SUCCESS, run.code(), run.err());
    assertTrue(run.out().contains("emnist-digits in " + folder + ": 6 to train on"), run.out());
    run = train("--set", "", "--overwrite");
    assertEquals(Main.SUCCESS, run.code(), run.err());
    assertTrue(run.out().contains(folder + ": 6 to train on, 6 to test on, 16 f"), run.out());
    train("--set", "qmnist", "--overwrite")
        .failed(Main.FAILURE, "begin with 'qmnist'; there are those of '', ");
    Weft.run("train", "--set", "qmnist").failed(Main.WRONG_USE, "add --data DIR");
  }

  @Test
  void aBatchLargerThanTheDataIsAllOfThem() {
    Weft.Run run = train("--batch", 7);
    assertEquals(Main.SUCCESS, run.code(), run.err());
    assertTrue(run.out().contains(", batch 6, "), run.out());
    train("--overwrite", "--batch", 7, "--last-batch", "drop")
        .failed(Main.WRONG_USE, "a batch of 7", "6 examples", "no batch is left");
  }

  @Test
  void aModelThatDoesNotFitTheData() {
    assertTrains();
    Weft.run("evaluate", folder.resolve("m.safetensors"), "--digits", 60, "--device", "cpu")
        .failed(Main.WRONG_USE, "784 features");
  }

  @Test
  void aModelFileThatIsNone() throws IOException {
    Weft.run("evaluate", folder.resolve("absent")).failed(Main.FAILURE, "there is no such file");
    Weft.run("evaluate", images("train")).failed(Main.FAILURE, "train-images-idx3-ubyte");
    Weft.run("evaluate").failed(Main.WRONG_USE, "MODEL");
  }
}
