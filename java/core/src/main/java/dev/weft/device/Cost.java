// SPDX-License-Identifier: Apache-2.0
package dev.weft.device;

/**
 * What a kernel call must move and compute, from its arguments alone.
 *
 * <p>Bytes: every operand read once and every result written once, whatever is read again from a
 * cache; of a broadcast operand what is stored. The step state, 48 bytes, is not counted.
 *
 * <p>Floating-point operations: additions, multiplications, divisions, comparisons, and each
 * exponential, logarithm, root or random draw as one. A product of matrices has 2 m n k.
 *
 * @param read bytes read
 * @param written bytes written
 * @param flops floating-point operations
 */
public record Cost(long read, long written, double flops) {
  /** Nothing. */
  public static final Cost NONE = new Cost(0, 0, 0);

  /** Bytes read and written. */
  public long bytes() {
    return read + written;
  }

  /** The sum of both. */
  public Cost plus(Cost other) {
    return new Cost(read + other.read, written + other.written, flops + other.flops);
  }

  /** The cost of a call of the kernel, by what the contract says of its operands. */
  public static Cost of(Kernel kernel, Precision precision, Arguments arguments) {
    long read = 0;
    long written = 0;
    double flops = arguments.flops();
    for (Operand operand : arguments.operands()) {
      if (operand.address() == 0) {
        continue;
      }
      long bytes = operand.moved() * kernel.element(operand).bytes(precision);
      read += operand.access().reads() ? bytes : 0;
      written += operand.access().writes() ? bytes : 0;
      flops += operand.access() == Access.ADD ? operand.moved() : 0;
    }
    return new Cost(read, written, flops);
  }
}
