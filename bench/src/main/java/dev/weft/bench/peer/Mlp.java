// SPDX-License-Identifier: Apache-2.0
package dev.weft.bench.peer;

import dev.weft.data.Column;
import dev.weft.data.Dataset;
import dev.weft.data.Digits;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.stream.Collectors;

/**
 * A network of linear layers with ReLU between them, and what it trains on.
 *
 * @param widths of its input, hidden layers and output
 * @param batch rows of a batch
 * @param examples that there are: every batch divides them
 */
public record Mlp(List<Integer> widths, int batch, int examples) {
  /** Pixels of a digit. */
  public static final int PIXELS = 784;

  /** Kinds of digits, and of the patterns where the input is no digit. */
  public static final int CLASSES = 10;

  private static final int FEWEST_EXAMPLES = 8192;
  private static final int BATCHES = 8;
  private static final double CHECKED_FLOPS = 3e11;

  /** A network and a batch, with at least eight batches of examples. */
  public static Mlp of(int batch, Integer... widths) {
    return new Mlp(List.of(widths), batch, Math.max(FEWEST_EXAMPLES, BATCHES * batch));
  }

  /** With {@code depth} hidden layers of {@code hidden} units for digits. */
  public static Mlp digits(int batch, int hidden, int depth, int examples) {
    List<Integer> widths = new ArrayList<>(Collections.nCopies(depth, hidden));
    widths.addFirst(PIXELS);
    widths.addLast(CLASSES);
    return new Mlp(widths, batch, examples);
  }

  /** Reads what {@link #toString} wrote. */
  public static Mlp parse(String text) {
    String[] parts = text.split("/");
    List<Integer> widths = Arrays.stream(parts[0].split("-")).map(Integer::valueOf).toList();
    return new Mlp(widths, Integer.parseInt(parts[1]), Integer.parseInt(parts[2]));
  }

  /** Such as {@code 784-512-512-10}. */
  public String network() {
    return widths.stream().map(String::valueOf).collect(Collectors.joining("-"));
  }

  /** Such as {@code batch 128}. */
  public String size() {
    return "batch " + batch;
  }

  /** Features of an example. */
  public int inputs() {
    return widths.getFirst();
  }

  /** Weights and biases. */
  public long parameters() {
    long sum = 0;
    for (int i = 1; i < widths.size(); i++) {
      sum += (widths.get(i - 1) + 1L) * widths.get(i);
    }
    return sum;
  }

  /** Numbers of one row in all layers, its input included. */
  public long rowOfActivations() {
    return widths.stream().mapToLong(Integer::longValue).sum();
  }

  /** The width of the widest hidden layer; 0 where there is none. */
  public long widestHidden() {
    return widths.subList(1, widths.size() - 1).stream()
        .mapToLong(Integer::longValue)
        .max()
        .orElse(0);
  }

  /**
   * Floating-point operations of the products of a step: the first layer needs no gradient of x.
   */
  public double flops() {
    double sum = 0;
    for (int i = 1; i < widths.size(); i++) {
      sum += (i == 1 ? 4.0 : 6.0) * batch * widths.get(i - 1) * widths.get(i);
    }
    return sum;
  }

  /**
   * Steps over which losses are compared before anything is timed: at most an epoch, in which all
   * sides see the same batches.
   */
  public int checkedSteps() {
    int affordable = (int) Math.clamp(CHECKED_FLOPS / flops(), 4, 100);
    return Math.min(affordable, examples / batch);
  }

  /** The examples that all sides train on: digits, or where the input is no digit, patterns. */
  public Dataset data() {
    return inputs() == PIXELS ? Digits.generate(examples, 7).train() : patterns();
  }

  /** Random bytes; the class is the place of the largest of the first ten. */
  private Dataset patterns() {
    byte[] bytes = new byte[Math.multiplyExact(examples, inputs())];
    new Random(7).nextBytes(bytes);
    int[] labels = new int[examples];
    for (int row = 0; row < examples; row++) {
      int start = row * inputs();
      for (int c = 1; c < CLASSES; c++) {
        int best = Byte.toUnsignedInt(bytes[start + labels[row]]);
        labels[row] = Byte.toUnsignedInt(bytes[start + c]) > best ? c : labels[row];
      }
    }
    return Dataset.of(Column.ofBytes(bytes, inputs()), Column.ids(labels, CLASSES));
  }

  /** As {@link #parse} reads it. */
  @Override
  public String toString() {
    return network() + "/" + batch + "/" + examples;
  }
}
