// SPDX-License-Identifier: Apache-2.0
package dev.weft.bench.sass;

import static dev.weft.format.Format.format;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/**
 * What is read from listings of machine code, by hand-worked ones; and that the committed table is
 * one of the kernels as they are, as far as that shows without a disassembler.
 */
class KernelCodeTest {
  private static final Path TABLE =
      Path.of(System.getProperty("weft.root"), "bench", "results", "sass-sm_90.md");
  private static final Pattern ASSEMBLER = Pattern.compile("ptxas (V[.\\d]+)");

  private static String listing(String... lines) {
    StringBuilder text = new StringBuilder("\t.headerflags @\"EF_CUDA_SM90\"\n");
    for (int i = 0; i < lines.length; i++) {
      text.append(format("        /*%04x*/  %s ;%n", 16 * i, lines[i]));
    }
    return text.toString();
  }

  /** y = -x, two packs a thread, where the pointers are aligned, else element by element. */
  private static final String[] NEGATE = {
    "S2R R2, SR_TID.X",
    "ISETP.GE.U32.AND P0, PT, R2, UR8, PT",
    "@P0 EXIT",
    "@!P1 BRA 0x80",
    "LDG.E R4, [R2.64]",
    "FADD R4, -R4, -RZ",
    "STG.E [R6.64], R4",
    "EXIT",
    "LDG.E.128 R8, [R2.64]", // 0x80
    "LDG.E.128 R12, [R2.64+0x800]",
    "FADD R8, -R8, -RZ",
    "FADD R15, -R15, -RZ",
    "STG.E.128 [R6.64], R8",
    "STG.E.128.STRONG.SM [R6.64+0x800], R12",
    "EXIT",
    "BRA 0xf0",
  };

  @Test
  void theWidestWayIsTheMainPart() {
    // four instructions to the branch, seven behind it; four accesses of 16 bytes
    assertEquals(new KernelCode(16, 0, 2, 2, false, 11, 64, 2), KernelCode.of(listing(NEGATE)));
    assertEquals(2.75, KernelCode.of(listing(NEGATE)).per16Bytes());
  }

  @Test
  void aLoadThatIsNeededAtOnceWaitsAlone() {
    String[] waits = NEGATE.clone();
    waits[9] = "FADD R8, -R8, -RZ";
    waits[10] = "LDG.E.128 R12, [R2.64+0x800]";
    assertEquals(1, KernelCode.of(listing(waits)).loadsInFlight());
    // the address of the second comes from the first
    waits = NEGATE.clone();
    waits[9] = "LDG.E.128 R12, [R8.64+0x800]";
    assertEquals(1, KernelCode.of(listing(waits)).loadsInFlight());
    // the high word of an address
    waits[9] = "LDG.E.128 R12, [R10.64+0x800]";
    assertEquals(1, KernelCode.of(listing(waits)).loadsInFlight());
    waits[9] = "LDG.E.128 R12, [R16.64+0x800]";
    assertEquals(2, KernelCode.of(listing(waits)).loadsInFlight());
  }

  @Test
  void localMemoryAndNarrowAccessesAreCounted() {
    String[] local = NEGATE.clone();
    local[10] = "@!P2 STL.64 [R20], R8";
    local[11] = "LDL R15, [R20+0x4]";
    assertEquals(2, KernelCode.of(listing(local)).local());
    String[] narrow = NEGATE.clone();
    narrow[8] = "LDG.E.64.CONSTANT R8, desc[UR4][R2.64]";
    KernelCode code = KernelCode.of(listing(narrow));
    assertEquals(1, code.wideLoads());
    assertEquals(56, code.mainBytes());
  }

  /** A sum: a loop of three instructions over 32 bytes, then a loop that folds in shared memory. */
  private static final String[] SUM = {
    "CS2R R4, SRZ",
    "ISETP.GE.AND P0, PT, R2, UR4, PT",
    "@P0 BRA 0x80",
    "LDG.E.128 R8, [R2.64]", // 0x30
    "LDG.E.128 R12, [R2.64+0x800]",
    "FADD R4, R4, R8",
    "FADD R4, R4, R12",
    "@!P1 BRA 0x30",
    "STS [R20], R4", // 0x80
    "LDS R5, [R20+0x10]",
    "FADD R4, R4, R5",
    "@P2 BRA 0x80",
    "STG.E [R6.64], R4",
    "EXIT",
  };

  @Test
  void theLoopThatMovesTheMostIsTheMainPart() {
    assertEquals(new KernelCode(14, 0, 2, 0, true, 5, 32, 2), KernelCode.of(listing(SUM)));
    // one that begins with its condition and goes back without one
    String[] early = SUM.clone();
    early[3] = "@P1 BRA 0x80";
    early[4] = "LDG.E.128 R8, [R2.64]";
    early[6] = "IADD3 R2, R2, 0x800, RZ";
    early[7] = "BRA 0x30";
    assertEquals(new KernelCode(14, 0, 1, 0, true, 5, 16, 1), KernelCode.of(listing(early)));
  }

  @Test
  void whatCannotBeFollowedIsSaid() {
    String[] table = NEGATE.clone();
    table[3] = "BRX R4 -0x10";
    assertThrows(IllegalArgumentException.class, () -> KernelCode.of(listing(table)));
    String hole = listing(NEGATE).replace("/*0050*/", "/*0058*/");
    assertEquals(
        "the instruction at 0x50 was left out; nvdisasm of CUDA 12 or newer is wanted",
        assertThrows(IllegalArgumentException.class, () -> KernelCode.of(hole)).getMessage());
    assertThrows(IllegalArgumentException.class, () -> KernelCode.of("nothing"));
  }

  /** The registers by kernel. */
  private static Map<String, Integer> rows(String table) {
    Map<String, Integer> rows = new TreeMap<>();
    for (String line : table.lines().filter(one -> one.matches("\\| \\w+ \\| \\d.*")).toList()) {
      String[] cells = line.split(" *\\| *");
      rows.put(cells[1], Integer.parseInt(cells[2]));
    }
    return rows;
  }

  /** What shows that a table is of other kernels than these. */
  private static List<String> differences(String table, Map<String, Integer> registers) {
    List<String> differences = new ArrayList<>();
    rows(table)
        .forEach(
            (kernel, was) -> {
              Integer is = registers.get(kernel);
              if (is == null) {
                differences.add(kernel + " is gone");
              } else if (is > was + Math.max(8, was / 4)) {
                differences.add(kernel + " had " + was + " registers and has " + is);
              }
            });
    return differences;
  }

  @Test
  void theCommittedTableIsOfTheseKernels() throws IOException {
    List<Cubin> modules = ChipCode.of(90);
    assumeTrue(!modules.isEmpty(), "this build has no code for sm_90");
    Map<String, Integer> registers = new TreeMap<>();
    for (Cubin module : modules) {
      assertEquals(module.code().keySet(), module.registers().keySet());
      registers.putAll(module.registers());
    }
    String table = Files.readString(TABLE);
    Matcher assembler = ASSEMBLER.matcher(table);
    assertTrue(assembler.find(), "the table says what made it");
    assertTrue(rows(table).size() > 70, "rows: " + rows(table).size());
    String built = modules.getFirst().assembler();
    assumeTrue(
        built.equals(assembler.group(1)),
        () -> "the table is of " + assembler.group() + ", this build of " + built);
    assertEquals(
        List.of(),
        differences(table, registers),
        "if that is meant, ./weft bench sass makes the table anew; bench/README.md has it");
  }

  @Test
  void moreRegistersWouldBeSeen() throws IOException {
    String table = Files.readString(TABLE);
    Map<String, Integer> registers = rows(table);
    assertEquals(List.of(), differences(table, registers));
    int was = registers.get("adam_f32");
    int more = was + was / 4 + 1;
    registers.put("a_new_kernel_f32", 40);
    registers.put("adam_f32", more);
    registers.remove("fill_f32");
    assertEquals(
        List.of(format("adam_f32 had %d registers and has %d", was, more), "fill_f32 is gone"),
        differences(table, registers));
  }
}
