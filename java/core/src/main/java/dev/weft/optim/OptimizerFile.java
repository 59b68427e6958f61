// SPDX-License-Identifier: Apache-2.0
package dev.weft.optim;

import static dev.weft.format.Format.format;

import dev.weft.DType;
import dev.weft.Shape;
import dev.weft.Tensor;
import dev.weft.io.Safetensors;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.function.Function;

/**
 * What the optimizers of a network remember, in a safetensors file: by parameter ({@code
 * 0.weight.first}), and in the metadata {@code optimizer}, the rules by group, {@code settings},
 * and numbers such as {@code update}, how many updates there were.
 *
 * @param memory by the names of {@link Updates#memory}
 * @param notes the metadata
 */
public record OptimizerFile(Map<String, double[]> memory, Map<String, String> notes) {
  private static final String RULES = "optimizer";

  /**
   * Writes a file, complete or not at all.
   *
   * @param memory what is remembered, see {@link Updates#memory}
   * @param numbers what {@link #number} gives
   * @throws IllegalStateException where the rules remember something else
   */
  public static void write(
      Path path, Groups groups, Map<String, Tensor> memory, Map<String, ?> numbers)
      throws IOException {
    if (!memory.keySet().equals(groups.memory().keySet())) {
      throw new IllegalStateException(
          format(
              "%s remembers %s, and %s is there, of the rule that has trained: save before another"
                  + " rule is set",
              groups.spec(), groups.memory().keySet(), memory.keySet()));
    }
    Map<String, Safetensors.Entry> entries = new LinkedHashMap<>();
    memory.forEach(
        (name, tensor) -> {
          MemorySegment data =
              Arena.ofAuto().allocate(tensor.elements() * tensor.dtype().bytes(), 8);
          tensor.copyTo(data);
          String type = tensor.dtype().name();
          entries.put(name, new Safetensors.Entry(type, tensor.shape().toArray(), data));
        });
    Map<String, String> notes = new LinkedHashMap<>();
    notes.put(RULES, groups.spec());
    notes.put("settings", groups.settings());
    numbers.forEach((name, number) -> notes.put(name, number.toString()));
    Safetensors.write(path, entries, notes);
  }

  /**
   * Reads a file that was written for these groups.
   *
   * @throws IOException where it cannot be read, is no such file, or is of another rule or another
   *     network: what differs is said
   */
  public static OptimizerFile read(Path path, Groups groups) throws IOException {
    Safetensors.Contents contents = Safetensors.read(path);
    String rules = contents.metadata().get(RULES);
    if (rules == null) {
      throw new IOException(
          path + ": a safetensors file, but not of an optimizer: its metadata has no 'optimizer'");
    }
    if (!rules.equals(groups.spec())) {
      throw new IOException(
          format(
              "%s: what %s remembers, and the optimizer is %s: take the one that it is of",
              path, rules, groups.spec()));
    }
    Map<String, Shape> expected = groups.memory();
    checkNames(path, contents.tensors().keySet(), expected.keySet());
    Map<String, double[]> memory = new LinkedHashMap<>();
    for (Map.Entry<String, Shape> each : expected.entrySet()) {
      String name = each.getKey();
      Safetensors.Entry entry = contents.tensor(name);
      if (!Arrays.equals(entry.shape(), each.getValue().toArray())) {
        throw new IOException(
            format(
                "%s: %s has shape %s, and here %s: another network's optimizer",
                path, name, Arrays.toString(entry.shape()), each.getValue()));
      }
      memory.put(name, doubles(path, name, entry));
    }
    return new OptimizerFile(memory, contents.metadata());
  }

  private static void checkNames(Path path, Iterable<String> there, Iterable<String> wanted)
      throws IOException {
    TreeSet<String> missing = new TreeSet<>();
    wanted.forEach(missing::add);
    TreeSet<String> others = new TreeSet<>();
    there.forEach(others::add);
    List<String> both = missing.stream().filter(others::contains).toList();
    both.forEach(missing::remove);
    both.forEach(others::remove);
    if (!missing.isEmpty() || !others.isEmpty()) {
      throw new IOException(
          format(
              "%s: another network's optimizer: it lacks %s, and has %s beside",
              path,
              missing.isEmpty() ? "nothing" : String.join(", ", missing),
              others.isEmpty() ? "nothing" : String.join(", ", others)));
    }
  }

  private static double[] doubles(Path path, String name, Safetensors.Entry entry)
      throws IOException {
    boolean isDouble = entry.dtype().equals(DType.F64.name());
    if (!isDouble && !entry.dtype().equals(DType.F32.name())) {
      throw new IOException(
          format("%s: %s is %s, and must be F32 or F64", path, name, entry.dtype()));
    }
    MemorySegment data = entry.data();
    double[] values = new double[(int) (data.byteSize() / (isDouble ? Double.BYTES : Float.BYTES))];
    for (int i = 0; i < values.length; i++) {
      values[i] =
          isDouble
              ? data.getAtIndex(ValueLayout.JAVA_DOUBLE_UNALIGNED, i)
              : data.getAtIndex(ValueLayout.JAVA_FLOAT_UNALIGNED, i);
    }
    return values;
  }

  /**
   * A whole number beside what is remembered.
   *
   * @throws IOException where the file has none of that name from {@code least} to {@code most}
   */
  public long number(Path path, String name, long least, long most) throws IOException {
    long number = parsed(path, name, Long::valueOf);
    if (number < least || number > most) {
      throw new IOException(
          format(
              "%s: its metadata has the %s %d, which must be from %d to %d",
              path, name, number, least, most));
    }
    return number;
  }

  /**
   * The learning rate beside what is remembered.
   *
   * @throws IOException where the file has none that is finite and at least 0
   */
  public double rate(Path path) throws IOException {
    double rate = parsed(path, "rate", Double::valueOf);
    if (!(rate >= 0) || Double.isInfinite(rate)) {
      throw new IOException(
          format("%s: its metadata has the rate %s, which must be at least 0", path, rate));
    }
    return rate;
  }

  private <N> N parsed(Path path, String name, Function<String, N> parse) throws IOException {
    try {
      return parse.apply(notes.getOrDefault(name, ""));
    } catch (NumberFormatException e) {
      throw new IOException(
          format("%s: its metadata has no number '%s': %s", path, name, notes.get(name)), e);
    }
  }
}
