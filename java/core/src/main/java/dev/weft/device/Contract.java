// SPDX-License-Identifier: Apache-2.0
package dev.weft.device;

import static dev.weft.format.Format.format;
import static java.util.Locale.ROOT;

import java.lang.reflect.RecordComponent;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.regex.Pattern;

/**
 * The native library's own account of kernels and structs, as {@code weft_abi_table()} prints it,
 * and the check that this Java code agrees with it. Made once, when the CPU library is loaded.
 */
public final class Contract {
  /** A kernel as the native side numbers and launches it. */
  public record Entry(int number, String symbol, String struct, int threads, int items) {}

  /** A field of a struct: its C name, its kind (P, I or D) and its offset in bytes. */
  public record Field(String name, char kind, long offset) {}

  private static final Pattern UNDERSCORE = Pattern.compile("_(.)");

  private final Map<String, Entry> kernels = new LinkedHashMap<>();
  private final Map<String, List<Field>> structs = new LinkedHashMap<>();
  private final Entry[][] entries;

  /**
   * Reads the table and holds {@link Kernel} and {@link Arguments} against it.
   *
   * @param table the text of {@code weft_abi_table()}
   * @param library the file it came from, for messages
   * @throws DeviceException where the two differ; the message lists every difference
   */
  public Contract(String table, String library) {
    table.lines().forEach(line -> read(line.split("\t")));
    List<String> differences = new ArrayList<>();
    entries = new Entry[Kernel.values().length][Precision.values().length];
    for (Kernel kernel : Kernel.values()) {
      for (Precision precision : Precision.values()) {
        if (!kernel.exists(precision)) {
          continue;
        }
        Entry entry = kernels.get(kernel.symbol(precision));
        if (entry == null) {
          differences.add("the library has no kernel " + kernel.symbol(precision));
          continue;
        }
        entries[kernel.ordinal()][precision.ordinal()] = entry;
        compareFields(kernel, entry, differences);
      }
    }
    if (!differences.isEmpty()) {
      throw new DeviceException(
          format(
              "%s does not match this version of Weft; build both from the same sources. %s",
              library, String.join("; ", differences.stream().distinct().toList())));
    }
  }

  private void read(String[] words) {
    switch (words[0]) {
      case "struct" -> structs.put(words[1], new ArrayList<>());
      case "field" ->
          Objects.requireNonNull(structs.get(words[1]))
              .add(new Field(words[2], words[3].charAt(0), Long.parseLong(words[4])));
      case "kernel" ->
          kernels.put(
              words[2],
              new Entry(
                  Integer.parseInt(words[1]),
                  words[2],
                  words[3],
                  Integer.parseInt(words[4]),
                  Integer.parseInt(words[5])));
      default -> throw new DeviceException("unknown line in the kernel table: " + words[0]);
    }
  }

  private void compareFields(Kernel kernel, Entry entry, List<String> differences) {
    List<Field> fields = structs.get(entry.struct());
    RecordComponent[] components = kernel.arguments().getRecordComponents();
    boolean same = fields != null && fields.size() == components.length;
    for (int i = 0; fields != null && same && i < components.length; i++) {
      Field field = fields.get(i);
      same =
          components[i].getName().equals(camelCase(field.name()))
              && (components[i].getType() == double.class) == (field.kind() == 'D')
              && field.offset() == 8L * i;
    }
    if (!same) {
      differences.add(
          format(
              "struct %s of kernel %s differs from record %s",
              entry.struct(), entry.symbol(), kernel.arguments().getSimpleName()));
    }
  }

  private static String camelCase(String name) {
    return UNDERSCORE.matcher(name).replaceAll(letter -> letter.group(1).toUpperCase(ROOT));
  }

  /** How many kernels the native side has; an entry's number is below. */
  public int size() {
    return kernels.size();
  }

  /**
   * The native side's entry for a kernel.
   *
   * @throws IllegalArgumentException where there is no such kernel
   */
  public Entry entry(Kernel kernel, Precision precision) {
    kernel.symbol(precision);
    return entries[kernel.ordinal()][precision.ordinal()];
  }

  /** Every kernel of the library by symbol, in its order. */
  public Map<String, Entry> kernels() {
    return kernels;
  }

  /** Every struct of the library by name, its fields in order. */
  public Map<String, List<Field>> structs() {
    return structs;
  }
}
