// SPDX-License-Identifier: Apache-2.0
package dev.weft.device;

/** What part of a training step a kernel call is for. */
public enum Phase {
  /** Takes a batch out of the data set. */
  DATA,
  /** Computes the outputs of the network. */
  FORWARD,
  /** Compares the outputs with the targets. */
  LOSS,
  /** Computes gradients. */
  BACKWARD,
  /** Changes the parameters by their gradients. */
  OPTIMIZER,
  /** Adds up losses and hits, and counts steps. */
  METRICS,
  /** Several of these in one kernel. */
  FUSED,
  /** Nobody said. */
  OTHER
}
