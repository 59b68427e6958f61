// SPDX-License-Identifier: Apache-2.0
package dev.weft.device;

import static dev.weft.format.Format.format;

import java.util.List;

/**
 * A pointer of a kernel call, with what the contract says of it.
 *
 * @param name the field, such as {@code dx}
 * @param address where it is; 0: nowhere
 * @param access what the kernel does with it
 * @param element what it holds, unless {@link Kernel#element} says something else
 * @param extent how many, 0 where the contract does not tell
 * @param moved how many of them are read or written
 * @param below an integer operand holds numbers less than this; 0: any
 * @param nullable whether it may be nowhere
 * @param atCursor whether it begins at the cursor of the state
 */
public record Operand(
    String name,
    long address,
    Access access,
    Element element,
    long extent,
    long moved,
    long below,
    boolean nullable,
    boolean atCursor) {

  static IllegalArgumentException missing(String struct, String pointer) {
    return new IllegalArgumentException(format("%s: %s has no memory", struct, pointer));
  }

  static IllegalArgumentException shared(String struct, String output, String other) {
    return new IllegalArgumentException(
        format("%s: %s and %s may not be the same memory", struct, output, other));
  }

  static Arguments without(Arguments call, List<String> names) {
    requireNames(call, names);
    return call.at(operand -> names.contains(operand.name()) ? 0 : operand.address());
  }

  static Arguments inPlace(Arguments call, String name, String of) {
    requireNames(call, List.of(name, of));
    long place =
        call.operands().stream().filter(o -> o.name().equals(of)).findFirst().get().address();
    return call.at(operand -> operand.name().equals(name) ? place : operand.address());
  }

  private static void requireNames(Arguments call, List<String> names) {
    List<String> known = call.operands().stream().map(Operand::name).toList();
    for (String name : names) {
      if (!known.contains(name)) {
        throw new IllegalArgumentException(
            format("%s has no operand %s; there are %s", call, name, known));
      }
    }
  }
}
