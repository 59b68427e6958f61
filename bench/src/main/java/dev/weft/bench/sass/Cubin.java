// SPDX-License-Identifier: Apache-2.0
package dev.weft.bench.sass;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.BiConsumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A module in machine code for one chip: an ELF file of 64 bits, with a section {@code .text.NAME}
 * for each and what the driver must know of them in {@code .nv.info}.
 */
public final class Cubin {
  private static final int ELF_MAGIC = 0x464C457F;
  private static final int SYMBOL_TABLE = 2;
  private static final int FUNCTION = 2;
  private static final String TEXT = ".text.";
  private static final Pattern VERSION = Pattern.compile("V\\d+[.\\d]+");
  private static final int HAS_SIZE = 4; // of the forms that an entry of .nv.info has
  private static final int REGISTERS = 0x2f; // its words: symbol, registers of a thread

  /** A section by its header: where names, its bytes and its sister section are. */
  private record Section(int type, int start, int size, int link) {}

  private final ByteBuffer content;
  private final Map<String, Section> sections = new TreeMap<>();
  private Section symbols;
  private int names; // where those of the symbols begin

  /**
   * Finds the sections.
   *
   * @throws IllegalArgumentException where it is no ELF file
   */
  public Cubin(byte[] bytes) {
    content = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    if (bytes.length < 64 || content.getInt(0) != ELF_MAGIC) {
      throw new IllegalArgumentException("it is no ELF file");
    }
    int headers = Math.toIntExact(content.getLong(40));
    int nameHeader = headers + 64 * content.getShort(62);
    int nameStart = Math.toIntExact(content.getLong(nameHeader + 24));
    for (int i = 0; i < content.getShort(60); i++) {
      int header = headers + 64 * i;
      Section section =
          new Section(
              content.getInt(header + 4),
              Math.toIntExact(content.getLong(header + 24)),
              Math.toIntExact(content.getLong(header + 32)),
              content.getInt(header + 40));
      sections.put(text(nameStart + content.getInt(header)), section);
      if (section.type == SYMBOL_TABLE) {
        symbols = section;
        names = Math.toIntExact(content.getLong(headers + 64 * section.link + 24));
      }
    }
  }

  private String text(int start) {
    int end = start;
    while (content.get(end) != 0) {
      end++;
    }
    byte[] name = new byte[end - start];
    content.get(start, name);
    return new String(name, StandardCharsets.US_ASCII);
  }

  private String symbol(int index) {
    return text(names + content.getInt(symbols.start + 24 * index));
  }

  /** The functions in the symbol table. */
  public Set<String> functions() {
    Set<String> functions = new TreeSet<>();
    for (int i = 0; i < symbols.size / 24; i++) {
      int symbol = symbols.start + 24 * i;
      boolean defined = content.getShort(symbol + 6) != 0;
      if (defined && (content.get(symbol + 4) & 15) == FUNCTION) {
        functions.add(symbol(i));
      }
    }
    return functions;
  }

  /** The instructions of each kernel, with the functions that it calls behind them. */
  public Map<String, byte[]> code() {
    Map<String, byte[]> code = new TreeMap<>();
    sections.forEach(
        (name, section) -> {
          if (name.startsWith(TEXT)) {
            byte[] bytes = new byte[section.size];
            content.get(section.start, bytes);
            code.put(name.substring(TEXT.length()), bytes);
          }
        });
    return code;
  }

  /** The version of the assembler: V13.0.88; ? where it is not said. */
  public String assembler() {
    Section note = sections.get(".note.nv.tkinfo");
    if (note == null) {
      return "?";
    }
    byte[] bytes = new byte[note.size];
    content.get(note.start, bytes);
    Matcher version = VERSION.matcher(new String(bytes, StandardCharsets.US_ASCII));
    return version.find() ? version.group() : "?";
  }

  /** The registers that a thread of each kernel has. */
  public Map<String, Integer> registers() {
    Map<String, Integer> registers = new TreeMap<>();
    info(
        (attribute, words) -> {
          if (attribute == REGISTERS) {
            registers.put(symbol(content.getInt(words)), content.getInt(words + 4));
          }
        });
    return registers;
  }

  /**
   * An entry is u8 form, u8 attribute, u16 value, which is the bytes that follow if it has a size.
   */
  private void info(BiConsumer<Integer, Integer> entry) {
    Section info = sections.get(".nv.info");
    int at = info.start;
    while (at < info.start + info.size) {
      boolean sized = content.get(at) == HAS_SIZE;
      if (sized) {
        entry.accept((int) content.get(at + 1), at + 4);
      }
      at += 4 + (sized ? content.getShort(at + 2) : 0);
    }
  }
}
