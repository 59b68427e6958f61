// SPDX-License-Identifier: Apache-2.0
package dev.weft.data;

import static dev.weft.format.Format.format;

import dev.weft.io.FormatException;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Arrays;

/**
 * IDX files, the format of MNIST and its kin (yann.lecun.com/exdb/mnist), packed by gzip or not,
 * which the file itself tells:
 *
 * <pre>
 *   2 bytes      0
 *   1 byte       type code: 0x08 unsigned bytes, 0x09 signed bytes, 0x0B 16-bit integers,
 *                0x0C 32-bit integers, 0x0D 32-bit floats, 0x0E 64-bit floats
 *   1 byte       d, the number of dimensions
 *   4 d bytes    their sizes, big-endian; the first is the number of examples
 *   the rest     the numbers, big-endian, row-major
 * </pre>
 *
 * <p>Fashion-MNIST and Kuzushiji-MNIST are called as MNIST is. The images of EMNIST lie transposed,
 * rows and columns exchanged, beside MNIST's, and are read as they lie; the labels of its letters
 * are 1 to 26, which makes 27 classes of which none is the first. The labels of QMNIST are 8
 * integers an image, of which the first, its class, is read.
 */
public final class Idx {
  private static final int QMNIST_COLUMNS = 8;

  private Idx() {}

  /**
   * Reads the one data set of a folder, four files: {@code train-images-idx3-ubyte}, {@code
   * train-labels-idx1-ubyte}, {@code t10k-images-idx3-ubyte} and {@code t10k-labels-idx1-ubyte},
   * where {@code t10k} may be {@code test}, also with a dot before {@code idx}, also with {@code
   * .gz} at the end; all four also behind the name of a set and a line, as {@code
   * emnist-letters-train-images-idx3-ubyte} or {@code qmnist-train-labels-idx2-int}. The number of
   * classes is the largest label of all, plus 1. A row is all pixels of an image, as linear layers
   * take them; {@code features().shaped(28, 28)} is the picture.
   *
   * @throws NoSuchFileException if one is missing; the message lists the names that were looked for
   * @throws FormatException if one is not IDX, images and labels differ in number, or the images to
   *     test on differ from those to train on in type or shape
   * @throws IOException if the folder holds several sets, which the message lists
   */
  public static Split read(Path folder) throws IOException {
    IdxFolder files = new IdxFolder(folder);
    return read(files, files.onlySet());
  }

  /**
   * Reads one of the data sets of a folder.
   *
   * @param set what the names of its files begin with, {@code emnist-letters} or {@code qmnist};
   *     empty for MNIST's own
   * @throws NoSuchFileException as {@link #read(Path)} does
   * @throws FormatException as {@link #read(Path)} does
   */
  public static Split read(Path folder, String set) throws IOException {
    return read(new IdxFolder(folder), set);
  }

  private static Split read(IdxFolder files, String set) throws IOException {
    Path trainImages = files.find(set, IdxFolder.Part.TRAIN_IMAGES);
    Path trainLabels = files.find(set, IdxFolder.Part.TRAIN_LABELS);
    Path testImages = files.find(set, IdxFolder.Part.TEST_IMAGES);
    Path testLabels = files.find(set, IdxFolder.Part.TEST_LABELS);
    checkAlike(trainImages, testImages);
    int[] train = labels(trainLabels);
    int[] test = labels(testLabels);
    int classes = 1 + Math.max(largest(train), largest(test));
    return new Split(
        join(trainImages, trainLabels, train, classes),
        join(testImages, testLabels, test, classes));
  }

  /**
   * Reads images, or rows of numbers of any shape, in the file's shape. Unsigned bytes stay bytes,
   * scaled by 1/255, so that values lie in 0..1. All others are the numbers of the file as they
   * are: signed bytes, 16-bit integers and 32-bit floats held as float32, 32-bit integers and
   * 64-bit floats as float64, so that none of them is changed.
   *
   * @throws FormatException if the file is not IDX in at least two dimensions, or holds NaN or
   *     infinity
   */
  public static Column images(Path path) throws IOException {
    try (IdxReader reader = new IdxReader(path)) {
      int[] sizes = reader.sizes();
      if (sizes.length < 2) {
        throw new FormatException(
            path, 3, "1 dimension; images have at least 2 (the number of them, then their shape)");
      }
      return Column.wrap(
          reader.type().storage(),
          reader.type() == IdxType.UNSIGNED_BYTE ? reader.body() : numbers(path, reader),
          Arrays.copyOfRange(sizes, 1, sizes.length));
    }
  }

  /**
   * Reads labels: whole numbers of any type, 0 or more, in one dimension, or 32-bit integers in
   * rows of 8 as QMNIST has them, of which the first is the label.
   *
   * @throws FormatException if the file is not such a file
   */
  public static int[] labels(Path path) throws IOException {
    try (IdxReader reader = new IdxReader(path)) {
      int[] sizes = reader.sizes();
      IdxType type = reader.type();
      boolean qmnist = sizes.length == 2 && type == IdxType.INT && sizes[1] == QMNIST_COLUMNS;
      if (sizes.length != 1 && !qmnist) {
        throw new FormatException(
            path,
            3,
            format(
                "%d dimensions; labels have 1, the number of them, or are [n, 8] 32-bit integers"
                    + " as QMNIST's; these are %s %s",
                sizes.length, Arrays.toString(sizes), type));
      }
      if (!type.isWhole()) {
        throw new FormatException(path, 2, format("type code %s; labels are whole numbers", type));
      }
      long head = reader.offset();
      MemorySegment body = reader.body();
      int[] labels = new int[sizes[0]];
      for (int i = 0; i < labels.length; i++) {
        long place = (long) i * (qmnist ? QMNIST_COLUMNS : 1);
        labels[i] = (int) type.value(body, place);
        if (labels[i] < 0 || labels[i] == Integer.MAX_VALUE) {
          throw new FormatException(
              path,
              head + place * type.bytes(),
              format("the label of example %d is %d, expected 0 or more", i, labels[i]));
        }
      }
      return labels;
    }
  }

  /** The numbers of a file in the machine's order and in the type that they are held as. */
  private static MemorySegment numbers(Path path, IdxReader reader) throws IOException {
    long head = reader.offset();
    MemorySegment body = reader.body();
    IdxType type = reader.type();
    long count = body.byteSize() / type.bytes();
    MemorySegment numbers = Arena.ofAuto().allocate(count * type.storage().bytes(), 64);
    for (long i = 0; i < count; i++) {
      double value = type.value(body, i);
      if (!Double.isFinite(value)) {
        throw new FormatException(
            path,
            head + i * type.bytes(),
            format(
                "example %d holds %s; data must be finite",
                i / (count / reader.sizes()[0]), value));
      }
      if (type.storage() == Storage.FLOAT32) {
        numbers.setAtIndex(ValueLayout.JAVA_FLOAT, i, (float) value);
      } else {
        numbers.setAtIndex(ValueLayout.JAVA_DOUBLE, i, value);
      }
    }
    return numbers;
  }

  private static void checkAlike(Path train, Path test) throws IOException {
    try (IdxReader one = new IdxReader(train);
        IdxReader two = new IdxReader(test)) {
      int[] wanted = one.sizes();
      int[] got = two.sizes();
      if (one.type() != two.type()) {
        throw new FormatException(
            test, 2, format("type code %s, and %s in %s", two.type(), one.type(), train));
      }
      wanted[0] = got[0];
      if (!Arrays.equals(wanted, got)) {
        int place = wanted.length == got.length ? 4 + 4 * Arrays.mismatch(wanted, got) : 3;
        throw new FormatException(
            test,
            place,
            format("images of shape %s, and of %s in %s", shape(got), shape(wanted), train));
      }
    }
  }

  private static String shape(int[] sizes) {
    return Arrays.toString(Arrays.copyOfRange(sizes, 1, sizes.length));
  }

  private static Dataset join(Path imagesPath, Path labelsPath, int[] labels, int classes)
      throws IOException {
    Column images = images(imagesPath);
    if (images.rows() != labels.length) {
      throw new FormatException(
          labelsPath,
          4,
          format("%d labels for %d images in %s", labels.length, images.rows(), imagesPath));
    }
    return Dataset.of(images.shaped(images.width()), Column.ids(labels, classes));
  }

  private static int largest(int[] labels) {
    return Arrays.stream(labels).max().orElse(0);
  }
}
