// SPDX-License-Identifier: Apache-2.0
package dev.weft.device;

/** A device has not the memory asked for; the message says live, cached and asked for. */
public final class OutOfDeviceMemoryException extends DeviceException {
  private static final long serialVersionUID = 1L;

  /** Makes one with a sentence for the user. */
  public OutOfDeviceMemoryException(String message) {
    super(message);
  }
}
