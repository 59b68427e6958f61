// SPDX-License-Identifier: Apache-2.0
package dev.weft;

import static dev.weft.format.Format.format;

/** The kinds of device. */
public enum DeviceKind {
  /** The processor. */
  CPU("cpu"),
  /** An NVIDIA GPU. */
  CUDA("cuda:\\d+");

  private final String names;

  DeviceKind(String names) {
    this.names = names;
  }

  /**
   * The kind of a device by its {@link Device#name}, as files keep it.
   *
   * @throws IllegalArgumentException where no device has such a name
   */
  public static DeviceKind of(String name) {
    for (DeviceKind kind : values()) {
      if (name.matches(kind.names)) {
        return kind;
      }
    }
    throw new IllegalArgumentException(
        format("no device is called '%s': there are cpu and cuda:N", name));
  }
}
