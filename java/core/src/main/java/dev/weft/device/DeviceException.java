// SPDX-License-Identifier: Apache-2.0
package dev.weft.device;

import org.jspecify.annotations.Nullable;

/** A device refused a call: the message names the call, the kernel and the sizes. */
public class DeviceException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /** Makes one with a sentence for the user. */
  public DeviceException(String message) {
    super(message);
  }

  /** Makes one with a sentence for the user and what lay beneath. */
  public DeviceException(@Nullable String message, Throwable cause) {
    super(message, cause);
  }
}
