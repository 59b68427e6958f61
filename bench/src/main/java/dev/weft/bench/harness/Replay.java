// SPDX-License-Identifier: Apache-2.0
package dev.weft.bench.harness;

import dev.weft.bench.kernel.KernelCase;
import dev.weft.bench.kernel.KernelMemory;
import dev.weft.device.Access;
import dev.weft.device.Backend;
import dev.weft.device.Call;
import dev.weft.device.Contract;
import dev.weft.device.Cost;
import dev.weft.device.Element;
import dev.weft.device.Operand;
import dev.weft.device.Precision;
import dev.weft.device.Slots;
import dev.weft.device.cpu.CpuLibrary;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/** Runs calls of kernels on the CPU and tells them as {@code native/harness} replays them. */
final class Replay {
  /** In the order of the harness. */
  enum Type {
    F32,
    F64,
    BF16,
    I32,
    I64,
    U8
  }

  /** In the order of the harness. */
  enum Role {
    INPUT,
    OUTPUT,
    INOUT,
    SCRATCH
  }

  /** A slot of an argument struct: a value, or the address of a buffer. */
  record Slot(int buffer, long value) {}

  record Launch(String symbol, int threads, int blocks, List<Slot> slots) {}

  /**
   * Its content before, which may be drawn, and after; null where nobody may read it before, or
   * look at it after.
   */
  record Buffer(
      String name,
      Type type,
      Role role,
      long bytes,
      byte[] before,
      KernelMemory.Drawn drawn,
      byte[] after,
      double tolerance) {}

  /** Calls, and what the last of them costs: the kernel whose case it is. */
  record Case(
      String kernel, String label, Cost cost, List<Launch> launches, List<Buffer> buffers) {}

  private static final int NONE = -1;

  private final Backend cpu;
  private final Precision precision;
  private final Contract contract = CpuLibrary.get().contract();

  Replay(Backend cpu, Precision precision) {
    this.cpu = cpu;
    this.precision = precision;
  }

  /** Makes the calls of a case and keeps what was there before them and after. */
  Case of(KernelCase one) {
    try (KernelMemory memory = new KernelMemory(cpu, precision)) {
      List<Call> calls = one.calls(memory);
      List<byte[]> before = raw(memory);
      calls.forEach(call -> cpu.run(call.kernel(), precision, call.arguments()));
      List<byte[]> after = raw(memory);
      List<Launch> launches = calls.stream().map(call -> launch(call, memory)).toList();
      List<Buffer> buffers = new ArrayList<>();
      for (int b = 0; b < before.size(); b++) {
        KernelMemory.Buffer taken = memory.buffers().get(b);
        Role role = role(taken, calls);
        buffers.add(
            new Buffer(
                taken.name(),
                type(memory, taken),
                role,
                before.get(b).length,
                role == Role.OUTPUT || role == Role.SCRATCH ? null : before.get(b),
                taken.drawn(),
                role == Role.INPUT || role == Role.SCRATCH ? null : after.get(b),
                taken.isWhole() ? 0 : KernelMemory.tolerance(memory.stored(taken))));
      }
      String kernel = one.kernel().symbol(precision);
      return new Case(kernel, one.name(), calls.getLast().cost(), launches, buffers);
    }
  }

  /** What the first call that has it reads is there before; what any writes is another after. */
  private static Role role(KernelMemory.Buffer taken, List<Call> calls) {
    if (taken.element() == Element.OPAQUE) {
      return Role.SCRATCH;
    }
    List<List<Access>> uses =
        calls.stream()
            .map(call -> call.arguments().operands().stream())
            .map(
                all ->
                    all.filter(o -> o.address() == taken.address()).map(Operand::access).toList())
            .filter(accesses -> !accesses.isEmpty())
            .toList();
    if (uses.stream().flatMap(List::stream).noneMatch(Access::writes)) {
      return Role.INPUT;
    }
    return uses.getFirst().stream().anyMatch(Access::reads) ? Role.INOUT : Role.OUTPUT;
  }

  private static List<byte[]> raw(KernelMemory memory) {
    return memory.buffers().stream().map(memory::raw).toList();
  }

  private Launch launch(Call call, KernelMemory memory) {
    Contract.Entry entry = contract.entry(call.kernel(), precision);
    List<Contract.Field> fields = contract.structs().get(entry.struct());
    long[] words = new long[fields.size()];
    call.arguments().write(new Slots().into(MemorySegment.ofArray(words)));
    List<Long> addresses = memory.buffers().stream().map(KernelMemory.Buffer::address).toList();
    List<Slot> slots = new ArrayList<>();
    for (int i = 0; i < words.length; i++) {
      boolean points = fields.get(i).kind() == 'P' && words[i] != 0;
      slots.add(points ? new Slot(addresses.indexOf(words[i]), 0) : new Slot(NONE, words[i]));
    }
    int blocks = Math.toIntExact(Math.ceilDiv(call.arguments().work(), entry.items()));
    return new Launch(entry.symbol(), entry.threads(), blocks, slots);
  }

  private static Type type(KernelMemory memory, KernelMemory.Buffer buffer) {
    return switch (buffer.element()) {
      case INT32 -> Type.I32;
      case UINT8 -> Type.U8;
      case STATE, LAYER -> Type.I64;
      default -> Type.valueOf(memory.stored(buffer).name());
    };
  }
}
