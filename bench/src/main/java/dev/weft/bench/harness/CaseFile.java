// SPDX-License-Identifier: Apache-2.0
package dev.weft.bench.harness;

import dev.weft.bench.kernel.KernelCase;
import dev.weft.bench.kernel.KernelCases;
import dev.weft.bench.kernel.KernelMemory;
import dev.weft.device.Access;
import dev.weft.device.Call;
import dev.weft.device.Contract;
import dev.weft.device.Cost;
import dev.weft.device.Element;
import dev.weft.device.Kernel;
import dev.weft.device.Operand;
import dev.weft.device.Precision;
import dev.weft.device.Slots;
import dev.weft.device.cpu.CpuBackend;
import dev.weft.device.cpu.CpuLibrary;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.zip.CRC32;

/**
 * The case file of {@code native/harness}: every call of every kernel but cuBLAS's, with the memory
 * before it and what the CPU makes of it. {@code native/harness/cases.h} describes the format.
 */
public final class CaseFile {
  /** In the order of the harness. */
  private enum Role {
    INPUT,
    OUTPUT,
    INOUT,
    SCRATCH
  }

  private static final int VERSION = 1;
  private static final int NONE = -1;

  private final Map<ByteBuffer, Integer> places = new HashMap<>(); // of blobs, by their content
  private final List<byte[]> blobs = new ArrayList<>();
  private final List<byte[]> cases = new ArrayList<>();
  private final CpuBackend cpu;

  private CaseFile(CpuBackend cpu) {
    this.cpu = cpu;
  }

  /**
   * Writes the file.
   *
   * @param arguments its path
   */
  public static void main(String[] arguments) throws IOException {
    write(Path.of(arguments[0]));
  }

  /** Runs every call on the CPU and writes what came out. */
  public static void write(Path path) throws IOException {
    try (CpuBackend cpu = new CpuBackend()) {
      CaseFile file = new CaseFile(cpu);
      for (Kernel kernel : Kernel.values()) {
        if (kernel.kind() != Kernel.Kind.LIBRARY) {
          for (Precision precision : kernel.precisions()) {
            KernelCases.of(kernel).forEach(one -> file.add(one, precision));
          }
        }
      }
      file.save(path);
    }
  }

  /** Makes the calls of a case, and keeps what was there before them and after. */
  private void add(KernelCase one, Precision precision) {
    try (KernelMemory memory = new KernelMemory(cpu, precision)) {
      List<Call> calls = one.calls(memory);
      List<byte[]> before = memory.buffers().stream().map(memory::raw).toList();
      calls.forEach(call -> cpu.run(call.kernel(), precision, call.arguments()));
      Cost cost = calls.getLast().cost(); // the kernel whose case it is
      Bytes bytes = new Bytes().text(one.kernel().symbol(precision)).text(one.name());
      bytes.real(cost.bytes()).real(cost.flops()).number(calls.size());
      calls.forEach(call -> addLaunch(bytes, call, memory));
      bytes.number(before.size());
      for (int b = 0; b < before.size(); b++) {
        KernelMemory.Buffer buffer = memory.buffers().get(b);
        Role role = role(buffer, calls);
        boolean read = role == Role.INPUT || role == Role.INOUT;
        boolean written = role == Role.OUTPUT || role == Role.INOUT;
        byte[] after = memory.raw(buffer);
        bytes.text(buffer.name()).number(buffer.type().ordinal()).number(role.ordinal());
        bytes.word(buffer.bytes()).number(read ? before(buffer, before.get(b)) : NONE);
        bytes.number(written ? blob(after, after) : NONE).real(buffer.type().tolerance());
      }
      cases.add(bytes.take());
    }
  }

  private static void addLaunch(Bytes bytes, Call call, KernelMemory memory) {
    Contract.Entry entry = CpuLibrary.get().contract().entry(call.kernel(), call.precision());
    long[] words = new long[call.kernel().arguments().getRecordComponents().length];
    call.arguments().write(new Slots().into(MemorySegment.ofArray(words)));
    int blocks = Math.toIntExact(Math.ceilDiv(call.arguments().work(), entry.items()));
    bytes.text(entry.symbol()).number(entry.threads()).number(blocks).number(words.length);
    List<Long> addresses = memory.buffers().stream().map(KernelMemory.Buffer::address).toList();
    int pointers = call.arguments().operands().size(); // they stand before numbers
    for (int i = 0; i < words.length; i++) {
      boolean points = i < pointers && words[i] != 0;
      bytes.number(points ? addresses.indexOf(words[i]) : NONE).word(points ? 0 : words[i]);
    }
  }

  /** What the first call that has it reads is there before; what any writes is another after. */
  private static Role role(KernelMemory.Buffer buffer, List<Call> calls) {
    if (buffer.element() == Element.OPAQUE) {
      return Role.SCRATCH;
    }
    List<List<Access>> uses =
        calls.stream()
            .map(call -> call.arguments().operands().stream())
            .map(o -> o.filter(p -> p.address() == buffer.address()).map(Operand::access).toList())
            .filter(accesses -> !accesses.isEmpty())
            .toList();
    if (uses.stream().flatMap(List::stream).noneMatch(Access::writes)) {
      return Role.INPUT;
    }
    return uses.getFirst().stream().anyMatch(Access::reads) ? Role.INOUT : Role.OUTPUT;
  }

  /** What is drawn is not stored: the harness draws it, too. */
  private int before(KernelMemory.Buffer buffer, byte[] content) {
    KernelMemory.Drawn drawn = buffer.drawn();
    if (drawn == null) {
      return blob(content, content);
    }
    Bytes recipe = new Bytes().number(buffer.type().ordinal()).number(checksum(content));
    recipe.word(content.length).word(drawn.seed()).real(drawn.low()).real(drawn.high());
    return blob(content, recipe.take());
  }

  /** The place of a content; stored is what the file has of it where it is new. */
  private int blob(byte[] content, byte[] stored) {
    return places.computeIfAbsent(
        ByteBuffer.wrap(content),
        key -> {
          blobs.add(new Bytes().number(stored == content ? 0 : 1).raw(stored).take());
          return places.size();
        });
  }

  private void save(Path path) throws IOException {
    Bytes head = new Bytes();
    head.raw("WEFTCASE".getBytes(StandardCharsets.US_ASCII));
    head.number(VERSION).number(blobs.size()).number(cases.size());
    byte[] first = head.take();
    Bytes all = new Bytes().raw(first).number(checksum(first));
    blobs.forEach(blob -> part(all, blob));
    cases.forEach(one -> part(all, one));
    Files.createDirectories(path.toAbsolutePath().getParent());
    Files.write(path, all.take());
  }

  private static void part(Bytes all, byte[] content) {
    all.number(content.length).number(checksum(content)).raw(content);
  }

  private static int checksum(byte[] content) {
    CRC32 sum = new CRC32();
    sum.update(content);
    return (int) sum.getValue();
  }
}
