// SPDX-License-Identifier: Apache-2.0
package dev.weft.bench.harness;

import dev.weft.bench.kernel.KernelCase;
import dev.weft.bench.kernel.KernelCases;
import dev.weft.bench.kernel.KernelMemory;
import dev.weft.bench.kernel.KernelMemory.Type;
import dev.weft.device.Call;
import dev.weft.device.Contract;
import dev.weft.device.Cost;
import dev.weft.device.Element;
import dev.weft.device.Kernel;
import dev.weft.device.Operand;
import dev.weft.device.Phase;
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
import java.util.stream.LongStream;
import java.util.stream.Stream;
import java.util.zip.CRC32;

/**
 * The case file of {@code native/harness}: every call of every kernel but cuBLAS's, with the memory
 * before it and what the CPU makes of it; and those that are timed, with a rule for large operands.
 * {@code native/harness/cases.h} describes the format.
 */
public final class CaseFile {
  /** In the order of the harness. */
  enum Role {
    INPUT,
    OUTPUT,
    INOUT,
    SCRATCH;

    /** What the first call that has it reads is there before; what any writes is another after. */
    static Role of(boolean read, boolean written) {
      return !written ? INPUT : read ? INOUT : OUTPUT;
    }
  }

  /** In the order of the harness: never, over sets of operands in turn, in a graph. */
  private enum Timed {
    NOT,
    IN_MEMORY,
    IN_CACHE
  }

  private static final int VERSION = 2;
  private static final int NONE = -1;
  private static final double MEGABYTES = 256; // of an operand in memory
  private static final double MOST_OF_F64 = 16_000; // bytes of the same case in float32
  private static final double CACHED_BYTES = 256 << 10; // and in a cache

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
   * @param arguments its path, and the megabytes of an operand that is timed in memory, or 256
   */
  public static void main(String[] arguments) throws IOException {
    double megabytes = arguments.length > 1 ? Double.parseDouble(arguments[1]) : MEGABYTES;
    write(Path.of(arguments[0]), megabytes, List.of(Kernel.values()));
  }

  /**
   * Runs calls on the CPU and writes what came out, and what is timed.
   *
   * @param megabytes of an operand that is timed in memory
   * @param replayed the kernels whose calls are run
   */
  public static void write(Path path, double megabytes, List<Kernel> replayed) throws IOException {
    double bytes = megabytes * 1e6;
    try (CpuBackend cpu = new CpuBackend(0)) {
      CaseFile file = new CaseFile(cpu);
      for (Kernel kernel : Kernel.values()) {
        List<Precision> precisions = !kernel.hasMachineCode() ? List.of() : kernel.precisions();
        for (Precision precision : precisions) {
          file.addTimed(kernel, precision, Timed.IN_MEMORY, bytes);
          double cached = Math.min(bytes, CACHED_BYTES);
          file.addTimed(kernel, precision, Timed.IN_CACHE, cached);
          if (replayed.contains(kernel)) {
            Timed timed = KernelCases.isTimedAsTested(kernel) ? Timed.IN_CACHE : Timed.NOT;
            replayed(kernel, precision).forEach(one -> file.add(one, precision, timed));
          }
        }
      }
      file.save(path);
    }
  }

  /**
   * Of float64, whose code is that of float32 and whose results do not pack, small cases are
   * enough, or the smallest: a bundle has to stay small.
   */
  private static Stream<KernelCase> replayed(Kernel kernel, Precision precision) {
    List<KernelCase> all = KernelCases.of(kernel);
    if (precision != Precision.F64 || KernelCases.isTimedAsTested(kernel)) {
      return all.stream();
    }
    double least = all.stream().mapToDouble(one -> one.cost().bytes()).min().orElse(0);
    double most = Math.max(least, MOST_OF_F64);
    return all.stream().filter(one -> one.cost().bytes() <= most);
  }

  /** Makes the calls of a case, and keeps what was there before them and after. */
  private void add(KernelCase one, Precision precision, Timed timed) {
    try (KernelMemory memory = new KernelMemory(cpu, precision)) {
      List<Call> calls = one.calls(memory);
      List<byte[]> before = memory.buffers().stream().map(memory::raw).toList();
      calls.forEach(call -> cpu.run(call.kernel(), precision, call.arguments()));
      LongStream addresses = memory.buffers().stream().mapToLong(KernelMemory.Buffer::address);
      Bytes bytes = head(calls, timed, 0, addresses);
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

  /** What is timed over operands of so many bytes. */
  private void addTimed(Kernel kernel, Precision precision, Timed timed, double size) {
    long elements = Math.max(1, Math.round(size / precision.bytes()));
    for (KernelCase one : KernelCases.timed(kernel, elements).toList()) {
      Call call = new Call(kernel, precision, one.call(), Phase.OTHER, one.name());
      List<Operand> operands =
          one.call().operands().stream().filter(operand -> operand.address() != 0).toList();
      LongStream addresses = operands.stream().mapToLong(Operand::address);
      Bytes bytes = head(List.of(call), timed, size, addresses);
      operands.forEach(operand -> TimedOperand.write(bytes, one, operand, precision));
      cases.add(bytes.take());
    }
  }

  /** What stands before the buffers, of which a call's pointers are numbers. */
  private static Bytes head(List<Call> calls, Timed timed, double size, LongStream addresses) {
    Call own = calls.getLast();
    Cost cost = own.cost();
    Bytes bytes = new Bytes().text(own.symbol()).text(own.layer());
    bytes.number(Type.valueOf(own.precision().name()).ordinal());
    bytes.real(cost.bytes()).real(cost.flops()).number(timed.ordinal()).real(size);
    bytes.number(calls.size());
    List<Long> places = addresses.boxed().toList();
    calls.forEach(call -> addLaunch(bytes, call, places));
    return bytes.number(places.size());
  }

  private static void addLaunch(Bytes bytes, Call call, List<Long> places) {
    Contract.Entry entry = CpuLibrary.get().contract().entry(call.kernel(), call.precision());
    long[] words = new long[call.kernel().arguments().getRecordComponents().length];
    call.arguments().write(new Slots().into(MemorySegment.ofArray(words)));
    int blocks = Math.toIntExact(Math.ceilDiv(call.arguments().work(), entry.items()));
    bytes.text(entry.symbol()).number(entry.threads()).number(blocks).number(words.length);
    int pointers = call.arguments().operands().size(); // they stand before numbers
    for (int i = 0; i < words.length; i++) {
      boolean points = i < pointers && words[i] != 0;
      bytes.number(points ? places.indexOf(words[i]) : NONE).word(points ? 0 : words[i]);
    }
  }

  private static Role role(KernelMemory.Buffer buffer, List<Call> calls) {
    List<List<Operand>> uses =
        calls.stream()
            .map(call -> call.arguments().operands().stream())
            .map(all -> all.filter(o -> o.address() == buffer.address()).toList())
            .filter(operands -> !operands.isEmpty())
            .toList();
    boolean read = uses.getFirst().stream().anyMatch(o -> o.access().reads());
    boolean written = uses.stream().flatMap(List::stream).anyMatch(o -> o.access().writes());
    return buffer.element() == Element.OPAQUE ? Role.SCRATCH : Role.of(read, written);
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
