// SPDX-License-Identifier: Apache-2.0
package dev.weft.device;

import org.jspecify.annotations.Nullable;

/**
 * A device that was asked for is not there; the message says what is missing and where it was
 * sought.
 */
public final class DeviceUnavailableException extends DeviceException {
  private static final long serialVersionUID = 1L;

  /** Makes one with a sentence for the user. */
  public DeviceUnavailableException(String message) {
    super(message);
  }

  /** Makes one with a sentence for the user and what lay beneath. */
  public DeviceUnavailableException(@Nullable String message, Throwable cause) {
    super(message, cause);
  }
}
