// SPDX-License-Identifier: Apache-2.0
package dev.weft.op;

import static dev.weft.format.Format.format;

import dev.weft.DType;
import dev.weft.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/**
 * What an operation may be applied to: which types, and how many inputs. {@link dev.weft.Tape}
 * checks it before an operation runs, because a kernel reads an input's memory as whatever type it
 * was called for.
 *
 * @param inputs its inputs in order; where there may be more than that, the last stands for them
 * @param least the number of inputs at least
 * @param most the number of inputs at most
 */
public record Operands(List<Operand> inputs, int least, int most) {

  /** What types an input may have. */
  public enum Type {
    /** A floating-point type, the same one for all such inputs. */
    FLOATING,
    /** {@link DType#I32}: labels and row numbers. */
    INT32,
    /** Every type. */
    ANY
  }

  /**
   * One input.
   *
   * @param name what the operation's formula calls it: {@code x}, {@code labels}
   * @param type what types it may have
   */
  public record Operand(String name, Type type) {}

  /** Inputs of any floating-point type, all of the same. */
  public static Operands floating(String... names) {
    return of(
        Stream.of(names).map(name -> new Operand(name, Type.FLOATING)).toArray(Operand[]::new));
  }

  /** An input of a floating-point type, and others of int32. */
  public static Operands floatingAndInt32(String first, String... others) {
    return floating(first).andInt32(others);
  }

  /** Inputs of int32. */
  public static Operands int32(String... names) {
    return of().andInt32(names);
  }

  /** The same, and others of int32. */
  public Operands andInt32(String... names) {
    List<Operand> more = new ArrayList<>(inputs);
    Stream.of(names).map(name -> new Operand(name, Type.INT32)).forEach(more::add);
    return of(more.toArray(Operand[]::new));
  }

  /** These operands, and others that are all of one floating-point type. */
  public Operands andFloating(String... names) {
    List<Operand> more = new ArrayList<>(inputs);
    more.addAll(floating(names).inputs);
    return of(more.toArray(Operand[]::new));
  }

  /** One input of any type. */
  public static Operands any(String name) {
    return of(new Operand(name, Type.ANY));
  }

  /** The same, and one more of any type, which may be left out. */
  public Operands andAny(String name) {
    List<Operand> more = new ArrayList<>(inputs);
    more.add(new Operand(name, Type.ANY));
    return new Operands(List.copyOf(more), least, most + 1);
  }

  private static Operands of(Operand... inputs) {
    return new Operands(List.of(inputs), inputs.length, inputs.length);
  }

  /** The same, of which only the first {@code least} must be there. */
  public Operands atLeast(int least) {
    return new Operands(inputs, least, most);
  }

  /** The same, and any number more that are like the last. */
  public Operands orMore() {
    return new Operands(inputs, least, Integer.MAX_VALUE);
  }

  /**
   * Returns if an operation can be applied to tensors of these types.
   *
   * @param operation its name
   * @throws IllegalArgumentException that names the operation and the types, where it cannot
   */
  public void check(String operation, Tensor... tensors) {
    if (tensors.length < least || tensors.length > most) {
      String names = String.join(", ", inputs.stream().map(Operand::name).toList());
      throw new IllegalArgumentException(
          format("%s takes %s, not %d tensors", operation, names, tensors.length));
    }
    int first = -1; // the first input that should be and is floating
    for (int i = 0; i < tensors.length && first < 0; i++) {
      first = operand(i).type() == Type.FLOATING && tensors[i].dtype().isFloating() ? i : -1;
    }
    for (int i = 0; i < tensors.length; i++) {
      DType dtype = tensors[i].dtype();
      switch (operand(i).type()) {
        case FLOATING -> {
          if (first < 0) {
            throw new IllegalArgumentException(
                format(
                    "%s: %s is not of a floating-point type; cast it",
                    operation, text(i, tensors)));
          }
          if (dtype != tensors[first].dtype()) {
            throw new IllegalArgumentException(
                format(
                    "%s: %s and %s differ in type; cast one",
                    operation,
                    text(Math.min(i, first), tensors),
                    text(Math.max(i, first), tensors)));
          }
        }
        case INT32 -> {
          if (dtype != DType.I32) {
            throw new IllegalArgumentException(
                format("%s: %s must be of type I32; cast it", operation, text(i, tensors)));
          }
        }
        case ANY -> {}
      }
    }
  }

  /** What stands at a place. */
  public Operand operand(int index) {
    return inputs.get(Math.min(index, inputs.size() - 1));
  }

  /** Such as {@code a F32 [3]}, or {@code a (logits) F32 [3]} where the tensor was given a name. */
  private String text(int index, Tensor[] tensors) {
    Tensor tensor = tensors[index];
    String number =
        index < inputs.size() && most == inputs.size() ? "" : " " + index; // of inputs alike
    String given = tensor.name().equals(Tensor.UNNAMED) ? "" : format(" (%s)", tensor.name());
    return format(
        "%s%s%s %s %s", operand(index).name(), number, given, tensor.dtype(), tensor.shape());
  }
}
