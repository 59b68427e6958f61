// SPDX-License-Identifier: Apache-2.0
package dev.weft.device;

/** What a kernel does with an operand. */
public enum Access {
  /** It is read. */
  IN,
  /** It is written, whatever was there. */
  OUT,
  /** It is read and written. */
  INOUT,
  /** A result is added to what is there: an addition an element beside the kernel's own work. */
  ADD;

  /** Whether what is there before matters. */
  public boolean reads() {
    return this != OUT;
  }

  /** Whether it is something else afterwards. */
  public boolean writes() {
    return this != IN;
  }
}
