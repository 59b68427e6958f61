// SPDX-License-Identifier: Apache-2.0
package dev.weft.data;

import static dev.weft.format.Format.format;

import dev.weft.io.FormatException;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * IDX files, the format of MNIST and its kin (yann.lecun.com/exdb/mnist), unsigned bytes, packed by
 * gzip or not, which the file itself tells:
 *
 * <pre>
 *   2 bytes      0
 *   1 byte       type code: 8 for unsigned bytes
 *   1 byte       d, the number of dimensions
 *   4 d bytes    their sizes, big-endian; the first is the number of examples
 *   the rest     the numbers, row-major
 * </pre>
 */
public final class Idx {
  private static final String[] SUFFIXES = {"", ".gz"};

  private Idx() {}

  /**
   * Reads MNIST's four files from a folder: {@code train-images-idx3-ubyte}, {@code
   * train-labels-idx1-ubyte}, {@code t10k-images-idx3-ubyte} and {@code t10k-labels-idx1-ubyte},
   * also with a dot before {@code idx}, also with {@code .gz} at the end. The number of classes is
   * the largest label of all, plus 1.
   *
   * @throws NoSuchFileException if one is missing; the message lists the names that were looked for
   * @throws FormatException if one is not IDX, or images and labels differ in number
   */
  public static Split read(Path folder) throws IOException {
    if (!Files.isDirectory(folder)) {
      if (Files.exists(folder)) {
        throw new FileSystemException(
            folder.toString(), null, "is a file; a folder of IDX files was expected");
      }
      throw new NoSuchFileException(folder.toString(), null, "there is no such folder");
    }
    checkNotBare(folder);
    Path trainImages = find(folder, "train-images", 3);
    Path trainLabels = find(folder, "train-labels", 1);
    Path testImages = find(folder, "t10k-images", 3);
    Path testLabels = find(folder, "t10k-labels", 1);
    int[] train = labels(trainLabels);
    int[] test = labels(testLabels);
    int classes = 1 + Math.max(largest(train), largest(test));
    return new Split(
        join(trainImages, trainLabels, train, classes),
        join(testImages, testLabels, test, classes));
  }

  /**
   * Reads images, or rows of bytes of any shape: scale 1/255, so that values lie in 0..1.
   *
   * @throws FormatException if the file is not IDX of unsigned bytes in at least two dimensions
   */
  public static Rows images(Path path) throws IOException {
    try (IdxReader reader = new IdxReader(path)) {
      int[] sizes = reader.sizes();
      if (sizes.length < 2) {
        throw new FormatException(
            path, 3, "1 dimension; images have at least 2 (the number of them, then their shape)");
      }
      MemorySegment bytes = reader.body();
      return Rows.wrap(bytes, Arrays.copyOfRange(sizes, 1, sizes.length));
    }
  }

  /**
   * Reads labels, 0..255.
   *
   * @throws FormatException if the file is not IDX of unsigned bytes in one dimension
   */
  public static int[] labels(Path path) throws IOException {
    try (IdxReader reader = new IdxReader(path)) {
      if (reader.sizes().length != 1) {
        throw new FormatException(
            path, 3, reader.sizes().length + " dimensions; labels have 1, the number of them");
      }
      byte[] bytes = reader.body().toArray(ValueLayout.JAVA_BYTE);
      int[] labels = new int[bytes.length];
      Arrays.setAll(labels, i -> bytes[i] & 0xFF);
      return labels;
    }
  }

  private static Dataset join(Path imagesPath, Path labelsPath, int[] labels, int classes)
      throws IOException {
    Rows images = images(imagesPath);
    if (images.rows() != labels.length) {
      throw new FormatException(
          labelsPath,
          4,
          format("%d labels for %d images in %s", labels.length, images.rows(), imagesPath));
    }
    return Dataset.of(images, Labels.of(labels, classes));
  }

  private static int largest(int[] labels) {
    return Arrays.stream(labels).max().orElse(0);
  }

  /** A folder of something else is told apart from one that lacks a file. */
  private static void checkNotBare(Path folder) throws IOException {
    List<String> wanted = new ArrayList<>();
    for (String part : new String[] {"train", "t10k"}) {
      for (String stem : new String[] {part + "-images", part + "-labels"}) {
        List<String> names = names(stem, stem.endsWith("images") ? 3 : 1);
        if (names.stream().anyMatch(name -> Files.exists(folder.resolve(name)))) {
          return;
        }
        wanted.add(names.getFirst());
      }
    }
    throw new NoSuchFileException(
        folder.toString(),
        null,
        format(
            "no MNIST files in this folder: wanted %s (each also with .gz)",
            String.join(", ", wanted)));
  }

  private static List<String> names(String stem, int dimensions) {
    List<String> names = new ArrayList<>();
    for (String separator : new String[] {"-", "."}) {
      for (String suffix : SUFFIXES) {
        names.add(stem + separator + "idx" + dimensions + "-ubyte" + suffix);
      }
    }
    return names;
  }

  private static Path find(Path folder, String stem, int dimensions) throws IOException {
    List<String> names = names(stem, dimensions);
    for (String name : names) {
      Path path = folder.resolve(name);
      if (Files.isRegularFile(path)) {
        return path;
      }
      if (Files.exists(path)) {
        throw new FileSystemException(path.toString(), null, "is not a file");
      }
    }
    throw new NoSuchFileException(folder.toString(), null, "has none of " + names);
  }
}
