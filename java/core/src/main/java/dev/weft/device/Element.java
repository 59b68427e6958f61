// SPDX-License-Identifier: Apache-2.0
package dev.weft.device;

/** What an operand holds, in the words of {@code native/abi/contract.h}. */
public enum Element {
  /** The kernel's own type. */
  T,
  /** What the kernel computes in. */
  WIDE,
  F32,
  F64,
  BF16,
  INT32,
  UINT8,
  /** A step's state, of {@link #STATE_WORDS}. */
  STATE,
  /** The table of layers of a fused network. */
  LAYER,
  /** The kernel's own type, in a layout of its own. */
  OPAQUE;

  /**
   * The words of a step's state: seed, step, update, cursor, rate, the rate in float32, and the
   * factors of momentum and of weight decay.
   */
  public static final int STATE_WORDS = 8;

  /** Bytes of one, and of a state's word. */
  public int bytes(Precision precision) {
    return switch (this) {
      case T, OPAQUE -> precision.bytes();
      case WIDE -> precision.wide().bytes();
      case F32, INT32 -> 4;
      case BF16 -> 2;
      case UINT8 -> 1;
      case F64, STATE, LAYER -> Long.BYTES;
    };
  }
}
