// SPDX-License-Identifier: Apache-2.0
package dev.weft;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.weft.device.Arguments;
import dev.weft.device.Contract;
import dev.weft.device.DeviceException;
import dev.weft.device.Kernel;
import dev.weft.device.Precision;
import dev.weft.device.Slots;
import dev.weft.device.cpu.CpuLibrary;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.reflect.RecordComponent;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Java's account of kernels, structs and enums is that of the native library. */
class ContractTest {
  private final Contract contract = CpuLibrary.get().contract();

  static Stream<Class<?>> records() {
    return Arrays.stream(Arguments.class.getPermittedSubclasses());
  }

  /** Every component gets a value of its own; the slots must hold them in order. */
  @ParameterizedTest
  @MethodSource("records")
  void slotsStandInTheOrderOfComponents(Class<?> record) throws Exception {
    List<Long> expected = new ArrayList<>();
    Arguments arguments = distinct(record, expected);
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment memory = arena.allocate(256, 8);
      Slots slots = new Slots();
      arguments.write(slots.into(memory));
      assertEquals(8L * expected.size(), slots.bytes());
      long[] written = memory.asSlice(0, slots.bytes()).toArray(ValueLayout.JAVA_LONG);
      assertEquals(expected, Arrays.stream(written).boxed().toList());
    }
  }

  private static Arguments distinct(Class<?> record, List<Long> slots) throws Exception {
    RecordComponent[] components = record.getRecordComponents();
    Class<?>[] types = new Class<?>[components.length];
    Object[] values = new Object[components.length];
    int flags = 0;
    for (int i = 0; i < components.length; i++) {
      types[i] = components[i].getType();
      if (types[i] == double.class) {
        values[i] = 1000.5 + i;
        slots.add(Double.doubleToRawLongBits(1000.5 + i));
      } else if (types[i] == boolean.class) {
        values[i] = flags++ % 2 == 0;
        slots.add((boolean) values[i] ? 1L : 0L);
      } else if (types[i].isEnum()) {
        int last = types[i].getEnumConstants().length - 1;
        values[i] = types[i].getEnumConstants()[last];
        slots.add((long) last);
      } else {
        assertEquals(long.class, types[i]);
        values[i] = 2000L + i;
        slots.add(2000L + i);
      }
    }
    return (Arguments) record.getDeclaredConstructor(types).newInstance(values);
  }

  @ParameterizedTest
  @EnumSource(Kernel.class)
  void kernelIsInTheLibraryWithItsStruct(Kernel kernel) {
    for (Precision precision : kernel.precisions()) {
      Contract.Entry entry = contract.entry(kernel, precision);
      assertEquals(kernel.symbol(precision), entry.symbol());
      assertEquals(
          kernel.arguments().getRecordComponents().length,
          contract.structs().get(entry.struct()).size());
      boolean library = !kernel.hasMachineCode();
      assertEquals(library, entry.threads() == 0);
      assertTrue(library || entry.threads() % 32 == 0 && entry.threads() <= 1024, entry::toString);
    }
  }

  @Test
  void aKernelThatBfloat16LacksIsRefused() {
    String message =
        assertThrows(
                IllegalArgumentException.class, () -> contract.entry(Kernel.ADAM, Precision.BF16))
            .getMessage();
    assertEquals("ADAM has no kernel for BF16; compute it in F32", message);
  }

  @Test
  void libraryHasNoKernelThatJavaLacks() {
    List<String> known =
        Stream.of(Kernel.values()).flatMap(k -> k.precisions().stream().map(k::symbol)).toList();
    assertEquals(
        List.of(), contract.kernels().keySet().stream().filter(s -> !known.contains(s)).toList());
  }

  @Test
  void tableWithoutAKernelIsRefused() {
    assertRefused(
        table().replaceAll("(?m)^kernel\t\\d+\tdropout_f64\t.*\n", ""), "no kernel dropout_f64");
  }

  @Test
  void tableWithoutABfloat16KernelIsRefused() {
    assertRefused(
        table().replaceAll("(?m)^kernel\t\\d+\tdropout_bf16\t.*\n", ""), "no kernel dropout_bf16");
  }

  @Test
  void tableWithExchangedFieldsIsRefused() {
    assertRefused(
        table()
            .replace("field\tfill\ty\t", "field\tfill\tother\t")
            .replace("field\tfill\tn\t", "field\tfill\ty\t")
            .replace("field\tfill\tother\t", "field\tfill\tn\t"),
        "struct fill of kernel fill_f32 differs from record Fill");
  }

  @Test
  void tableWithAnotherTypeIsRefused() {
    assertRefused(
        table().replace("field\tfill\tvalue\tD", "field\tfill\tvalue\tI"),
        "differs from record Fill");
  }

  @Test
  void tableWithOneMoreFieldIsRefused() {
    assertRefused(table() + "field\tfill\tmore\tI\t24\n", "differs from record Fill");
  }

  @Test
  void tableWithAShiftedFieldIsRefused() {
    assertRefused(
        table().replace("field\tfill\tvalue\tD\t16", "field\tfill\tvalue\tD\t24"),
        "differs from record Fill");
  }

  @Test
  void unchangedTableIsAccepted() {
    assertNotNull(new Contract(table(), "libtest.so"));
  }

  private void assertRefused(String doctored, String why) {
    assertNotEquals(table(), doctored, "the test did not change the table");
    DeviceException e =
        assertThrows(DeviceException.class, () -> new Contract(doctored, "libtest.so"));
    assertTrue(e.getMessage().startsWith("libtest.so does not match"), e.getMessage());
    assertTrue(e.getMessage().contains(why), e.getMessage());
  }

  /** The library's table, put together again from what was read. */
  private String table() {
    StringBuilder text = new StringBuilder();
    contract
        .structs()
        .forEach(
            (struct, fields) -> {
              text.append("struct\t%s\t%d\n".formatted(struct, 8 * fields.size()));
              for (Contract.Field f : fields) {
                text.append(
                    "field\t%s\t%s\t%s\t%d\n".formatted(struct, f.name(), f.kind(), f.offset()));
              }
            });
    for (Contract.Entry k : contract.kernels().values()) {
      text.append(
          "kernel\t%d\t%s\t%s\t%d\t%d\n"
              .formatted(k.number(), k.symbol(), k.struct(), k.threads(), k.items()));
    }
    return text.toString();
  }
}
