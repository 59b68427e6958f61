// SPDX-License-Identifier: Apache-2.0
package dev.weft.bench.harness;

import dev.weft.device.Arguments;
import dev.weft.device.Backend;
import dev.weft.device.Contract;
import dev.weft.device.Cost;
import dev.weft.device.Kernel;
import dev.weft.device.Precision;
import dev.weft.device.Slots;
import dev.weft.device.cpu.CpuLibrary;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Function;

/** Runs calls of kernels on the CPU and tells them as {@code native/harness} replays them. */
final class Replay {
  /** A call of a kernel; several, one after the other, make a case. */
  record Call(Kernel kernel, Arguments arguments) {}

  /** In the order of the harness. */
  enum Type {
    F32,
    F64,
    BF16,
    I32,
    I64
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
      CallMemory.Drawn drawn,
      byte[] after,
      double tolerance) {}

  /** Calls, and what the last of them costs: the kernel whose case it is. */
  record Case(
      String kernel, String label, Cost cost, List<Launch> launches, List<Buffer> buffers) {}

  private static final int NONE = -1;
  // as in the harness: NaN in every type, and an integer that no kernel writes
  private static final byte[] POISON = {(byte) 0xf5, (byte) 0xff};

  private final Backend cpu;
  private final Precision precision;
  private final Contract contract = CpuLibrary.get().contract();

  Replay(Backend cpu, Precision precision) {
    this.cpu = cpu;
    this.precision = precision;
  }

  /**
   * Makes calls and keeps what was there before them and after.
   *
   * @param kernel whose case it is
   * @param make takes the memory, which it must do the same way each time
   */
  Case of(Kernel kernel, String label, Function<CallMemory, List<Call>> make) {
    CallMemory memory = new CallMemory(cpu, precision);
    List<Call> calls = make.apply(memory);
    List<byte[]> before = raw(memory);
    List<byte[]> after = run(calls, memory);
    List<Launch> launches = calls.stream().map(call -> launch(call, memory)).toList();
    List<Buffer> buffers = new ArrayList<>();
    for (int b = 0; b < before.size(); b++) {
      CallMemory.Buffer taken = memory.buffers().get(b);
      boolean changed = !Arrays.equals(before.get(b), after.get(b));
      Role role = changed ? Role.INOUT : Role.INPUT;
      if (taken.content() == CallMemory.Content.SCRATCH) {
        role = Role.SCRATCH;
      } else if (mayBePoison(taken, changed) && isWrittenUnread(make, b, after, memory)) {
        role = Role.OUTPUT;
      }
      boolean whole = CallMemory.isWhole(taken.content());
      buffers.add(
          new Buffer(
              name(calls, launches, b),
              type(memory, taken),
              role,
              before.get(b).length,
              role == Role.OUTPUT || role == Role.SCRATCH ? null : before.get(b),
              taken.drawn(),
              role == Role.INPUT || role == Role.SCRATCH ? null : after.get(b),
              whole ? 0 : CallMemory.tolerance(memory.precision(taken.content()))));
    }
    memory.free();
    Call last = calls.getLast();
    Cost cost = Cost.of(last.kernel(), precision, last.arguments());
    return new Case(kernel.symbol(precision), label, cost, launches, buffers);
  }

  /** Whether no kernel can be led astray by it: an index or a cursor that is poison could. */
  private static boolean mayBePoison(CallMemory.Buffer taken, boolean changed) {
    return switch (taken.content()) {
      case STATE, WORDS -> false;
      case INTS -> changed;
      default -> true;
    };
  }

  /** Whether the same comes out, to the bit, where a buffer held poison before. */
  private boolean isWrittenUnread(
      Function<CallMemory, List<Call>> make, int buffer, List<byte[]> expected, CallMemory like) {
    CallMemory memory = new CallMemory(cpu, precision);
    List<Call> calls = make.apply(memory);
    byte[] poison = new byte[expected.get(buffer).length];
    for (int i = 0; i < poison.length; i++) {
      poison[i] = POISON[i % 2];
    }
    cpu.copyIn(MemorySegment.ofArray(poison), memory.buffers().get(buffer).address());
    List<byte[]> after = run(calls, memory);
    memory.free();
    for (int b = 0; b < after.size(); b++) {
      boolean compared = like.buffers().get(b).content() != CallMemory.Content.SCRATCH;
      if (compared && !Arrays.equals(expected.get(b), after.get(b))) {
        return false;
      }
    }
    return true;
  }

  private List<byte[]> run(List<Call> calls, CallMemory memory) {
    calls.forEach(call -> cpu.run(call.kernel(), precision, call.arguments()));
    return raw(memory);
  }

  private static List<byte[]> raw(CallMemory memory) {
    return memory.buffers().stream().map(memory::raw).toList();
  }

  private List<Contract.Field> fields(Kernel kernel) {
    return contract.structs().get(contract.entry(kernel, precision).struct());
  }

  private Launch launch(Call call, CallMemory memory) {
    Contract.Entry entry = contract.entry(call.kernel(), precision);
    List<Contract.Field> fields = fields(call.kernel());
    long[] words = new long[fields.size()];
    call.arguments().write(new Slots().into(MemorySegment.ofArray(words)));
    List<Slot> slots = new ArrayList<>();
    for (int i = 0; i < words.length; i++) {
      boolean points = fields.get(i).kind() == 'P' && words[i] != 0;
      slots.add(points ? new Slot(memory.indexOf(words[i]), 0) : new Slot(NONE, words[i]));
    }
    int blocks = Math.toIntExact((call.arguments().work() + entry.items() - 1) / entry.items());
    return new Launch(entry.symbol(), entry.threads(), blocks, slots);
  }

  /** The first field that points to it. */
  private String name(List<Call> calls, List<Launch> launches, int buffer) {
    for (int l = 0; l < launches.size(); l++) {
      List<Slot> slots = launches.get(l).slots();
      for (int i = 0; i < slots.size(); i++) {
        if (slots.get(i).buffer() == buffer) {
          return fields(calls.get(l).kernel()).get(i).name();
        }
      }
    }
    return "unused";
  }

  private static Type type(CallMemory memory, CallMemory.Buffer buffer) {
    return switch (buffer.content()) {
      case INTS -> Type.I32;
      case STATE, WORDS -> Type.I64;
      default -> Type.valueOf(memory.precision(buffer.content()).name());
    };
  }
}
