// SPDX-License-Identifier: Apache-2.0
package dev.weft.bench.sass;

import static dev.weft.format.Format.format;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * One line of a listing.
 *
 * @param address in bytes from the beginning of its kernel
 * @param guard the predicate that it depends on, or empty
 * @param opcode with its suffixes: LDG.E.128
 * @param operands such as {@code R4, [R2.64+0x10]}
 */
record Instruction(int address, String guard, String opcode, String operands) {
  private static final Pattern LINE =
      Pattern.compile(
          "^\\s*/\\*([0-9a-f]+)\\*/\\s+(?:@(!?U?P\\w+)\\s+)?([A-Z][A-Z0-9_.]*)\\s*([^;]*?)\\s*;");
  private static final int BYTES = 16; // of an instruction
  private static final Pattern REGISTER = Pattern.compile("\\bR(\\d+)\\b(\\.64)?");
  private static final Pattern TARGET = Pattern.compile("0x([0-9a-f]+)$");
  private static final Set<String> LOADS = Set.of("LDG", "LD");
  private static final Set<String> STORES = Set.of("STG", "ST", "RED", "REDG", "ATOM", "ATOMG");
  private static final Set<String> LOCAL = Set.of("LDL", "STL");
  private static final Set<String> ENDS = Set.of("EXIT", "RET", "KILL");

  /**
   * What the disassembler printed.
   *
   * @throws IllegalArgumentException where an instruction is left out, which one of CUDA 11 does
   *     with those that it does not know
   */
  static List<Instruction> listing(String text) {
    List<Instruction> all = new ArrayList<>();
    for (String line : text.lines().toList()) {
      Matcher found = LINE.matcher(line);
      if (found.find()) {
        String guard = found.group(2) == null ? "" : found.group(2);
        int address = Integer.parseInt(found.group(1), 16);
        if (address != BYTES * all.size()) {
          throw new IllegalArgumentException(
              format(
                  "the instruction at 0x%x was left out; nvdisasm of CUDA 12 or newer is wanted",
                  BYTES * all.size()));
        }
        all.add(new Instruction(address, guard, found.group(3), found.group(4)));
      }
    }
    return all;
  }

  private String name() {
    return opcode.substring(0, (opcode + ".").indexOf('.'));
  }

  /** Whether it reads global memory, or what may be. */
  boolean loads() {
    return LOADS.contains(name());
  }

  /** Whether it writes global memory, or what may be; atomic additions do. */
  boolean stores() {
    return STORES.contains(name());
  }

  /** Whether it reads or writes a thread's own memory, which lies where global memory does. */
  boolean isLocal() {
    return LOCAL.contains(name());
  }

  /** Bytes that an access moves for a thread. */
  int width() {
    for (String suffix : opcode.split("\\.")) {
      switch (suffix) {
        case "256" -> {
          return 32;
        }
        case "128" -> {
          return 16;
        }
        case "64" -> {
          return 8;
        }
        case "U16", "S16" -> {
          return 2;
        }
        case "U8", "S8" -> {
          return 1;
        }
        default -> {}
      }
    }
    return 4;
  }

  private boolean isBranch() {
    return name().equals("BRA") || name().equals("JMP");
  }

  /** Whether the next instruction may not be the one below it. */
  boolean leaves() {
    return isBranch() || ENDS.contains(name());
  }

  /** Whether the next instruction may be the one below it. */
  boolean fallsThrough() {
    boolean conditional =
        !guard.isEmpty() || isBranch() && (operands.contains(",") || opcode.contains(".DIV"));
    return !leaves() || conditional;
  }

  /**
   * Where a branch goes, or -1.
   *
   * @throws IllegalArgumentException for a branch to a place that it computes
   */
  int target() {
    if (name().equals("BRX") || name().equals("JMX")) {
      throw new IllegalArgumentException("a branch over a table cannot be followed: " + this);
    }
    if (!isBranch()) {
      return -1;
    }
    Matcher target = TARGET.matcher(operands);
    if (!target.find()) {
      throw new IllegalArgumentException("a branch without a place: " + this);
    }
    return Integer.parseInt(target.group(1), 16);
  }

  /** The registers that a load fills. */
  Set<Integer> filled() {
    Set<Integer> filled = new TreeSet<>();
    Matcher first = REGISTER.matcher(operands);
    if (loads() && first.find()) {
      for (int i = 0; i < Math.max(1, width() / 4); i++) {
        filled.add(Integer.parseInt(first.group(1)) + i);
      }
    }
    return filled;
  }

  /** The registers that it names, and those beside them that an address or a store takes. */
  Set<Integer> named() {
    Set<Integer> named = new TreeSet<>();
    Matcher register = REGISTER.matcher(operands);
    while (register.find()) {
      int number = Integer.parseInt(register.group(1));
      boolean address = register.group(2) != null;
      int words = stores() && !address ? Math.max(1, width() / 4) : address ? 2 : 1;
      for (int i = 0; i < words; i++) {
        named.add(number + i);
      }
    }
    return named;
  }
}
