// SPDX-License-Identifier: Apache-2.0
package dev.weft;

/**
 * The differentiable operations, a method for each: what layers, losses and functions under check
 * are made of. They stand in the interfaces that this one joins. {@link Tape} is what runs them and
 * takes their gradients.
 *
 * {@snippet file="Examples.java" region="operations"}
 *
 * <p>Each method computes its result at once. Floating-point inputs of one operation are of one
 * type. All methods throw {@link IllegalArgumentException} where inputs are of types that do not
 * fit or on another device, and {@link IllegalStateException} where one is closed.
 */
public interface Operations extends LossOperations {
  /**
   * Says how precise the products of float32 matrices are from now on: {@link MathMode#STRICT}
   * until something else was said. Returns this.
   */
  Operations math(MathMode math);
}
