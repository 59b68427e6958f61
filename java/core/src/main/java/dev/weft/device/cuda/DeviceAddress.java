// SPDX-License-Identifier: Apache-2.0
package dev.weft.device.cuda;

import jcuda.driver.CUdeviceptr;

/** A device address as JCuda takes and returns it; Weft holds addresses as {@code long}. */
final class DeviceAddress extends CUdeviceptr {
  private static final CUdeviceptr NULL = new CUdeviceptr();

  /** The null pointer, for a call to write into. */
  DeviceAddress() {}

  /** The given address: JCuda's natives add the offset to the pointer, which is null. */
  DeviceAddress(long address) {
    super(NULL, address);
  }

  /** The address. */
  long value() {
    return getNativePointer() + getByteOffset();
  }
}
