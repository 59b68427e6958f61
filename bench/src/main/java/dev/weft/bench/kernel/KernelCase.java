// SPDX-License-Identifier: Apache-2.0
package dev.weft.bench.kernel;

import dev.weft.device.Arguments;
import dev.weft.device.Backend;
import dev.weft.device.Call;
import dev.weft.device.Cost;
import dev.weft.device.Kernel;
import dev.weft.device.Phase;
import dev.weft.device.Precision;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * A call of a kernel, to be made on any backend.
 *
 * @param sizes what it is over
 * @param call its pointers are numbers; the same number is the same memory
 * @param fills what operands hold, where that is not {@link KernelMemory}'s choice
 * @param before the case that must run first in the same memory, or null
 */
public record KernelCase(
    String name,
    Kernel kernel,
    Sizes sizes,
    Arguments call,
    Map<String, Fill> fills,
    KernelCase before) {

  KernelCase(String name, Kernel kernel, Sizes sizes, Arguments call) {
    this(name, kernel, sizes, call, Map.of(), null);
  }

  /** The same with something else in an operand. */
  public KernelCase with(String operand, Fill fill) {
    Map<String, Fill> all = new HashMap<>(fills);
    all.put(operand, fill);
    return new KernelCase(name, kernel, sizes, call, all, before);
  }

  /** The same, which another one must run before. */
  KernelCase after(KernelCase first) {
    return new KernelCase(name, kernel, sizes, call, fills, first);
  }

  KernelCase named(String other) {
    return new KernelCase(other, kernel, sizes, call, fills, before);
  }

  KernelCase inPlace(String operand, String of) {
    Arguments same = call.inPlace(operand, of);
    return new KernelCase(name + " in place", kernel, sizes, same, fills, before);
  }

  /** Its calls over memory, in order; the last is its own. */
  public List<Call> calls(KernelMemory memory) {
    Stream<Call> first = before == null ? Stream.of() : before.calls(memory).stream();
    Call own = new Call(kernel, memory.precision(), memory.place(this), Phase.OTHER, name);
    return Stream.concat(first, Stream.of(own)).toList();
  }

  /** Runs it once. */
  public void run(Backend backend, KernelMemory memory) {
    calls(memory).forEach(c -> backend.run(c.kernel(), c.precision(), c.arguments()));
  }

  /** Whether its kernel does one thing. */
  public boolean isOfOneFunction() {
    return KernelCases.functions(kernel).count() == 1;
  }

  /** What it moves and computes in float32, and what runs before it. */
  public Cost cost() {
    Cost own = Cost.of(kernel, Precision.F32, call);
    return before == null ? own : before.cost().plus(own);
  }

  @Override
  public String toString() {
    return name;
  }
}
