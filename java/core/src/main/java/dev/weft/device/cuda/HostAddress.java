// SPDX-License-Identifier: Apache-2.0
package dev.weft.device.cuda;

import jcuda.Pointer;

/**
 * An address of off-heap host memory as JCuda takes and returns it. Heap arrays never go to JCuda:
 * it would pin them, and early releases of JDK 25 may move pinned objects (JDK-8377811).
 */
final class HostAddress extends Pointer {

  /** The null pointer, for a call to write into. */
  HostAddress() {}

  HostAddress(long address) {
    super(address);
  }

  /** The address. */
  long value() {
    return getNativePointer() + getByteOffset();
  }
}
