// SPDX-License-Identifier: Apache-2.0
package dev.weft.device.cuda;

import static dev.weft.format.Format.format;
import static java.util.stream.Collectors.joining;

import dev.weft.device.NativeFiles;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Objects;
import java.util.OptionalInt;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The compiled kernels of this build: a module for each family of kernels, in machine code for some
 * chips and as PTX, which a driver compiles for newer ones.
 *
 * @param release the CUDA that compiled them, such as 13.0; empty where there are none
 * @param files such as {@code sm_90/unary.cubin} and {@code compute_90/unary.ptx}
 */
record KernelImages(String release, List<String> files) {
  private static final String FOLDER = "dev/weft/native/kernels/";

  /** The list of what is there, since a class path cannot be asked for it. */
  static final String INDEX = FOLDER + "index.txt";

  private static final String CODE = "sm_";
  private static final String PTX = "compute_";

  /** Those on the class path. */
  static KernelImages read() {
    byte[] index = read(INDEX);
    return of(index == null ? "" : new String(index, StandardCharsets.US_ASCII));
  }

  /** Those that an index tells of: the release, then a file a line. */
  static KernelImages of(String index) {
    List<String> lines = index.lines().toList();
    return lines.isEmpty()
        ? new KernelImages("", lines)
        : new KernelImages(lines.getFirst().replace("CUDA ", ""), lines.subList(1, lines.size()));
  }

  private static byte @Nullable [] read(String resource) {
    try (InputStream in = NativeFiles.open(resource)) {
      return in == null ? null : in.readAllBytes();
    } catch (IOException e) {
      throw new UncheckedIOException("cannot read " + resource, e);
    }
  }

  boolean isEmpty() {
    return files.isEmpty();
  }

  /** The resources of the class path: the index and all that it names. */
  Stream<String> resources() {
    return Stream.concat(Stream.of(INDEX), files.stream().map(FOLDER::concat));
  }

  /** {@code sm_90, PTX 9.0 by CUDA 13.0}. */
  @Override
  public String toString() {
    if (isEmpty()) {
      return "none, since this build found no nvcc";
    }
    Stream<String> code = chips(CODE).mapToObj(chip -> CODE + chip);
    Stream<String> ptx = chips(PTX).mapToObj(chip -> format("PTX %d.%d", chip / 10, chip % 10));
    return Stream.concat(code, ptx).collect(joining(", ", "", " by CUDA " + release));
  }

  private IntStream chips(String kind) {
    return files.stream()
        .filter(file -> file.startsWith(kind))
        .mapToInt(file -> Integer.parseInt(file.substring(kind.length(), file.indexOf('/'))))
        .distinct();
  }

  /**
   * The newest code that runs on a chip: such as 90 for sm_90; chips of one major run the older's.
   */
  private OptionalInt code(int chip) {
    return chips(CODE).filter(one -> one / 10 == chip / 10 && one <= chip).max();
  }

  /**
   * The files that a chip runs: code, else PTX that can be compiled for it; none where there is
   * neither.
   */
  List<String> filesFor(int chip) {
    OptionalInt code = code(chip);
    String folder =
        code.isPresent()
            ? CODE + code.getAsInt()
            : PTX + chips(PTX).filter(one -> one <= chip).max().orElse(0);
    return files.stream().filter(file -> file.startsWith(folder + "/")).toList();
  }

  /** The content of a file. */
  static byte[] content(String file) {
    return Objects.requireNonNull(read(FOLDER + file), file);
  }

  /**
   * Why these do not run on a chip under a driver, such as 12080 for one of CUDA 12.8, and what to
   * do; null where they should. A driver loads code that compilers up to its own major release
   * made, and compiles PTX of compilers up to its own release.
   */
  @Nullable String refusal(int chip, int driver) {
    if (isEmpty()) {
      return "this build of Weft has no CUDA kernels: build it where nvcc of the CUDA toolkit is on"
          + " the PATH";
    }
    String build = "build Weft with WEFT_CUDA_ARCHS=" + chip;
    if (filesFor(chip).isEmpty()) {
      return format(
          "this build of Weft has kernels for others than sm_%d (%s): %s", chip, this, build);
    }
    int major = Integer.parseInt(release.replaceFirst("\\..*", ""));
    int minor = Integer.parseInt(release.replaceFirst(".*\\.", ""));
    boolean code = code(chip).isPresent();
    boolean older = driver / 1000 < major;
    if (code ? !older : driver >= 1000 * major + 10 * minor) {
      return null;
    }
    String nvcc = format("the nvcc of CUDA %d", driver / 1000);
    return format(
            "the kernels of this build were compiled by CUDA %s%s, and the driver is for CUDA"
                + " %d.%d, which cannot load them: ",
            release,
            code ? "" : format(", for sm_%d as PTX alone", chip),
            driver / 1000,
            driver % 1000 / 10)
        + format("install a driver for CUDA %s or newer, or ", code ? major : release)
        + (code ? "build Weft with " + nvcc : older ? build + " and " + nvcc : build);
  }
}
