// SPDX-License-Identifier: Apache-2.0
package dev.weft;

import dev.weft.device.Backend;

/** The last resort: closes a backend whose device became unreachable, and says so. */
final class Forgotten implements Runnable {
  private static final System.Logger LOG = System.getLogger("dev.weft");

  private final Backend backend;
  private volatile boolean closed;

  Forgotten(Backend backend) {
    this.backend = backend;
  }

  /** The device was closed in time. */
  void dismiss() {
    closed = true;
  }

  @Override
  public void run() {
    if (!closed) {
      LOG.log(
          System.Logger.Level.WARNING,
          "device {0} was not closed; it is closed now",
          backend.name());
      backend.close();
    }
  }
}
